"""
Replay: what is parked goes out again, by the beat schedule.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from odim_relay.ports import BacklogLedger, Connection, Connector, Publisher, SubscriptionStore
from odim_relay.use_cases.aftermath import settle

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
        return released + self._connect(connections.values())

    def _connect(self, connections: Iterable[Connection]) -> int:
        """
        Knock at destinations that accepted no connection; send one delivery to each that does now.
        """
        wanted = list(connections)
        if not wanted:
            return 0

        def knock(connection: Connection) -> int:
            subscription = self._store.get(connection.subscription_id)
            if subscription is None:
                return 0
            accepts = self._connector.accepts(subscription.destination, timeout_s=self._timeout_s)
            aftermath = self._ledger.connected(connection.destination_id, accepts=accepts)
            settle(aftermath, self._publisher)
            return len(aftermath.tickets)

        with ThreadPoolExecutor(max_workers=min(_THREADS, len(wanted)), thread_name_prefix="connect") as pool:
            return sum(pool.map(knock, wanted))
