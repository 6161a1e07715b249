"""
A request, as handlers see it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from odim_relay.api.http.documents import read_document, without_annotations
from odim_relay.api.http.errors import refusal
from odim_relay.domain.account import Account, Privilege, Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """
    One request, after all checks that need no knowledge of the resource.

    Attributes:
        path: as it came, without the query.
        params: what the resource's path names in braces, decoded.
        query: in order, decoded.
        headers: names in lower case; of several with one name the values, joined by commas.
        account: None where nobody needs to log in.
        session: None for Basic authentication.
        client: address of who asks; `client_port` is its port.
    """

    method: str
    path: str
    params: Mapping[str, str]
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str]
    body: bytes = b""
    account: Account | None = None
    session: Session | None = None
    client: str = ""
    client_port: int = 0

    def document(self, *, may_be_absent: bool = False) -> dict[str, Any]:
        """
        The JSON object of the body, without OData annotations.

        Args:
            may_be_absent: no body is an empty object; for actions without required parameters.

        Raises:
            RedfishError: 400 with MalformedJSON, UnrecognizedRequestBody, PropertyDuplicate, or for an empty PATCH
                EmptyJSON.
        """
        if not self.body and may_be_absent:
            return {}
        document = read_document(self.body)
        if not document and self.method == "PATCH":
            raise refusal(400, "EmptyJSON")
        return without_annotations(document)

    def has(self, privilege: Privilege) -> bool:
        """
        Whether who asks has the privilege; nobody has none.
        """
        return self.account is not None and self.account.has(privilege)
