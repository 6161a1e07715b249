"""
From a path to its resource.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import unquote

from odim_relay.api.http.resource import Resource

_PARAMETER = re.compile(r"\{(\w+)\}\Z")


class Routes:
    """
    All resources by path. A path that is named in full goes before one of its shape.
    """

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._fixed: dict[tuple[str, ...], Resource] = {}
        self._shapes: list[tuple[tuple[str, ...], Resource]] = []
        for resource in resources:
            self._add(resource.path, resource)
            for alias in resource.aliases:
                self._add(alias, _for_post_alone(resource))

    def _add(self, path: str, resource: Resource) -> None:
        segments = _segments(path)
        if any(_PARAMETER.match(segment) for segment in segments):
            self._shapes.append((segments, resource))
        elif self._fixed.setdefault(segments, resource) is not resource:
            raise ValueError(f"two resources at {path}")

    def find(self, raw_path: str) -> tuple[Resource, dict[str, str]] | None:
        """
        The resource at this path, with what its shape names.

        Args:
            raw_path: percent-encoded, as it came: an encoded slash is part of a name.
        """
        segments = tuple(unquote(segment) for segment in _segments(raw_path))
        if segments in self._fixed:
            return self._fixed[segments], {}
        for shape, resource in self._shapes:
            params = _matched(shape, segments)
            if params is not None:
                return resource, params
        return None


def _segments(path: str) -> tuple[str, ...]:
    return tuple(path.removesuffix("/").split("/"))


def _matched(shape: tuple[str, ...], segments: tuple[str, ...]) -> dict[str, str] | None:
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


def _for_post_alone(resource: Resource) -> Resource:
    return replace(resource, handlers={"POST": resource.handlers["POST"]}, stream=None)
