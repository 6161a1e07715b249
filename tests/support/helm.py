"""
The helm binary: that of PATH, else one built by Go from its module proxy, once, into a cache of this user's.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

VERSION = "v3.22.0"
FETCH_LIMIT_S = 900


class HelmMissingError(Exception):
    """
    There is no helm here; the message tells how to get it.
    """


def _cached() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser()
    return cache / "odim-relay" / f"helm-{VERSION}" / "helm"


def helm() -> str:
    """
    The path of a helm.
    """
    found = shutil.which("helm") or (str(_cached()) if _cached().is_file() else None)
    if found is None:
        raise HelmMissingError("no helm: install helm 3, or Go >= 1.21 and run scripts/test-servers")
    return found


def fetch() -> None:
    """
    Build helm, where there is none.
    """
    target = _cached()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        subprocess.run(
            ["go", "install", f"helm.sh/helm/v3/cmd/helm@{VERSION}"],
            env={**os.environ, "GOBIN": folder},
            check=True,
            timeout=FETCH_LIMIT_S,
        )
        (Path(folder) / "helm").replace(target)


if __name__ == "__main__":
    if sys.argv[1:] == ["fetch"]:
        fetch()
    try:
        helm()
    except HelmMissingError as missing:
        sys.exit(str(missing))
