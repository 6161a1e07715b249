"""
What the rendered objects are: locked down, connected with each other, and in step with the product.
"""

import math
import re
import shlex
from typing import Any

import pytest

from odim_relay.api.metric_definitions import METRICS
from odim_relay.settings import Settings
from tests.support.chart import (
    CONTROLLERS,
    PROCESSES,
    Rendered,
    Thing,
    component_of,
    container_of,
    environment,
    pod_of,
    rendered,
    rendered_with,
)
from tests.support.chart import VALUES_FILES as FILES
from tests.support.relay_process import ROOT

ENDS_WITHIN_S = 2
"""
After the timeout of an attempt under way: S16.
"""
MARGIN_S = 5
MINIMAL = next(file for file in FILES if file.name == "minimal-values.yaml")
WITH_SIGNS = ("bridge", "worker", "maintenance", "beat")


# --- locked down ---


def test_every_pod_runs_as_nobody_in_particular_and_can_change_nothing_but_its_own_folders(found: Rendered) -> None:
    for name, spec in found.pods():
        security = spec["securityContext"]
        assert security["runAsNonRoot"] is True, name
        assert (security["runAsUser"], security["runAsGroup"]) == (10001, 10001), name
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}, name
    for name, container in found.containers():
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, name


def test_no_pod_is_told_of_other_services_or_may_ask_kubernetes(found: Rendered) -> None:
    for name, spec in found.pods():
        assert spec["enableServiceLinks"] is False, name
        assert spec["automountServiceAccountToken"] is False, name
        assert spec["serviceAccountName"], name
        assert not any(spec.get(host) for host in ("hostNetwork", "hostPID", "hostIPC")), name
    assert found.one("ServiceAccount")["automountServiceAccountToken"] is False


def test_every_container_says_what_it_needs_and_how_much_memory_it_may_take(found: Rendered) -> None:
    for name, container in found.containers():
        assert container["resources"]["requests"].keys() >= {"cpu", "memory"}, name
        assert "memory" in container["resources"]["limits"], name


def test_what_is_mounted_is_a_volume_of_the_pod_and_files_of_secrets_are_not_for_everybody(found: Rendered) -> None:
    for name, spec in found.pods():
        volumes = {volume["name"]: volume for volume in spec.get("volumes", ())}
        mounts = [mount for container in spec["containers"] for mount in container.get("volumeMounts", ())]
        claims = {"data"} if name.endswith("-redis") else set()
        assert {mount["name"] for mount in mounts} == volumes.keys() | claims, name
        assert len({mount["mountPath"] for mount in mounts}) == len(mounts), name
        for mount in mounts:
            if "secret" in volumes.get(mount["name"], {}):
                assert mount["readOnly"] is True, name
                assert volumes[mount["name"]]["secret"]["defaultMode"] == 0o440, name


def test_each_process_gets_the_secrets_that_it_needs_and_no_others(production: Rendered) -> None:
    readers: dict[str, set[str]] = {}
    for process, deployment in production.deployments.items():
        for variable in container_of(deployment)["env"]:
            if "valueFrom" in variable:
                readers.setdefault(variable["name"].removeprefix("ODIM_RELAY_"), set()).add(process)
    everybody = set(PROCESSES)
    assert readers == {
        "REDIS__URL": everybody,
        "BROKER__URL": everybody,
        "KAFKA__SECURITY__SASL_USERNAME": {"bridge", "api"},
        "KAFKA__SECURITY__SASL_PASSWORD": {"bridge", "api"},
        "EGRESS__PROXY": {"bridge", "worker", "maintenance", "api"},
        "SECRETS__ENCRYPTION_KEYS": {"bridge", "worker", "maintenance", "api"},
        "API__ADMIN_PASSWORD": {"api"},
        "FLOWER__PASSWORD": {"flower"},
    }


def test_a_secret_that_is_missing_is_not_optional(found: Rendered) -> None:
    for name, container in found.containers():
        for variable in container.get("env", ()):
            reference = variable.get("valueFrom", {}).get("secretKeyRef", {})
            assert "optional" not in reference, name
            assert "valueFrom" not in variable or (reference["name"] and reference["key"]), name
    for name, spec in found.pods():
        for volume in spec.get("volumes", ()):
            assert "optional" not in volume.get("secret", {}), name


