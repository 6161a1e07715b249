"""
A resource of the API: where it is, what may be done with it, and by whom.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from pydantic import BaseModel

from odim_relay.api.http.call import Call
from odim_relay.api.http.reply import Reply, StreamReply
from odim_relay.domain.account import Privilege

Handler: TypeAlias = Callable[[Call], Reply]
"""
Runs in a thread; may raise RedfishError, and TransientError for 503.
"""
StreamHandler: TypeAlias = Callable[[Call], StreamReply]

LOGIN = frozenset({Privilege.LOGIN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """
    One URI, or all of one shape.

    Attributes:
        path: `/redfish/v1/EventService/Subscriptions/{subscription_id}`; answers with a slash at its end too.
        schema: `EventDestination.v1_16_0`, for `Link`; empty for none.
        handlers: by method; HEAD is GET without the body, any other method is refused.
        privileges: by method; any of these will do. A method that is not named needs Login.
        open_methods: need no log-in; HEAD is as GET.
        aliases: further paths, for POST alone: a collection's `/Members`.
        stream: serves GET instead of a handler; there is no HEAD then.
        queries: parameters with a `$` that it knows; another one is refused.
        bodies: by method, what it reads; for the description of the API.
        statuses: by method, what it answers when all is well; for the description of the API.
        is_immediate: its handlers wait for nothing, and are called even when every thread waits.
    """

    path: str
    schema: str = ""
    handlers: Mapping[str, Handler]
    privileges: Mapping[str, frozenset[Privilege]] = field(default_factory=dict)
    open_methods: frozenset[str] = frozenset()
    aliases: tuple[str, ...] = ()
    stream: StreamHandler | None = None
    queries: frozenset[str] = frozenset()
    bodies: Mapping[str, type[BaseModel]] = field(default_factory=dict)
    statuses: Mapping[str, int] = field(default_factory=dict)
    is_immediate: bool = False

    @property
    def methods(self) -> tuple[str, ...]:
        """
        All that are allowed, in order.
        """
        named = {*self.handlers, *(("HEAD",) if "GET" in self.handlers else ()), *(("GET",) if self.stream else ())}
        return tuple(sorted(named))

    def needs(self, method: str) -> frozenset[Privilege]:
        """
        The privileges of which one is needed; none where the method is open to all.
        """
        asked = "GET" if method == "HEAD" else method
        return frozenset() if asked in self.open_methods else self.privileges.get(asked, LOGIN)
