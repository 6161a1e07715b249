"""
Every case of ODIM's behaviour has a verdict, and the verdict is true.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator

import pytest

from odim_relay.domain.event import EventRecord
from odim_relay.domain.matching import wants
from tests.conformance.odim_answers import ids_of, our_answer, posts_of, subscription_of, their_answer, wrapped
from tests.conformance.odim_api import Service
from tests.conformance.odim_api_answers import API_KINDS, our_api_answer, their_api_answer
from tests.conformance.odim_verdicts import CONTRACTS, DEFECTS, ELSEWHERE
from tests.support.redfish_client import SUBSCRIPTIONS
from tests.support.shared import shared_rows

CASES = {row["id"]: row for row in shared_rows("odim_cases.jsonl")}
OURS_TO_ANSWER = {
    "isResourceTypeSubscribed",
    "isStringPresentInSlice",
    "filterEventsToBeForwarded",
    "wireDecode",
    "EventSubscriber",
    "metricReportSelected",
    "getCollectionKey",
    "deliveryOutcome",
    "URIValidator",
    "publish",
    "createSubscription",
    "removeDuplicatesFromSlice",
    "isCollectionOriginResourceURI",
    "listSubscriptions",
    "getSubscription",
    "getSubscriptionDetails",
    "deleteSubscription",
    "getEventService",
    "submitTestEvent",
}


def test_every_case_has_exactly_one_verdict() -> None:
    verdicts = Counter([*CONTRACTS, *DEFECTS, *(one for ids in ELSEWHERE.values() for one in ids)])

    assert len(CASES) == 256
    assert verdicts.keys() == CASES.keys()
    assert {one: count for one, count in verdicts.items() if count > 1} == {}


def test_only_cases_that_need_the_inventory_or_plugins_are_put_off_of_the_kinds_that_are_ours() -> None:
    put_off = {
        capability for capability, ids in ELSEWHERE.items() for one in ids if CASES[one]["kind"] in OURS_TO_ANSWER
    }

    assert put_off == {
        "not yet: inventory and origin rewriting",
        "not yet: subscriptions when a system or an aggregate is removed",
        "not yet: subscribing at the plugins of the origins, and telling how that went",
        "not yet: default subscriptions by the internal RPC",
    }


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


def test_each_destination_gets_its_part_of_an_event_as_in_mt_11() -> None:
    # The rest of this case, the rewriting of origins, is elsewhere.
    case = CASES["mt-11"]
    posts = posts_of(case["subscription"], wrapped(json.dumps(case["event"]).encode(), case["context"]["ip"]))

    assert not isinstance(posts, str)
    assert (
        ids_of(posts)
        == ids_of(case["expected"]["posts"])
        == {
            "https://a/1": ["1"],
            "https://b/1": ["2"],
            "https://c/1": ["1", "2"],
        }
    )
