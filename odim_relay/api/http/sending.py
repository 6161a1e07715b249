"""
Answers onto the wire.
"""

import json
import re
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

import anyio
from starlette.responses import Response
from starlette.types import Receive, Send

from odim_relay import __version__
from odim_relay.api.http.conditions import ETAG, is_known
from odim_relay.api.http.reply import JSON, Reply, StreamReply
from odim_relay.api.http.resource import Resource
from odim_relay.telemetry import logger

log = logger(__name__)

_SCHEMAS = "https://redfish.dmtf.org/schemas/v1"
_EVENT_STREAM = "text/event-stream"
_HOST = re.compile(r"[\w.:\[\]-]{1,255}\Z", re.ASCII)


def common_headers(scheme: str, headers: Mapping[str, str]) -> dict[str, str]:
    """
    What every answer has.
    """
    host = headers.get("host", "")
    return {
        "OData-Version": "4.0",
        "Cache-Control": "no-cache",
        "Server": f"odim-relay/{__version__}",
        "X-Content-Type-Options": "nosniff",
        # Of itself only: no other page reads what a browser that can reach us gets from us.
        "Access-Control-Allow-Origin": f"{scheme}://{host}" if _HOST.match(host) else "null",
    }


def reading_headers(resource: Resource) -> dict[str, str]:
    """
    What an answer to GET and HEAD tells of the resource.
    """
    link = {"Link": f"<{_SCHEMAS}/{resource.schema}.json>; rel=describedby"} if resource.schema else {}
    return {"Allow": ", ".join(resource.methods), **link}


def response_of(reply: Reply, *, is_reading: bool, asked: Mapping[str, str], headers: Mapping[str, str]) -> Response:
    """
    The answer, or 304 to who has it already.

    Args:
        asked: the request's headers.
        headers: further ones of the answer; the reply's own go before them.
    """
    etag = reply.etag or str((reply.body or {}).get(ETAG, ""))
    all_headers = {**headers, **reply.headers, **({"ETag": etag} if etag else {})}
    if is_reading and reply.status == 200 and is_known(asked, etag):  # noqa: PLR2004 - OK
        return Response(status_code=304, headers=all_headers)
    if reply.body is not None:
        return Response(_as_json(reply.body), reply.status, all_headers, media_type=JSON)
    if reply.content:
        return Response(reply.content, reply.status, {**all_headers, "Content-Type": reply.media_type})
    return Response(status_code=reply.status, headers=all_headers)


async def send_stream(
    reply: StreamReply, headers: Mapping[str, str], receive: Receive, send: Send, stopping: anyio.Event
) -> None:
    """
    Send until there is no more, the client leaves, or `stopping`; then the chunks are closed.
    """
    all_headers = {**headers, **reply.headers, "Content-Type": _EVENT_STREAM, "X-Accel-Buffering": "no"}
    start = Response(headers=all_headers)
    pairs = [pair for pair in start.raw_headers if pair[0] != b"content-length"]
    async with aclosing(reply.chunks) as chunks, anyio.create_task_group() as group:

        async def until_it_leaves() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            group.cancel_scope.cancel()

        async def until_it_stops() -> None:
            await stopping.wait()
            group.cancel_scope.cancel()

        group.start_soon(until_it_leaves)
        group.start_soon(until_it_stops)
        await send({"type": "http.response.start", "status": 200, "headers": pairs})
        try:
            async for chunk in chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except Exception:
            # The client takes it for an end, and comes again.
            log.exception("api.stream_failed")
        group.cancel_scope.cancel()
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _as_json(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
