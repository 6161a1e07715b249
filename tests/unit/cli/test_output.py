import json

import pytest

from odim_relay.cli.output import age, instant, print_json_array, print_table


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (-3, "0 s"),
        (59.4, "59 s"),
        (60, "1 min 0 s"),
        (3_725, "1 h 2 min"),
        (90_000, "1 d 1 h"),
        (86_400, "1 d 0 h"),
    ],
)
def test_an_age_has_two_units(seconds: float, words: str) -> None:
    assert age(seconds) == words


def test_an_instant_is_utc() -> None:
    assert instant(1_767_225_600_123) == "2026-01-01T00:00:00.123Z"
    assert instant(None) is None
    assert instant(0) is None


@pytest.mark.parametrize("values", [[], [{"a": "ä"}], [1, None, {"b": []}]])
def test_an_array_is_json_however_long(capsys: pytest.CaptureFixture[str], values: list[object]) -> None:
    print_json_array(values)
    assert json.loads(capsys.readouterr().out) == values


def test_a_table_that_nobody_looks_at_is_not_folded_and_knows_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    long = "x" * 300
    print_table(("name", "count"), [(long, 1), ("[red]y[/red]", 20), (None, 3)])
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert long in lines[2]
    assert lines[3].split() == ["[red]y[/red]", "20"]
