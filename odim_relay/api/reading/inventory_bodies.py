"""
What the bodies of sources and aggregates may hold, and what is wrong with them.
"""

from typing import Any, TypeVar

from pydantic import ConfigDict, Field

from odim_relay.api.http.bodies import Body
from odim_relay.api.http.errors import RedfishError
from odim_relay.domain.inventory_entries import LONGEST_URI, MOST_ELEMENTS, Fault
from odim_relay.formats.base_messages import message

T = TypeVar("T")

# A longer one is refused with what is wrong about it, and without a part of it.
_TEXT = Field(min_length=1, max_length=LONGEST_URI)


class PlainBody(Body):
    """
    Its properties are called as the fields are: this is no Redfish.
    """

    model_config = ConfigDict(alias_generator=None)


class NewSource(PlainBody):
    """
    What makes a source.
    """

    address: str = _TEXT
    system: str = _TEXT


class SourceValue(PlainBody):
    """
    What an address belongs to.
    """

    system: str = _TEXT


class AggregateValue(PlainBody):
    """
    What belongs to an aggregate.
    """

    elements: list[str] = Field(max_length=MOST_ELEMENTS)


class NewAggregate(AggregateValue):
    """
    What makes an aggregate: named by its id, or by its URI.
    """

    aggregate: str = _TEXT


def accepted(entry: T | Fault) -> T:
    """
    What was read of a body.

    Raises:
        RedfishError: 400; its Resolution tells what exactly is wrong.
    """
    if not isinstance(entry, Fault):
        return entry
    raise RedfishError(400, _told(entry))


def _told(fault: Fault) -> dict[str, Any]:
    path = str(fault.member) if fault.index is None else f"{fault.member}/{fault.index}"
    said = message("PropertyValueFormatError", fault.value, path, related=(f"#/{path}",))
    return {**said, "Resolution": f"{fault}."}
