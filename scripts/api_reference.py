# ruff: noqa: INP001 - a program's part, not a package
"""
docs/api-reference.md, from what the API says of itself in OpenAPI.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from odim_relay.api.application import DESCRIBED
from odim_relay.api.http.resource import Resource
from odim_relay.api.openapi import openapi

_METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE")
_SHARED = ("Message", "RedfishError")
_SPACE = ("", "")


def api_markdown(made: str) -> str:
    """
    Every path with its methods, then every body.

    Args:
        made: the line that says who wrote the document.
    """
    description = openapi(DESCRIBED)
    lines = [
        "# API reference",
        "",
        made,
        "",
        "Every path and method, and every body that is read; [the API](api.md) tells what they are for. A running",
        "service describes itself so at `/redfish/v1/openapi.yaml`, in OpenAPI " + description["openapi"] + ".",
        "",
        "Credentials are Basic, or the token of a session in `X-Auth-Token`. What an account needs for a method is a",
        "privilege of its role; where several are named any of them will do. A refusal is answered by an error of",
        "Redfish's, below.",
        "",
        "## Paths",
        "",
    ]
    for resource in DESCRIBED:
        lines += _path(resource, description["paths"][resource.path])
    lines += ["## Bodies", ""]
    schemas = description["components"]["schemas"]
    for name, schema in sorted(schemas.items()):
        if name not in (*_SHARED, "Empty"):
            lines += _body(name, schema, schemas)
    lines += ["## Errors", ""]
    for name in reversed(_SHARED):
        lines += _body(name, schemas[name], schemas)
    return "\n".join(lines).rstrip() + "\n"


def _path(resource: Resource, item: Mapping[str, Any]) -> list[str]:
    lines = [f"### `{resource.path}`", ""]
    if resource.schema:
        lines += [f"Schema: `{resource.schema}`.", ""]
    lines += ["| method | does | needs | reads | answers |", "|---|---|---|---|---|"]
    for method in _METHODS:
        operation = item.get(method.lower())
        if operation:
            cells = (
                f"`{method}`",
                _cell(operation["summary"]),
                " or ".join(sorted(resource.needs(method))) or "nothing: open to all",
                "; ".join([*_queries(operation), *_reads(operation)]),
                ", ".join(status for status in operation["responses"] if status != "default"),
            )
            lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]


def _queries(operation: Mapping[str, Any]) -> Iterator[str]:
    for parameter in operation.get("parameters", ()):
        yield f"`{parameter['name']}`"


def _reads(operation: Mapping[str, Any]) -> Iterator[str]:
    for content in operation.get("requestBody", {}).get("content", {}).values():
        name = content["schema"]["$ref"].rpartition("/")[2]
        yield "an empty object, or nothing" if name == "Empty" else f"[{name}](#{name.lower()})"


def _body(name: str, schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> list[str]:
    lines = [f"### {name}", ""]
    if "description" in schema:
        lines += [" ".join(schema["description"].split()), ""]
    required = schema.get("required", ())
    properties = schema.get("properties", {})
    if not properties:
        return [*lines, f"{_type(schema, schemas)}.", ""]
    lines += ["| property | type | |", "|---|---|---|"]
    for member, about in properties.items():
        notes = [*(["required"] if member in required else []), *_notes(about)]
        lines.append(f"| `{member}` | {_type(about, schemas)} | {_cell('; '.join(notes))} |")
    return [*lines, ""]


def _type(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    found = "any"
    branches = [one for key in ("anyOf", "oneOf", "allOf") for one in schema.get(key, ())]
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        found = f"[{name}](#{name.lower()})"
    elif branches:
        found = " or ".join(dict.fromkeys(_type(one, schemas) for one in branches))
    elif "enum" in schema or "const" in schema:
        found = ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    elif schema.get("type") == "array":
        element = _type(schema.get("items", {}), schemas)
        found = f"list of ({element})" if " or " in element else f"list of {element}"
    elif "properties" in schema:
        members = schema["properties"].items()
        found = f"object of {', '.join(f'`{name}` ({_type(one, schemas)})' for name, one in members)}"
    elif "type" in schema:
        found = schema["type"]
    return found


def _notes(schema: Mapping[str, Any]) -> Iterator[str]:
    if "description" in schema:
        yield " ".join(schema["description"].split())
    limits = {
        "minimum": "at least {}",
        "maximum": "at most {}",
        "minLength": "at least {} characters",
        "maxLength": "at most {} characters",
        "minItems": "at least {} values",
        "maxItems": "at most {} values",
        "pattern": "as `{}`",
    }
    branches = (schema, *schema.get("anyOf", ()))
    for key, words in limits.items():
        for branch in branches:
            if key in branch:
                yield words.format(branch[key])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
