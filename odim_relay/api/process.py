"""
The API process: `odim-relay api`.
"""

import ipaddress
import socket

import uvicorn

from odim_relay import bootstrap
from odim_relay.api.application import make_app
from odim_relay.api.certificates import server_tls, watch_certificate
from odim_relay.api.preparation import preparation
from odim_relay.api.server import Server, impatient
from odim_relay.errors import ConfigurationError
from odim_relay.telemetry import logger

log = logger(__name__)

_FINISH_WITHIN_S = 5
_IDLE_S = 30
_BACKLOG = 512


def run() -> None:
    """
    Serve until SIGTERM or SIGINT.

    Raises:
        ConfigurationError: a setting is wrong.
    """
    bootstrap.first_account()  # a wrong setting is told now, and not by whoever waits for Redis
    chosen = bootstrap.settings().api
    if chosen.plain_http and not _is_loopback(chosen.bind):
        raise ConfigurationError(
            f"API__PLAIN_HTTP is for loopback only, and API__BIND is {chosen.bind}: passwords would go in clear. "
            "Bind to 127.0.0.1, or leave TLS on"
        )
    tls = None if chosen.plain_http else server_tls(chosen.tls_cert_file, chosen.tls_key_file)
    sock = _listen(chosen.bind, chosen.port)
    app = make_app()
    url = f"{'http' if tls is None else 'https'}://{_authority(sock)}"
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http=impatient(chosen.body_timeout_s),
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_IDLE_S,
        timeout_graceful_shutdown=_FINISH_WITHIN_S,
        ssl_context_factory=None if tls is None else lambda *_: tls.context,
    )
    preparation().begin(tls.context if tls is not None and tls.files is None else None)

    def start() -> None:
        log.info("api.started", url=url)
        if tls is not None:
            watch_certificate(tls)

    def stop() -> None:
        bootstrap.stopping.set()
        app.stop()

    Server(config, started=start, stopping=stop).run([sock])
    log.info("api.stopped")


def _is_loopback(bind: str) -> bool:
    try:
        return ipaddress.ip_address(bind).is_loopback
    except ValueError:
        return bind == "localhost"


def _listen(bind: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            bind, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=socket.AI_PASSIVE
        )[0]
        # With its protocol, by which asyncio knows that it is to send without delay.
        sock = socket.socket(family, kind, protocol)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, bind != "::")
        sock.bind(address)
        sock.listen(_BACKLOG)
    except (OSError, UnicodeError) as exc:
        raise ConfigurationError(f"API__BIND, API__PORT: cannot listen on {bind}, port {port}: {exc}") from exc
    return sock


def _authority(sock: socket.socket) -> str:
    host, port = sock.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
