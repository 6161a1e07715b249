"""
What an operator does to what is parked. A program, in the relay's own environment.

    python -m tests.support.backlog_program resume|suspend SUBSCRIPTION
    python -m tests.support.backlog_program release DELIVERY...
"""

import argparse

from odim_relay import bootstrap
from odim_relay.ports import SuspendedBy
from odim_relay.use_cases.aftermath import settle


def run() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("action", choices=["resume", "suspend", "release"])
    parser.add_argument("ids", nargs="+")
    arguments = parser.parse_args()
    ledger = bootstrap.backlog_ledger()
    match arguments.action:
        case "resume":
            resumed = ledger.resume(arguments.ids[0], None)
            assert resumed is not None
            settle(resumed.aftermath, bootstrap.publisher())
        case "suspend":
            assert ledger.suspend(arguments.ids[0], SuspendedBy.HAND)
        case _:
            _, aftermath = ledger.release(arguments.ids)
            settle(aftermath, bootstrap.publisher())


if __name__ == "__main__":
    run()
