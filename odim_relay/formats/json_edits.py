"""
Editing a JSON text where it stands: what is not edited keeps its bytes.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from odim_relay.formats.json_spans import Span

Edit: TypeAlias = tuple[int, int, str]
"""
What stands at `text[start:end]` becomes the third.
"""


def settings(object_at: int, members: Mapping[str, Span], wanted: Mapping[str, Any]) -> list[Edit]:
    """
    Give the object whose brace stands at `object_at` these members: in their place, or first of all.

    Args:
        members: those that it has, of `members_at`.
    """
    edits: list[Edit] = []
    new = []
    for name, value in wanted.items():
        spelled = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        present = members.get(name)
        if present is None:
            new.append(f'"{name}":{spelled}')
        elif present.value != value:
            edits.append((present.start, present.end, spelled))
    if new:
        edits.append((object_at + 1, object_at + 1, ",".join(new) + ("," if members else "")))
    return edits


def edited(text: str, start: int, end: int, edits: Iterable[Edit]) -> str:
    """
    The part of `text` from `start` to `end` with all `edits` made; they do not overlap, and may come in any order.
    """
    pieces = []
    done = start
    for edit_start, edit_end, replacement in sorted(edits):
        pieces += [text[done:edit_start], replacement]
        done = edit_end
    pieces.append(text[done:end])
    return "".join(pieces)


def in_utf8(text: str) -> bytes:
    """
    The bytes of a JSON text. Half a surrogate pair has no UTF-8, but the escape that stands for it in JSON.
    """
    return text.encode("utf-8", "backslashreplace")
