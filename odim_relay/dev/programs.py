"""
The processes of a stack, and how supervisord is told of them. Pure.
"""

import shlex
import signal
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

STORES = "stores"
RELAY = "relay"
_LEASH = Path(__file__).with_name("leash.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """
    One process.

    Attributes:
        group: `relay` stops before `stores`.
        stop_s: how long it may take to end; then it is killed.
        start_s: one that ends sooner after its start is said to have fallen.
    """

    name: str
    command: tuple[str, ...]
    group: str = RELAY
    stop_s: int = 10
    start_s: int = 5


def read_procfile(text: str | None = None) -> dict[str, tuple[str, ...]]:
    """
    The commands of a Procfile, by name; without `text` those of the product.
    """
    if text is None:
        text = (files("odim_relay.dev") / "relay.procfile").read_text()
    commands = {}
    for line in text.splitlines():
        name, colon, command = line.partition(":")
        if colon and not name.startswith("#"):
            commands[name.strip()] = tuple(shlex.split(command))
    return commands


def leashed(command: Sequence[str], number: signal.Signals, *, parent: int = 0) -> tuple[str, ...]:
    """
    The command, made to get this signal when its parent is gone; `parent` is its process id where that is known.
    """
    return (sys.executable, "-S", str(_LEASH), str(int(number)), str(parent), *command)


def supervisor_config(programs: Iterable[Program], *, folder: Path, logs: Path, socket: Path) -> str:
    """
    The configuration of supervisord: nothing starts by itself, what dies is started again after 1, 2, 3... s.
    """
    programs = list(programs)
    sections = [
        f"""[supervisord]
nodaemon=true
silent=true
logfile={_plain(logs / "supervisord.log")}
logfile_maxbytes=5MB
logfile_backups=1
pidfile={_plain(folder / "supervisord.pid")}
childlogdir={_plain(logs)}
directory={_plain(Path.cwd())}

[unix_http_server]
file={_plain(socket)}
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://{_plain(socket)}
"""
    ]
    for program in programs:
        # Who is left without supervisord has nobody to stop it in good order.
        command = shlex.join(leashed(program.command, signal.SIGKILL))
        sections.append(
            f"""[program:{program.name}]
command={_plain(command)}
autostart=false
autorestart=true
startsecs={program.start_s}
startretries=12
stopsignal=TERM
stopwaitsecs={program.stop_s}
killasgroup=true
redirect_stderr=true
stdout_logfile={_plain(logs / f"{program.name}.log")}
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=3
"""
        )
    for priority, group in ((1, STORES), (2, RELAY)):
        names = [program.name for program in programs if program.group == group]
        if names:
            # Of a group all are stopped at once; the group with the highest number goes first.
            sections.append(f"[group:{group}]\nprograms={','.join(names)}\npriority={priority}\n")
    return "\n".join(sections)


def _plain(value: Path | str) -> str:
    # supervisord puts values in where it finds percent signs.
    return str(value).replace("%", "%%")
