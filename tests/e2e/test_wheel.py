import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ["pyproject.toml", "README.md", "LICENSE", "celeryconfig.py", "flowerconfig.py"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # From a copy: a build leaves a folder of its own beside the sources, and would find what an older one left there.
    copy = tmp_path_factory.mktemp("sources")
    for name in SOURCES:
        shutil.copy(ROOT / name, copy)
    shutil.copytree(ROOT / "odim_relay", copy / "odim_relay", ignore=shutil.ignore_patterns("__pycache__"))
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", folder, copy], check=True)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_has_every_file_of_the_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}

    package = [path for path in (ROOT / "odim_relay").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert found == {"celeryconfig.py", "flowerconfig.py", *(str(path.relative_to(ROOT)) for path in package)}
    assert "odim_relay/py.typed" in found
    assert any(name.endswith(".lua") for name in found)


def test_the_license_comes_with_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (archive.read(name).decode() for name in archive.namelist() if name.endswith("/METADATA"))

        assert any(name.endswith("/licenses/LICENSE") for name in archive.namelist())
    assert "License-Expression: Apache-2.0" in metadata


def test_the_installed_wheel_has_celerys_settings_and_the_scripts(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", symlinks=True)
    python = tmp_path / "venv" / "bin" / "python"
    (site,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    # What the project depends on is installed beside these tests already; the project itself is there too, but after.
    (own,) = Path(sys.prefix).glob("lib/python*/site-packages")
    program = (
        "import celeryconfig, odim_relay.adapters.redis as adapter, pathlib;"
        "print(celeryconfig.__file__, celeryconfig.broker_url);"
        "print(*sorted(path.name for path in pathlib.Path(adapter.__file__).parent.glob('scripts/*.lua')))"
    )
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    env["ODIM_RELAY_REDIS__URL"] = "redis://127.0.0.1:7777/0"

    told = subprocess.run(
        [python, "-c", f"import sys; sys.path.append({str(own)!r}); {program}"],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=env,
    ).stdout.splitlines()

    assert told[0] == f"{site / 'celeryconfig.py'} redis://127.0.0.1:7777/1"
    assert "ingest.lua" in told[1].split()
