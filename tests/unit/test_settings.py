import json
import os
from base64 import b64encode
from pathlib import Path

import pytest

from odim_relay.errors import ConfigurationError
from odim_relay.settings import ENV_PREFIX, known_variables, load


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """
    No variable of ours, and a folder without a .env.
    """
    for name in [name for name in os.environ if name.upper().startswith(ENV_PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def setenv(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"{ENV_PREFIX}{name}", value)


def test_everything_has_a_default() -> None:
    settings = load()

    assert settings.redis.url == "redis://127.0.0.1:6379/0"
    assert settings.kafka.topics == ("REDFISH-EVENTS-TOPIC",)
    assert settings.lease_s == settings.delivery.timeout_s + settings.ledger.lease_margin_s


def test_a_variable_sets_its_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    setenv(monkeypatch, "DELIVERY__TIMEOUT_S", "2.5")
    setenv(monkeypatch, "KAFKA__TOPICS", '["a", "b"]')
    setenv(monkeypatch, "KAFKA__SECURITY__PROTOCOL", "SSL")

    settings = load()

    assert settings.delivery.timeout_s == 2.5
    assert settings.kafka.topics == ("a", "b")
    assert settings.kafka.security.protocol == "SSL"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("DELIVERY__TIMEOUT", "DELIVERY__TIMEOUT_S"),
        ("DELIVERY_TIMEOUT_S", "DELIVERY__TIMEOUT_S"),
        ("REDIS_URL", "REDIS__URL"),
        ("KAFKA__BOOTSTRAP_SERVER", "KAFKA__BOOTSTRAP_SERVERS"),
    ],
)
def test_an_unknown_variable_is_named_with_the_one_that_was_meant(
    monkeypatch: pytest.MonkeyPatch, name: str, meant: str
) -> None:
    setenv(monkeypatch, name, "1")

    with pytest.raises(ConfigurationError, match=f"{ENV_PREFIX}{name} is not .*did you mean {ENV_PREFIX}{meant}\\?"):
        load()


def test_an_unknown_variable_like_no_other_is_named_without_a_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    setenv(monkeypatch, "LIKE_NOTHING_THAT_WAS_EVER_KNOWN_HERE_OR_ELSEWHERE", "1")

    with pytest.raises(ConfigurationError, match="ODIM_RELAY_LIKE_NOTHING") as refused:
        load()
    assert "did you mean" not in str(refused.value)


