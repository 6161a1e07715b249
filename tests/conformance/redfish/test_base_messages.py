"""
The Base messages that we say, held against DMTF's registry.
"""

import json
from typing import Any

import pytest

from odim_relay.formats import base_messages
from odim_relay.formats.base_messages import MESSAGES, message
from tests.support.shared import shared_data


@pytest.fixture(scope="module")
def registry() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shared_data("redfish_schemas/registries/Base.1.22.1.json").read_bytes())
    return found


def test_its_name_is_the_registrys_without_the_errata(registry: dict[str, Any]) -> None:
    major, minor, _ = registry["RegistryVersion"].split(".")

    assert f"{registry['RegistryPrefix']}.{major}.{minor}" == base_messages.REGISTRY


@pytest.mark.parametrize("key", MESSAGES)
def test_a_message_is_the_registrys_to_the_letter(key: str, registry: dict[str, Any]) -> None:
    entry = registry["Messages"][key]
    ours = MESSAGES[key]

    assert (ours.text, ours.argument_count, ours.severity, ours.resolution) == (
        entry["Message"],
        entry["NumberOfArgs"],
        entry["MessageSeverity"],
        entry["Resolution"],
    )


@pytest.mark.parametrize("key", MESSAGES)
def test_a_message_names_each_of_its_arguments_in_its_text(key: str) -> None:
    arguments = [f"<{number}>" for number in range(MESSAGES[key].argument_count)]

    said = message(key, *arguments)

    assert all(argument in said["Message"] for argument in arguments)
    assert "%" not in said["Message"]
    assert said["MessageId"].split(".")[-1] == key
