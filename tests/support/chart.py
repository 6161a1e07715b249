"""
The Helm chart, rendered: what would be sent to Kubernetes.
"""

import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from tests.support.helm import helm

CHART = Path(__file__).parents[2] / "helm" / "odim-relay"
VALUES_FILES = sorted((CHART / "ci").glob("*-values.yaml"))
RELEASE, NAMESPACE = "relay", "events"
PROCESSES = ("bridge", "worker", "maintenance", "beat", "api", "flower")
CONTROLLERS = ("Deployment", "StatefulSet")
NEWEST_KUBERNETES = "1.37.0"
_HELM_S = 60

Thing: TypeAlias = dict[str, Any]


class RefusedError(Exception):
    """
    Helm does not take these values; the message is its own.
    """


@dataclass(frozen=True, slots=True)
class Rendered:
    """
    Everything that one set of values becomes.
    """

    things: tuple[Thing, ...]

    def of(self, *kinds: str) -> list[Thing]:
        return [thing for thing in self.things if thing["kind"] in kinds]

    def one(self, kind: str, suffix: str = "") -> Thing:
        """
        The only one of this kind whose name ends so.
        """
        found = [thing for thing in self.of(kind) if thing["metadata"]["name"].endswith(suffix)]
        assert len(found) == 1, f"{len(found)} {kind} ...{suffix}"
        return found[0]

    def deployment(self, process: str) -> Thing:
        return self.one("Deployment", f"-{process}")

    @property
    def deployments(self) -> dict[str, Thing]:
        """
        By their process.
        """
        return {component_of(thing): thing for thing in self.of("Deployment")}

    def pods(self) -> Iterator[tuple[str, Thing]]:
        """
        Every pod that runs sooner or later: name, and its spec.
        """
        for thing in self.of(*CONTROLLERS):
            yield thing["metadata"]["name"], thing["spec"]["template"]["spec"]
        for thing in self.of("Pod"):
            yield thing["metadata"]["name"], thing["spec"]

    def containers(self) -> Iterator[tuple[str, Thing]]:
        for name, spec in self.pods():
            for container in spec["containers"]:
                yield f"{name}/{container['name']}", container

    def grace_s(self, process: str) -> int:
        seconds: int = pod_of(self.deployment(process))["terminationGracePeriodSeconds"]
        return seconds


def component_of(thing: Thing) -> str:
    component: str = thing["metadata"]["labels"]["app.kubernetes.io/component"]
    return component


def pod_of(controller: Thing) -> Thing:
    spec: Thing = controller["spec"]["template"]["spec"]
    return spec


def container_of(controller: Thing) -> Thing:
    (container,) = pod_of(controller)["containers"]
    return dict(container)


def _run(*arguments: str) -> str:
    done = subprocess.run(
        [helm(), *arguments], capture_output=True, text=True, timeout=_HELM_S, check=False, cwd=CHART.parent
    )
    if done.returncode:
        raise RefusedError(done.stdout + done.stderr)
    return done.stdout


def lint(*files: Path) -> str:
    """
    What `helm lint --strict` says; raises `RefusedError` when that is not well.
    """
    return _run("lint", "--strict", str(CHART), *_files(files))


def _files(files: Sequence[Path]) -> list[str]:
    return [argument for file in files for argument in ("--values", str(file))]


@cache
def rendered(*files: Path, kubernetes: str = NEWEST_KUBERNETES) -> Rendered:
    """
    Render with these values files; once per set of them.

    Raises:
        RefusedError: Helm refuses them.
    """
    text = _run("template", RELEASE, str(CHART), "--namespace", NAMESPACE, "--kube-version", kubernetes, *_files(files))
    return Rendered(tuple(thing for thing in yaml.safe_load_all(text) if thing))


def rendered_with(values: Mapping[str, Any], *files: Path) -> Rendered:
    """
    The same with these values on top of the files'.
    """
    with tempfile.NamedTemporaryFile("w", suffix="-values.yaml") as own:
        json.dump(values, own)
        own.flush()
        return rendered.__wrapped__(*files, Path(own.name))


def environment(found: Rendered, controller: Thing, secrets: Mapping[str, str]) -> dict[str, str]:
    """
    What the container of a process has in its environment, as Kubernetes makes it.

    Args:
        secrets: what Secrets hold, by the variable that gets it.
    """
    container = container_of(controller)
    env: dict[str, str] = {}
    for source in container.get("envFrom", ()):
        env |= found.one("ConfigMap", source["configMapRef"]["name"])["data"]
    for variable in container.get("env", ()):
        name = variable["name"]
        text = str(secrets[name]) if "valueFrom" in variable else variable["value"]
        for known, value in env.items():
            text = text.replace(f"$({known})", value)
        env[name] = text
    return env
