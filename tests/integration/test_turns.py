import pytest

from odim_relay.adapters.redis.connection import Scripts
from odim_relay.adapters.redis.turns import RedisTurn
from odim_relay.errors import TransientError
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server


def turns(server: RedisServer, prefix: str, count: int = 2) -> list[RedisTurn]:
    scripts = Scripts(server.client(), prefix)
    return [RedisTurn(scripts, "replay") for _ in range(count)]


def test_one_takes_a_turn_and_keeps_it(redis_server: RedisServer, key_prefix: str) -> None:
    one, other = turns(redis_server, key_prefix)

    assert one.take(60)
    assert not other.take(60)
    assert one.take(60)


def test_a_turn_that_was_left_is_another_ones_at_once_or_after_a_rest(
    redis_server: RedisServer, key_prefix: str
) -> None:
    one, other = turns(redis_server, key_prefix)
    assert one.take(60)
    one.leave()
    wait_until(lambda: other.take(60), timeout_s=5, what="the turn")

    other.leave(rest_s=60)

    assert not one.take(60)
    assert not other.take(60)


def test_a_turn_that_ran_out_is_taken_by_another_and_not_left_by_its_old_holder(
    redis_server: RedisServer, key_prefix: str
) -> None:
    one, other = turns(redis_server, key_prefix)
    assert one.take(0.05)
    wait_until(lambda: other.take(60), timeout_s=5, what="the turn")

    assert not one.take(60)
    one.leave()

    assert other.take(60)
    assert not one.take(60)


def test_a_store_that_is_away_is_told(fresh_redis: RedisServer) -> None:
    one, _ = turns(fresh_redis, "p:")
    assert one.take(60)
    fresh_redis.kill()

    with pytest.raises(TransientError, match="the turn replay"):
        one.take(60)
