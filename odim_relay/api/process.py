"""
The API process: `odim-relay api`.
"""

import ipaddress
import socket
import ssl
from functools import partial
from pathlib import Path

import uvicorn

from odim_relay import bootstrap
from odim_relay.api.application import make_app
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
    context, is_own = (None, False) if chosen.plain_http else _tls(chosen.tls_cert_file, chosen.tls_key_file)
    sock = _listen(chosen.bind, chosen.port)
    app = make_app()
    url = f"{'http' if context is None else 'https'}://{_authority(sock)}"
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
        ssl_context_factory=None if context is None else lambda *_: context,
    )
    preparation().begin(context if is_own else None)

    def stop() -> None:
        bootstrap.stopping.set()
        app.stop()

    Server(config, started=partial(log.info, "api.started", url=url), stopping=stop).run([sock])
    log.info("api.stopped")


def _tls(cert_file: Path | None, key_file: Path | None) -> tuple[ssl.SSLContext, bool]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if cert_file is None:
        if key_file is not None:
            raise ConfigurationError("API__TLS_KEY_FILE is set without API__TLS_CERT_FILE: set both, or neither")
        return context, True
    for setting, path in (("CERT", cert_file), ("KEY", key_file)):
        try:
            if path is not None:
                path.read_bytes()
        except OSError as exc:
            raise ConfigurationError(f"API__TLS_{setting}_FILE: {path} cannot be read: {exc.strerror}") from exc
    try:
        # Without a password, rather than asking for one on the terminal.
        context.load_cert_chain(cert_file, key_file, password="")
    except (ssl.SSLError, ValueError) as exc:
        raise ConfigurationError(
            f"API__TLS_CERT_FILE, API__TLS_KEY_FILE: {cert_file} is no PEM certificate with its key in "
            f"{key_file or 'the same file'}, without a pass phrase: {exc}"
        ) from exc
    return context, False


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
