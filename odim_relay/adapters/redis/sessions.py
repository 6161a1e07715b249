"""
Sessions, in Redis: keys that expire.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from odim_relay.adapters.redis import keys
from odim_relay.adapters.redis.connection import Scripts, text, translated
from odim_relay.domain.account import Session

DEFAULT_TIMEOUT_S = 1_800


class RedisSessionStore:
    """
    `SessionStore` over Redis. The list of ids may name sessions that have expired: whoever lists them removes those.
    """

    def __init__(self, scripts: Scripts) -> None:
        self._client = scripts.client
        self._prefix = scripts.prefix

    def save(self, session: Session) -> None:
        """
        See `SessionStore.save`.
        """
        timeout_s = self.timeout_s()
        members = asdict(session)
        del members["session_id"]
        with translated("saving a session"):
            pipe = self._client.pipeline(transaction=True)
            pipe.set(self._key(keys.session(session.session_id)), json.dumps(members), ex=timeout_s)
            pipe.zadd(self._key(keys.SESSIONS), {session.session_id: session.created_at_s})
            pipe.execute()

    def use(self, session_id: str) -> Session | None:
        """
        See `SessionStore.use`.
        """
        timeout_s = self.timeout_s()
        with translated("using a session"):
            document: Any = self._client.getex(self._key(keys.session(session_id)), ex=timeout_s)
        return None if document is None else _decode(session_id, document)

    def get(self, session_id: str) -> Session | None:
        """
        See `SessionStore.get`.
        """
        with translated("reading a session"):
            document: Any = self._client.get(self._key(keys.session(session_id)))
        return None if document is None else _decode(session_id, document)

    def everything(self) -> Sequence[Session]:
        """
        See `SessionStore.everything`.
        """
        with translated("listing sessions"):
            found: Any = self._client.zrange(self._key(keys.SESSIONS), 0, -1)
            ids = [text(id_) for id_ in found]
            documents: Any = self._client.mget([self._key(keys.session(id_)) for id_ in ids]) if ids else []
            gone = [id_ for id_, document in zip(ids, documents, strict=True) if document is None]
            if gone:
                self._client.zrem(self._key(keys.SESSIONS), *gone)
        return [_decode(id_, document) for id_, document in zip(ids, documents, strict=True) if document is not None]

    def delete(self, session_id: str) -> bool:
        """
        See `SessionStore.delete`.
        """
        with translated("ending a session"):
            pipe = self._client.pipeline(transaction=True)
            pipe.delete(self._key(keys.session(session_id)))
            pipe.zrem(self._key(keys.SESSIONS), session_id)
            return bool(pipe.execute()[0])

    def timeout_s(self) -> int:
        """
        See `SessionStore.timeout_s`.
        """
        with translated("reading the sessions' timeout"):
            return int(self._client.get(self._key(keys.SESSION_TIMEOUT)) or DEFAULT_TIMEOUT_S)

    def set_timeout_s(self, timeout_s: int) -> None:
        """
        See `SessionStore.set_timeout_s`.
        """
        with translated("changing the sessions' timeout"):
            self._client.set(self._key(keys.SESSION_TIMEOUT), timeout_s)

    def _key(self, name: str) -> str:
        return self._prefix + name


def _decode(session_id: str, document: bytes | str) -> Session:
    members: dict[str, Any] = json.loads(document)
    return Session(session_id=session_id, **members)