@pytest.mark.parametrize(
    "name",
    [
        "SERVICE_HOST",
        "SERVICE_PORT",
        "SERVICE_PORT_HTTP",
        "PORT",
        "PORT_8080_TCP",
        "PORT_8080_TCP_ADDR",
        "API_SERVICE_HOST",
        "API_SERVICE_PORT",
        "API_PORT_443_TCP_PROTO",
        "REDIS_MASTER_SERVICE_HOST",
    ],
)
def test_what_kubernetes_injects_for_a_service_of_our_name_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    setenv(monkeypatch, name, "tcp://10.0.0.1:8080")

    load()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DELIVERY__TIMEOUT_S", "0"),
        ("DELIVERY__TIMEOUT_S", "soon"),
        ("DELIVERY__RETRY_ATTEMPTS", "-1"),
        ("KAFKA__SECURITY__PROTOCOL", "TLS"),
        ("KAFKA__TOPICS", "[]"),
        ("LOG__LEVEL", "loud"),
        ("DELIVERY__TIMEOUT_S", "inf"),
        ("DELIVERY__RETRY_FACTOR", "0.9"),
        ("DELIVERY__RETRY_FACTOR", "inf"),
        ("EGRESS__ALLOW", '["127.0.0.0/8", "localhost"]'),
        ("EGRESS__DENY", '["10.0.0.1/8"]'),
        ("EGRESS__PROXY", "proxy.example:3128"),
        ("EGRESS__NO_PROXY", '["*.example.com"]'),
        ("FLOWER__PASSWORD", "seven77"),
        ("FLOWER__PASSWORD", "with a space"),
        ("FLOWER__PASSWORD", "pässwörter"),
        ("FLOWER__PASSWORD", "x" * 129),
        ("FLOWER__USERNAME", "ann:x"),
        ("FLOWER__USERNAME", ""),
        ("FLOWER__URL_PREFIX", "a b"),
        ("FLOWER__URL_PREFIX", "a//b"),
        ("FLOWER__PORT", "70000"),
        ("DELIVERY__WINDOW", "0"),
        ("DELIVERY__MAX_IN_FLIGHT_PER_DESTINATION", "0"),
        ("BREAKER__FAILURES", "0"),
        ("BREAKER__PROBE_INTERVAL_S", "0"),
        ("BREAKER__PROBE_MAX_INTERVAL_S", "-1"),
        ("DEAD_LETTERS__REPLAY_INTERVAL_S", "0"),
        ("DEAD_LETTERS__EXPIRE_INTERVAL_S", "nan"),
        ("DEAD_LETTERS__RETENTION_S", "2592001"),
        ("DEAD_LETTERS__MAX_SHARE", "0"),
        ("DEAD_LETTERS__MAX_SHARE", "1.1"),
        ("DEAD_LETTERS__MAX_COUNT", "0"),
        ("DEAD_LETTERS__DRAIN_RATE", "-0.1"),
        ("DEAD_LETTERS__DRAIN_RATE", "inf"),
        ("LEDGER__MAX_BYTES", "1000"),
    ],
)
def test_a_wrong_value_is_told_with_its_variable(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    setenv(monkeypatch, name, value)

    with pytest.raises(ConfigurationError, match=f"{ENV_PREFIX}{name}: "):
        load()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEAD_LETTERS__RETENTION_S", "2592000"),
        ("DEAD_LETTERS__MAX_SHARE", "1"),
        ("DEAD_LETTERS__DRAIN_RATE", "0.5"),
        ("DELIVERY__WINDOW", "1"),
        ("DELIVERY__RETRY_ATTEMPTS", "0"),
        ("LEDGER__MAX_BYTES", "1048576"),
    ],
)
def test_the_bounds_themselves_are_allowed(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    setenv(monkeypatch, name, value)

    group, member = name.lower().split("__")

    assert getattr(getattr(load(), group), member) == float(value)


def test_the_defaults_are_those_that_the_semantics_name() -> None:
    settings = load()

    assert settings.dead_letters.retention_s == 7 * 86_400
    assert settings.dead_letters.max_share == 0.2
    assert settings.delivery.window == 256
    # A destination that accepts connections again is probed within 45 s (L30), one that answers errors within 5 min.
    assert settings.dead_letters.replay_interval_s <= 45
    assert settings.breaker.probe_max_interval_s == 300
    assert settings.ledger.max_bytes is None


def test_a_list_that_is_not_json_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    setenv(monkeypatch, "KAFKA__TOPICS", "a,b")

    with pytest.raises(ConfigurationError, match="JSON"):
        load()


def test_a_wrong_secret_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    setenv(monkeypatch, "KAFKA__SECURITY", '{"sasl_password": {"hush": 1}}')

    with pytest.raises(ConfigurationError) as refused:
        load()
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize(
    ("redis_url", "broker_url"),
    [
        ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/1"),
        ("redis://127.0.0.1:6379", "redis://127.0.0.1:6379/1"),
        ("rediss://user:pass@redis:6380/3?ssl_cert_reqs=none", "rediss://user:pass@redis:6380/1?ssl_cert_reqs=none"),
        ("rediss://redis", "rediss://redis/1?ssl_cert_reqs=required"),
        ("sentinel://a:1;sentinel://b:2/0?master_name=m", "sentinel://a:1;sentinel://b:2/1?master_name=m"),
    ],
)
def test_the_broker_is_database_1_of_the_ledgers_server(
    monkeypatch: pytest.MonkeyPatch, redis_url: str, broker_url: str
) -> None:
    setenv(monkeypatch, "REDIS__URL", redis_url)

    assert load().broker_url == broker_url


@pytest.mark.parametrize(
    ("broker_url", "told"),
    [
        ("rediss://other/5", "rediss://other/5?ssl_cert_reqs=required&ssl_ca_certs=%2Fca.pem"),
        (
            "rediss://other/5?ssl_cert_reqs=none&ssl_ca_certs=own.pem",
            "rediss://other/5?ssl_cert_reqs=none&ssl_ca_certs=own.pem",
        ),
        ("redis://other/5", "redis://other/5"),
    ],
)
def test_a_redis_with_tls_is_verified_as_the_ledgers_where_its_url_does_not_say_otherwise(
    monkeypatch: pytest.MonkeyPatch, broker_url: str, told: str
) -> None:
    setenv(monkeypatch, "REDIS__CA_FILE", "/ca.pem")
    setenv(monkeypatch, "BROKER__URL", broker_url)

    assert load().broker_url == told


def test_a_broker_of_its_own_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    setenv(monkeypatch, "BROKER__URL", "amqp://rabbit//")

    assert load().broker_url == "amqp://rabbit//"


def test_a_dotenv_file_is_read_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "# a comment=1\n\nexport ODIM_RELAY_DELIVERY__TIMEOUT_S=3\nODIM_RELAY_LOG__LEVEL=DEBUG\nOTHER=1\n"
    )
    setenv(monkeypatch, "LOG__LEVEL", "ERROR")

    settings = load()

    assert (settings.delivery.timeout_s, settings.log.level) == (3, "ERROR")


def test_an_unknown_variable_in_a_dotenv_file_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ODIM_RELAY_REDIS_URL=redis://x\n")

    with pytest.raises(ConfigurationError, match="ODIM_RELAY_REDIS_URL is not"):
        load()


def test_every_variable_that_is_listed_can_be_set() -> None:
    known = known_variables()

    assert known["ODIM_RELAY_KAFKA__SECURITY__SASL_PASSWORD"] == ("kafka", "security", "sasl_password")
    assert all(name == ENV_PREFIX + "__".join(path).upper() for name, path in known.items())


KEY, OTHER_KEY = b64encode(bytes(32)).decode(), b64encode(bytes(range(32))).decode()


def test_encryption_keys_are_read_newest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    setenv(monkeypatch, "SECRETS__ENCRYPTION_KEYS", json.dumps([OTHER_KEY, KEY]))

    assert load().secrets.keys == (bytes(range(32)), bytes(32))


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ([KEY, "hunter2!"], "key 2 is not base64"),
        ([KEY[:-4]], "key 1 holds 30 bytes; a key has 32"),
        ([""], "key 1 holds 0 bytes; a key has 32"),
        ([KEY, OTHER_KEY, KEY], "key 3 is there twice"),
        ("hunter2", "lists and objects are written as JSON"),
        ({"hunter2": 1}, "SECRETS__ENCRYPTION_KEYS"),
    ],
)
def test_a_key_that_is_none_is_told_by_its_number_alone(
    monkeypatch: pytest.MonkeyPatch, keys: object, problem: str
) -> None:
    text = keys if isinstance(keys, str) else json.dumps(keys)
    setenv(monkeypatch, "SECRETS__ENCRYPTION_KEYS", text)

    with pytest.raises(ConfigurationError) as refused:
        load()

    assert problem in str(refused.value)
    assert not any(part in str(refused.value) for part in ("hunter2", KEY[:8], OTHER_KEY[:8]))
