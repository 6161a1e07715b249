"""
Redfish message ids without their version, so that `ResourceEvent.1.4.ResourceCreated` and `...1.0.3...` are one.
"""

import re

_VERSIONED = re.compile(r"([^.]+)\.(?:[0-9]+(?:\.[0-9]+)+|v?[0-9]+(?:_[0-9]+)+)\.(.+)", re.DOTALL)


def without_version(message_id: str) -> str:
    """
    Take the version out: `R.1.4.Key`, `R.1.4.2.Key` and the vendors' `R.v1_4_2.Key` become `R.Key`.

    The last part is always the key, also when it is a number (`SEL.1.0.0042` becomes `SEL.0042`); a single number is
    no version. What has none stays as it is.

    Source: EventDestination v1_16_0, MessageIds: major and minor version should be ignored.
    """
    versioned = _VERSIONED.match(message_id)
    return f"{versioned[1]}.{versioned[2]}" if versioned else message_id


def registry_of(message_id: str) -> str:
    """
    The registry that a message id names: what stands before its first dot; empty when there is no dot.
    """
    registry, dot, _ = message_id.partition(".")
    return registry if dot else ""