def test_the_networks_policy_lets_the_world_in_where_it_is_served_and_nowhere_else(production: Rendered) -> None:
    policies = {thing["metadata"]["name"]: thing["spec"] for thing in production.of("NetworkPolicy")}
    everybody = policies["relay-odim-relay"]
    assert everybody["ingress"] == []
    assert set(everybody["policyTypes"]) == {"Ingress", "Egress"}
    assert {"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]} in everybody["egress"]
    assert {"port": 53, "protocol": "UDP"} in everybody["egress"][0]["ports"]
    for deployment in production.of(*CONTROLLERS):
        assert _selects(everybody["podSelector"], deployment)
    served = {name.removeprefix("relay-odim-relay-"): spec for name, spec in policies.items() if spec["ingress"]}
    assert {name: spec["ingress"][0]["ports"][0]["port"] for name, spec in served.items()} == {
        "api": "https",
        "flower": "http",
    }
    for name, spec in served.items():
        assert [component_of(one) for one in production.of("Deployment") if _selects(spec["podSelector"], one)] == [
            name
        ]


# --- connected ---


def _selects(selector: Thing, controller: Thing) -> bool:
    labels = controller["spec"]["template"]["metadata"]["labels"]
    return bool(selector["matchLabels"].items() <= labels.items())


def test_every_selector_selects_the_pods_of_one_process(found: Rendered) -> None:
    controllers = found.of(*CONTROLLERS)
    for thing in [*controllers, *found.of("PodDisruptionBudget")]:
        chosen = [one for one in controllers if _selects(thing["spec"]["selector"], one)]
        assert [component_of(one) for one in chosen] == [component_of(thing)], thing["metadata"]["name"]
    for service in found.of("Service"):
        chosen = [one for one in controllers if _selects({"matchLabels": service["spec"]["selector"]}, one)]
        assert [component_of(one) for one in chosen] == [component_of(service)]
        ports = {port["name"] for port in container_of(chosen[0])["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports
    for monitor in found.of("ServiceMonitor"):
        selected = [
            service
            for service in found.of("Service")
            if monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
        ]
        assert [component_of(service) for service in selected] == ["api"]
        (endpoint,) = monitor["spec"]["endpoints"]
        assert endpoint["port"] in {port["name"] for port in selected[0]["spec"]["ports"]}
        assert (endpoint["scheme"], endpoint["path"]) == ("https", "/metrics")
        assert selected[0]["metadata"]["labels"][monitor["spec"]["jobLabel"]] == "odim-relay"


def test_the_test_pod_is_nobodys_replica(found: Rendered) -> None:
    (pod,) = found.of("Pod")
    assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
    for thing in found.of(*CONTROLLERS):
        assert not thing["spec"]["selector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()


def test_an_ingress_leads_to_a_port_of_a_service(production: Rendered) -> None:
    services = {service["metadata"]["name"]: service for service in production.of("Service")}
    paths = [
        path
        for ingress in production.of("Ingress")
        for rule in ingress["spec"]["rules"]
        for path in rule["http"]["paths"]
    ]
    assert {path["path"] for path in paths} == {"/", "/flower"}
    for path in paths:
        target = path["backend"]["service"]
        assert target["port"]["name"] in {port["name"] for port in services[target["name"]]["spec"]["ports"]}


def test_who_scales_scales_a_deployment_that_sets_no_replicas_of_its_own(found: Rendered) -> None:
    deployments = {thing["metadata"]["name"]: thing for thing in found.of("Deployment")}
    scaled = {
        thing["spec"]["scaleTargetRef"]["name"]: thing for thing in found.of("HorizontalPodAutoscaler", "ScaledObject")
    }
    assert scaled.keys() <= deployments.keys()
    for name, deployment in deployments.items():
        assert ("replicas" in deployment["spec"]) is (name not in scaled), name
    for name in scaled:
        # A share of the request can be told only where there is one.
        assert "cpu" in container_of(deployments[name])["resources"]["requests"]


def test_keda_asks_redis_for_the_queue_and_kafka_for_each_topics_lag() -> None:
    found = rendered(next(file for file in FILES if file.name == "keda-values.yaml"))
    worker = found.one("ScaledObject", "-worker")["spec"]
    (trigger,) = worker["triggers"]
    assert trigger["type"] == "redis"
    assert trigger["metadata"] == {
        "address": "redis.stores.svc:6379",
        "databaseIndex": "1",
        "enableTLS": "false",
        "listName": "deliveries",
        "listLength": "1000",
    }
    bridge = found.one("ScaledObject", "-bridge")["spec"]
    assert [one["metadata"]["topic"] for one in bridge["triggers"]] == ["REDFISH-EVENTS-TOPIC", "storage"]
    for one in bridge["triggers"]:
        assert (one["metadata"]["consumerGroup"], one["metadata"]["lagThreshold"]) == ("relay-a", "2000")
    given = {one["metadata"]["name"]: one["spec"]["secretTargetRef"] for one in found.of("TriggerAuthentication")}
    assert {one["authenticationRef"]["name"] for one in [trigger, *bridge["triggers"]]} == given.keys()
    assert {one["parameter"]: (one["name"], one["key"]) for one in given["relay-odim-relay-worker"]} == {
        "password": ("relay-redis", "password")
    }
    assert {one["parameter"]: (one["name"], one["key"]) for one in given["relay-odim-relay-bridge"]} == {
        "tls": ("relay-odim-relay-keda-kafka", "tls"),
        "sasl": ("relay-odim-relay-keda-kafka", "sasl"),
        "username": ("relay-kafka", "username"),
        "password": ("relay-kafka", "password"),
        "ca": ("relay-kafka-tls", "ca.crt"),
    }
    assert found.one("Secret", "-keda-kafka")["stringData"] == {"tls": "enable", "sasl": "scram_sha256"}


def test_keda_knows_the_embedded_redis_and_its_password() -> None:
    file = next(file for file in FILES if file.name == "trial-values.yaml")
    found = rendered_with({"worker": {"keda": {"enabled": True}}}, file)
    (trigger,) = found.one("ScaledObject")["spec"]["triggers"]
    assert trigger["metadata"]["address"] == "relay-odim-relay-redis.events.svc:6379"
    given = found.one("TriggerAuthentication")
    assert trigger["authenticationRef"] == {"name": given["metadata"]["name"]}
    secret = found.one("Secret", "-redis")
    (reference,) = given["spec"]["secretTargetRef"]
    assert reference == {"parameter": "password", "name": secret["metadata"]["name"], "key": "password"}
    assert "password" in secret["data"]


def test_keda_asks_prometheus_for_figures_that_there_are() -> None:
    found = rendered(next(file for file in FILES if file.name == "keda-prometheus-values.yaml"))
    queries = {component_of(one): one["spec"]["triggers"][0]["metadata"]["query"] for one in found.of("ScaledObject")}
    assert set(re.findall(r"odim_relay_\w+", str(queries))) <= METRICS.keys()
    assert queries == {
        "worker": 'max(odim_relay_queue_depth{namespace="events"})',
        "bridge": 'max(odim_relay_kafka_lag{namespace="events"})',
    }
    assert not found.of("TriggerAuthentication", "Secret")


# --- in step with the product ---


def test_commands_are_those_of_the_procfile(found: Rendered) -> None:
    procfile = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
    assert set(procfile) == set(PROCESSES)
    for process, deployment in found.deployments.items():
        container = container_of(deployment)
        assert container["command"] == shlex.split(procfile[process])
        assert "args" not in container


def test_a_process_has_longer_to_end_than_it_needs(found: Rendered) -> None:
    for process, deployment in found.deployments.items():
        env = environment(found, deployment, secrets=_Anything())
        chosen = Settings()
        attempt_s = float(env.get("ODIM_RELAY_DELIVERY__TIMEOUT_S", chosen.delivery.timeout_s))
        body_s = float(env.get("ODIM_RELAY_API__BODY_TIMEOUT_S", chosen.api.body_timeout_s))
        before_s = 5 if "lifecycle" in container_of(deployment) else 0
        needs_s = {"worker": attempt_s, "maintenance": attempt_s, "api": body_s}.get(process, 15)
        assert found.grace_s(process) >= before_s + math.ceil(needs_s) + ENDS_WITHIN_S + MARGIN_S, process


class _Anything(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "x"


@pytest.mark.parametrize(("timeout_s", "grace_s"), [(1, 16), (15, 30), (20.2, 36), (300, 315)])
def test_the_time_to_end_follows_the_timeout_of_deliveries(timeout_s: float, grace_s: int) -> None:
    found = rendered_with({"settings": {"delivery": {"timeout_s": timeout_s}}}, MINIMAL)
    assert {process: found.grace_s(process) for process in ("worker", "maintenance")} == {
        "worker": grace_s,
        "maintenance": grace_s,
    }


def test_a_new_process_is_there_before_an_old_one_is_told_to_end(found: Rendered) -> None:
    for deployment in found.of("Deployment"):
        assert deployment["spec"]["strategy"] == {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
        }


def test_who_serves_goes_on_until_nobody_asks_it_any_more(production: Rendered) -> None:
    for process in ("api", "flower"):
        assert container_of(production.deployment(process))["lifecycle"]["preStop"]["exec"]["command"] == ["sleep", "5"]


def test_liveness_asks_nobody_but_the_process_itself(found: Rendered) -> None:
    for process, deployment in found.deployments.items():
        container = container_of(deployment)
        env = environment(found, deployment, secrets=_Anything())
        for name in ("startupProbe", "livenessProbe"):
            probe = container[name]
            if process in WITH_SIGNS:
                command = probe["exec"]["command"]
                assert command[:3] == ["odim-relay", "alive", env["ODIM_RELAY_LIVENESS__FILE"]]
                assert command[3:] == ["--within", "60"]
            else:
                assert probe["httpGet"]["port"] in {port["name"] for port in container["ports"]}
                assert not probe["httpGet"]["path"].endswith("readyz")
        assert container["startupProbe"]["failureThreshold"] * container["startupProbe"]["periodSeconds"] >= 120
        # A machine that is out of breath for a minute is no reason either.
        assert container["livenessProbe"]["failureThreshold"] * container["livenessProbe"]["periodSeconds"] >= 60
        assert ("ODIM_RELAY_LIVENESS__FILE" in env) is (process in WITH_SIGNS)


def test_the_api_is_alive_by_healthz_and_ready_by_readyz(found: Rendered) -> None:
    container = container_of(found.deployment("api"))
    assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "https", "scheme": "HTTPS"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "https", "scheme": "HTTPS"}


def test_flower_is_asked_below_its_prefix(production: Rendered, trial: Rendered) -> None:
    for found, path in ((production, "/flower/healthcheck"), (trial, "/healthcheck")):
        assert container_of(found.deployment("flower"))["readinessProbe"]["httpGet"]["path"] == path


def test_ports_are_those_that_the_settings_say() -> None:
    found = rendered_with({"settings": {"api": {"port": 9443}}}, MINIMAL)
    assert container_of(found.deployment("api"))["ports"] == [{"name": "https", "containerPort": 9443}]


def test_a_changed_setting_starts_all_pods_anew() -> None:
    def sums(found: Rendered) -> set[str]:
        return {
            one["spec"]["template"]["metadata"]["annotations"]["checksum/settings"] for one in found.of("Deployment")
        }

    before, same = sums(rendered(MINIMAL)), sums(rendered_with({"worker": {"replicas": 7}}, MINIMAL))
    after = sums(rendered_with({"settings": {"log": {"level": "DEBUG"}}}, MINIMAL))
    assert len(before) == len(after) == 1
    assert before == same
    assert before != after


def test_each_process_may_have_its_own_of_what_all_have() -> None:
    own: dict[str, Any] = {
        "nodeSelector": {"disk": "fast"},
        "tolerations": [{"key": "a", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "priorityClassName": "high",
        "podAnnotations": {"a": "b"},
        "podLabels": {"c": "d"},
    }
    common = {
        "nodeSelector": {"disk": "slow"},
        "priorityClassName": "low",
        "extraEnv": [{"name": "TZ", "value": "UTC"}],
    }
    found = rendered_with({**common, "worker": {**own, "extraEnv": [{"name": "X", "value": "1"}]}}, MINIMAL)
    worker, beat = found.deployment("worker"), found.deployment("beat")
    for name in ("nodeSelector", "tolerations", "affinity", "priorityClassName"):
        assert pod_of(worker)[name] == own[name]
    assert worker["spec"]["template"]["metadata"]["annotations"]["a"] == "b"
    assert worker["spec"]["template"]["metadata"]["labels"]["c"] == "d"
    assert (pod_of(beat)["nodeSelector"], pod_of(beat)["priorityClassName"]) == ({"disk": "slow"}, "low")
    assert {"name": "TZ", "value": "UTC"} in container_of(beat)["env"]
    assert container_of(worker)["env"][-2:] == [{"name": "TZ", "value": "UTC"}, {"name": "X", "value": "1"}]


def test_pods_of_a_process_are_spread_over_nodes(production: Rendered) -> None:
    for process, deployment in production.deployments.items():
        nodes, zones = pod_of(deployment)["topologySpreadConstraints"]
        assert nodes["labelSelector"]["matchLabels"]["app.kubernetes.io/component"] == process
        assert nodes["whenUnsatisfiable"] == "ScheduleAnyway"
        assert zones["topologyKey"] == "topology.kubernetes.io/zone"
    found = rendered_with({"spreadOverNodes": False}, MINIMAL)
    assert "topologySpreadConstraints" not in pod_of(found.deployment("worker"))
