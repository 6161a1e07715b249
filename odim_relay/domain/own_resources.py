"""
What the relay is to a Redfish client: where its own resources are, and what its messages are called.
"""

OWN_REGISTRY = "OdimRelay"
"""
Prefix of the registry of the relay's own messages. They go to who asks for them by name, and to nobody else.
"""
EVENT_SERVICE = "/redfish/v1/EventService"
SUBSCRIPTIONS = f"{EVENT_SERVICE}/Subscriptions"


def is_own(place: str) -> bool:
    """
    Whether a URI is the EventService's, or of something below it.
    """
    return place == EVENT_SERVICE or place.startswith(f"{EVENT_SERVICE}/")
