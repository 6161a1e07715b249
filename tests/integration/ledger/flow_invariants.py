"""
What must be true at every moment of how deliveries flow: who waits, who may go, and the breakers.
"""

from odim_relay.domain.circuit_breaker import Breaker
from odim_relay.domain.delivery import State
from tests.integration.ledger.database import Database

_OF_A_BREAKER = {"interval_ms", "probe_at_ms", "opened_at_ms", "cursor", "probe", "probe_until_ms"}


def check_flow(database: Database) -> None:
    check_under_way(database)
    check_waiting(database)
    check_breakers(database)


def check_under_way(database: Database) -> None:
    """
    L14: what a window is compared with is what is there.
    """
    for id_ in database.owners | database.subscriptions | database.flows.keys():
        flow = database.flows.get(id_, {})
        own = [
            delivery["state"]
            for delivery in database.deliveries.values()
            if delivery["subscription"] == id_ and "leader" not in delivery
        ]
        counting = own.count(State.RETRYING)
        active = len(own) - counting
        assert int(flow.get("active", "0")) == active, (id_, flow)
        assert int(flow.get("counting", "0")) == counting, (id_, flow)
        assert id_ in database.subscriptions or own or not flow, f"a flow of nothing: {id_} {flow}"
    for id_, delivery in database.deliveries.items():
        assert "leader" not in delivery or delivery["state"] == State.SENDING, (id_, delivery)


def check_waiting(database: Database) -> None:
    """
    L4: whoever has something that is ready is looked after, unless it is suspended or gone.
    """
    ready = database.under("parked:").keys() & database.subscriptions
    looked_after = {id_ for id_ in ready if "suspended" not in database.flows[id_]}
    assert database.get("due", {}).keys() == looked_after
    by_destination: dict[str, set[str]] = {}
    for id_ in looked_after:
        by_destination.setdefault(database.flows[id_]["destination"], set()).add(id_)
    assert database.under("waiting:") == by_destination


def check_breakers(database: Database) -> None:
    """
    L29, L30: each is in a state of the table, with what belongs to it.
    """
    for id_, destination in database.destinations.items():
        state = Breaker(destination.get("state", Breaker.CLOSED))
        match state:
            case Breaker.CLOSED:
                left = destination.keys() & _OF_A_BREAKER
                assert not left, f"left over when {id_} closed: {left}"
            case Breaker.OPEN:
                assert destination.keys() >= {"interval_ms", "probe_at_ms", "generation"}, (id_, destination)
                assert not destination.get("probe"), (id_, destination)
            case Breaker.HALF_OPEN:
                assert destination.get("probe"), (id_, destination)
                assert destination.keys() >= {"probe_until_ms", "generation"}, (id_, destination)
