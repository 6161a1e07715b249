import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flower.options import options as known_options

import odim_relay
from odim_relay.settings import ENV_PREFIX

CONFIG = Path(odim_relay.__file__).parents[1] / "flowerconfig.py"
Read = Callable[..., dict[str, Any]]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Read:
    """
    Read the configuration as Flower does, with these settings and no .env.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(f"{ENV_PREFIX}FLOWER__PASSWORD", "long enough".replace(" ", "-"))

    def run(settings: Mapping[str, str] | None = None) -> dict[str, Any]:
        for name, value in (settings or {}).items():
            monkeypatch.setenv(f"{ENV_PREFIX}FLOWER__{name}", value)
        return runpy.run_path(str(CONFIG))

    return run


def task(**members: Any) -> SimpleNamespace:
    return SimpleNamespace(
        **{
            "state": "SUCCESS",
            "args": "()",
            "kwargs": "{}",
            "result": "None",
            "exception": None,
            "retries": 0,
            **members,
        }
    )


def test_every_value_has_the_type_that_flower_wants(read: Read) -> None:
    config = read({"URL_PREFIX": "/tools/flower/"})

    known = {option.name.replace("-", "_"): option for option in known_options._options.values()}
    names = known.keys() & config.keys()
    assert names >= {"address", "basic_auth", "enable_events", "format_task", "inspect_timeout", "read_only"}
    for name in names:
        values = config[name] if known[name].multiple else [config[name]]
        assert {type(value) for value in values} == {known[name].type}, name
    assert config["url_prefix"] == "tools/flower"


def test_who_has_the_password_may_look_and_nobody_may_do_anything(read: Read) -> None:
    config = read()

    assert config["basic_auth"] == ["admin:long-enough"]
    assert (config["address"], config["read_only"], config["persistent"]) == ("127.0.0.1", True, False)


@pytest.mark.parametrize("is_on", [True, False])
def test_workers_are_asked_to_tell_of_tasks_only_where_they_are_to(read: Read, is_on: bool) -> None:
    assert read({"TASK_EVENTS": str(is_on)})["enable_events"] is is_on


def test_without_a_password_it_ends_with_the_name_of_the_setting(
    read: Read, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        read({"PASSWORD": ""})

    assert ended.value.code == 2
    assert f"{ENV_PREFIX}FLOWER__PASSWORD is not set" in capsys.readouterr().err


def test_where_a_proxy_asks_flowers_own_ways_to_log_in_are_left_alone(read: Read) -> None:
    assert "basic_auth" not in read({"PASSWORD": "", "UNAUTHENTICATED": "true"})


def test_what_says_nothing_is_not_shown(read: Read) -> None:
    shown = read()["format_task"](task())

    assert (shown.args, shown.kwargs, shown.result) == ("", "", "")


def test_arguments_in_words_are_shown_as_they_are(read: Read) -> None:
    shown = read()["format_task"](task(args="delivery d, seq 1", kwargs="subscription s"))

    assert (shown.args, shown.kwargs) == ("delivery d, seq 1", "subscription s")


@pytest.mark.parametrize(
    ("state", "exception", "words"),
    [
        ("RETRY", "RetryLater('next attempt in 15.0 s')", "next attempt in 15.0 s"),
        ("RETRY", "None", "None"),
        ("RETRY", None, None),
        ("FAILURE", "ValueError('no')", "ValueError('no')"),
        ("RECEIVED", "RetryLater('next attempt in 15.0 s')", None),
        ("STARTED", "RetryLater('next attempt in 15.0 s')", None),
        ("SUCCESS", "RetryLater('next attempt in 15.0 s')", None),
    ],
)
def test_an_exception_is_that_of_the_state(read: Read, state: str, exception: str | None, words: str | None) -> None:
    assert read()["format_task"](task(state=state, exception=exception)).exception == words


def test_a_retry_that_a_worker_holds_tells_when_it_is_due(read: Read) -> None:
    held = task(state="RECEIVED", retries=1, exception="RetryLater('next attempt in 15.0 s')")

    assert read()["format_task"](held).exception == "next attempt in 15.0 s"
