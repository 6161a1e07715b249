from typing import Any, ClassVar, Literal

import pytest
from pydantic import Field, field_validator

from odim_relay.api.http.bodies import Body, read, read_change
from odim_relay.api.http.errors import RedfishError
from odim_relay.domain.account import Role


class Inner(Body):
    kind: Literal["a", "b"]


class Example(Body):
    SECRETS: ClassVar[frozenset[str]] = frozenset({"Password"})

    user_name: str = Field(min_length=2, max_length=4, pattern="^[a-z]*$")
    password: str = Field("", max_length=4)
    role_id: Role = Role.OPERATOR
    count: int = Field(1, ge=1, le=9)
    inners: tuple[Inner, ...] = Field((), min_length=0, max_length=2)
    even: int = 0
    is_on: bool = True

    @field_validator("even")
    @classmethod
    def _even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("odd")
        return value


def faults(document: dict[str, Any], action: str = "") -> list[tuple[str, list[str], str]]:
    with pytest.raises(RedfishError) as refused:
        read(Example, document, action=action)
    assert refused.value.status == 400
    return [
        (str(message["MessageId"]).split(".", 3)[3], message["MessageArgs"], message["RelatedProperties"][0])
        for message in refused.value.messages
    ]


def test_properties_are_read_by_their_names_in_redfish() -> None:
    body = read(Example, {"UserName": "ann", "RoleId": "ReadOnly", "Inners": [{"Kind": "b"}]})

    assert (body.user_name, body.role_id, body.inners[0].kind) == ("ann", Role.READ_ONLY, "b")
    assert body.model_fields_set == {"user_name", "role_id", "inners"}


@pytest.mark.parametrize(
    ("given", "key", "arguments", "pointer"),
    [
        ({"UserName": ...}, "PropertyMissing", ["UserName"], "#/UserName"),
        ({"user_name": "x"}, "PropertyUnknown", ["user_name"], "#/user_name"),
        ({"a/b~c": 1}, "PropertyUnknown", ["a/b~c"], "#/a~1b~0c"),
        ({"UserName": 5}, "PropertyValueTypeError", ["5", "UserName"], "#/UserName"),
        ({"UserName": None}, "PropertyValueTypeError", ["null", "UserName"], "#/UserName"),
        ({"UserName": {"a": 1}}, "PropertyValueTypeError", ['{"a": 1}', "UserName"], "#/UserName"),
        ({"UserName": "A1"}, "PropertyValueFormatError", ["A1", "UserName"], "#/UserName"),
        ({"UserName": "abcde"}, "StringValueTooLong", ["abcde", "4"], "#/UserName"),
        ({"UserName": "a"}, "StringValueTooShort", ["a", "2"], "#/UserName"),
        ({"Password": "too long"}, "StringValueTooLong", ["******", "4"], "#/Password"),
        ({"Password": 12345}, "PropertyValueTypeError", ["******", "Password"], "#/Password"),
        ({"RoleId": "King"}, "PropertyValueNotInList", ["King", "RoleId"], "#/RoleId"),
        ({"RoleId": 1}, "PropertyValueTypeError", ["1", "RoleId"], "#/RoleId"),
        ({"Count": 0}, "PropertyValueOutOfRange", ["0", "Count"], "#/Count"),
        ({"Count": 10**30}, "PropertyValueOutOfRange", [str(10**30), "Count"], "#/Count"),
        ({"Count": 1.5}, "PropertyValueTypeError", ["1.5", "Count"], "#/Count"),
        ({"Count": "1"}, "PropertyValueTypeError", ["1", "Count"], "#/Count"),
        ({"Count": True}, "PropertyValueTypeError", ["true", "Count"], "#/Count"),
        ({"IsOn": 1}, "PropertyValueTypeError", ["1", "IsOn"], "#/IsOn"),
        ({"Even": 3}, "PropertyValueFormatError", ["3", "Even"], "#/Even"),
        ({"Inners": {}}, "PropertyValueTypeError", ["{}", "Inners"], "#/Inners"),
        ({"Inners": [{"Kind": "a"}] * 3}, "ArraySizeTooLong", ["Inners", "2"], "#/Inners"),
        ({"Inners": [{}]}, "PropertyMissing", ["Inners/0/Kind"], "#/Inners/0/Kind"),
        ({"Inners": [{"Kind": "c"}]}, "PropertyValueNotInList", ["c", "Inners/0/Kind"], "#/Inners/0/Kind"),
        ({"Inners": [1]}, "PropertyValueTypeError", ["1", "Inners/0"], "#/Inners/0"),
    ],
    ids=str,
)
def test_each_fault_has_the_message_of_its_kind(
    given: dict[str, Any], key: str, arguments: list[str], pointer: str
) -> None:
    document = {name: value for name, value in {"UserName": "ann", **given}.items() if value is not ...}

    assert faults(document) == [(key, arguments, pointer)]


