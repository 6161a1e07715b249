"""
Where the API and Flower of a stack listen, and how its first administrator logs in.
"""

import secrets
import socket
from contextlib import suppress
from pathlib import Path

from odim_relay.dev.ports import free_port

_USUAL_PORT = 8443
_USUAL_FLOWER_PORT = 5555
_PORT = "ODIM_RELAY_API__PORT"
API_PASSWORD = "ODIM_RELAY_API__ADMIN_PASSWORD"  # noqa: S105 - a name
_FLOWER = "ODIM_RELAY_FLOWER__"


def api_variables(folder: Path, *, needs_port: bool, needs_password: bool) -> dict[str, str]:
    """
    What the stack's API is to be told where nobody has: the usual port where that is free, else a free one; and a
    password for its administrator, which stays the same as long as the folder, like the account that it is for.

    Raises:
        OSError: the folder cannot be written to.
    """
    variables = {}
    if needs_port:
        variables[_PORT] = _port(_USUAL_PORT)
    if needs_password:
        variables[API_PASSWORD] = _password(password_file(folder))
    return variables


def flower_variables(*, needs_port: bool, login: tuple[str, str] | None) -> dict[str, str]:
    """
    As `api_variables`, of Flower.

    Args:
        login: whose name and password are to do; None where somebody has said.
    """
    variables = {}
    if needs_port:
        variables[f"{_FLOWER}PORT"] = _port(_USUAL_FLOWER_PORT)
    if login is not None:
        variables[f"{_FLOWER}USERNAME"], variables[f"{_FLOWER}PASSWORD"] = login
    return variables


def password_file(folder: Path) -> Path:
    """
    Where the administrator's password stands.
    """
    return folder / "api-password"


def _port(usual: int) -> str:
    return str(usual if _is_free(usual) else free_port())


def _is_free(port: int) -> bool:
    with socket.socket() as probe, suppress(OSError):
        # As a server does: a port whose last connections are still dying is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        return True
    return False


def _password(path: Path) -> str:
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(f"{secrets.token_urlsafe(12)}\n")
    return path.read_text().strip()
