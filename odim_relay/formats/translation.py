"""
What the first segment of the URIs in a payload is called: `/ODIM/v1/...` at ODIM's plugins, `/redfish/v1/...` here.

Source: ODIM 23.08, lib-utilities/config `URLTranslation.NorthBoundURL`; there every text with the word is changed.
"""

import re
from collections.abc import Mapping

_NAME = re.compile(r"[A-Za-z0-9._~-]+")
_WITHIN_A_PATH = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%/\\")
# What may stand right before a path although it ends in a letter: an escape of JSON, or a scheme with an authority.
_BEFORE_A_PATH = re.compile(rb'(?:(?<!\\)\\(?:[bfnrt]|u[0-9A-Fa-f]{4})|:\\?/\\?/[^/\\\s"?#]+)\Z')
_LONGEST_AUTHORITY = 300


class Translation:
    """
    Names of the first segment, each with what it is called here. Immutable: threads may share one.
    """

    __slots__ = ("_pattern", "_translated")

    def __init__(self, names: Mapping[str, str]) -> None:
        """
        Args:
            names: each is one segment of letters, digits and `-._~`.

        Raises:
            ValueError: one is not; the text says which.
        """
        for name in (*names, *names.values()):
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no segment of a path: letters, digits, '-', '.', '_', '~'")
        self._translated = {name.encode(): new.encode() for name, new in names.items() if name != new}
        any_of_them = b"|".join(map(re.escape, self._translated))
        self._pattern = re.compile(rb"/(%s)(?=\\?/v1(?![A-Za-z0-9_~%%-]|\.[A-Za-z0-9]))" % any_of_them)

    def apply(self, payload: bytes) -> bytes:
        """
        Translate every URI in the strings of a JSON text, however they are escaped: the segment before `v1` that begins
        a path. The path begins its string, or follows what no path has before it, a space, or the `https://host` of a
        whole URL. All else keeps its bytes: the words elsewhere, `/ODIM/v10`, `/x/ODIM/v1`. What a translation has made
        is not translated again.

        Returns:
            `payload` itself when there is nothing to translate.
        """
        if not any(name in payload for name in self._translated):
            return payload

        def translated(match: re.Match[bytes]) -> bytes:
            name: bytes = match[1]
            return b"/" + (self._translated[name] if _begins_path(payload, match.start()) else name)

        return self._pattern.sub(translated, payload)


def _begins_path(payload: bytes, slash_at: int) -> bool:
    # JSON may write the slash as `\/`.
    start = slash_at - 1 if payload[slash_at - 1 : slash_at] == b"\\" else slash_at
    if start == 0 or payload[start - 1] not in _WITHIN_A_PATH:
        return True
    return _BEFORE_A_PATH.search(payload[max(0, start - _LONGEST_AUTHORITY) : start]) is not None
