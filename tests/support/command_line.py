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
        _forget_loggers()


def _forget_loggers() -> None:
    """
    A logger keeps the configuration that it was first used under.
    """
    for name, module in list(sys.modules.items()):
        log = getattr(module, "log", None)
        if name.startswith("odim_relay.") and log is not None:
            vars(log).pop("bind", None)


def _forget() -> None:
    for name, module in list(sys.modules.items()):
        if name.startswith(bootstrap.__name__):
            for value in vars(module).values():
                if hasattr(value, "cache_clear"):
                    value.cache_clear()
    sys.modules.pop("celeryconfig", None)  # holds the settings that it was imported with
