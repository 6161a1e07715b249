"""
Spans of time as Redfish writes them. Source: Redfish's `Edm.Duration`; ISO 8601.
"""

import re

PATTERN = r"^P([0-9]+D)?(T([0-9]+H)?([0-9]+M)?([0-9]+(\.[0-9]+)?S)?)?$"
_PARTS = re.compile(
    r"P(?:(?P<days>\d+)D)?(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?",
    re.ASCII,
)
_SECONDS = {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}
_LONGEST = 30


def duration_s(text: str) -> float | None:
    """
    Read a duration, `P1DT12H` or `PT0S`, in seconds; None when it is none. Years and months, whose length nobody
    knows, are none.
    """
    parts = _PARTS.fullmatch(text) if len(text) <= _LONGEST else None
    if parts is None or not any(parts.groupdict().values()):
        return None
    return sum(float(value) * _SECONDS[name] for name, value in parts.groupdict().items() if value is not None)
