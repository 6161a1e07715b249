"""
Redfish's JSON schemas, and what they find wrong.
"""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError
from referencing import Registry
from referencing.jsonschema import DRAFT7

from tests.support.shared import is_there, shared_data

_FOLDER = "redfish_schemas/json-schema"
_URI = "http://redfish.dmtf.org/schemas/v1/{}.json"


def are_schemas_here() -> bool:
    """
    Whether there is something to hold documents against.
    """
    return is_there(_FOLDER)


def flaws(document: dict[str, Any], kind: str) -> set[str]:
    """
    What is wrong with a document of this kind (`Event.v1_13_0`): where, and the rule that is broken there.
    """
    return {
        f"{'/'.join(map(str, error.absolute_path))}: {error.validator}"
        for outer in _validator(kind).iter_errors(document)
        for error in _leaves(outer)
    }


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    # Where a member may have one of several forms, what is wrong with it by each of them.
    if not error.context:
        yield error
    for inner in error.context or ():
        yield from _leaves(inner)


@cache
def _validator(kind: str) -> Draft7Validator:
    definition = f"{_URI.format(kind)}#/definitions/{kind.partition('.')[0]}"
    return Draft7Validator({"$ref": definition}, registry=_registry())


@cache
def _registry() -> Registry[Any]:
    paths = shared_data(_FOLDER).glob("*.json")
    # Not by what they call themselves: others refer to odata-v4.json, which is a version of it.
    schemas = [(_URI.format(path.stem), json.loads(path.read_bytes())) for path in paths]
    return Registry[Any]().with_contents(schemas, default_specification=DRAFT7)
