"""
A request for a page, as handlers see it, and what they answer.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from odim_relay.api.ui import safety
from odim_relay.domain.account import Account, Privilege, Session
from odim_relay.domain.subscription import Subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """
    One request, after all checks that need no knowledge of the page.

    Attributes:
        target: path and query, as the log-in may lead back to.
        params: what the page's path names in braces, decoded.
        query, form: the last value of each name, decoded.
        is_secure: it came by TLS.
        token: of its session; a secret; empty for none.
        account, session: None where nobody needs to log in.
        told: what the last action came to, to be shown once; empty for nothing.
    """

    method: str
    path: str
    target: str
    params: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict, repr=False)
    client: str = ""
    is_secure: bool = True
    token: str = field(default="", repr=False)
    account: Account | None = None
    session: Session | None = None
    told: str = ""

    @property
    def form_token(self) -> str:
        """
        What each form of this session carries.
        """
        return safety.form_token(self.token)

    @property
    def manages(self) -> bool:
        """
        Whether who asks may do everything.
        """
        return self.account is not None and self.account.has(Privilege.CONFIGURE_MANAGER)

    def may_change(self, subscription: Subscription) -> bool:
        """
        Whether who asks may act on a subscription: its owner, and who manages the service, as at the API.
        """
        is_own = self.account is not None and self.account.user_name == subscription.owner
        is_allowed = self.account is not None and self.account.has(Privilege.CONFIGURE_SELF)
        return self.manages or (is_own and is_allowed)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageReply:
    """
    What a handler answers: a page, another place, or a file.

    Attributes:
        template: name of the page's template; empty for none.
        values: what it shows.
        headers: further ones.
        location: where the browser is to go instead.
        told: what the page there shows once.
        content: a file, of `media_type`.
        every_s: how often a browser asks for the page's figures again; 0 is never.
    """

    template: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    location: str = ""
    told: str = ""
    content: bytes = b""
    media_type: str = ""
    every_s: float = 0


Handler: TypeAlias = Callable[[Visit], PageReply]
"""
Runs in a thread; may raise PageError, and TransientError for 503.
"""


class PageError(Exception):
    """
    Ends a request with a page that says what was wrong; nothing was changed.

    Attributes:
        back: where to go from there, and in which words.
    """

    def __init__(
        self,
        status: int,
        title: str,
        text: str,
        *,
        back: tuple[str, str] | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(f"{status} {title}")
        self.status = status
        self.title = title
        self.text = text
        self.back = back
        self.headers = headers


def see_other(location: str, *, told: str = "", headers: tuple[tuple[str, str], ...] = ()) -> PageReply:
    """
    Send the browser on after a form: a reload there repeats nothing.
    """
    return PageReply(status=303, location=location, told=told, headers=headers)


def forbidden() -> PageError:
    """
    The account's role does not allow it.
    """
    return PageError(
        403,
        "Not allowed",
        "Your account may look at this, and not act on it. Subscriptions are acted on by their owners and by "
        "administrators, everything else by administrators.",
    )
