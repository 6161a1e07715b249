"""
Each message of the Base registry that an EventService can have to say is tested, or there is a reason why not.
"""

import re
from pathlib import Path
from typing import Final

import pytest

from odim_relay.formats import base_messages, own_messages
from tests.integration.api import bad_accounts, bad_changes, bad_requests, bad_subscriptions
from tests.integration.api.bad_input import Bad

TESTS: Final = Path(__file__).parents[2]

OF_AN_EVENT_SERVICE: Final = (
    "MalformedJSON",
    "InvalidJSON",
    "UnrecognizedRequestBody",
    "EmptyJSON",
    "CreateFailedMissingReqProperties",
    "PropertyMissing",
    "PropertyUnknown",
    "PropertyDuplicate",
    "PropertyValueTypeError",
    "PropertyValueFormatError",
    "PropertyValueNotInList",
    "PropertyValueOutOfRange",
    "PropertyValueConflict",
    "PropertyNotWritable",
    "StringValueTooLong",
    "ArraySizeTooLong",
    "ActionParameterMissing",
    "ActionParameterUnknown",
    "ActionParameterValueTypeError",
    "ActionParameterValueFormatError",
    "ActionParameterValueNotInList",
    "ActionNotSupported",
    "EventSubscriptionLimitExceeded",
    "PayloadTooLarge",
    "ResourceMissingAtURI",
    "ResourceNotFound",
    "OperationNotAllowed",
    "PreconditionFailed",
    "PreconditionRequired",
    "HeaderInvalid",
    "HeaderMissing",
    "QueryParameterUnsupported",
    "QueryNotSupported",
    "NoValidSession",
    "InsufficientPrivilege",
    "ServiceDisabled",
    "ServiceTemporarilyUnavailable",
    "InternalError",
    "NoOperation",
    "Success",
    "Created",
    "SubscriptionTerminated",
    "EventBufferExceeded",
)

NEVER_SAID: Final = {
    "InvalidJSON": "MalformedJSON is said: no parser counts the lines of a megabyte without a line end",
    "CreateFailedMissingReqProperties": "PropertyMissing is said, of each that is missing",
    "PreconditionRequired": "no change requires a condition",
    "HeaderMissing": "no header is required: each that matters has a meaning when it is not there",
    "Success": "what is done is answered with the resource, or with 204 and nothing",
    "Created": "what is created is answered with the resource",
    "SubscriptionTerminated": "who deletes a subscription knows, and where retries are used up nobody can be told",
}

TESTED_ELSEWHERE: Final = {
    "EventSubscriptionLimitExceeded": "integration/api/test_bad_times.py",
    "ServiceDisabled": "integration/api/test_bad_times.py",
    "ServiceTemporarilyUnavailable": "integration/api/test_bad_times.py",
    "InternalError": "integration/api/test_bad_times.py",
    "EventBufferExceeded": "e2e",
}

TABLES: Final = (bad_subscriptions.TABLE, bad_changes.TABLE, bad_accounts.TABLE, bad_requests.TABLE)
IN_TABLES: Final = {said.key for table in TABLES for bad in table for said in bad.says}


def test_every_message_is_in_a_table_or_tested_elsewhere_or_never_said() -> None:
    known = [*IN_TABLES, *TESTED_ELSEWHERE, *NEVER_SAID]

    assert set(OF_AN_EVENT_SERVICE) - set(known) == set()


@pytest.mark.parametrize("key", TESTED_ELSEWHERE)
def test_what_is_tested_elsewhere_is(key: str) -> None:
    place = TESTS / TESTED_ELSEWHERE[key]
    files = place.rglob("test_*.py") if place.is_dir() else [place]

    assert any(re.search(rf"\b{key}\b", file.read_text()) for file in files)


@pytest.mark.parametrize("key", NEVER_SAID)
def test_what_is_never_said_is_not_in_the_program(key: str) -> None:
    registries = {Path(path) for path in (base_messages.__file__, own_messages.__file__)}
    program = set((TESTS.parent / "odim_relay").rglob("*.py")) - registries

    assert not [file for file in program if f'"{key}"' in file.read_text()]


@pytest.mark.parametrize("table", TABLES)
def test_the_names_in_a_table_tell_its_rows_apart(table: tuple[Bad, ...]) -> None:
    names = [bad.name for bad in table]

    assert len(names) == len(set(names))
