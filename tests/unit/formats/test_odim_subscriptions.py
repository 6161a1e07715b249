import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odim_relay.domain.event import EventFormat
from odim_relay.domain.keeper import Keeper
from odim_relay.domain.subscription import Filters, RetryPolicy, Subscription
from odim_relay.formats.odim_rows import RowFlaw
from odim_relay.formats.odim_subscriptions import SubscriptionRow, read_subscription

ID = "3ce177bf-42a4-4335-b1c1-41540a4b65d7"
SYSTEM = "/redfish/v1/Systems/6d4a0a66-7efa-578e-83cf-44dc68d2874e.1"
AS_IT_STANDS_THERE = (
    '{"EventDestination":{"@odata.id":"","@odata.type":"","Context":"c",'
    r'"Destination":"https://10.0.0.1:8080/d?a=1\u0026b=2",'
    '"EventTypes":["Alert"],"Id":"","Name":"n","OEMSubscriptionType":"",'
    f'"OriginResources":[{{"@odata.id":"{SYSTEM}"}}],"Protocol":"Redfish","SubordinateResources":true,'
    f'"SubscriptionType":"RedfishEvent"}},"Hosts":["10.24.0.4"],"SubscriptionID":"{ID}","UserName":"admin"}}'
)


def row(*, id_: Any = ID, **members: Any) -> str:
    body = {"Destination": "https://s.example/d", "SubscriptionType": "RedfishEvent", "Protocol": "Redfish"} | members
    return json.dumps({"EventDestination": body, "Hosts": [], "SubscriptionID": id_, "UserName": "admin"})


def read(**members: Any) -> SubscriptionRow:
    found = read_subscription(row(**members))
    assert isinstance(found, SubscriptionRow), found
    return found


def reason_of(found: object) -> str:
    assert isinstance(found, RowFlaw), found
    return found.reason


def test_a_subscription_is_read_as_go_wrote_it() -> None:
    assert read_subscription(AS_IT_STANDS_THERE) == SubscriptionRow(
        subscription=Subscription(
            subscription_id=ID,
            destination="https://10.0.0.1:8080/d?a=1&b=2",
            name="n",
            context="c",
            filters=Filters(event_types=("Alert",), origin_resources=(SYSTEM,), subordinate_resources=True),
            keeper=Keeper.ODIM,
        ),
        odim_id=ID,
        user_name="admin",
    )


def test_what_go_leaves_out_is_empty() -> None:
    found = read().subscription
    assert found.filters == Filters()
    assert found.event_format is EventFormat.EVENT
    assert found.context is None
    assert found.retry_policy is RetryPolicy.FOREVER_WITH_BACKOFF


def test_reports_are_what_their_format_says() -> None:
    found = read(EventFormatType="MetricReport", EventTypes=["MetricReport"]).subscription
    assert found.event_format is EventFormat.METRIC_REPORT
    assert found.filters.event_types == ("MetricReport",)


def test_an_id_that_is_no_uuid_gets_one_that_is_always_the_same() -> None:
    once, again = (read_subscription(row(id_="123456")) for _ in range(2))
    other = read_subscription(row(id_="123457"))
    assert once == again
    assert isinstance(once, SubscriptionRow)
    assert isinstance(other, SubscriptionRow)
    assert once.odim_id == "123456"
    assert len(once.subscription.subscription_id) == len(ID)
    assert once.subscription.subscription_id != other.subscription.subscription_id


def test_a_policy_that_would_end_the_subscription_suspends_it_instead_and_that_is_told() -> None:
    found = read(DeliveryRetryPolicy="TerminateAfterRetries")
    assert found.subscription.retry_policy is RetryPolicy.SUSPEND
    assert found.differences == ("DeliveryRetryPolicy is SuspendRetries instead of TerminateAfterRetries",)


@pytest.mark.parametrize("policy", ["RetryForever", "RetryForeverWithBackoff", "SuspendRetries"])
def test_any_other_policy_is_kept(policy: str) -> None:
    found = read(DeliveryRetryPolicy=policy)
    assert found.subscription.retry_policy == policy
    assert found.differences == ()


def test_a_policy_that_nobody_knows_is_the_usual_one_and_that_is_told() -> None:
    found = read(DeliveryRetryPolicy="Maybe")
    assert found.subscription.retry_policy is RetryPolicy.FOREVER_WITH_BACKOFF
    assert found.differences == ("DeliveryRetryPolicy is RetryForeverWithBackoff: 'Maybe' is not known",)


def test_a_name_that_is_too_long_is_cut_and_that_is_told() -> None:
    found = read(Name="n" * 300)
    assert found.subscription.name == "n" * 256
    assert found.differences == ("Name is cut to 256 characters",)


def test_an_origin_may_be_a_link_or_the_uri_alone_and_a_slash_at_its_end_does_not_count() -> None:
    links = [{"@odata.id": f"{SYSTEM}/"}, SYSTEM, "/redfish/v1/Chassis", None, {}, "", {"@odata.id": "/"}, 5]
    assert read(OriginResources=links).subscription.filters.origin_resources == (SYSTEM, "/redfish/v1/Chassis")


@pytest.mark.parametrize("links", [[""], ["/"], [None], [{}], [{"@odata.id": ""}], [{"@odata.id": 5}], ["//"]])
def test_origins_that_name_nothing_at_all_do_not_make_a_subscription_to_everything(links: list[object]) -> None:
    assert reason_of(read_subscription(row(OriginResources=links))) == "no_origin"


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        ("", "not_json"),
        ("{", "not_json"),
        ("nonsense", "not_json"),
        ('{"SubscriptionID":"\udc80"}', "not_json"),
        ("[" * 5000, "not_json"),
        (row(id_="\ud800"), "not_json"),
        (row(Name="\udfff"), "not_json"),
        ("5", "not_an_object"),
        ("[]", "not_an_object"),
        ("{}", "no_id"),
        (row(id_=""), "no_id"),
        (row(id_=7), "no_id"),
        ('{"SubscriptionID":"1"}', "wrong_member"),
        ('{"SubscriptionID":"1","EventDestination":[]}', "wrong_member"),
        ('{"Name":"Subscriptions", "hostip":"10.10.10.10"}', "no_id"),
        (row(id_="0", Destination="", EventTypes=["Alert"], SubordinateResources=True), "default_subscription"),
        (row(Destination=""), "no_destination"),
        (row(Destination=None), "no_destination"),
        (row(Destination=5), "wrong_member"),
        (row(EventTypes="Alert"), "wrong_member"),
        (row(EventTypes=[1]), "wrong_member"),
        (row(MessageIds={}), "wrong_member"),
        (row(SubordinateResources="true"), "wrong_member"),
        (row(OriginResources={"@odata.id": SYSTEM}), "wrong_member"),
        (row(EventFormatType="Text"), "unknown_format"),
        (row(SubscriptionType="SNMPTrap"), "not_redfish_event"),
    ],
)
def test_a_row_that_cannot_be_served_says_why(member: str, reason: str) -> None:
    assert reason_of(read_subscription(member)) == reason


def test_a_flaw_names_its_row_and_shows_none_of_its_destination() -> None:
    broken = AS_IT_STANDS_THERE.removesuffix("}")
    found = read_subscription(broken)
    assert isinstance(found, RowFlaw)
    assert ID in found.detail
    assert "10.0.0.1" not in found.detail


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["EventDestination", "SubscriptionID", "Destination", "OriginResources", "EventTypes"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON.map(json.dumps) | st.text())
def test_nothing_that_stands_in_a_row_raises(text: str) -> None:
    assert isinstance(read_subscription(text), SubscriptionRow | RowFlaw)
