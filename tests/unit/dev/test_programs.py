import configparser
import shlex
import signal
import sys
from pathlib import Path

from odim_relay.dev.programs import STORES, Program, leashed, read_procfile, supervisor_config

ROOT = Path(__file__).parents[3]


def test_the_procfile_at_the_top_is_the_one_in_the_package() -> None:
    assert (ROOT / "Procfile").read_text() == (ROOT / "odim_relay/dev/relay.procfile").read_text()


def test_the_procfile_names_every_process_and_each_node_once() -> None:
    commands = read_procfile()
    assert list(commands) == ["bridge", "api", "worker", "maintenance", "beat", "flower"]
    nodes = [command[command.index("-n") + 1] for command in commands.values() if "-n" in command]
    assert nodes == ["deliveries@%h", "maintenance@%h"]


def test_comments_and_empty_lines_are_passed_over() -> None:
    assert read_procfile("# web: no\n\nweb: run 'a b' --x=1\n") == {"web": ("run", "a b", "--x=1")}


def test_supervisord_gets_every_command_as_it_is() -> None:
    programs = [
        Program(name="redis", command=("/bin/redis server", "--dir", "a;b%c"), group=STORES, stop_s=30),
        Program(name="worker", command=("celery", "-n", "x@%h")),
    ]
    text = supervisor_config(programs, folder=Path("/data%dir"), logs=Path("/data%dir/logs"), socket=Path("/s.sock"))
    read = configparser.ConfigParser(inline_comment_prefixes=(" ;",))
    read.read_string(text)
    for program in programs:
        section = read[f"program:{program.name}"]
        assert shlex.split(section["command"]) == list(leashed(program.command, signal.SIGKILL))
        assert section.getint("stopwaitsecs") == program.stop_s
        assert section.getboolean("autorestart")
    assert read["supervisord"]["logfile"] == "/data%dir/logs/supervisord.log"
    # The group with the lower number is stopped last.
    assert int(read["group:stores"]["priority"]) < int(read["group:relay"]["priority"])
    assert read["group:relay"]["programs"] == "worker"


def test_a_leash_is_a_program_that_becomes_the_command() -> None:
    python, _, leash, number, parent, *command = leashed(["celery", "beat"], signal.SIGTERM, parent=7)
    assert python == sys.executable
    assert Path(leash).is_file()
    assert (number, parent, command) == ("15", "7", ["celery", "beat"])
