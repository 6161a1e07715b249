"""
What the chart puts into the environment is what odim-relay reads: loaded for real, by a process that has it.
"""

import json
import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Mapping
from functools import reduce
from pathlib import Path
from typing import Any

import yaml

from odim_relay.settings import ENV_PREFIX, Settings, known_variables
from tests.support.chart import CHART, VALUES_FILES, Rendered, component_of, environment, rendered_with
from tests.support.relay_process import ROOT

MINIMAL = next(file for file in VALUES_FILES if file.name == "minimal-values.yaml")
KEYS = json.dumps([b64encode(bytes(32)).decode(), b64encode(bytes(range(32))).decode()])
URLS = {
    "ODIM_RELAY_REDIS__URL": "sentinel://:pass@s1:26379;s2:26379/0?master_name=relay",
    "ODIM_RELAY_BROKER__URL": "amqps://relay:pass@rabbit:5671//",
    "ODIM_RELAY_EGRESS__PROXY": "http://user:pass@proxy:3128",
    "ODIM_RELAY_ODIM__REDIS_URL": "rediss://:pass@odim-redis:6379/0",
    "ODIM_RELAY_SECRETS__ENCRYPTION_KEYS": KEYS,
    "EMBEDDED_REDIS_PASSWORD": "S3cret",
}


class Secrets(dict[str, str]):
    """
    What Secrets hold, where nothing of a special form is needed.
    """

    def __missing__(self, key: str) -> str:
        return "some-secret-text"


SECRETS = Secrets(URLS)
_PROGRAM = """
import json, os, sys
from odim_relay.settings import load
for env in json.load(sys.stdin):
    os.environ.clear()
    os.environ.update(env)
    print(load().model_dump_json())
"""


def load_each(environments: list[dict[str, str]], folder: Path) -> list[dict[str, Any]]:
    """
    The settings as a process with each of these environments, and nothing else in it, reads them.
    """
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        input=json.dumps(environments),
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def load_all(found: Rendered, folder: Path) -> dict[str, dict[str, Any]]:
    """
    The settings of each process.
    """
    environments = {component_of(one): environment(found, one, SECRETS) for one in found.of("Deployment")}
    return dict(zip(environments, load_each(list(environments.values()), folder), strict=True))


def leaves(
    tree: Mapping[str, Any], known: set[tuple[str, ...]], path: tuple[str, ...] = ()
) -> dict[tuple[str, ...], Any]:
    """
    The settings in a tree of values, by their paths.
    """
    found: dict[tuple[str, ...], Any] = {}
    for name, value in tree.items():
        here = (*path, name)
        found |= {here: value} if here in known else leaves(value, known, here)
    return found


