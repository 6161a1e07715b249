"""
Bodies of requests as typed values, or every one of their faults as the Base message that Redfish has for it.
"""

import json
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_pascal
from pydantic_core import ErrorDetails

from odim_relay.api.http.errors import RedfishError, refusal
from odim_relay.formats.base_messages import message

_LONGEST_VALUE = 200
_HIDDEN = "******"


class Body(BaseModel):
    """
    Base of what a body may hold. Its fields are Redfish's properties: `user_name` reads `UserName`.

    Attributes:
        SECRETS: names of properties whose values no message repeats, at whatever depth they are.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, alias_generator=to_pascal)
    SECRETS: ClassVar[frozenset[str]] = frozenset()


B = TypeVar("B", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Generic[B]):
    """
    What a PATCH asks for.

    Attributes:
        values: `model_fields_set` tells which are given.
        problems: Message objects for what cannot be written; the rest is to be.
    """

    values: B
    problems: list[dict[str, Any]]


def read(model: type[B], document: Mapping[str, Any], *, action: str = "") -> B:
    """
    Read a body.

    Args:
        action: `EventService.SubmitTestEvent`, when the members are its parameters.

    Raises:
        RedfishError: 400, with a message for each fault.
    """
    try:
        # Of JSON, not of Python: in strict mode an array is a tuple there, and a string may be a member of an enum.
        return model.model_validate_json(json.dumps(document))
    except ValidationError as exc:
        secrets: Container[str] = getattr(model, "SECRETS", frozenset())
        faults = exc.errors(include_url=False, include_context=True)
        raise RedfishError(400, *(_message(fault, action, secrets) for fault in faults)) from None


def read_change(model: type[B], document: Mapping[str, Any], *, read_only: Container[str]) -> Change[B]:
    """
    Read the body of a PATCH, which may name properties that cannot be written beside some that can.

    Args:
        model: of all properties that can be written, none required.
        read_only: names of the others that the resource has.

    Raises:
        RedfishError: 400; a value is wrong, or nothing that is named can be written.
    """
    writable = {field.alias or name for name, field in model.model_fields.items()}
    problems = [
        message(
            "PropertyNotWritable" if name in read_only else "PropertyUnknown",
            name,
            related=(_pointer((name,)),),
        )
        for name in document
        if name not in writable
    ]
    rest = {name: value for name, value in document.items() if name in writable}
    if not rest:
        raise RedfishError(400, *problems) if problems else refusal(400, "NoOperation")
    return Change(values=read(model, rest), problems=problems)


_FORMAT, _TYPE, _LIST, _RANGE = "ValueFormatError", "ValueTypeError", "ValueNotInList", "ValueOutOfRange"
_KINDS = {
    "missing": "Missing",
    "extra_forbidden": "Unknown",
    "literal_error": _LIST,
    "enum": _LIST,
    "value_error": _FORMAT,
    "assertion_error": _FORMAT,
    "string_pattern_mismatch": _FORMAT,
    "greater_than": _RANGE,
    "greater_than_equal": _RANGE,
    "less_than": _RANGE,
    "less_than_equal": _RANGE,
    "multiple_of": _RANGE,
    "finite_number": _RANGE,
    "int_parsing_size": _RANGE,
}
_SIZES = {
    "string_too_long": ("StringValueTooLong", "max_length"),
    "string_too_short": ("StringValueTooShort", "min_length"),
    "too_long": ("ArraySizeTooLong", "max_length"),
    "too_short": ("ArraySizeTooShort", "min_length"),
}


def _message(fault: ErrorDetails, action: str, secrets: Container[str]) -> dict[str, Any]:
    path = fault["loc"]
    name = "/".join(str(part) for part in path)
    related = (_pointer(path),)
    is_secret = any(part in secrets for part in path)
    value = _HIDDEN if is_secret else shown(fault["input"])
    if fault["type"] in _SIZES:
        key, limit = _SIZES[fault["type"]]
        what = value if key.startswith("String") else name
        return message(key, what, fault["ctx"][limit], related=related)
    kind = _KINDS.get(fault["type"], _TYPE)
    if kind == _LIST and not isinstance(fault["input"], str):
        kind = _TYPE  # all lists are of strings
    arguments: tuple[str, ...]
    if kind in {"Missing", "Unknown"}:
        arguments = (action, name) if action else (name,)
    else:
        arguments = (value, name, action) if action else (value, name)
    return message(f"{'ActionParameter' if action else 'Property'}{kind}", *arguments, related=related)


def shown(value: object) -> str:
    """
    A value as a message repeats it: a string as it is, anything else as JSON; not all of a long one.
    """
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def _pointer(path: Sequence[int | str]) -> str:
    return "#/" + "/".join(str(part).replace("~", "~0").replace("/", "~1") for part in path)
