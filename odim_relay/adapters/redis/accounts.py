"""
Accounts, in Redis.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from operator import attrgetter
from typing import Any

from redis.exceptions import WatchError

from odim_relay.adapters.redis import keys
from odim_relay.adapters.redis.connection import Scripts, text, translated
from odim_relay.domain.account import Account, Role
from odim_relay.ports.accounts import Accounts

_VERSION = 1


class RedisAccountStore:
    """
    `AccountStore` over Redis: a hash that is watched while it changes.
    """

    def __init__(self, scripts: Scripts) -> None:
        self._client = scripts.client
        self._key = scripts.prefix + keys.ACCOUNTS

    def everybody(self) -> Accounts:
        """
        See `AccountStore.everybody`.
        """
        with translated("reading accounts"):
            fields: Any = self._client.hgetall(self._key)
        return _decoded(fields)

    def get(self, account_id: str) -> Account | None:
        """
        See `AccountStore.get`.
        """
        with translated("reading an account"):
            document: Any = self._client.hget(self._key, account_id)
        return None if document is None else _decode(account_id, document)

    def update(self, change: Callable[[Accounts], Accounts]) -> Accounts:
        """
        See `AccountStore.update`.
        """
        while True:
            with translated("changing accounts"), self._client.pipeline(transaction=True) as pipe:
                pipe.watch(self._key)
                fields: Any = pipe.hgetall(self._key)
                before = _decoded(fields)
                after = change(before)
                pipe.multi()
                for account in set(after) - set(before):
                    pipe.hset(self._key, account.account_id, _encode(account))
                for gone in {one.account_id for one in before} - {one.account_id for one in after}:
                    pipe.hdel(self._key, gone)
                try:
                    pipe.execute()
                except WatchError:
                    continue
                return _sorted(after)


def _encode(account: Account) -> str:
    members = asdict(account)
    del members["account_id"]
    return json.dumps({"version": _VERSION, **members}, separators=(",", ":"))


def _decode(account_id: str, document: bytes | str) -> Account:
    members: dict[str, Any] = json.loads(document)
    return Account(
        account_id=account_id,
        user_name=members["user_name"],
        password_hash=members["password_hash"],
        role=Role(members["role"]),
        is_enabled=members["is_enabled"],
    )


def _decoded(fields: Mapping[bytes, bytes]) -> Accounts:
    return _sorted(tuple(_decode(text(account_id), document) for account_id, document in fields.items()))


def _sorted(accounts: Accounts) -> Accounts:
    return tuple(sorted(accounts, key=attrgetter("user_name")))
