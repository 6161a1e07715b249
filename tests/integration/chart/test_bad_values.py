"""
Values that are wrong are refused before anything reaches Kubernetes, by a message that names the key.
"""

from pathlib import Path
from typing import Any

import pytest

from tests.support.chart import VALUES_FILES, RefusedError, lint, rendered, rendered_with

MINIMAL = next(file for file in VALUES_FILES if file.name == "minimal-values.yaml")
SECRET = {"existingSecret": "relay"}

WRONG_TYPES: list[tuple[dict[str, Any], list[str]]] = [
    ({"settings": {"delivery": {"timeout_s": "fast"}}}, ["/settings/delivery/timeout_s", "want null or number"]),
    ({"settings": {"delivery": {"timeout_s": 0}}}, ["/settings/delivery/timeout_s", "exclusiveMinimum"]),
    ({"settings": {"delivery": {"window": 1.5}}}, ["/settings/delivery/window", "want null or integer"]),
    ({"settings": {"delivery": {"verify": "yes"}}}, ["/settings/delivery/verify", "want null or boolean"]),
    ({"settings": {"delivery": {"concurrency": 5000}}}, ["/settings/delivery/concurrency", "maximum"]),
    ({"settings": {"kafka": {"topics": "events"}}}, ["/settings/kafka/topics", "want null or array"]),
    ({"settings": {"kafka": {"formats": {"events": 1}}}}, ["/settings/kafka/formats/events", "want string"]),
    ({"settings": {"kafka": {"security": {"protocol": "TLS"}}}}, ["/settings/kafka/security/protocol", "one of"]),
    ({"settings": {"ledger": {"max_bytes": 5}}}, ["/settings/ledger/max_bytes", "minimum"]),
    ({"settings": {"log": {"level": "LOUD"}}}, ["/settings/log/level", "one of"]),
    ({"settings": []}, ["settings"]),
    ({"bridge": {"replicas": "two"}}, ["/bridge/replicas", "want integer"]),
    ({"worker": {"replicas": -1}}, ["/worker/replicas", "minimum"]),
    ({"worker": {"resources": {"limits": {"memory": "lots"}}}}, ["/worker/resources/limits/memory", "pattern"]),
    ({"worker": {"keda": {"queueDepth": "500"}}}, ["/worker/keda/queueDepth", "want integer"]),
    ({"api": {"service": {"type": "Cluster"}}}, ["/api/service/type", "one of"]),
    ({"api": {"service": {"port": 70000}}}, ["/api/service/port", "maximum"]),
    ({"api": {"ingress": {"hosts": "a.example"}}}, ["/api/ingress/hosts", "want array"]),
    ({"image": {"pullPolicy": "Sometimes"}}, ["/image/pullPolicy", "one of"]),
    ({"image": {"digest": "latest"}}, ["/image/digest", "pattern"]),
    ({"tls": {"api": {"existingSecret": "No Such"}}}, ["/tls/api/existingSecret", "pattern"]),
    ({"tolerations": {"key": "a"}}, ["/tolerations", "want array"]),
    ({"embeddedRedis": {"maxmemory": "50%"}}, ["/embeddedRedis/maxmemory", "pattern"]),
    ({"liveness": {"withinSeconds": 5}}, ["/liveness/withinSeconds", "minimum"]),
    ({"serviceMonitor": {"interval": "often"}}, ["/serviceMonitor/interval", "pattern"]),
    ({"podAnnotations": {"a": 1}}, ["/podAnnotations/a", "want string"]),
    ({"settingsFromSecrets": {"redis": {"url": "redis://x"}}}, ["/settingsFromSecrets/redis/url", "want object"]),
    ({"settingsFromSecrets": {"redis": {"url": {}}}}, ["/settingsFromSecrets/redis/url", "existingSecret"]),
    ({"worker": {"terminationGracePeriodSeconds": "30s"}}, ["/worker/terminationGracePeriodSeconds"]),
]
UNKNOWN_KEYS: list[tuple[dict[str, Any], list[str]]] = [
    ({"replicas": 2}, ["'replicas' not allowed"]),
    ({"setings": {}}, ["'setings' not allowed"]),
    ({"settings": {"delivry": {}}}, ["/settings", "'delivry' not allowed"]),
    ({"settings": {"delivery": {"timeoutS": 5}}}, ["/settings/delivery", "'timeoutS' not allowed"]),
    (
        {"settings": {"kafka": {"security": {"sasl_user": "x"}}}},
        ["/settings/kafka/security", "'sasl_user' not allowed"],
    ),
    ({"worker": {"replica": 2}}, ["/worker", "'replica' not allowed"]),
    ({"worker": {"keda": {"lag": 5}}}, ["/worker/keda", "'lag' not allowed"]),
    ({"beat": {"autoscaling": {"enabled": True}}}, ["/beat", "'autoscaling' not allowed"]),
    ({"api": {"ingress": {"host": "a"}}}, ["/api/ingress", "'host' not allowed"]),
    ({"worker": {"resources": {"limit": {}}}}, ["/worker/resources", "'limit' not allowed"]),
    ({"tls": {"api": {"secret": "x"}}}, ["/tls/api", "'secret' not allowed"]),
    ({"embeddedRedis": {"replicas": 3}}, ["/embeddedRedis", "'replicas' not allowed"]),
    ({"networkPolicy": {"ingress": {}}}, ["/networkPolicy", "'ingress' not allowed"]),
    ({"extraEnv": [{"name": "A", "val": "b"}]}, ["/extraEnv/0", "'val' not allowed"]),
    ({"serviceMonitor": {"path": "/"}}, ["/serviceMonitor", "'path' not allowed"]),
]
SECRETS_IN_PLAIN_SIGHT: list[tuple[dict[str, Any], list[str]]] = [
    ({"settings": {"api": {"admin_password": "x"}}}, ["/settings/api", "'admin_password' not allowed"]),
    ({"settings": {"kafka": {"security": {"sasl_password": "x"}}}}, ["/settings/kafka/security", "'sasl_password'"]),
    ({"settings": {"flower": {"password": "x" * 8}}}, ["/settings/flower", "'password' not allowed"]),
    ({"settings": {"secrets": {"encryption_keys": []}}}, ["/settings", "'secrets' not allowed"]),
    (
        {"settings": {"redis": {"url": "redis://:hunter2@redis:6379/0"}}},
        ["settings.redis.url holds a password", "settingsFromSecrets.redis.url"],
    ),
    (
        {"settings": {"broker": {"url": "amqp://relay:hunter2@rabbit//"}}},
        ["settings.broker.url holds a password", "settingsFromSecrets.broker.url"],
    ),
    (
        {"settings": {"broker": {"url": "sentinel://s1:26379/1?master_name=m&sentinel_password=hunter2"}}},
        ["settings.broker.url holds a password"],
    ),
    (
        {"settings": {"egress": {"proxy": "http://u:hunter2@proxy:3128"}}},
        ["settings.egress.proxy holds a password", "settingsFromSecrets.egress.proxy"],
    ),
]
CONTRADICTIONS: list[tuple[dict[str, Any], list[str]]] = [
    ({"settings": {"redis": {"url": None}}}, ["settings.redis.url is missing", "settingsFromSecrets.redis.url"]),
    ({"settings": {"kafka": {"bootstrap_servers": None}}}, ["settings.kafka.bootstrap_servers is missing"]),
    ({"flower": {"enabled": True}}, ["settingsFromSecrets.flower.password is missing"]),
    ({"embeddedRedis": {"enabled": True}}, ["embeddedRedis.enabled and a redis.url exclude each other"]),
    ({"settingsFromSecrets": {"redis": {"url": SECRET}}}, ["redis.url stands in settings and in settingsFromSecrets"]),
    (
        {"settings": {"api": {"tls_cert_file": "/x"}}, "tls": {"api": SECRET}},
        ["settings.api.tls_cert_file and tls.api.existingSecret exclude each other"],
    ),
    (
        {"settings": {"delivery": {"tls_dir": "/x"}}, "tls": {"clientCertificates": SECRET}},
        ["settings.delivery.tls_dir and tls.clientCertificates.existingSecret exclude each other"],
    ),
    ({"settings": {"liveness": {"file": "/tmp/x"}}}, ["settings.liveness.file is the chart's to say"]),  # noqa: S108
    ({"settings": {"api": {"plain_http": True}}}, ["settings.api.plain_http is for loopback alone"]),
    (
        {"worker": {"autoscaling": {"enabled": True}, "keda": {"enabled": True}}},
        ["worker.autoscaling.enabled and worker.keda.enabled exclude each other"],
    ),
    (
        {"bridge": {"autoscaling": {"enabled": True, "minReplicas": 9}}},
        ["bridge: minReplicas is more than maxReplicas"],
    ),
    ({"worker": {"keda": {"enabled": True}}}, ["keda.prometheusAddress or keda.redis.address is missing"]),
    ({"api": {"ingress": {"enabled": True}}}, ["api.ingress.hosts is missing"]),
    (
        {"api": {"podDisruptionBudget": {"minAvailable": 1}}},
        ["api.podDisruptionBudget: minAvailable and maxUnavailable"],
    ),
    (
        {"worker": {"extraEnv": [{"name": "ODIM_RELAY_DELIVERY__TIMEOUT_S", "value": "60"}]}},
        ["extraEnv sets ODIM_RELAY_DELIVERY__TIMEOUT_S"],
    ),
    (
        {
            "bridge": {"keda": {"enabled": True}},
            "settings": {"kafka": {"security": {"protocol": "SASL_SSL", "sasl_mechanism": "GSSAPI"}}},
        },
        ["settings.kafka.security.sasl_mechanism: KEDA does not know GSSAPI"],
    ),
]
ALL = [*WRONG_TYPES, *UNKNOWN_KEYS, *SECRETS_IN_PLAIN_SIGHT, *CONTRADICTIONS]


@pytest.mark.parametrize(("values", "words"), ALL, ids=lambda value: str(value)[:60])
def test_it_is_refused_and_its_key_is_named(values: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(RefusedError) as refused:
        rendered_with(values, MINIMAL)
    for word in words:
        assert word in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_lint_refuses_what_the_schema_refuses(tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text("settings: {delivery: {timeout_s: fast}}")
    with pytest.raises(RefusedError, match=r"/settings/delivery/timeout_s"):
        lint(MINIMAL, file)


def test_the_charts_own_values_say_nothing_of_where_the_stores_are() -> None:
    with pytest.raises(RefusedError, match=r"settings\.redis\.url is missing"):
        rendered()


def test_a_values_file_can_take_back_what_one_before_it_said(tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text("settings: {delivery: {timeout_s: 20}, log: {level: DEBUG}}")
    found = rendered_with({"settings": {"delivery": {"timeout_s": None}, "log": {"level": None}}}, MINIMAL, file)
    assert not {"ODIM_RELAY_DELIVERY__TIMEOUT_S", "ODIM_RELAY_LOG__LEVEL"} & found.one("ConfigMap")["data"].keys()
    assert found.grace_s("worker") == 30
