"""
The formats a topic can have, by the names that `KAFKA__FORMATS` uses.
"""

from odim_relay.formats import Decoder, odim, redfish

FORMATS: dict[str, Decoder] = {"odim": odim.decode, "redfish": redfish.decode}
