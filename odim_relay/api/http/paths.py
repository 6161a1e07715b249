"""
Paths, and the shapes that stand for many of them: `/things/{thing_id}`.
"""

import re
from urllib.parse import unquote

_PARAMETER = re.compile(r"\{(\w+)\}\Z")


def segments_of(path: str) -> tuple[str, ...]:
    """
    The parts of a path or shape as it is written; one slash at its end says nothing.
    """
    return tuple(path.removesuffix("/").split("/"))


def decoded_segments(raw_path: str) -> tuple[str, ...]:
    """
    The parts of a path as it came: an encoded slash is part of a name.
    """
    return tuple(map(unquote, segments_of(raw_path)))


def is_shape(segments: tuple[str, ...]) -> bool:
    """
    Whether it stands for many.
    """
    return any(_PARAMETER.match(segment) for segment in segments)


def matched(shape: tuple[str, ...], segments: tuple[str, ...]) -> dict[str, str] | None:
    """
    What the shape names, of a path that has it; None of another. No name is empty.
    """
    if len(shape) != len(segments):
        return None
    params = {}
    for expected, segment in zip(shape, segments, strict=True):
        parameter = _PARAMETER.match(expected)
        if parameter and segment:
            params[parameter.group(1)] = segment
        elif expected != segment:
            return None
    return params
