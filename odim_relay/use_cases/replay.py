"""
Replay: what is parked goes out again, by the beat schedule.
"""

from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from functools import partial

from odim_relay.domain.destination_identity import destination_id
from odim_relay.domain.subscription import Subscription
from odim_relay.domain.tls import tls_terms_of
from odim_relay.ports import BacklogLedger, Connection, Connector, Publisher, SubscriptionStore
from odim_relay.telemetry import logger
from odim_relay.use_cases.aftermath import settle

log = logger(__name__)

_MOST_ROUNDS = 1_000
# A thousand destinations that hang are all knocked at within half a minute (S12). Each thread does but wait.
_THREADS = 200


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
        released += self._knock_at_all(connections.values())
        if released:
            log.info("deliveries.replayed", count=released)
        return released

    def _knock_at_all(self, connections: Collection[Connection]) -> int:
        if not connections:
            return 0
        threads = min(_THREADS, len(connections))
        released = 0
        with ThreadPoolExecutor(max_workers=threads, thread_name_prefix="connect") as pool:
            # The threads do nothing but wait for destinations: they would need as many connections to Redis.
            running = {pool.submit(knock): one for one in connections if (knock := self._knock_at(one)) is not None}
            for ended in as_completed(running):
                released += self._tell(running[ended], ended)
        return released

    def _knock_at(self, connection: Connection) -> Callable[[], bool] | None:
        """
        What connects to a destination that accepted no connection; None when it is not wanted any more.
        """
        with _each_for_itself(connection):
            subscription = self._store.get(connection.subscription_id)
            if subscription is not None and destination_id(subscription) == connection.destination_id:
                return partial(self._accepts, subscription)
        return None  # deleted or changed since

    def _accepts(self, subscription: Subscription) -> bool:
        """
        Whether the destination accepts a connection, or one of its backups does; all of them share the time.
        """
        urls = (subscription.destination, *subscription.backup_destinations)
        return any(
            self._connector.accepts(url, timeout_s=self._timeout_s / len(urls), tls=tls_terms_of(subscription))
            for url in urls
        )

    def _tell(self, connection: Connection, knock: Future[bool]) -> int:
        """
        Tell the ledger; if the destination accepts now, one delivery goes there at once.
        """
        with _each_for_itself(connection):
            aftermath = self._ledger.connected(connection.destination_id, accepts=knock.result())
            settle(aftermath, self._publisher)
            return len(aftermath.tickets)
        return 0


@contextmanager
def _each_for_itself(connection: Connection) -> Iterator[None]:
    """
    What goes wrong with one is no matter of the others: they are knocked at all the same, and the next run comes.
    """
    try:
        yield
    except Exception as exc:  # noqa: BLE001 - whatever it is
        log.warning(
            "destination.not_tried", destination_id=connection.destination_id, detail=f"{type(exc).__name__}: {exc}"
        )
