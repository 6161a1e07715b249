"""
The command line inside the test's own process, which it changes: logs, and what bootstrap keeps.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from odim_relay import bootstrap


@contextmanager
def as_before() -> Iterator[None]:
    """
    Let commands set up logs and read settings, and have everything as it was afterwards.
    """
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    _forget()
    try:
        yield
    finally:
        _forget()
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()


def _forget() -> None:
    for value in vars(bootstrap).values():
        if hasattr(value, "cache_clear"):
            value.cache_clear()
    sys.modules.pop("celeryconfig", None)  # holds the settings that it was imported with
