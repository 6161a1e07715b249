"""
Collections: their members as links, whole or by the page.
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from odim_relay.api.http.call import Call
from odim_relay.api.http.errors import refusal

PAGING = frozenset({"$top", "$skip"})
"""
For `Resource.queries` of a collection.
"""


def collection(
    call: Call, *, uri: str, kind: str, name: str, member_ids: Sequence[str], page: int | None = None
) -> dict[str, Any]:
    """
    The collection that was asked for: all of it, or as `$top` and `$skip` say, with a link to what follows.

    Args:
        uri: without a slash at its end; those of the members are under it.
        kind: `Session`, for `#SessionCollection.SessionCollection`.
        member_ids: all of them, in an order that does not change.
        page: so many are told of who does not say how many; None is all.

    Raises:
        RedfishError: 400; a parameter is wrong.
    """
    skip, top = page_of(call, len(member_ids) if page is None else page)
    end = skip + top
    document = {
        "@odata.id": uri,
        "@odata.type": f"#{kind}Collection.{kind}Collection",
        "Name": name,
        "Members@odata.count": len(member_ids),
        "Members": [{"@odata.id": f"{uri}/{quote(id_, safe='')}"} for id_ in member_ids[skip:end]],
    }
    if end < len(member_ids) and top:
        document["Members@odata.nextLink"] = f"{uri}?$skip={end}&$top={top}"
    return document


def page_of(call: Call, page: int) -> tuple[int, int]:
    """
    How many members are passed over, and how many are asked for.

    Args:
        page: so many are told of who does not say how many.

    Raises:
        RedfishError: 400; a parameter is wrong.
    """
    return _number(call, "$skip", 0), _number(call, "$top", page)


def _number(call: Call, parameter: str, default: int) -> int:
    values = [value for name, value in call.query if name == parameter]
    if not values:
        return default
    if len(values) > 1:
        raise refusal(400, "QueryCombinationInvalid")
    text = values[0]
    if not (text.isascii() and text.removeprefix("-").isdecimal()):
        raise refusal(400, "QueryParameterValueTypeError", text, parameter)
    if text.startswith("-") or len(text) > _MOST_DIGITS:
        raise refusal(400, "QueryParameterOutOfRange", text, parameter, "0 and up")
    return int(text)


_MOST_DIGITS = 9
