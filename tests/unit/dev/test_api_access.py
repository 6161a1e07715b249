from pathlib import Path

from odim_relay.dev.api_access import API_PASSWORD, api_variables, flower_variables, password_file


def test_the_password_of_a_folder_stays_the_same_and_is_its_owners_alone(tmp_path: Path) -> None:
    first, again = (api_variables(tmp_path, needs_port=False, needs_password=True) for _ in range(2))

    assert first == again
    assert first[API_PASSWORD] == password_file(tmp_path).read_text().strip()
    assert len(first[API_PASSWORD]) >= 16
    assert password_file(tmp_path).stat().st_mode & 0o077 == 0


def test_who_may_log_in_at_the_api_may_look_at_flower() -> None:
    told = flower_variables(needs_port=False, login=("ann", "correct-horse"))

    assert told == {"ODIM_RELAY_FLOWER__USERNAME": "ann", "ODIM_RELAY_FLOWER__PASSWORD": "correct-horse"}


def test_what_somebody_has_said_is_not_said_again(tmp_path: Path) -> None:
    assert flower_variables(needs_port=False, login=None) == {}
    assert api_variables(tmp_path, needs_port=False, needs_password=False) == {}
    assert not password_file(tmp_path).exists()
