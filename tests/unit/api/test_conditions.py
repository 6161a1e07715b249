import pytest

from odim_relay.api.http.call import Call
from odim_relay.api.http.conditions import ETAG, etag_of, is_known, require_match, with_etag
from odim_relay.api.http.errors import RedfishError

TAG = '"abc"'


def call(**headers: str) -> Call:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Call(method="PATCH", path="/", params={}, headers=named)


def test_a_tag_changes_with_the_document_and_with_nothing_else() -> None:
    document = {"a": 1, "b": [1, 2]}

    assert etag_of(document) == etag_of({"b": [1, 2], "a": 1}) == etag_of(with_etag(document))
    assert etag_of(document) != etag_of({"a": 1, "b": [2, 1]})
    assert with_etag(document)[ETAG].startswith('"')


@pytest.mark.parametrize("condition", [TAG, f'"other", {TAG}', "*", f" {TAG} "])
def test_a_condition_that_names_the_state_holds(condition: str) -> None:
    require_match(call(if_match=condition), TAG)


def test_without_a_condition_everything_may_be_changed() -> None:
    require_match(call(), TAG)


@pytest.mark.parametrize("condition", ['"other"', f"W/{TAG}", "abc", f"{TAG}x", f"{TAG},", "", f"x{TAG}"])
def test_a_condition_that_names_another_state_or_cannot_be_read_does_not_hold(condition: str) -> None:
    with pytest.raises(RedfishError) as refused:
        require_match(call(if_match=condition), TAG)

    assert refused.value.status == 412
    assert refused.value.messages[0]["MessageId"].endswith(".PreconditionFailed")


def test_a_change_that_must_not_meet_a_state_does_not() -> None:
    require_match(call(if_none_match='"other"'), TAG)
    for condition in (TAG, "*"):
        with pytest.raises(RedfishError):
            require_match(call(if_none_match=condition), TAG)


@pytest.mark.parametrize(
    ("header", "known"), [(TAG, True), (f"W/{TAG}", True), ("*", True), ('"other"', False), ("abc", False)]
)
def test_a_state_is_known_by_its_tag_weak_or_not(header: str, known: bool) -> None:
    assert is_known({"if-none-match": header}, TAG) is known


def test_what_has_no_tag_is_never_known() -> None:
    assert not is_known({"if-none-match": "*"}, "")
    assert not is_known({}, TAG)
