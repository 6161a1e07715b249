import sys
from pathlib import Path

import pytest

from odim_relay.dev.data_dir import DataDir, InUseError
from odim_relay.dev.redis_server import RedisBinary, redis_config
from odim_relay.errors import PermanentError


def test_a_folder_is_for_one_at_a_time(tmp_path: Path) -> None:
    first = DataDir(tmp_path / "a" / "b")
    first.claim()
    second = DataDir(tmp_path / "a" / "b")
    with pytest.raises(InUseError, match="is in use by another"):
        second.claim()
    first.release()
    second.claim()
    second.release()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PermanentError, match="cannot be used"):
        DataDir(tmp_path / "file" / "data")


def test_the_environment_is_for_a_shell_and_for_the_owner(tmp_path: Path) -> None:
    folder = DataDir(tmp_path)
    folder.write_env({"A": "x y'z", "B": "1"})
    path, *variables = folder.env_file.read_text().splitlines()
    assert path == f'export PATH={Path(sys.executable).parent}:"$PATH"'
    assert variables == ["export A='x y'\"'\"'z'", "export B=1"]
    assert folder.env_file.stat().st_mode & 0o077 == 0
    folder.release()


def test_a_log_is_told_from_its_end(tmp_path: Path) -> None:
    folder = DataDir(tmp_path)
    folder.log("bridge").write_text("\n".join(map(str, range(100))))
    assert folder.log_tail("bridge", lines=2) == "98\n99"
    assert folder.log_tail("none") == ""
    folder.release()


def test_an_older_redis_does_not_touch_a_newer_ones_data(tmp_path: Path) -> None:
    (tmp_path / "appendonlydir").mkdir()
    new = RedisBinary(path="/r", version=(7, 0, 15))
    old = RedisBinary(path="/r", version=(6, 2, 9))
    assert "appendonly yes" in redis_config(new, tmp_path, 1)
    with pytest.raises(PermanentError, match="written by Redis 7 or newer"):
        redis_config(old, tmp_path, 1)
