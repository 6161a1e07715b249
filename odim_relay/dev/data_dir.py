"""
The folder of an embedded stack: Redis's data, logs, and who uses it.
"""

import fcntl
import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from odim_relay.errors import PermanentError


class InUseError(PermanentError):
    """
    Another stack uses the folder.
    """


class DataDir:
    """
    One folder, for one stack at a time.
    """

    def __init__(self, path: Path) -> None:
        """
        Make the folder if it is not there.

        Raises:
            PermanentError: it cannot be made or written to.
        """
        self.path = path.absolute()
        self.logs = self.path / "logs"
        self.redis = self.path / "redis"
        self.env_file = self.path / "env"
        try:
            for folder in (self.path, self.logs, self.redis):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = (self.path / "lock").open("a+", encoding="ascii")
        except OSError as exc:
            raise PermanentError(f"{exc.filename} cannot be used: {exc.strerror}; give another --data-dir") from exc

    def claim(self) -> int:
        """
        Take the folder, until every process that has the file is gone.

        Returns:
            the lock's file descriptor, to be handed to those who must keep the folder longer than this process.

        Raises:
            InUseError: another has it.
        """
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.seek(0)
            holder = self._lock.read().strip() or "unknown"
            raise InUseError(
                f"{self.path} is in use by another `odim-relay up` (process {holder}), or its processes are still "
                "ending; stop it, or give another --data-dir"
            ) from None
        self._lock.truncate(0)
        self._lock.write(str(os.getpid()))
        self._lock.flush()
        return self._lock.fileno()

    def release(self) -> None:
        """
        Give the folder back. Idempotent; the end of the process does it too.
        """
        self._lock.close()

    def log(self, program: str) -> Path:
        """
        Where a program's output goes.
        """
        return self.logs / f"{program}.log"

    def log_tail(self, program: str, lines: int = 15) -> str:
        """
        The last lines of it; empty when there is none.
        """
        path = self.log(program)
        if not path.exists():
            return ""
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])

    def write_env(self, variables: Mapping[str, str]) -> None:
        """
        Leave what another terminal needs to talk to this stack: `. env`. The program that runs comes first in its PATH.
        """
        lines = [f'export PATH={shlex.quote(str(Path(sys.executable).parent))}:"$PATH"\n']
        lines += [f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()]
        self.env_file.touch(mode=0o600)
        self.env_file.write_text("".join(lines))
