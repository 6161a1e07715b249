import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from odim_relay.cli.main import main
from odim_relay.cli.settings_listing import HIDDEN, list_settings, without_password
from odim_relay.settings import known_variables, load


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in known_variables():
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
        ("redis://:pw@h/0", f"redis://:{HIDDEN}@h/0"),
        ("amqp://user:p@ss@h//", f"amqp://user:{HIDDEN}@h//"),
        ("sentinel://:a@h:1;sentinel://u:b@i:2/0", f"sentinel://:{HIDDEN}@h:1;sentinel://u:{HIDDEN}@i:2/0"),
        ("sentinel://:a@h:1;u:b@i:2/0?master_name=m", f"sentinel://:{HIDDEN}@h:1;u:{HIDDEN}@i:2/0?master_name=m"),
        ("rediss://h/0?password=pw&ssl_password=x&db=1", f"rediss://h/0?password={HIDDEN}&ssl_password={HIDDEN}&db=1"),
        ("redis://user@h/0", "redis://user@h/0"),
    ],
)
def test_passwords_of_urls_are_hidden(url: str, shown: str) -> None:
    assert without_password(url) == shown


def test_each_setting_tells_where_it_comes_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ODIM_RELAY_DELIVERY__RETRY_ATTEMPTS=7\nODIM_RELAY_DELIVERY__TIMEOUT_S=9\n")
    monkeypatch.setenv("ODIM_RELAY_DELIVERY__TIMEOUT_S", "4.5")
    monkeypatch.setenv("ODIM_RELAY_KAFKA__SECURITY__SASL_PASSWORD", "hunter2")
    monkeypatch.setenv("ODIM_RELAY_EGRESS__ALLOW", '["127.0.0.0/8"]')
    found = {setting.variable: (setting.value, setting.source, setting.default) for setting in list_settings(load())}
    assert found.keys() == known_variables().keys()
    assert found["ODIM_RELAY_DELIVERY__TIMEOUT_S"] == ("4.5", "environment", "15")
    assert found["ODIM_RELAY_DELIVERY__RETRY_ATTEMPTS"] == ("7", ".env", "5")
    assert found["ODIM_RELAY_EGRESS__ALLOW"] == ('["127.0.0.0/8"]', "environment", "[]")
    assert found["ODIM_RELAY_DELIVERY__VERIFY"] == ("true", "default", "true")
    assert found["ODIM_RELAY_KAFKA__TOPICS"] == ('["REDFISH-EVENTS-TOPIC"]', "default", '["REDFISH-EVENTS-TOPIC"]')
    assert found["ODIM_RELAY_KAFKA__SECURITY__SASL_PASSWORD"] == (HIDDEN, "environment", "")


@pytest.mark.parametrize("arguments", [["settings"], ["settings", "--json"]])
def test_no_secret_is_printed(monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    monkeypatch.setenv("ODIM_RELAY_KAFKA__SECURITY__SASL_PASSWORD", "hunter2")
    monkeypatch.setenv("ODIM_RELAY_REDIS__URL", "redis://:hunter2@h/0")
    monkeypatch.setenv("ODIM_RELAY_EGRESS__PROXY", "http://hunter2:hunter2@proxy.example:3128")
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0
    assert "hunter2" not in done.output
    assert "DELIVERY__TIMEOUT_S" in done.output
    assert "http://proxy.example:3128" in done.output
    if "--json" in arguments:
        assert {"variable", "value", "source", "default", "description"} == set(json.loads(done.output)[0])


def test_an_unknown_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ODIM_RELAY_DELIVERY__TIMEOUT", "3")
    done = CliRunner().invoke(main, ["settings"])
    assert done.exit_code == 2
    assert "ODIM_RELAY_DELIVERY__TIMEOUT is not a setting" in done.stderr
    assert "did you mean ODIM_RELAY_DELIVERY__TIMEOUT_S?" in done.stderr


@pytest.mark.parametrize(
    "url", ["ftp://u:hunter2@h", "http://u:hunter2@h:x", "http://u:hunt/er2@h", "http://:hunter2@h"]
)
def test_a_proxy_that_is_none_is_told_without_its_secrets(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("ODIM_RELAY_EGRESS__PROXY", url)
    done = CliRunner().invoke(main, ["settings"])
    assert done.exit_code == 2
    assert "ODIM_RELAY_EGRESS__PROXY: " in done.stderr
    assert "hunt" not in done.output + done.stderr
