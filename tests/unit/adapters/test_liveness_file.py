from pathlib import Path

import pytest
import structlog.testing

from odim_relay.adapters.liveness_file import LivenessFile
from odim_relay.domain.liveness import age_s
from odim_relay.errors import ConfigurationError


class Clock:
    now_s = 50.0

    def __call__(self) -> float:
        return self.now_s


def test_the_sign_is_there_from_the_start_on_and_again_each_time_the_loop_comes_round(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "alive"
    sign = LivenessFile(path, clock)
    assert age_s(path.read_text(), 53.0) == 3

    clock.now_s = 60.0
    sign.note()

    assert age_s(path.read_text(), 60.0) == 0
    assert [one.name for one in tmp_path.iterdir()] == ["alive"]


def test_a_loop_that_comes_round_often_writes_seldom(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "alive"
    sign = LivenessFile(path, clock)
    for _ in range(100):
        clock.now_s += 0.019
        sign.note()
    assert age_s(path.read_text(), 50.0) == 0
    clock.now_s += 0.2
    sign.note()
    assert age_s(path.read_text(), clock.now_s) == 0


def test_a_file_that_cannot_be_written_is_a_wrong_setting_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"LIVENESS__FILE: .*/nowhere/alive cannot be written: No such file"):
        LivenessFile(tmp_path / "nowhere" / "alive", Clock())


def test_a_file_that_cannot_be_written_any_more_is_told_once_and_harms_nobody(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    clock = Clock()
    sign = LivenessFile(folder / "alive", clock)
    (folder / "alive").unlink()
    folder.rmdir()
    with structlog.testing.capture_logs() as lines:
        for _ in range(3):
            clock.now_s += 5
            sign.note()
    assert [line["event"] for line in lines] == ["liveness.not_written"]

    folder.mkdir()
    clock.now_s += 5
    sign.note()

    assert age_s((folder / "alive").read_text(), clock.now_s) == 0
