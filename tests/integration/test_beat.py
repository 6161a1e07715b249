"""
Two beats at once: one sends, the other takes over (S13, L28).
"""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.redis_server import RedisServer
from tests.support.relay_process import RelayProcess, procfile_command, start_all
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

REAP_EVERY_S = 0.5
TAKES_OVER_S = 30.0


@pytest.fixture
def beats(fresh_redis: RedisServer, tmp_path: Path) -> Iterator[list[RelayProcess]]:
    env = {
        "ODIM_RELAY_REDIS__URL": fresh_redis.url(),
        "ODIM_RELAY_LEDGER__REAP_INTERVAL_S": str(REAP_EVERY_S),
        "ODIM_RELAY_LOG__FORMAT": "json",
    }
    both = [
        RelayProcess(name, procfile_command("beat"), tmp_path, env, ready="beat: Starting...")
        for name in ("beat1", "beat2")
    ]
    start_all(both)
    yield both
    for beat in both:
        beat.kill()


def sent_count(beat: RelayProcess, duty: str = "reap") -> int:
    return beat.log(since_start=True).count(f"Sending due task {duty} ")


def queued_count(server: RedisServer) -> int:
    with server.client(1) as broker:
        return int(broker.llen("maintenance"))


def sender_of(beats: list[RelayProcess]) -> tuple[RelayProcess, RelayProcess]:
    """
    Who sends, and who stands by.
    """
    wait_until(lambda: [beat for beat in beats if sent_count(beat) > 3], timeout_s=20, what="a beat to send")
    return (beats[0], beats[1]) if sent_count(beats[0]) else (beats[1], beats[0])


def wait_for_sending(beat: RelayProcess, timeout_s: float = TAKES_OVER_S) -> float:
    """
    Wait until it sends anew, and return how long that took.
    """
    began_at_s, before = time.monotonic(), sent_count(beat)
    wait_until(lambda: sent_count(beat) > before + 2, timeout_s=timeout_s, what=f"{beat.name} to send")
    return time.monotonic() - began_at_s


def test_one_of_two_beats_sends_and_the_other_takes_over_when_it_is_killed(
    beats: list[RelayProcess], fresh_redis: RedisServer
) -> None:
    sending, standing_by = sender_of(beats)
    assert {sent_count(sending, duty) for duty in ("replay", "expire", "examine", "heartbeat", "sample", "tell")} == {1}
    assert sent_count(standing_by) == 0
    sending.kill()
    before = queued_count(fresh_redis)
    took_s = wait_for_sending(standing_by)
    print(f"took over after {took_s:.1f} s")
    assert queued_count(fresh_redis) > before

    sending.start()
    sent_by_first, sent_by_second = sent_count(sending), sent_count(standing_by)
    wait_until(lambda: sent_count(standing_by) > sent_by_second + 12, timeout_s=20, what="more than its first question")
    assert sent_count(sending) == sent_by_first == 0


def test_a_beat_that_ends_in_good_order_hands_over_at_once(beats: list[RelayProcess]) -> None:
    sending, standing_by = sender_of(beats)

    assert sending.terminate(limit_s=10) == 0

    assert wait_for_sending(standing_by) < 10


def test_beats_go_on_when_redis_was_away_and_only_one_of_them_sends(
    beats: list[RelayProcess], fresh_redis: RedisServer
) -> None:
    sending, _ = sender_of(beats)
    fresh_redis.kill()
    wait_until(
        lambda: sending.lines("beat.standing_by") or "Message Error" in sending.log(), timeout_s=20, what="it to notice"
    )
    fresh_redis.start()

    before, queued_before = [sent_count(beat) for beat in beats], queued_count(fresh_redis)
    wait_until(lambda: queued_count(fresh_redis) > queued_before + 5, timeout_s=TAKES_OVER_S, what="duties to be sent")
    first_sends = sent_count(beats[0]) > before[0] + 3
    sending, standing_by = beats if first_sends else beats[::-1]
    begun, settled = sent_count(sending), sent_count(standing_by)
    wait_until(lambda: sent_count(sending) > begun + 24, timeout_s=30, what="it to go on sending")
    assert sent_count(standing_by) == settled
    assert all(beat.running for beat in beats)


def test_a_beat_that_hung_does_not_send_beside_the_one_that_took_over(beats: list[RelayProcess]) -> None:
    sending, standing_by = sender_of(beats)
    sending.stop()
    took_s = wait_for_sending(standing_by)
    sending.cont()
    wait_until(lambda: sending.lines("beat.standing_by"), timeout_s=10, what="it to notice")

    settled = sent_count(sending)
    wait_for_sending(standing_by)
    print(f"took over after {took_s:.1f} s")
    assert sent_count(sending) == settled


def test_a_beat_refuses_a_wrong_setting(tmp_path: Path) -> None:
    env = {"ODIM_RELAY_REDIS__URL": "http://127.0.0.1/", "ODIM_RELAY_BROKER__URL": "redis://127.0.0.1/1"}
    beat = RelayProcess("beat", procfile_command("beat"), tmp_path, env, ready="never")
    with pytest.raises(RuntimeError, match="ended with 2 while starting"):
        beat.start()
