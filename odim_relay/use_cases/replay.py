"""
Replay: what is parked goes out again, by the beat schedule.
"""

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor

from odim_relay.domain.destination_identity import destination_id
from odim_relay.ports import BacklogLedger, Connection, Connector, Publisher, SubscriptionStore
from odim_relay.telemetry import logger
from odim_relay.use_cases.aftermath import settle

log = logger(__name__)

_MOST_ROUNDS = 1_000
_THREADS = 32


class Replay:
    """
    The work of the replay task; safe to run twice at once (L28).
    """

    def __init__(
        self,
        *,
        ledger: BacklogLedger,
        store: SubscriptionStore,
        connector: Connector,
        publisher: Publisher,
        timeout_s: float,
    ) -> None:
        """
        Args:
            timeout_s: of connecting to a destination that did not accept connections.
        """
        self._ledger = ledger
        self._store = store
        self._connector = connector
        self._publisher = publisher
        self._timeout_s = timeout_s

    def __call__(self) -> int:
        """
        Look at every subscription with parked deliveries. Returns how many deliveries were let go.

        Raises:
            TransientError: the ledger cannot be reached; what was not looked at is due still.
        """
        released = 0
        connections: dict[str, Connection] = {}
        for _ in range(_MOST_ROUNDS):
            step = self._ledger.replay()
            settle(step.aftermath, self._publisher)
            released += len(step.aftermath.tickets)
            connections |= {one.destination_id: one for one in step.connections}
            if not step.has_more:
                break
        return released + self._knock_at_all(connections.values())

    def _knock_at_all(self, connections: Collection[Connection]) -> int:
        if not connections:
            return 0
        threads = min(_THREADS, len(connections))
        with ThreadPoolExecutor(max_workers=threads, thread_name_prefix="connect") as pool:
            return sum(pool.map(self._knock_and_tell, connections))

    def _knock_and_tell(self, connection: Connection) -> int:
        """
        What goes wrong with one is no matter of the others: they were knocked at all the same, and the next run comes.
        """
        try:
            return self._knock(connection)
        except Exception as exc:  # noqa: BLE001 - whatever it is
            log.warning(
                "destination.not_tried", destination_id=connection.destination_id, detail=f"{type(exc).__name__}: {exc}"
            )
            return 0

    def _knock(self, connection: Connection) -> int:
        """
        Connect to a destination that accepted no connection; if it does now, one delivery goes there at once.
        """
        subscription = self._store.get(connection.subscription_id)
        if subscription is None or destination_id(subscription) != connection.destination_id:
            return 0  # deleted or changed since
        accepts = self._connector.accepts(subscription.destination, timeout_s=self._timeout_s)
        aftermath = self._ledger.connected(connection.destination_id, accepts=accepts)
        settle(aftermath, self._publisher)
        return len(aftermath.tickets)