def test_all_faults_of_a_body_are_told_at_once() -> None:
    assert {key for key, _, _ in faults({"RoleId": "King", "Count": 0, "Colour": "red"})} == {
        "PropertyMissing",
        "PropertyValueNotInList",
        "PropertyValueOutOfRange",
        "PropertyUnknown",
    }


@pytest.mark.parametrize(
    ("given", "key", "arguments"),
    [
        ({}, "ActionParameterMissing", ["X.Do", "UserName"]),
        ({"UserName": "ann", "Bogus": 1}, "ActionParameterUnknown", ["X.Do", "Bogus"]),
        ({"UserName": 1}, "ActionParameterValueTypeError", ["1", "UserName", "X.Do"]),
        ({"UserName": "A1"}, "ActionParameterValueFormatError", ["A1", "UserName", "X.Do"]),
        ({"UserName": "ann", "RoleId": "x"}, "ActionParameterValueNotInList", ["x", "RoleId", "X.Do"]),
        ({"UserName": "ann", "Count": 0}, "ActionParameterValueOutOfRange", ["0", "Count", "X.Do"]),
    ],
)
def test_faults_of_an_actions_parameters_name_the_action(given: dict[str, Any], key: str, arguments: list[str]) -> None:
    assert [(found, told) for found, told, _ in faults(given, action="X.Do")] == [(key, arguments)]


def test_not_all_of_a_long_value_is_repeated() -> None:
    ((_, (value, _), _),) = faults({"UserName": "a" * 100_000})

    assert len(value) < 300


def change_keys(document: dict[str, Any]) -> list[str]:
    with pytest.raises(RedfishError) as refused:
        read_change(Example, document, read_only={"Id", "Name"})
    return [str(message["MessageId"]).split(".", 3)[3] for message in refused.value.messages]


class Changed(Body):
    count: int = Field(1, ge=1)
    is_on: bool = True


def test_a_change_is_read_with_what_cannot_be_written_beside_it() -> None:
    change = read_change(Changed, {"Id": "1", "Count": 2, "Bogus": 1}, read_only={"Id"})

    assert change.values.model_fields_set == {"count"}
    assert [(message["MessageId"].split(".", 3)[3], message["MessageArgs"]) for message in change.problems] == [
        ("PropertyNotWritable", ["Id"]),
        ("PropertyUnknown", ["Bogus"]),
    ]


def test_a_change_of_nothing_that_can_be_written_is_refused_with_each_of_its_names() -> None:
    assert change_keys({"Id": "1", "Colour": "red", "Name": "x"}) == [
        "PropertyNotWritable",
        "PropertyUnknown",
        "PropertyNotWritable",
    ]


def test_a_change_of_annotations_alone_is_no_operation() -> None:
    assert change_keys({}) == ["NoOperation"]


def test_a_wrong_value_refuses_the_whole_change() -> None:
    assert change_keys({"Count": 0, "Id": "1", "UserName": "ann"}) == ["PropertyValueOutOfRange"]
