"""
The chart as it is handed out: packed, without what only its makers need, and by itself as good as in the checkout.
"""

import subprocess
import tarfile
from pathlib import Path

import odim_relay
from tests.support.chart import CHART, NAMESPACE, NEWEST_KUBERNETES, RELEASE, VALUES_FILES
from tests.support.helm import helm

MINIMAL = next(file for file in VALUES_FILES if file.name == "minimal-values.yaml")


def template(chart: Path) -> str:
    argv = [
        helm(),
        "template",
        RELEASE,
        str(chart),
        "-n",
        NAMESPACE,
        "--kube-version",
        NEWEST_KUBERNETES,
        "-f",
        str(MINIMAL),
    ]
    return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout


def test_what_is_packed_becomes_the_same_and_holds_nothing_else(tmp_path: Path) -> None:
    subprocess.run([helm(), "package", str(CHART), "-d", str(tmp_path)], capture_output=True, check=True, timeout=60)
    packed = tmp_path / f"odim-relay-{odim_relay.__version__}.tgz"

    assert template(packed) == template(CHART)

    with tarfile.open(packed) as archive:
        names = {name.removeprefix("odim-relay/") for name in archive.getnames()}
    assert names >= {"Chart.yaml", "README.md", "values.yaml", "values.schema.json", "files/ask_api.py"}
    assert {name for name in names if name.startswith("ci/") or name == "values.schema.base.yaml"} == set()
