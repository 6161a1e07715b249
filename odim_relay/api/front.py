"""
The process's one application: the page where it is, the Redfish service everywhere else.
"""

from starlette.types import ASGIApp, Receive, Scope, Send

from odim_relay.api.http.exchange import RedfishApp
from odim_relay.api.ui.uris import UI


class Front:
    """
    The ASGI application. Both share the threads and the end of the Redfish service.
    """

    def __init__(self, redfish: RedfishApp, page: ASGIApp | None) -> None:
        """
        Args:
            page: None where there is to be none: its paths are the Redfish service's to refuse.
        """
        self._redfish = redfish
        self._page = page

    def stop(self) -> None:
        """
        End the streams that are open. In the event loop's thread.
        """
        self._redfish.stop()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Answer one request.
        """
        path = str(scope.get("path", ""))
        is_page = self._page is not None and (path == UI or path.startswith(f"{UI}/"))
        await (self._page if self._page is not None and is_page else self._redfish)(scope, receive, send)
