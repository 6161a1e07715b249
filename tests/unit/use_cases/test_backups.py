"""
Destinations with backups: which is tried when, and within which time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from odim_relay.domain.outcome import Failure, Outcome
from odim_relay.ports import OutgoingRequest
from odim_relay.use_cases.backups import SendWithBackups
from tests.unit.use_cases.conftest import Logs

MEANT, FIRST, SECOND = "https://meant.test/", "https://first.test/?token=x", "https://second.test/"
DONE = Outcome(status=204)
BUSY = Outcome(status=503, duration_s=2.0)
REFUSED = Outcome(failure=Failure.CONNECT, is_unsent=True)


@dataclass
class World:
    """
    Answers by URL; what has none takes everything.
    """

    answers: dict[str, Outcome] = field(default_factory=dict)
    sent: list[tuple[str, float]] = field(default_factory=list)
    now_s: float = 1_000.0
    on_send: Callable[[], object] = lambda: None
    is_ours: bool = True

    def __post_init__(self) -> None:
        self.post_to_any = SendWithBackups(
            sender=self, now_s=lambda: self.now_s, is_ours=lambda _name, _for_s: self.is_ours
        )

    def send(self, request: OutgoingRequest, *, may_send: Callable[[], bool], timeout_s: float) -> Outcome | None:
        self.sent.append((request.url, timeout_s))
        self.on_send()
        return self.answers.get(request.url, DONE) if may_send() else None

    def post(
        self,
        backups: Sequence[str] = (FIRST, SECOND),
        *,
        is_repeatable: bool = True,
        group: str = "one",
        may_send: Callable[[], bool] = lambda: True,
    ) -> Outcome | None:
        request = OutgoingRequest(url=MEANT, body=b"", headers=(), is_repeatable=is_repeatable)
        return self.post_to_any(request, backups, group=group, may_send=may_send, timeout_s=12)

    def tried(self, *, is_repeatable: bool = True, group: str = "one") -> list[str]:
        """
        Post once more, and tell where that went.
        """
        self.sent.clear()
        self.post(is_repeatable=is_repeatable, group=group)
        return [url for url, _ in self.sent]


@pytest.fixture
def world() -> World:
    return World()


pytestmark = pytest.mark.usefixtures("logs")


def test_the_destination_that_is_meant_is_tried_first_and_alone_while_it_answers(world: World) -> None:
    assert world.post() == DONE
    assert world.sent == [(MEANT, 4)]


@pytest.mark.parametrize("answer", [BUSY, REFUSED, Outcome(status=302), Outcome(status=400), Outcome(status=410)])
def test_backups_are_tried_in_order_until_one_answers_2xx(world: World, answer: Outcome) -> None:
    world.answers = {MEANT: answer, FIRST: answer}

    outcome = world.post()

    assert outcome is not None
    assert outcome.status == 204
    assert [url for url, _ in world.sent] == [MEANT, FIRST, SECOND]


def test_all_share_the_one_deadline_equally_and_what_one_leaves_is_the_others(world: World) -> None:
    world.answers = {MEANT: BUSY, FIRST: REFUSED}

    outcome = world.post()

    assert world.sent == [(MEANT, 4), (FIRST, 5), (SECOND, 10)]
    assert outcome is not None
    assert outcome.duration_s == 2


def test_nobody_is_tried_when_the_time_is_up(world: World) -> None:
    world.answers = {MEANT: Outcome(failure=Failure.TIMEOUT, duration_s=12.1)}

    assert world.tried() == [MEANT]


def test_the_outcome_of_all_tells_that_all_failed(world: World) -> None:
    world.answers = dict.fromkeys((MEANT, FIRST, SECOND), BUSY)

    outcome = world.post()

    assert outcome is not None
    assert (outcome.status, outcome.duration_s) == (503, 6)
    assert outcome.detail == "destination: failed; backup 1: failed; backup 2: failed"


def test_who_has_no_backup_has_all_the_time(world: World) -> None:
    world.answers = {MEANT: BUSY}

    assert [world.post(()), world.post(())] == [BUSY, BUSY]
    assert world.sent == [(MEANT, 12), (MEANT, 12)]


def test_a_right_to_send_is_asked_for_before_each_backup_by_rule_l17(world: World) -> None:
    world.answers = {MEANT: BUSY}
    asked = iter([True, False])

    assert world.post(may_send=lambda: next(asked)) is None

    assert [url for url, _ in world.sent] == [MEANT]


# --- at most once ---


@pytest.mark.parametrize(("answer", "tried"), [(REFUSED, [MEANT, FIRST]), (BUSY, [MEANT])])
def test_what_may_be_sent_once_only_goes_on_only_where_no_byte_went_out_by_rule_l19(
    world: World, answer: Outcome, tried: list[str]
) -> None:
    world.answers = {MEANT: answer}

    assert world.tried(is_repeatable=False) == tried


# --- rests ---


def test_one_that_failed_is_passed_over_for_a_while_and_then_tried_again(world: World) -> None:
    world.answers = {MEANT: BUSY}
    world.post()

    world.now_s += 29.9
    assert world.tried() == [FIRST]
    world.now_s += 0.1
    assert world.tried() == [MEANT, FIRST]
    world.now_s += 59.9
    assert world.tried() == [FIRST]
    world.now_s += 0.1
    world.answers = {}
    assert world.tried() == [MEANT]
    assert world.tried() == [MEANT]


def test_its_rests_are_short_again_when_it_was_back(world: World) -> None:
    for answer in (BUSY, BUSY, DONE, BUSY):
        world.answers = {MEANT: answer}
        world.post()
        world.now_s += 60

    world.now_s -= 30.1
    assert world.tried() == [FIRST]
    world.now_s += 0.1
    assert world.tried() == [MEANT, FIRST]


def test_one_that_refuses_an_event_does_not_rest(world: World) -> None:
    world.answers = {MEANT: Outcome(status=400)}
    world.post()

    assert world.tried() == [MEANT, FIRST]


def test_one_attempt_at_a_time_looks_whether_it_is_back(world: World) -> None:
    world.answers = {MEANT: BUSY}
    world.post()
    world.now_s += 30
    others: list[list[str]] = []

    def another() -> None:
        world.on_send = lambda: None
        before = world.sent[:]
        others.append(world.tried())
        world.sent[:] = before

    world.on_send = another

    assert world.tried() == [MEANT, FIRST]
    assert others == [[FIRST]]


def test_failures_that_overlap_are_one(world: World, logs: Logs) -> None:
    world.answers = {MEANT: BUSY}

    def another() -> None:
        world.on_send = lambda: None
        world.post()

    world.on_send = another
    world.post()

    assert [line["event"] for line in logs] == ["destination.resting"]
    world.now_s += 30
    assert world.tried() == [MEANT, FIRST]


def test_what_another_process_looks_after_is_passed_over_and_looked_at_later(world: World) -> None:
    world.answers = {MEANT: BUSY}
    world.post()
    world.now_s += 30
    world.is_ours = False
    assert world.tried() == [FIRST]
    world.is_ours = True
    world.now_s += 59
    assert world.tried() == [FIRST]
    world.now_s += 1
    assert world.tried() == [MEANT, FIRST]


def test_many_processes_ask_a_dead_destination_no_more_often_than_is_promised() -> None:
    taken_until: dict[str, float] = {}
    now_s = 0.0

    def is_ours(name: str, for_s: float) -> bool:
        if taken_until.get(name, 0.0) > now_s:
            return False
        taken_until[name] = now_s + for_s
        return True

    worlds = [World(answers={MEANT: BUSY}) for _ in range(16)]
    asked = 0
    for world in worlds:
        world.post_to_any = SendWithBackups(sender=world, now_s=lambda: now_s, is_ours=is_ours)
    while now_s < 86_400:
        for world in worlds:
            asked += world.tried().count(MEANT)
        now_s += 10

    assert 288 <= asked <= 320


def test_all_are_tried_in_order_when_all_rest(world: World) -> None:
    world.answers = dict.fromkeys((MEANT, FIRST, SECOND), BUSY)
    world.post()

    assert world.tried() == [MEANT, FIRST, SECOND]


def test_what_rests_for_one_group_does_for_no_other(world: World) -> None:
    world.answers = {MEANT: BUSY}
    world.post()

    assert world.tried(group="other") == [MEANT, FIRST]


def test_when_one_rests_and_is_back_is_told_once_without_secrets(world: World, logs: Logs) -> None:
    world.answers = {MEANT: BUSY, FIRST: BUSY}
    world.post()
    world.now_s += 29
    world.post()
    world.now_s += 1
    world.answers = {}
    world.post()
    world.post()

    told = [(line["event"], line["destination"], line.get("rest_s")) for line in logs]
    assert told == [
        ("destination.resting", MEANT, 30),
        ("destination.resting", "https://first.test/", 30),
        ("destination.back", MEANT, None),
    ]
