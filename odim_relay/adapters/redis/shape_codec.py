"""
Shape to the text the ledger keeps, and back.
"""

import json

from odim_relay.domain.event import WHOLE, Shape


def encode_shape(shape: Shape) -> str:
    """
    Empty for the whole payload, which is the rule; else a small JSON object, the same for equal shapes.
    """
    if shape == WHOLE:
        return ""
    members: dict[str, object] = {}
    if shape.records is not None:
        members["records"] = shape.records
    if shape.context is not None:
        members["context"] = shape.context
    if shape.is_completed:
        members["completed"] = True
    return json.dumps(members, separators=(",", ":"))


def decode_shape(text: str | bytes) -> Shape:
    """
    The reverse of `encode_shape`.
    """
    if not text:
        return WHOLE
    members = json.loads(text)
    records = members.get("records")
    return Shape(
        records=None if records is None else tuple(records),
        context=members.get("context"),
        is_completed=members.get("completed", False),
    )
