"""
The receivers of examples/: behind the real relay, and against whoever else finds them.
"""

import signal
import socket
import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

import httpx
import pytest

from odim_relay.adapters.security.signing import Ed25519Signer, new_signing_key
from odim_relay.domain.signing import signature, signed_content, signing_secret_of
from tests.support.certificates import Certificate, Certificates, make_certificates
from tests.support.events import event, events
from tests.support.example_receivers import ExampleReceiver, GoReceiver, PythonReceiver
from tests.support.relay import Relay
from tests.support.relay_settings import SHORT_OUTAGES
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

RELAY_SETTINGS = SHORT_OUTAGES
SECRET = signing_secret_of(bytes(range(32)))
OTHER = signing_secret_of(bytes(32))
ARRIVES_S = 90.0
ANSWERS_S = 10.0

Make: TypeAlias = Callable[[Path, Path], ExampleReceiver]
BOTH = pytest.mark.parametrize("make", [PythonReceiver, GoReceiver], ids=["python", "go"])


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return make_certificates(tmp_path)


@pytest.fixture
def receiver(make: Make, certificates: Certificates, tmp_path: Path) -> Iterator[ExampleReceiver]:
    """
    One that runs, and trusts SECRET.
    """
    made = make(tmp_path / "receiver", certificates.chain_files[Certificate.GOOD])
    made.trust(SECRET)
    with made:
        yield made


class Sender:
    """
    Somebody who sends requests to a receiver.
    """

    def __init__(self, receiver: ExampleReceiver, certificates: Certificates) -> None:
        self._url = receiver.url
        self._context = ssl.create_default_context(cafile=str(certificates.ca_file))

    def post(self, id_: str, body: bytes, *, secret: str = SECRET, at_s: float | None = None, **changed: str) -> int:
        """
        The status that a signed request is answered with, `changed` headers among its own.
        """
        timestamp = str(int(time.time() if at_s is None else at_s))
        headers = {
            "webhook-id": id_,
            "webhook-timestamp": timestamp,
            "webhook-signature": signature(secret, id_, timestamp, body),
            **{f"webhook-{name}": value for name, value in changed.items()},
        }
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        return httpx.post(self._url, content=body, headers=raw, verify=self._context, timeout=ANSWERS_S).status_code


@pytest.fixture
def sender(receiver: ExampleReceiver, certificates: Certificates) -> Sender:
    return Sender(receiver, certificates)


def wait_for_handled(receiver: ExampleReceiver, count: int) -> None:
    wait_until(lambda: len(receiver.handled()) >= count, timeout_s=ARRIVES_S, what=f"{count} events to be worked on")


@pytest.mark.parametrize("make", [PythonReceiver, GoReceiver], ids=["python", "go"])
def test_every_event_is_worked_on_once_though_receiver_and_worker_are_killed(
    relay: Relay, make: Make, tmp_path: Path
) -> None:
    assert relay.receiver.certificates
    receiver = make(tmp_path / "receiver", relay.receiver.certificates.chain_files[Certificate.GOOD])
    receiver.trust(SECRET)
    destination = ("--destination", receiver.url)
    id_ = relay.run("subscriptions", "create", *destination, "--secret", "-", stdin=f"{SECRET}\n").strip()
    subscriber = relay.expect(id_, "/not-there")
    relay.forget()
    with receiver, relay.under_load(100, wanted_by=[subscriber]):
        for seen, victim in ((100, receiver), (200, relay.worker), (300, receiver), (400, relay.worker)):
            wait_for_handled(receiver, seen)
            victim.kill()
            victim.start()
        wait_for_handled(receiver, 500)
    with receiver:
        wait_until(relay.is_settled, timeout_s=ARRIVES_S, what="everything to be sent")
        expected = relay.expected()
        wait_until(
            lambda: receiver.handled().keys() >= expected, timeout_s=ARRIVES_S, what="everything to be worked on"
        )
        assert receiver.handled() == Counter(expected)
        assert receiver.terminate() == 0
    relay.run("subscriptions", "delete", id_)
    del relay.subscribers[id_]
    relay.check_health()


@pytest.mark.parametrize("make", [PythonReceiver, GoReceiver], ids=["python", "go"])
def test_with_the_wrong_secret_nothing_is_taken_and_with_the_right_one_nothing_was_lost(
    relay: Relay, make: Make, tmp_path: Path
) -> None:
    assert relay.receiver.certificates
    receiver = make(tmp_path / "receiver", relay.receiver.certificates.chain_files[Certificate.GOOD])
    receiver.trust(OTHER)
    destination = ("--destination", receiver.url)
    id_ = relay.run("subscriptions", "create", *destination, "--secret", "-", stdin=f"{SECRET}\n").strip()
    subscriber = relay.expect(id_, "/not-there")
    relay.forget()
    with receiver:
        relay.publish(events(5), wanted_by=[subscriber])
        wait_until(
            lambda: '"status": 401' in relay.run("dead-letters", "list", "--subscription", id_, "--json"),
            timeout_s=ARRIVES_S,
            what="a refusal with 401",
        )
        assert not receiver.handled()
        # As while a secret is changed: the old one and the new one.
        receiver.trust(OTHER, SECRET)
        receiver.restart()
        wait_for_handled(receiver, 5)
        assert receiver.handled() == Counter(relay.expected())
    relay.run("subscriptions", "delete", id_)
    del relay.subscribers[id_]