def at(tree: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    return reduce(lambda node, name: node[name], path, tree)


def test_every_process_reads_what_the_values_file_says(found: Rendered, values_file: Path, tmp_path: Path) -> None:
    values = yaml.safe_load(values_file.read_text())
    said = leaves(values.get("settings", {}), set(known_variables().values()))
    assert said
    for process, settings in load_all(found, tmp_path).items():
        for path, value in said.items():
            assert at(settings, path) == value, f"{process}: {'.'.join(path)}"
        assert settings["api"]["bind"] == settings["flower"]["bind"] == "0.0.0.0"
        assert settings["log"]["format"] == "json"


def test_secrets_and_files_arrive_where_they_are_needed(production: Rendered, tmp_path: Path) -> None:
    loaded = load_all(production, tmp_path)
    for settings in loaded.values():
        assert settings["redis"]["url"] == URLS["ODIM_RELAY_REDIS__URL"]
        assert settings["broker"]["url"] == URLS["ODIM_RELAY_BROKER__URL"]
        assert settings["redis"]["ca_file"] == "/etc/odim-relay/tls/redis/ca.crt"
    assert loaded["worker"]["secrets"]["encryption_keys"] == json.loads(KEYS)
    assert loaded["worker"]["delivery"]["ca_file"] == "/etc/odim-relay/tls/delivery/ca.crt"
    assert loaded["worker"]["delivery"]["tls_dir"] == "/etc/odim-relay/tls/client-certificates"
    assert loaded["bridge"]["kafka"]["security"] == {
        "protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_username": "some-secret-text",
        "sasl_password": "some-secret-text",
        "ca_file": "/etc/odim-relay/tls/kafka/ca.crt",
        "cert_file": "/etc/odim-relay/tls/kafka/tls.crt",
        "key_file": "/etc/odim-relay/tls/kafka/tls.key",
    }
    assert loaded["api"]["api"]["tls_cert_file"] == "/etc/odim-relay/tls/api/tls.crt"
    assert loaded["api"]["api"]["tls_key_file"] == "/etc/odim-relay/tls/api/tls.key"
    assert loaded["api"]["api"]["admin_password"] == "some-secret-text"
    assert loaded["worker"]["api"]["admin_password"] == ""


def test_files_that_a_process_is_told_of_are_mounted_in_it(production: Rendered, tmp_path: Path) -> None:
    needed = {
        "bridge": ["kafka.security.ca_file", "kafka.security.cert_file", "kafka.security.key_file", "redis.ca_file"],
        "worker": ["delivery.ca_file", "delivery.tls_dir", "redis.ca_file"],
        "maintenance": ["delivery.ca_file", "delivery.tls_dir", "redis.ca_file"],
        "beat": ["redis.ca_file"],
        "flower": ["redis.ca_file"],
        "api": ["api.tls_cert_file", "api.tls_key_file", "redis.ca_file", "kafka.security.ca_file", "delivery.tls_dir"],
    }
    loaded = load_all(production, tmp_path)
    for process, names in needed.items():
        (container,) = production.deployment(process)["spec"]["template"]["spec"]["containers"]
        folders = [mount["mountPath"] for mount in container["volumeMounts"]]
        for name in names:
            file = at(loaded[process], tuple(name.split(".")))
            assert any(file == folder or file.startswith(f"{folder}/") for folder in folders), f"{process}: {name}"


def test_the_embedded_redis_is_the_ledger_and_the_broker(trial: Rendered, tmp_path: Path) -> None:
    for settings in load_all(trial, tmp_path).values():
        assert settings["redis"]["url"] == "redis://:S3cret@relay-odim-relay-redis:6379/0"
        assert settings["broker"]["url"] is None
        assert settings["redis"]["require_durable"] is True


def schema_of(tree: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())["properties"][tree]
    return schema


def sample(member: Mapping[str, Any]) -> Any:
    """
    Some value for a setting without a default.
    """
    kinds = {kind.get("type"): kind for kind in [member, *member.get("anyOf", ())]}
    if "integer" in kinds:
        return max(kinds["integer"].get("minimum", 0), 123_456_789)
    return "text" if "string" in kinds else [] if "array" in kinds else {}


def test_every_setting_that_is_no_secret_can_be_said_and_arrives(tmp_path: Path) -> None:
    """
    At its default where it has one: by Helm a large number must not become 6.7108864e+07, nor a list one of Go's.
    """
    known = set(known_variables().values())
    defaults = json.loads(Settings.model_construct().model_dump_json())
    special = {
        ("broker", "url"): "redis://other:6379/3",
        ("egress", "proxy"): "socks5h://proxy:1080",
        ("redis", "url"): "redis://redis:6379/0",
        ("flower", "unauthenticated"): True,
        ("odim", "redis_url"): "redis://odim:6379/0",
        ("egress", "allow"): ["10.0.0.0/8", "fd00::/8"],
        ("kafka", "formats"): {"a": "redfish", 'b"<&>': "odim"},
        ("delivery", "verify"): False,
        ("ledger", "max_bytes"): 1_099_511_627_776,
        ("delivery", "retry_factor"): 2.5,
    }
    chosen: dict[tuple[str, ...], Any] = {}

    def choose(tree: Mapping[str, Any], path: tuple[str, ...]) -> None:
        for name, member in tree["properties"].items():
            here = (*path, name)
            if here not in known:
                choose(member, here)
            else:
                default = at(defaults, here)
                chosen[here] = special.get(here, sample(member) if default is None else default)

    choose(schema_of("settings"), ())
    # The chart's own: with TLS alone it makes sense in a pod, and where the file lies is the chart's to say.
    del chosen["liveness", "file"]
    settings: dict[str, Any] = {}
    for path, value in chosen.items():
        reduce(lambda node, name: node.setdefault(name, {}), path[:-1], settings)[path[-1]] = value

    loaded = load_all(rendered_with({"settings": settings}), tmp_path)

    secret = {tuple(variable) for variable in _secret_paths()}
    assert set(chosen) | secret == known - {("liveness", "file")}
    for process, read in loaded.items():
        for path, value in chosen.items():
            assert at(read, path) == value, f"{process}: {'.'.join(path)}"


def _secret_paths() -> list[tuple[str, ...]]:
    plain = _paths(schema_of("settings"))
    return [path for path in known_variables().values() if path not in plain]


def _paths(tree: Mapping[str, Any], path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    known = set(known_variables().values())
    found: set[tuple[str, ...]] = set()
    for name, member in tree["properties"].items():
        here = (*path, name)
        found |= {here} if here in known else _paths(member, here)
    return found


def test_no_secret_can_stand_in_the_plain_tree_and_each_can_come_out_of_a_secret() -> None:
    secret = set(_secret_paths())
    assert secret >= {
        ("api", "admin_password"),
        ("kafka", "security", "sasl_password"),
        ("secrets", "encryption_keys"),
        ("flower", "password"),
    }
    from_secrets = _paths(schema_of("settingsFromSecrets"))
    assert secret <= from_secrets
    assert {("redis", "url"), ("broker", "url"), ("odim", "redis_url"), ("egress", "proxy")} <= from_secrets
    assert ("kafka", "bootstrap_servers") in from_secrets


def test_every_setting_can_come_out_of_a_secret_under_its_own_variable() -> None:
    tree: dict[str, Any] = {}
    for path in _paths(schema_of("settingsFromSecrets")) - {("redis", "url"), ("api", "bind"), ("flower", "bind")}:
        reduce(lambda node, name: node.setdefault(name, {}), path[:-1], tree)[path[-1]] = {"existingSecret": "all"}
    tree["kafka"].pop("bootstrap_servers")  # which the minimal file says
    found = rendered_with({"settingsFromSecrets": tree, "flower": {"enabled": True}}, MINIMAL)
    for deployment in found.of("Deployment"):
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        for variable in container["env"]:
            if "valueFrom" in variable:
                assert variable["name"].startswith(ENV_PREFIX)
                assert variable["valueFrom"]["secretKeyRef"] == {"name": "all", "key": variable["name"]}


def test_what_is_plain_is_in_no_secret_and_no_secret_is_plain(found: Rendered) -> None:
    secret = {ENV_PREFIX + "__".join(path).upper() for path in _secret_paths()}
    for thing in found.of("ConfigMap"):
        assert not secret & thing["data"].keys()
        for text in thing["data"].values():
            assert "some-secret-text" not in text
            assert "requirepass" not in text
