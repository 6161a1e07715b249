"""
Every case of ODIM's behaviour has a verdict, and the verdict is true.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator

import pytest

from odim_relay.domain.event import EventRecord
from odim_relay.domain.matching import wants
from tests.conformance.odim_answers import our_answer, posts_of, subscription_of, their_answer, wrapped
from tests.conformance.odim_api import Service
from tests.conformance.odim_api_answers import API_KINDS, our_api_answer, their_api_answer
from tests.conformance.odim_inventory_answers import inventory_of
from tests.conformance.odim_verdicts import CONTRACTS, DEFECTS
from tests.support.redfish_client import SUBSCRIPTIONS
from tests.support.shared import shared_rows

CASES = {row["id"]: row for row in shared_rows("odim_cases.jsonl")}


def test_every_case_has_exactly_one_verdict() -> None:
    verdicts = Counter([*CONTRACTS, *DEFECTS])

    assert len(CASES) == 256
    assert verdicts.keys() == CASES.keys()
    assert {one: count for one, count in verdicts.items() if count > 1} == {}


def by_api(ids: Iterable[str], *, is_wanted: bool) -> list[str]:
    return sorted(one for one in ids if (CASES[one]["kind"] in API_KINDS) == is_wanted)


@pytest.mark.parametrize("case_id", by_api(CONTRACTS, is_wanted=False))
def test_a_contract_is_kept(case_id: str) -> None:
    case = CASES[case_id]
    theirs = their_answer(case)

    assert our_answer(case) == theirs, case.get("note")


@pytest.mark.parametrize("case_id", by_api(DEFECTS, is_wanted=False))
def test_a_defect_is_left_behind(case_id: str) -> None:
    case, defect = CASES[case_id], DEFECTS[case_id]
    ours = our_answer(case)

    assert ours == defect.ours, defect.why
    assert ours != their_answer(case), "that is no defect but a contract"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service.running(tmp_path_factory.mktemp("odim")) as service:
        yield service


@pytest.mark.server
@pytest.mark.parametrize("case_id", by_api(CONTRACTS, is_wanted=True))
def test_a_contract_of_the_api_is_kept(service: Service, case_id: str) -> None:
    case = CASES[case_id]
    theirs = their_api_answer(case)

    assert our_api_answer(service, case) == theirs, case.get("note")


@pytest.mark.server
@pytest.mark.parametrize("case_id", by_api(DEFECTS, is_wanted=True))
def test_a_defect_of_the_api_is_left_behind(service: Service, case_id: str) -> None:
    case, defect = CASES[case_id], DEFECTS[case_id]
    ours = our_api_answer(service, case)

    assert ours == defect.ours, defect.why
    assert ours != their_api_answer(case), "that is no defect but a contract"


# --- what a row alone does not say ---


@pytest.mark.server
def test_who_asks_while_the_store_is_away_is_told_when_to_ask_again_unlike_in_get_07(service: Service) -> None:
    with service.without_store():
        answer = service.client.get(SUBSCRIPTIONS)

    assert int(answer.headers["Retry-After"]) > 0


def test_an_empty_origin_does_not_pass_a_filter_on_types_as_rt_01_notes_it_does_in_odim() -> None:
    asking_for_types = subscription_of({"ResourceTypes": ["Processor"]})

    assert "empty origin always passes" in CASES["rt-01"]["note"]
    assert not wants(asking_for_types, EventRecord())


def test_an_empty_origin_is_told_as_its_source_unlike_in_pub_03() -> None:
    case = CASES["pub-03"]
    record = wrapped(json.dumps(case["event"]).encode(), case["context"]["ip"])
    posts = posts_of(case["subscription"], record, inventory_of(case["context"]))

    assert not isinstance(posts, str)
    assert [body["Events"][0]["OriginOfCondition"] for body in posts.values()] == [
        {"@odata.id": "/redfish/v1/Systems/6d4a0a66-7efa-578e-83cf-44dc68d2874e.1"}
    ]


def test_who_asked_for_an_origin_gets_nothing_of_an_unknown_source_even_in_pub_02() -> None:
    case = CASES["pub-02"]
    asking = {"s": {"OriginResources": [{"@odata.id": "/redfish/v1/Systems"}], "SubordinateResources": True}}
    record = wrapped(json.dumps(case["event"]).encode(), case["context"]["ip"])

    assert posts_of(asking, record, inventory_of(case["context"])) == {}
    assert len(posts_of(asking, record)) == 1, "while no source is known at all, an event counts as what it says"
