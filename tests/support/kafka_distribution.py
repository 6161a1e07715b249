"""
Apache Kafka's jars, from Maven Central, in a cache of this user's: fetched once, then used offline.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

POM = Path(__file__).with_name("kafka") / "pom.xml"
JAVA_NEEDED = 17  # what Kafka 4 brokers need
FETCH_LIMIT_S = 600
CLUSTER_ID = "b2RpbS1yZWxheS10ZXN0cw"
NODE = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
log.dirs={log_dirs}
"""


class KafkaMissingError(Exception):
    """
    Apache Kafka cannot be started here; the message names what is missing and how to get it.
    """


def kafka_version() -> str:
    found = ET.parse(POM).find("./{*}properties/{*}kafka.version")  # noqa: S314 - our own file
    assert found is not None
    assert found.text
    return found.text


@cache
def java() -> str:
    """
    The path of a Java that Kafka runs on: JAVA_HOME's, else that of PATH.
    """
    home = os.environ.get("JAVA_HOME")
    path = shutil.which("java", path=f"{home}/bin") if home else None
    path = path or shutil.which("java")
    if path is None:
        raise KafkaMissingError(f"no java: install a Java runtime >= {JAVA_NEEDED} (Debian: openjdk-17-jre-headless)")
    told = subprocess.run([path, "-version"], capture_output=True, text=True, check=True).stderr
    match = re.search(r'version "(\d+)', told)
    if match is None or int(match[1]) < JAVA_NEEDED:
        raise KafkaMissingError(f"{path} is too old, Java >= {JAVA_NEEDED} is needed: {told.splitlines()[0]}")
    return path


def home() -> Path:
    """
    Where the jars are, or will be: by Kafka's version and by what the pom says besides.
    """
    cache_home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    digest = hashlib.sha256(POM.read_bytes()).hexdigest()[:8]
    return cache_home / "odim-relay" / f"kafka-{kafka_version()}-{digest}"


@cache
def installed() -> Path:
    """
    The folder with `lib/*.jar` and `formatted/`, an empty log folder; fetches them on the first call of this machine.

    Safe to call from several test runs at once. Raises KafkaMissingError; nothing is left half done then.
    """
    target = home()
    java()
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_name(f"{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():  # else another run has fetched it meanwhile
            with tempfile.TemporaryDirectory(dir=target.parent, prefix=f"{target.name}.") as folder:
                made = Path(folder, "made")
                fetch(made / "lib")
                format_storage(made / "lib", made / "formatted")
                made.rename(target)
    return target


def fetch(lib: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise KafkaMissingError("no mvn: install Apache Maven (Debian: maven), which fetches Apache Kafka once")
    copy = [maven, "-q", "-B", "-f", str(POM), "dependency:copy-dependencies", "-DincludeScope=runtime"]
    try:
        subprocess.run(
            [*copy, f"-DoutputDirectory={lib}"], check=True, capture_output=True, text=True, timeout=FETCH_LIMIT_S
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as exc:
        raise KafkaMissingError(
            f"Apache Kafka {kafka_version()} could not be fetched by Maven: {exc.stdout!s}"
        ) from exc


def format_storage(lib: Path, log_dirs: Path) -> None:
    """
    Makes an empty log folder as `kafka-storage.sh format` does.

    Neither ports nor paths are in it: each test's server starts from a copy, which saves it a second of Java.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".properties") as properties:
        properties.write(NODE.format(port=9092, controller_port=9093, log_dirs=log_dirs))
        properties.flush()
        command = [*java_command(lib, heap="64m"), "kafka.tools.StorageTool", "format"]
        subprocess.run([*command, "-t", CLUSTER_ID, "-c", properties.name], check=True, capture_output=True)


def java_command(lib: Path, *, heap: str) -> list[str]:
    """
    Java as it starts fastest: the simple collector, and only the quick compiler.
    """
    tuning = [f"-Xmx{heap}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    logging = ["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true"]
    return [java(), *tuning, *logging, "-cp", f"{lib}/*"]


def answer(question: str) -> int:
    """
    What scripts/test-servers asks, as an exit status: is there a `java`, are the jars `cached`, could it `fetch` them.
    """
    if question == "cached":
        return 0 if home().is_dir() else 1
    try:
        if question == "fetch":
            installed()
        java()
    except KafkaMissingError as exc:
        if question == "fetch":
            print(exc, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(answer(sys.argv[1]))
