"""
How a command ends.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import click

from odim_relay.errors import ConfigurationError, OdimRelayError, TransientError
from odim_relay.use_cases.start import LedgerMissingError

FAILED = 1
WRONG_USAGE = 2
UNREACHABLE = 3
_LEVEL = "ODIM_RELAY_LOG__LEVEL"


class FailedCommand(click.ClickException):
    """
    Ends the command with one line on stderr and an exit code.
    """

    def __init__(self, message: str, exit_code: int = FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc] # click reads it from the instance

    def show(self, file: IO[Any] | None = None) -> None:
        """
        Print it: one line, whatever the message holds.
        """
        click.echo(f"odim-relay: {' '.join(self.format_message().split())}", file=file or sys.stderr)


def exit_code_of(error: OdimRelayError) -> int:
    """
    The exit code that tells a script what to do: mend the configuration, wait for a store, or look.
    """
    match error:
        case ConfigurationError():
            return WRONG_USAGE
        case TransientError() | LedgerMissingError():
            return UNREACHABLE
        case _:
            return FAILED


@contextmanager
def translated() -> Iterator[None]:
    """
    Turn exceptions into click's: ours into what they mean, all others into a fault of our own.
    """
    try:
        yield
    except OdimRelayError as exc:
        raise FailedCommand(str(exc), exit_code_of(exc)) from exc
    except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
        raise
    except Exception as exc:
        if os.environ.get(_LEVEL, "").upper() == "DEBUG":
            raise
        raise FailedCommand(
            f"a fault of odim-relay itself: {type(exc).__name__}: {exc}; {_LEVEL}=DEBUG shows where"
        ) from exc
