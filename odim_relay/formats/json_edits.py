"""
Changes to a JSON text that leave the rest of it as it came.
"""

import json
from collections.abc import Mapping
from typing import TypeAlias

from odim_relay.formats.json_spans import Span

Edit: TypeAlias = tuple[int, int, str]
"""
From where to where, and what is to stand there.
"""


def settings(object_at: int, members: Mapping[str, Span], wanted: Mapping[str, str]) -> list[Edit]:
    """
    Give the object whose brace stands at `object_at` these members: in their place, or first of all.
    """
    edits: list[Edit] = []
    new = []
    for name, value in wanted.items():
        spelled = json.dumps(value, ensure_ascii=False)
        present = members.get(name)
        if present is None:
            new.append(f'"{name}":{spelled}')
        elif present.value != value:
            edits.append((present.start, present.end, spelled))
    if new:
        edits.append((object_at + 1, object_at + 1, ",".join(new) + ("," if members else "")))
    return edits


def edited(text: str, start: int, end: int, edits: list[Edit]) -> str:
    """
    `text[start:end]` with the edits made, which lie in it and do not overlap.
    """
    pieces = []
    done = start
    for edit_start, edit_end, replacement in sorted(edits):
        pieces += [text[done:edit_start], replacement]
        done = edit_end
    pieces.append(text[done:end])
    return "".join(pieces)
