import re
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from odim_relay.adapters.http.resolver import Lookup, look_up
from odim_relay.adapters.http.sender import RequestsSender
from odim_relay.domain.egress import ANYWHERE, EgressPolicy
from odim_relay.domain.proxy import read_no_proxy, read_proxy
from tests.support.certificates import Certificates, make_certificates
from tests.support.receiver import Receiver

NOW = datetime(2026, 1, 1, tzinfo=UTC)

MakeSender = Callable[..., RequestsSender]


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def plain_receiver() -> Iterator[Receiver]:
    with Receiver.start() as receiver:
        yield receiver


@pytest.fixture(scope="session")
def secure_receiver(certificates: Certificates) -> Iterator[Receiver]:
    with Receiver.start(scheme="https", certificates=certificates) as receiver:
        yield receiver


@pytest.fixture(params=["http", "https"])
def receiver(request: pytest.FixtureRequest) -> Receiver:
    """
    One of each scheme, shared by all tests: each has a path of its own.
    """
    name = "plain_receiver" if request.param == "http" else "secure_receiver"
    found: Receiver = request.getfixturevalue(name)
    return found


@pytest.fixture
def path(request: pytest.FixtureRequest) -> str:
    return "/" + re.sub(r"\W+", "-", request.node.name)


@pytest.fixture
def make_sender(certificates: Certificates) -> Iterator[MakeSender]:
    with ExitStack() as senders:

        def make(
            *,
            verify: bool = True,
            ca_file: Path | None = certificates.ca_file,
            concurrency: int = 8,
            lookup: Lookup = look_up,
            egress: EgressPolicy = ANYWHERE,
            tls_folder: Path | None = None,
            proxy: str = "",
            no_proxy: Sequence[str] = (),
        ) -> RequestsSender:
            sender = RequestsSender(
                now=lambda: NOW,
                user_agent="odim-relay/test",
                verify=verify,
                ca_file=ca_file,
                concurrency=concurrency,
                lookup=lookup,
                egress=egress,
                tls_folder=tls_folder,
                proxy=read_proxy(proxy) if proxy else None,
                no_proxy=read_no_proxy(no_proxy),
            )
            return senders.enter_context(closing(sender))

        yield make


@pytest.fixture
def sender(make_sender: MakeSender) -> RequestsSender:
    return make_sender()


@pytest.fixture
def unanswering_port() -> Iterator[int]:
    """
    A port that lets nobody in: its queue of connections is full, so the kernel drops what comes.
    """
    with ExitStack() as sockets, socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = sockets.enter_context(socket.socket())
            filler.settimeout(0)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