@BOTH
def test_a_duplicate_is_known_also_after_a_kill(receiver: ExampleReceiver, sender: Sender) -> None:
    assert [sender.post("one", event(1)) for _ in range(3)] == [201, 200, 200]
    receiver.kill()
    receiver.start()
    assert sender.post("one", event(1)) == 200
    assert sender.post("two", event(2)) == 201
    wait_for_handled(receiver, 2)
    assert receiver.handled() == {"one": 1, "two": 1}


@BOTH
def test_what_is_not_signed_or_not_now_or_not_this_is_refused(receiver: ExampleReceiver, sender: Sender) -> None:
    now = time.time()
    good = signature(SECRET, "one", str(int(now)), event(1))
    refused = {
        "by another": sender.post("one", event(1), secret=OTHER),
        "long ago": sender.post("one", event(1), at_s=now - 600),
        "in time to come": sender.post("one", event(1), at_s=now + 600),
        "another body": sender.post("one", event(2), at_s=now, signature=good),
        "another id": sender.post("two", event(1), at_s=now, signature=good),
        "another kind": sender.post("one", event(1), at_s=now, signature=good.replace("v1,", "v2,")),
        "no signature": sender.post("one", event(1), signature=""),
        "no base64": sender.post("one", event(1), signature="v1,*"),
        "no time": sender.post("one", event(1), timestamp=""),
        "a time that is none": sender.post("one", event(1), timestamp="soon"),
        "a time beyond all time": sender.post("one", event(1), timestamp="9" * 5000),
        "an id that is no text": sender.post("one", event(1), id="\xe9"),
    }
    assert set(refused.values()) == {401}, refused
    # Among others that are wrong, one that is right will do.
    assert sender.post("one", event(1), at_s=now, signature=f"v1,AAAA v2,x {good}") == 201
    wait_for_handled(receiver, 1)
    assert receiver.handled() == {"one": 1}


@BOTH
def test_too_much_and_garbage_are_survived(receiver: ExampleReceiver, sender: Sender) -> None:
    # The answer may come while the request is still being sent.
    with suppress(httpx.TransportError):
        assert sender.post("large", b" " * (3 << 20)) == 413
    assert sender.post("garbage", b"\xff not JSON") == 201
    assert sender.post("list", b"[1]") == 201
    assert sender.post("one", event(1)) == 201
    wait_for_handled(receiver, 1)
    assert receiver.handled() == {"one": 1}
    assert receiver.running


@BOTH
def test_who_connects_and_says_nothing_holds_up_nobody(receiver: ExampleReceiver, sender: Sender) -> None:
    dawdlers = [socket.create_connection(("127.0.0.1", receiver.port)) for _ in range(20)]
    try:
        assert sender.post("one", event(1)) == 201
    finally:
        for dawdler in dawdlers:
            dawdler.close()


@BOTH
def test_it_ends_well_when_told_to(receiver: ExampleReceiver, sender: Sender) -> None:
    assert sender.post("one", event(1)) == 201
    assert receiver.terminate() == 0
    receiver.start()
    receiver.send_signal(signal.SIGINT, group=False)
    wait_until(lambda: not receiver.running, timeout_s=ANSWERS_S, what="the end")
    assert receiver.returncode == 0
    assert "Traceback" not in receiver.log()


@pytest.mark.parametrize("make", [GoReceiver], ids=["go"])
def test_in_go_a_key_verifies_of_which_only_the_public_half_is_known(receiver: ExampleReceiver, sender: Sender) -> None:
    signer, key, now = Ed25519Signer(), new_signing_key(), str(int(time.time()))
    receiver.trust(signer.public_key(key))
    receiver.restart()
    good = signer.sign(key, signed_content("one", now, event(1)))
    other = signer.sign(new_signing_key(), signed_content("one", now, event(1)))
    assert sender.post("one", event(1)) == 401
    assert sender.post("one", event(1), signature=other, timestamp=now) == 401
    assert sender.post("one", event(1), signature=f"{other} {good}", timestamp=now) == 201


@pytest.mark.parametrize("make", [GoReceiver], ids=["go"])
def test_in_go_lines_that_were_cut_off_by_a_crash_count_as_not_written(
    receiver: ExampleReceiver, sender: Sender
) -> None:
    assert isinstance(receiver, GoReceiver)
    assert sender.post("one", event(1)) == 201
    wait_for_handled(receiver, 1)
    receiver.kill()
    whole = receiver.arrived_file.read_bytes()
    half = whole.replace(b'"one"', b'"two"')[: len(whole) // 2]
    receiver.arrived_file.write_bytes(whole + half)
    # Worked on, but not written to its end: it is done again, in fewer words.
    receiver.handled_file.write_bytes(b'{"id":"one","trouble":"' + b"x" * 4000)
    receiver.start()
    wait_for_handled(receiver, 1)
    assert sender.post("one", event(1)) == 200
    assert sender.post("two", event(2)) == 201
    wait_for_handled(receiver, 2)
    assert receiver.handled() == {"one": 1, "two": 1}


@pytest.mark.parametrize("make", [PythonReceiver], ids=["python"])
def test_in_python_a_new_secret_is_its_owners_and_is_never_replaced(make: Make, tmp_path: Path) -> None:
    receiver = make(tmp_path / "receiver", tmp_path / "none.pem")
    receiver.argv = [*receiver.argv[:4], "--new-secret", str(receiver.secret_file)]
    for expected in (0, 1):
        receiver.launch()
        wait_until(lambda: not receiver.running, timeout_s=ANSWERS_S, what="the end")
        assert receiver.returncode == expected
    assert receiver.secret_file.stat().st_mode & 0o777 == 0o600
    assert receiver.secret_file.read_text().startswith("whsec_")
