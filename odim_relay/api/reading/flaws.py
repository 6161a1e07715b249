"""
What is wrong with a subscription, as the Base messages that Redfish has for it.
"""

from typing import Any

from odim_relay.api.http.bodies import shown
from odim_relay.domain.subscription_flaws import Flaw, FlawKind
from odim_relay.formats.base_messages import message

_OWN = frozenset(
    {
        *("Authentication", "Mode", "SigningKey", "SigningSecret", "MaxInFlight", "RatePerSecond", "RetentionSeconds"),
        "BatchSize",
        *("CaFile", "CertificateFingerprint", "ClientCertificateFile", "ClientKeyFile"),
    }
)
_SECRET = frozenset({"Authentication", "SigningKey", "SigningSecret"})
_HIDDEN = "******"


def told_of(flaw: Flaw) -> dict[str, Any]:
    """
    The Message object. Its Resolution tells what exactly is wrong: the message's own text cannot.
    """
    path = f"Oem/OdimRelay/{flaw.member}" if _first(flaw) in _OWN else flaw.member
    if flaw.index is not None:
        path += f"/{flaw.index}"
    key, *arguments = _said(flaw, path)
    said = message(key, *arguments, related=(f"#/{path}",))
    return {**said, "Resolution": f"{flaw.member} {flaw.problem}."}


def _said(flaw: Flaw, path: str) -> tuple[str, ...]:
    value = shown(_HIDDEN if _first(flaw) in _SECRET else flaw.value)
    said: tuple[str, ...]
    match flaw.kind:
        case FlawKind.FORMAT:
            said = ("PropertyValueFormatError", value, path)
        case FlawKind.NOT_IN_LIST:
            said = ("PropertyValueNotInList", value, path)
        case FlawKind.OUT_OF_RANGE:
            said = ("PropertyValueOutOfRange", value, path)
        case FlawKind.TOO_LONG:
            said = ("StringValueTooLong", value, str(flaw.limit))
        case FlawKind.TOO_MANY:
            said = ("ArraySizeTooLong", path, str(flaw.limit))
        case FlawKind.CONFLICT:
            said = ("PropertyValueConflict", path, flaw.other)
        case FlawKind.FORBIDDEN:
            said = ("PropertyValueIncorrect", path, value)
    return said


def _first(flaw: Flaw) -> str:
    return flaw.member.partition("/")[0]
