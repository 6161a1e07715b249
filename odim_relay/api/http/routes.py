"""
From a path to its resource.
"""

from collections.abc import Iterable
from dataclasses import replace

from odim_relay.api.http.paths import decoded_segments, is_shape, matched, segments_of
from odim_relay.api.http.resource import Resource


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
        segments = segments_of(path)
        if is_shape(segments):
            self._shapes.append((segments, resource))
        elif self._fixed.setdefault(segments, resource) is not resource:
            raise ValueError(f"two resources at {path}")

    def find(self, raw_path: str) -> tuple[Resource, dict[str, str]] | None:
        """
        The resource at this path, with what its shape names.

        Args:
            raw_path: percent-encoded, as it came: an encoded slash is part of a name.
        """
        segments = decoded_segments(raw_path)
        if segments in self._fixed:
            return self._fixed[segments], {}
        for shape, resource in self._shapes:
            params = matched(shape, segments)
            if params is not None:
                return resource, params
        return None


def _for_post_alone(resource: Resource) -> Resource:
    return replace(resource, handlers={"POST": resource.handlers["POST"]}, stream=None)
