"""
The whole product on one machine: starts the stores that are missing and every process of the Procfile.
"""

import os
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Event as Flag

from odim_relay import bootstrap
from odim_relay.dev import ready
from odim_relay.dev.api_access import API_PASSWORD, api_variables, flower_variables, password_file
from odim_relay.dev.data_dir import DataDir
from odim_relay.dev.kafka_broker import EmbeddedKafka
from odim_relay.dev.ports import free_port
from odim_relay.dev.programs import RELAY, STORES, Program, read_procfile
from odim_relay.dev.ready import Condition
from odim_relay.dev.redis_server import find_redis, redis_config
from odim_relay.dev.supervision import Supervision
from odim_relay.errors import PermanentError, TransientError

_LIMIT_S = 60.0
_ASK_EVERY_S = 0.2
_OWN_STOP_S = 5
# Long enough to read the settings and refuse them on a busy machine; for beat, to be running is to be ready.
_START_S = 6
_BEAT_START_S = 2


class NotStartedError(PermanentError):
    """
    The stack did not become ready; all of it was stopped.

    Attributes:
        log: what the program that failed has said last.
    """

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message)
        self.log = log


class StoppedError(Exception):
    """
    Somebody asked to stop while the stack was starting.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """
    What is to be started.

    Attributes:
        redis, kafka: whether these are to be embedded.
        allows_loopback: whether events may be sent to this machine itself.
        topics: to be made in the embedded Kafka.
        worker_stop_s: how long a worker may take to finish what is in flight.
        extra: programs beside those of the Procfile.
        without: programs of the Procfile that are not needed.
        needs_api_port: nobody has said where the API is to listen.
        administrator: the name of its first account.
        password: of that account; empty is one that the folder keeps.
        needs_flower_port: nobody has said where Flower is to listen.
        needs_flower_login: nobody has said who may look at it; the administrator may.
    """

    data_dir: Path
    redis: bool
    kafka: bool
    topics: Sequence[str]
    allows_loopback: bool
    worker_stop_s: int
    extra: Sequence[Program] = ()
    without: Collection[str] = ()
    needs_api_port: bool = True
    administrator: str = "admin"
    password: str = field(default="", repr=False)
    needs_flower_port: bool = True
    needs_flower_login: bool = True


class Stack:
    """
    One embedded stack, from `start` to `stop`. For the main thread: its death is what the processes watch.
    """

    def __init__(self, plan: Plan, *, stopping: Flag, tell: Callable[[str], None]) -> None:
        """
        Args:
            stopping: is set when somebody wants it to stop.
            tell: is called with what is being done.
        """
        self._plan = plan
        self._stopping = stopping
        self._tell = tell
        self.data_dir = DataDir(plan.data_dir)
        self.redis_version = ""
        self._kafka: EmbeddedKafka | None = None
        self._supervision: Supervision | None = None

    def start_stores(self) -> None:
        """
        Take the folder, start what stores are embedded, and point this process's settings at them.

        Raises:
            InUseError: another stack has the folder.
            NotStartedError: an embedded store did not start.
            TransientError: a store that is not embedded cannot be reached.
            StoppedError: stopped meanwhile.
        """
        lock = self.data_dir.claim()
        variables: dict[str, str] = {}
        programs = list(self._plan.extra)
        if self._plan.redis:
            port = free_port()
            programs.append(self._redis_program(port))
            variables["ODIM_RELAY_REDIS__URL"] = f"redis://127.0.0.1:{port}/0"
        if self._plan.kafka:
            self._tell("starting Kafka")
            self._kafka = EmbeddedKafka(self._plan.topics)
            variables["ODIM_RELAY_KAFKA__BOOTSTRAP_SERVERS"] = self._kafka.bootstrap_servers
            variables["ODIM_RELAY_KAFKA__INCARNATION"] = self._kafka.incarnation
        if self._plan.allows_loopback:
            variables["ODIM_RELAY_EGRESS__ALLOW"] = '["127.0.0.0/8", "::1/128"]'
        if "api" not in self._plan.without:
            variables |= api_variables(
                self.data_dir.path,
                needs_port=self._plan.needs_api_port,
                needs_password=not self._plan.password,
            )
        if "flower" not in self._plan.without:
            login = (self._plan.administrator, self._plan.password or variables.get(API_PASSWORD, ""))
            variables |= flower_variables(
                needs_port=self._plan.needs_flower_port, login=login if self._plan.needs_flower_login else None
            )
        self.data_dir.write_env(variables)
        # For the children, and for this process: whoever asks bootstrap from here on is told of the embedded stores.
        os.environ.update(variables)
        programs += [
            Program(
                name=name,
                command=command,
                stop_s=self._plan.worker_stop_s if name == "worker" else _OWN_STOP_S,
                start_s=_BEAT_START_S if name == "beat" else _START_S,
            )
            for name, command in read_procfile().items()
            if name not in self._plan.without
        ]
        self._supervision = Supervision(self.data_dir, programs)
        self._supervision.start(keep_open=[lock])
        self._await([Condition("supervisord", self._supervision.answers)])
        if any(program.group == STORES for program in programs):
            self._tell("starting Redis")
            self._supervision.start_group(STORES)
        self._await([Condition("redis", ready.redis_answers)])

    def start_relay(self) -> None:
        """
        Start the processes of the Procfile and wait until each does its work.

        Raises:
            NotStartedError: one did not within a minute, or fell again and again.
            StoppedError: stopped meanwhile.
        """
        self._running.start_group(RELAY)
        conditions = [
            Condition("bridge", self._bridge_reads()),
            Condition("worker", ready.workers_answer),
            Condition("beat", lambda: self._running.states()["beat"] == "RUNNING"),
            Condition("api", lambda: ready.api_answers(self.api_url)),
            Condition("flower", lambda: ready.flower_answers(self.flower_url)),
        ]
        self._await([condition for condition in conditions if condition.program not in self._plan.without])

    def watch(self, every_s: float = 1.0) -> Iterator[None]:
        """
        Yield about every second, or as often as told, until somebody wants to stop.

        Raises:
            NotStartedError: a program could not be kept running.
        """
        while not self._stopping.wait(every_s):
            self._look_for_fallen()
            yield

    def stop(self) -> None:
        """
        Stop everything, the relay before its stores. Idempotent.
        """
        if self._supervision is not None:
            self._supervision.stop()
        self.data_dir.release()

    def kill(self) -> None:
        """
        End everything at once, in no good order.
        """
        if self._supervision is not None:
            self._supervision.kill()

    @property
    def api_url(self) -> str:
        """
        Where the API listens, once the stores are started.
        """
        chosen = bootstrap.settings().api
        return f"{'http' if chosen.plain_http else 'https'}://127.0.0.1:{chosen.port}"

    @property
    def password_file(self) -> Path | None:
        """
        Where the password of the API's first account stands; None when it was set.
        """
        return None if self._plan.password else password_file(self.data_dir.path)

    @property
    def flower_url(self) -> str:
        """
        Where Flower listens, once the stores are started.
        """
        chosen = bootstrap.settings().flower
        return f"http://127.0.0.1:{chosen.port}{'/' if chosen.url_prefix else ''}{chosen.url_prefix}"

    @property
    def asks_same_login(self) -> bool:
        """
        Whether Flower is shown to the API's first account.
        """
        return self._plan.needs_flower_login

    @property
    def has_embedded_kafka(self) -> bool:
        """
        Whether Kafka lives in this process.
        """
        return self._kafka is not None

    @property
    def _running(self) -> Supervision:
        if self._supervision is None:
            raise AssertionError("start_stores comes first")
        return self._supervision

    def _bridge_reads(self) -> Callable[[], bool]:
        if self._kafka is None:
            return ready.bridge_reads
        with closing(bootstrap.kafka_source()) as source:
            partitions = source.partitions()
        return partial(ready.bridge_reads_embedded, self._kafka.incarnation, partitions)

    def _redis_program(self, port: int) -> Program:
        binary = find_redis()
        self.redis_version = str(binary)
        config = self.data_dir.path / "redis.conf"
        config.write_text(redis_config(binary, self.data_dir.redis, port))
        return Program(name="redis", command=(binary.path, str(config)), group=STORES, stop_s=30)

    def _await(self, conditions: Sequence[Condition]) -> None:
        deadline = time.monotonic() + _LIMIT_S
        left = list(conditions)
        failure: TransientError | None = None
        while left:
            if self._stopping.wait(_ASK_EVERY_S):
                raise StoppedError
            self._tell(f"waiting for {', '.join(condition.program for condition in left)}")
            try:
                left = [condition for condition in left if not condition.is_met()]
            except TransientError as exc:
                failure = exc
            self._look_for_fallen()
            if left and time.monotonic() > deadline:
                self._give_up(left[0].program, failure)

    def _give_up(self, program: str, failure: TransientError | None) -> None:
        if failure is not None and not (program == "redis" and self._plan.redis):
            raise failure
        raise NotStartedError(
            f"{program} was not ready after {_LIMIT_S:.0f} s: see {self.data_dir.log(program)}",
            self.data_dir.log_tail(program),
        )

    def _look_for_fallen(self) -> None:
        if not self._running.is_running:
            raise NotStartedError(
                f"supervisord ended: see {self.data_dir.log('supervisord')}", self.data_dir.log_tail("supervisord.out")
            )
        fallen = None
        with suppress(OSError):  # not listening yet
            fallen = self._running.fallen()
        if fallen is not None:
            raise NotStartedError(
                f"{fallen} ends again and again: see {self.data_dir.log(fallen)}", self.data_dir.log_tail(fallen)
            )
