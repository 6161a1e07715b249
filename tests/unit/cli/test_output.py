import io
import json

import click
import pytest

from odim_relay.cli.output import age, counted, instant, moment, print_json_array, print_table


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


def test_for_a_person_to_the_second() -> None:
    assert moment(1_767_225_600_123) == "2026-01-01 00:00:00"
    assert moment(0) is None


def test_one_is_not_many() -> None:
    assert [counted(1, "slot"), counted(0, "slot"), counted(2, "delivery", "deliveries")] == [
        "1 slot",
        "0 slots",
        "2 deliveries",
    ]


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


@pytest.mark.parametrize(("width", "is_table"), [(80, True), (55, False)])
def test_on_a_narrow_terminal_a_row_is_a_block_and_an_id_in_one_piece(
    monkeypatch: pytest.MonkeyPatch, width: int, is_table: bool
) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    id_ = "0001866f-d506-ceb3-7b0b-9131c0000000"
    print_table(("id", "destination", "count"), [(id_, "http://somewhere/" + 30 * "x", 3)])
    lines = click.unstyle(terminal.getvalue()).splitlines()
    assert any(id_ in line for line in lines)
    assert max(map(len, lines)) <= width
    assert any(line.split() == ["count", "3"] for line in lines) is not is_table


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True
