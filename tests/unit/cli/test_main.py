import pytest
from click.testing import CliRunner

from odim_relay.cli.exits import FailedCommand, exit_code_of, translated
from odim_relay.cli.main import COMMANDS, main
from odim_relay.errors import ConfigurationError, OdimRelayError, PermanentError, TransientError
from odim_relay.use_cases.start import LedgerMissingError


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_where_it_is_said_to_be(name: str) -> None:
    done = CliRunner().invoke(main, [name, "--help"])
    assert done.exit_code == 0
    assert done.output.startswith(f"Usage: main {name}")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PermanentError("x"), 1),
        (ConfigurationError("x"), 2),
        (TransientError("x"), 3),
        (LedgerMissingError("x"), 3),
    ],
)
def test_an_error_ends_the_command_with_the_exit_code_of_its_kind(error: OdimRelayError, code: int) -> None:
    with pytest.raises(FailedCommand) as failed, translated():
        raise error
    assert exit_code_of(error) == failed.value.exit_code == code


def test_an_error_is_one_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    FailedCommand("first\nsecond   third").show()
    assert capsys.readouterr() == ("", "odim-relay: first second third\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing"],
        ["subscriptions", "create"],
        ["subscriptions", "create", "--destination", "http://x/", "--mode", "sorted"],
        ["subscriptions", "create", "--destination", "http://x/", "--retry-policy", "Never"],
        ["subscriptions", "create", "--destination", "http://x/", "--secret", ""],
        ["subscriptions", "create", "--destination", "http://x/", "--retention", "soon"],
        ["subscriptions", "create", "--destination", "http://x/", "--rate", "fast"],
        ["subscriptions", "create", "--destination", "http://x/", "--max-in-flight", "1.5"],
        ["subscriptions", "test"],
        ["subscriptions", "create", "--destination", "http://x/", "--severity", "Bad"],
        ["subscriptions", "create", "--destination", "http://x/", "--event-format-type", "Odd"],
        ["subscriptions", "create", "--destination", "http://x/", "--header", "novalue"],
        ["subscriptions", "create", "--destination", "http://x/", "--subordinate"],
        ["subscriptions", "update", "id"],
        ["subscriptions", "suspend"],
        ["subscriptions", "resume", "id", "--since", "yesterday"],
        ["subscriptions", "resume", "id", "--since", "2026-03-01"],
        ["dead-letters", "replay", "--rate", "0"],
        ["dead-letters", "replay", "--limit", "0"],
        ["dead-letters", "replay", "--until", "soon"],
        ["dead-letters", "discard", "--rate", "1"],
        ["dead-letters", "discard", "everything"],
        ["quarantine", "replay", "--since", "soon"],
        ["quarantine", "discard", "--limit", "1"],
        ["dead-letters", "list", "--reason", "tired"],
        ["dead-letters", "list", "--since", "yesterday"],
        ["offsets", "reset", "somewhere"],
        ["offsets", "reset", "earliest", "--partition", "1"],
        ["publish"],
        ["publish", "/does/not/exist"],
        ["api", "now"],
    ],
)
def test_wrong_usage_is_2_and_a_flag_that_is_not_acted_on_is_refused(arguments: list[str]) -> None:
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 2, done.output
    assert "Error: " in done.stderr


def test_a_headers_value_is_not_repeated_in_an_error() -> None:
    arguments = ["subscriptions", "create", "--destination", "http://x/", "--header", "=hunter2"]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 2
    assert "hunter2" not in done.output
