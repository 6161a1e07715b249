"""
A program: fills the queue of one side, and ends.

    python -m benchmarks.preload plain|odim-relay --count N --url URL

Of odim-relay it writes deliveries as the bridge does: subscriptions in the store, batches through the ingest ledger,
tasks through the publisher. Of the plain task it publishes through `Producer.batch`, the fastest way there is.
"""

import argparse
from uuid import uuid4

from benchmarks.payload import SYSTEMS, event_payload

_BATCH = 500


def preload_plain(count: int, url: str) -> None:
    """
    One task per delivery, the payload in it.
    """
    from benchmarks.plain_task import app, deliver  # noqa: PLC0415 - reads its broker from the environment

    bodies = [event_payload(system).decode() for system in range(SYSTEMS)]
    with app.producer_pool.acquire(block=True) as producer, producer.batch(max_size=_BATCH):
        for number in range(count):
            system = number % SYSTEMS
            arguments = (f"{url}?s={system}", str(uuid4()), bodies[system])
            deliver.apply_async(arguments, producer=producer, retry=False)


def preload_ours(count: int, url: str) -> None:
    """
    One event and one delivery each, spread over as many subscriptions as there are systems.
    """
    from odim_relay import bootstrap  # noqa: PLC0415 - reads its settings from the environment
    from odim_relay.domain.event import WHOLE  # noqa: PLC0415
    from odim_relay.domain.subscription import Subscription  # noqa: PLC0415
    from odim_relay.ports import IngestBatch, NewDelivery, NewEvent, Position, TopicPartition  # noqa: PLC0415

    store, ledger, publisher = bootstrap.subscription_store(), bootstrap.ingest_ledger(), bootstrap.publisher()
    for system in range(SYSTEMS):
        store.save(Subscription(subscription_id=f"system-{system}", destination=f"{url}?s={system}"))
    partition = TopicPartition(topic="BENCHMARK", partition=0)
    position = Position(topic_epoch="epoch", offset=0)
    ledger.set_position(partition, None, position)
    for start in range(0, count, _BATCH):
        numbers = range(start, min(start + _BATCH, count))
        reached = Position(topic_epoch="epoch", offset=numbers.stop)
        tickets = ledger.ingest(
            IngestBatch(
                partition=partition,
                believed=position,
                reached=reached,
                generation=store.generation(),
                events=[
                    NewEvent(
                        event_id=str(uuid4()),
                        payload=event_payload(number % SYSTEMS),
                        record=f"BENCHMARK/0/{number}",
                        recorded_at_ms=1,
                    )
                    for number in numbers
                ],
                deliveries=[
                    NewDelivery(
                        delivery_id=str(uuid4()),
                        subscription_id=f"system-{number % SYSTEMS}",
                        event_index=index,
                        shape=WHOLE,
                    )
                    for index, number in enumerate(numbers)
                ],
                record_count=len(numbers),
                event_count=len(numbers),
            )
        )
        assert tickets is not None
        publisher.publish(tickets)
        position = reached


def main() -> None:
    """
    Fill one queue.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("side", choices=["plain", "odim-relay"])
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--url", required=True)
    chosen = parser.parse_args()
    preload = preload_plain if chosen.side == "plain" else preload_ours
    preload(chosen.count, chosen.url)


if __name__ == "__main__":
    main()
