"""
Tables and code in the guides that are written by hand say what the code does.
"""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from odim_relay.adapters.security.signing import Ed25519Signer, new_signing_key
from odim_relay.domain.delivery import DEAD_LETTER_REASONS, TRANSITIONS, ParkReason, State
from odim_relay.domain.outcome import JUDGEMENTS, Failure, Verdict
from odim_relay.domain.signing import signature, signed_content, signing_secret_of
from odim_relay.domain.subscription import Mode, RetryPolicy
from tests.support.documents import ROOT, blocks

SUBSCRIBERS = ROOT / "docs" / "subscribers.md"
CONCEPTS = ROOT / "docs" / "concepts.md"


def rows(document: str, heading: str) -> list[list[str]]:
    """
    The cells of the first table below a heading, without its head.
    """
    behind = document.partition(f"\n{heading}\n")[2]
    assert behind, f"there is no {heading}"
    table = re.search(r"(?:^\|.*\n)+", behind, re.MULTILINE)
    assert table
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in table[0].splitlines()[2:]]


def statuses(words: str) -> list[int]:
    """
    `200 to 299, 404` as numbers.
    """
    found: list[int] = []
    for part in words.split(", "):
        first, _, last = part.partition(" to ")
        found += range(int(first), int(last or first) + 1)
    return found


SAID = {
    "never sends it again": Verdict.DELIVERED,
    "keeps it as a dead letter for a person, and goes on with the next": Verdict.REJECTED,
    "tries again": Verdict.TRANSIENT,
    "suspends the subscription, and keeps its events until it is resumed": Verdict.GONE,
}


def test_the_guide_says_of_every_status_what_the_relay_does() -> None:
    told: dict[int, Verdict] = {}
    for answer, _, does in rows(SUBSCRIBERS.read_text(encoding="utf-8"), "## What your answer means"):
        if answer.startswith("none"):
            assert {JUDGEMENTS[failure].verdict for failure in Failure} == {SAID[does]}
            continue
        for status in statuses(answer):
            assert status not in told, f"{status} stands there twice"
            told[status] = SAID[does]
    assert told == {what: judgement.verdict for what, judgement in JUDGEMENTS.items() if isinstance(what, int)}


def test_the_concepts_tell_every_state_and_what_may_become_of_it() -> None:
    told = {}
    for name, becomes in rows(CONCEPTS.read_text(encoding="utf-8"), "## Delivery: its states"):
        told[State(name.partition(":")[0])] = {State(one) for one in becomes.split(", ") if one}
    assert told == {state: set(changes.values()) for state, changes in TRANSITIONS.items()}


def test_the_concepts_tell_every_reason_to_be_parked() -> None:
    text = CONCEPTS.read_text(encoding="utf-8").partition("A parked delivery says why:")[2]
    told = {ParkReason(name.strip("`")): kind for name, kind, *_ in rows(f"\n## x\n{text}", "## x")}
    assert told == {reason: "dead letter" if reason in DEAD_LETTER_REASONS else "waiting" for reason in ParkReason}


def test_the_concepts_tell_every_mode_and_retry_policy() -> None:
    text = CONCEPTS.read_text(encoding="utf-8")
    assert {re.findall("`([^`]+)`", name)[0] for name, _ in rows(text, "## Modes")} == set(Mode)
    for policy in RetryPolicy:
        assert f"`{policy}`" in text


def defined(name: str) -> Callable[..., Any]:
    """
    A function of the guide.
    """
    for block in blocks(SUBSCRIBERS, "python"):
        if f"def {name}(" in block.text:
            names: dict[str, Any] = {}
            exec(compile(block.text, str(block), "exec"), names)  # noqa: S102 - the guide's own code
            found: Callable[..., Any] = names[name]
            return found
    pytest.fail(f"the guide has no {name}")


def headers(timestamp: int, *signatures: str) -> dict[str, str]:
    return {"webhook-id": "one", "webhook-timestamp": str(timestamp), "webhook-signature": " ".join(signatures)}


def test_the_guides_code_verifies_what_is_signed_with_a_secret_and_nothing_else() -> None:
    is_signed = defined("is_signed")
    secret, other = signing_secret_of(bytes(32)), signing_secret_of(bytes(range(32)))
    now = int(time.time())
    good = signature(secret, "one", str(now), b"{}")
    assert is_signed([secret], headers(now, good), b"{}")
    assert is_signed([other, secret], headers(now, signature(other, "two", "3", b""), good), b"{}")
    assert not is_signed([secret], headers(now, good), b"{ }")
    assert not is_signed([other], headers(now, good), b"{}")
    assert not is_signed([secret], headers(now, good.removeprefix("v1,")), b"{}")
    for late in (now - 600, now + 600):
        assert not is_signed([secret], headers(late, signature(secret, "one", str(late), b"{}")), b"{}")


def test_the_guides_code_verifies_what_is_signed_with_a_key_and_nothing_else() -> None:
    is_signed_by = defined("is_signed_by")
    signer, key = Ed25519Signer(), new_signing_key()
    now = int(time.time())
    good = signer.sign(key, signed_content("one", str(now), b"{}"))
    public = signer.public_key(key)
    assert is_signed_by(public, headers(now, "v1,c2VjcmV0", good), b"{}")
    assert not is_signed_by(public, headers(now, good), b"{ }")
    assert not is_signed_by(signer.public_key(new_signing_key()), headers(now, good), b"{}")
