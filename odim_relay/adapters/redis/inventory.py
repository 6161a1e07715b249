"""
Sources and aggregates, in Redis.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeAlias
from uuid import uuid4

from odim_relay.adapters.redis import keys
from odim_relay.adapters.redis.connection import Scripts, text, translated
from odim_relay.domain.inventory import Aggregate, Inventory, Source
from odim_relay.domain.keeper import Keeper
from odim_relay.ports import InventoryChange, InventoryContent

MOST_CHANGES = 5_000
"""
Entries that one script changes: some 10 ms. More are staged, and then put in place at once, however many they are (L8).
"""
_STEP = 1_000
_STAGED_FOR_S = 600
"""
What is staged and never put in place, as its process died, goes then.
"""

_Documents: TypeAlias = dict[str, str]


class RedisInventoryStore:
    """
    `InventoryStore` over Redis. Threads share one instance.
    """

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    def version(self) -> int:
        """
        See `InventoryStore.version`.
        """
        with translated("reading the inventory's version"):
            return int(self._scripts.client.get(self._key(keys.INVENTORY_VERSION)) or 0)

    def read(self) -> tuple[int, Inventory]:
        """
        See `InventoryStore.read`.
        """
        # Ours last: of two of one name the later counts.
        version, (odims, own) = self._read(Keeper.ODIM, Keeper.OWN)
        return version, Inventory.of(
            [Source(address=it, origin=uri) for one in (odims, own) for it, uri in one.sources.items()],
            [Aggregate(uri=uri, elements=it) for one in (odims, own) for uri, it in one.aggregates.items()],
        )

    def content(self, keeper: Keeper) -> InventoryContent:
        """
        See `InventoryStore.content`.
        """
        return self._read(keeper)[1][0]

    def counts(self) -> Mapping[Keeper, tuple[int, int]]:
        """
        See `InventoryStore.counts`.
        """
        with translated("counting the inventory"):
            pipe = self._scripts.client.pipeline(transaction=True)
            for keeper in Keeper:
                pipe.hlen(self._key(keys.sources(keeper)))
                pipe.hlen(self._key(keys.aggregates(keeper)))
            replies = iter(pipe.execute())
        return {keeper: (int(next(replies)), int(next(replies))) for keeper in Keeper}

    def change(self, keeper: Keeper, change: InventoryChange) -> None:
        """
        See `InventoryStore.change`.
        """
        if len(change.sources) + len(change.aggregates) <= MOST_CHANGES:
            self._change(keeper, change, believed="")
        else:
            self._rewrite(keeper, lambda stands: stands.changed(change))

    def replace(self, keeper: Keeper, content: InventoryContent) -> None:
        """
        See `InventoryStore.replace`.
        """
        self._rewrite(keeper, lambda _: content)

    def has_been_read(self) -> bool:
        """
        See `InventoryStore.has_been_read`.
        """
        with translated("looking for the last reading of ODIM's tables"):
            return bool(self._scripts.client.exists(self._key(keys.INVENTORY_READING)))

    def note_reading(self, report: str) -> None:
        """
        See `InventoryStore.note_reading`.
        """
        with translated("noting the reading of ODIM's tables"):
            seconds, microseconds = self._scripts.client.time()
            read_at_ms = int(seconds) * 1000 + int(microseconds) // 1000
            self._scripts.client.set(self._key(keys.INVENTORY_READING), f"{read_at_ms} {report}")

    def last_reading(self) -> tuple[int, str] | None:
        """
        See `InventoryStore.last_reading`.
        """
        with translated("reading when ODIM's tables were read"):
            found: Any = self._scripts.client.get(self._key(keys.INVENTORY_READING))
        if found is None:
            return None
        read_at_ms, _, report = text(found).partition(" ")
        return int(read_at_ms), report

    def _read(self, *keepers: Keeper) -> tuple[int, list[InventoryContent]]:
        with translated("reading the inventory"):
            # In a transaction: the content belongs to the version, and both keepers' to each other.
            pipe = self._scripts.client.pipeline(transaction=True)
            pipe.get(self._key(keys.INVENTORY_VERSION))
            for keeper in keepers:
                pipe.hgetall(self._key(keys.sources(keeper)))
                pipe.hgetall(self._key(keys.aggregates(keeper)))
            version, *tables = pipe.execute()
        pairs = zip(tables[::2], tables[1::2], strict=True)
        return int(version or 0), [_content(sources, aggregates) for sources, aggregates in pairs]

    def _rewrite(self, keeper: Keeper, rewritten: Callable[[InventoryContent], InventoryContent]) -> None:
        """
        Replace what stands by what it is `rewritten` to, and do it again where somebody else was quicker.
        """
        while True:
            version, (stands,) = self._read(keeper)
            wanted = rewritten(stands)
            change = stands.changes_to(wanted)
            if len(change.sources) + len(change.aggregates) <= MOST_CHANGES:
                is_done = self._change(keeper, change, believed=str(version))
            else:
                is_done = self._put_in_place(keeper, wanted, version)
            if is_done:
                return

    def _change(self, keeper: Keeper, change: InventoryChange, *, believed: str) -> bool:
        gone = [name for name, origin in change.sources.items() if origin is None]
        put = {name: origin for name, origin in change.sources.items() if origin is not None}
        gone_aggregates = [uri for uri, elements in change.aggregates.items() if elements is None]
        put_aggregates = _encoded({uri: it for uri, it in change.aggregates.items() if it is not None})
        arguments: list[str | int] = [keeper, believed]
        arguments += (len(put), len(gone), len(put_aggregates), len(gone_aggregates))
        arguments += (argument for pair in put.items() for argument in pair)
        arguments += gone
        arguments += (argument for pair in put_aggregates.items() for argument in pair)
        arguments += gone_aggregates
        return bool(self._scripts.run("change_inventory", *arguments))

    def _put_in_place(self, keeper: Keeper, content: InventoryContent, version: int) -> bool:
        """
        Stage all of it, then have it stand instead of what does. False when that has another version by then.
        """
        name = str(uuid4())
        tables = (dict(content.sources), _encoded(content.aggregates))
        staged = (keys.staged_sources(name), keys.staged_aggregates(name))
        with translated("staging the inventory"):
            pipe = self._scripts.client.pipeline(transaction=False)
            for key, table in zip(staged, tables, strict=True):
                for step in _in_steps(table):
                    pipe.hset(self._key(key), mapping=step)  # type: ignore[arg-type] # str is a field
                    pipe.expire(self._key(key), _STAGED_FOR_S)
            pipe.execute()
        counts = [len(table) for table in tables]
        return bool(self._scripts.run("put_inventory_in_place", keeper, version, name, *counts))

    def _key(self, name: str) -> str:
        return self._scripts.prefix + name


def _in_steps(table: _Documents) -> Iterator[_Documents]:
    entries = iter(table.items())
    while step := dict(islice(entries, _STEP)):
        yield step


def _content(sources: Mapping[bytes, bytes], aggregates: Mapping[bytes, bytes]) -> InventoryContent:
    return InventoryContent(
        sources={address.decode(): origin.decode() for address, origin in sources.items()},
        aggregates={uri.decode(): tuple(json.loads(elements)) for uri, elements in aggregates.items()},
    )


def _encoded(aggregates: Mapping[str, tuple[str, ...]]) -> _Documents:
    return {uri: json.dumps(elements, separators=(",", ":")) for uri, elements in aggregates.items()}
