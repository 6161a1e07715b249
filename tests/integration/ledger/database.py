"""
The ledger's whole database at one moment, as plain values.
"""

import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import redis

from odim_relay.adapters.redis import keys

_DUMP = """
local found = {}
for _, key in ipairs(redis.call('KEYS', ARGV[1] .. '*')) do
  local kind, value = redis.call('TYPE', key).ok, nil
  if kind == 'hash' then value = redis.call('HGETALL', key)
  elseif kind == 'zset' then value = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
  elseif kind == 'stream' then value = redis.call('XRANGE', key, '-', '+')
  elseif kind == 'set' then value = redis.call('SMEMBERS', key)
  else value = redis.call('GET', key) end
  found[#found + 1] = { key, kind, value }
end
return found
"""


def documented_keys() -> list[tuple[re.Pattern[str], str]]:
    """
    The table of keys.py: a pattern and a type for each row.
    """
    rows = re.findall(r"^\| `([^`]+)` \| (\w+) \|", keys.__doc__ or "", re.MULTILINE)
    return [(re.compile(re.sub(r"\\\{[^}]*\\\}", ".+", re.escape(pattern))), kind) for pattern, kind in rows]


_DOCUMENTED = documented_keys()


@dataclass(frozen=True)
class Database:
    """
    Keys without the prefix; hashes, sorted sets and streams as dicts, the latter two in order.
    """

    content: dict[str, Any]

    @classmethod
    def read(cls, client: redis.Redis, prefix: str) -> "Database":
        content: dict[str, Any] = {}
        for raw_key, raw_kind, raw in client.eval(_DUMP, 0, prefix):
            key, kind = raw_key.decode().removeprefix(prefix), raw_kind.decode()
            if not any(type_ == kind and pattern.fullmatch(key) for pattern, type_ in _DOCUMENTED):
                raise AssertionError(f"keys.py does not know of {key}, a {kind}")
            match kind:
                case "hash":
                    pairs = zip(raw[::2], raw[1::2], strict=True)
                    content[key] = {field.decode(): value.decode() for field, value in pairs}
                case "zset":
                    pairs = zip(raw[::2], raw[1::2], strict=True)
                    content[key] = {member.decode(): float(score) for member, score in pairs}
                case "stream":
                    content[key] = {
                        id_.decode(): {
                            field.decode(): value.decode() for field, value in zip(one[::2], one[1::2], strict=True)
                        }
                        for id_, one in raw
                    }
                case "set":
                    content[key] = {member.decode() for member in raw}
                case _:
                    content[key] = raw.decode()
        return cls(content)

    def get(self, key: str, default: Any) -> Any:
        return self.content.get(key, default)

    def under(self, prefix: str) -> dict[str, Any]:
        """
        Values by the rest of their key.
        """
        return {key.removeprefix(prefix): value for key, value in self.content.items() if key.startswith(prefix)}

    @cached_property
    def deliveries(self) -> dict[str, dict[str, str]]:
        return self.under("delivery:")

    @cached_property
    def dead_letters(self) -> dict[str, dict[str, str]]:
        return {id_: json.loads(document) for id_, document in self.get("dead-letters", {}).items()}

    @cached_property
    def everything(self) -> dict[str, dict[str, str]]:
        """
        Deliveries and dead letters.
        """
        return {**self.deliveries, **self.dead_letters}

    @property
    def subscriptions(self) -> set[str]:
        return set(self.get("subscriptions", {}))

    @property
    def owners(self) -> set[str]:
        """
        Whose deliveries are there.
        """
        return {delivery["subscription"] for delivery in self.everything.values()}

    @cached_property
    def flows(self) -> dict[str, dict[str, str]]:
        return self.under("flow:")

    @cached_property
    def destinations(self) -> dict[str, dict[str, str]]:
        return self.under("destination:")

    def letters_of(self, subscription_id: str, index: str = "") -> dict[str, dict[str, str]]:
        """
        What is parked for a subscription, in one index or in all.
        """
        return {
            id_: letter
            for id_, letter in self.dead_letters.items()
            if letter["subscription"] == subscription_id and index in ("", letter["index"])
        }

    @cached_property
    def is_enabled(self) -> bool:
        """
        Whether anything is sent.
        """
        said = json.loads(self.get("event-service", "{}"))
        return bool(said.get("is_enabled", True))

    @property
    def bodies(self) -> dict[str, dict[str, str]]:
        return self.under("body:")

    @property
    def deadlines(self) -> dict[str, float]:
        found: dict[str, float] = self.get("deadlines", {})
        return found

    @property
    def counters(self) -> dict[str, int]:
        return {name: int(value) for name, value in self.get("counters", {}).items()}
