"""
An nginx with a given piece of configuration in its one server.
"""

import os
import shutil
import sys
from pathlib import Path

from tests.support.processes import LocalProcess, accepts_connections, free_port

_CONFIG = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    {temporary}
    server {{
        listen 127.0.0.1:{port};
{server}
    }}
}}
"""
_KINDS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


class NginxMissingError(Exception):
    """
    There is no nginx here; the message tells how to get it.
    """


def nginx() -> str:
    """
    The path of an nginx.
    """
    # Debian keeps it where a person's PATH may not lead.
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        raise NginxMissingError("no nginx: install it (Debian: nginx-light)")
    return found


class NginxProcess(LocalProcess):
    """
    On a free port, with `server` in its server block.
    """

    def __init__(self, folder: Path, server: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "nginx.conf"
        temporary = "\n    ".join(f"{kind}_temp_path {folder}/{kind};" for kind in _KINDS)
        config.write_text(_CONFIG.format(folder=folder, temporary=temporary, port=self.port, server=server))
        super().__init__("nginx", [nginx(), "-p", str(folder), "-c", str(config), "-e", "stderr"], folder)

    def is_ready(self) -> bool:
        return accepts_connections(self.port)


if __name__ == "__main__":
    try:
        nginx()
    except NginxMissingError as missing:
        sys.exit(str(missing))
