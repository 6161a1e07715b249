from odim_relay.use_cases.absences import Absences


def test_what_is_missing_is_gone_after_the_grace_and_not_before() -> None:
    absences = Absences(3, grace_for_many_s=60)
    assert absences.gone({"a"}, known_count=5, now_s=100) == set()
    assert absences.due_at_s == 103
    assert absences.gone({"a"}, known_count=5, now_s=102.9) == set()
    assert absences.gone({"a"}, known_count=5, now_s=103) == {"a"}
    assert absences.due_at_s is None


def test_each_name_has_a_grace_of_its_own_and_what_came_back_begins_anew() -> None:
    absences = Absences(3, grace_for_many_s=60)
    absences.gone({"a", "b"}, known_count=5, now_s=0)
    absences.gone({"b", "c"}, known_count=5, now_s=2)
    assert absences.due_at_s == 3
    assert absences.gone({"a", "b", "c"}, known_count=5, now_s=4) == {"b"}
    assert absences.due_at_s == 5
    assert absences.gone({"a", "c"}, known_count=5, now_s=7) == {"a", "c"}


def test_where_most_of_many_are_missing_at_once_the_longer_grace_counts() -> None:
    absences = Absences(3, grace_for_many_s=60)
    most = {f"n{number}" for number in range(10)}
    assert absences.gone(most, known_count=19, now_s=0) == set()
    assert absences.due_at_s == 60
    assert absences.gone(most, known_count=19, now_s=59) == set()
    assert absences.gone(most, known_count=19, now_s=60) == most


def test_half_of_them_and_all_of_a_few_are_not_so_many() -> None:
    ten = {f"n{number}" for number in range(10)}
    for missing, known_count in ((ten, 20), (set(list(ten)[:9]), 9)):
        absences = Absences(3, grace_for_many_s=60)
        absences.gone(missing, known_count=known_count, now_s=0)
        assert absences.gone(missing, known_count=known_count, now_s=3) == missing


def test_where_nobody_looked_for_a_while_the_grace_begins_anew() -> None:
    absences = Absences(3, grace_for_many_s=60)
    absences.gone({"a"}, known_count=1, now_s=0)
    absences.forget()
    assert absences.due_at_s is None
    assert absences.gone({"a"}, known_count=1, now_s=100) == set()
