import time
from pathlib import Path

from click.testing import CliRunner, Result

from odim_relay.cli.main import main
from odim_relay.domain.liveness import sign_of_life


def ask(path: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["alive", str(path), *options])


def test_a_fresh_sign_is_good(tmp_path: Path) -> None:
    path = tmp_path / "alive"
    path.write_text(sign_of_life(time.monotonic()))
    done = ask(path)
    assert (done.exit_code, done.output.split()[0]) == (0, "alive")


def test_an_old_sign_fails_and_is_good_enough_for_who_allows_more(tmp_path: Path) -> None:
    path = tmp_path / "alive"
    path.write_text(sign_of_life(max(time.monotonic() - 20, 0)))
    done = ask(path, "--within", "5")
    assert done.exit_code == 1
    assert "the last sign of life is 20 s old; 5 s are allowed" in done.output
    assert ask(path, "--within", "3600").exit_code == 0


def test_no_sign_fails_with_the_name_of_the_file(tmp_path: Path) -> None:
    done = ask(tmp_path / "alive")
    assert done.exit_code == 1
    assert f"{tmp_path}/alive: no sign of life: No such file" in done.output


def test_what_is_no_sign_fails(tmp_path: Path) -> None:
    (tmp_path / "alive").write_text("yes\n")
    assert ask(tmp_path / "alive").exit_code == 1
    (tmp_path / "alive").write_bytes(b"\xff\xfe")
    done = ask(tmp_path / "alive")
    assert done.exit_code == 1
    assert "no sign of life" in done.output


def test_it_reads_no_settings(tmp_path: Path) -> None:
    path = tmp_path / "alive"
    path.write_text(sign_of_life(time.monotonic()))
    done = CliRunner(env={"ODIM_RELAY_NO__SUCH": "x"}).invoke(main, ["alive", str(path)])
    assert done.exit_code == 0
