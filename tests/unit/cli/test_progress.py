import click
import pytest
from click.testing import CliRunner

from odim_relay.cli.exits import FailedCommand
from odim_relay.cli.progress import Tally, confirm, lines, progress, resumable
from odim_relay.errors import TransientError


def test_elsewhere_than_on_a_terminal_a_line_comes_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    times = iter([0.0, 1.0, 6.0, 6.0, 7.0, 12.0, 12.0])
    tell = lines("replaying", 9, lambda: next(times))
    for count in (1, 2, 3, 4):
        tell(count)
    assert capsys.readouterr().err == "replaying: 2 of 9\nreplaying: 4 of 9\n"


def test_without_a_total_the_count_stands_alone(capsys: pytest.CaptureFixture[str]) -> None:
    times = iter([0.0, 6.0, 6.0])
    lines("counting", None, lambda: next(times))(3)
    assert capsys.readouterr().err == "counting: 3\n"


def test_a_short_command_tells_no_progress(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("replaying", 2) as tally:
        tally.advance()
        tally.advance(3)
    assert tally.count == 4
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("exception", "code", "words"),
    [
        (KeyboardInterrupt(), 1, "stopped: 7 replayed; start it again for the rest"),
        (TransientError("Redis failed"), 3, "Redis failed; 7 replayed; start it again for the rest"),
    ],
)
def test_how_far_it_got_is_told_when_it_ends_before_its_end(exception: BaseException, code: int, words: str) -> None:
    tally = Tally(lambda _: None)
    tally.advance(7)
    with pytest.raises(FailedCommand) as failed, resumable("replayed", tally):
        raise exception
    assert (failed.value.exit_code, failed.value.message) == (code, words)


@click.command()
@click.option("--yes", is_flag=True)
def asking(*, yes: bool) -> None:
    confirm("Sure?", yes=yes)
    click.echo("done")


@pytest.mark.parametrize(
    ("arguments", "typed", "out", "code"),
    [
        (["--yes"], None, "done\n", 0),
        ([], "y\n", "done\n", 0),
        ([], "n\n", "", 1),
        ([], "\n", "", 1),
        ([], "", "", 1),
    ],
)
def test_only_a_yes_goes_on_and_the_question_is_not_part_of_the_answer(
    arguments: list[str], typed: str | None, out: str, code: int
) -> None:
    done = CliRunner().invoke(asking, arguments, input=typed)
    assert (done.stdout, done.exit_code) == (out, code)
    assert ("nothing was done" in done.stderr) is (code == 1)
