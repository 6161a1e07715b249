"""
The formats a topic can have, by the names that `KAFKA__FORMATS` uses.
"""

from collections.abc import Mapping

from odim_relay.formats import Decoder, odim, redfish

FORMATS: dict[str, Decoder] = {"odim": odim.decode, "redfish": redfish.decode}


def formats(translation: Mapping[str, str]) -> dict[str, Decoder]:
    """
    The same, with the URIs in ODIM's envelopes translated so.

    Raises:
        ValueError: as `Translation`.
    """
    return FORMATS | {"odim": odim.decoder(translation)}
