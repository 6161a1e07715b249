"""
The API in OpenAPI 3.1, from its resources and the models of what they read.
"""

import re
from collections.abc import Sequence
from typing import Any

import yaml
from pydantic.json_schema import models_json_schema

from odim_relay import __version__
from odim_relay.api.http.collections import PAGING
from odim_relay.api.http.resource import Resource

_REFERENCE = "#/components/schemas/{model}"
_PARAMETER = re.compile(r"\{(\w+)\}")
_STATUS = {"GET": "200", "PATCH": "200", "PUT": "200", "DELETE": "204", "POST": "201"}
_ERROR = {"$ref": "#/components/responses/Error"}
_WORDS = {"GET": "Read", "POST": "Create", "PATCH": "Change", "PUT": "Set", "DELETE": "Remove"}


def openapi_yaml(resources: Sequence[Resource]) -> str:
    """
    The description as YAML.
    """
    return yaml.dump(openapi(resources), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


class _Dumper(yaml.SafeDumper):
    """
    Without references within the text, which some readers do not follow.
    """

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - of none
        """
        Write everything where it stands.
        """
        return True


def openapi(resources: Sequence[Resource]) -> dict[str, Any]:
    """
    The description: every path, method and body.
    """
    models = list(dict.fromkeys(model for resource in resources for model in resource.bodies.values()))
    _, definitions = models_json_schema([(model, "validation") for model in models], ref_template=_REFERENCE)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "odim-relay",
            "version": __version__,
            "description": "The Redfish EventService of odim-relay, its inventory, and its health.",
        },
        "security": [{"session": []}, {"basic": []}],
        "paths": {
            resource.path: {
                "parameters": _path_parameters(resource),
                **{method.lower(): _operation(resource, method) for method in resource.methods if method != "HEAD"},
            }
            for resource in resources
        },
        "components": {
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic"},
                "session": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"},
            },
            "responses": {"Error": {"description": "It was refused, and why.", "content": _json("RedfishError")}},
            "schemas": {**_SCHEMAS, **definitions.get("$defs", {})},
        },
    }


def _path_parameters(resource: Resource) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in _PARAMETER.findall(resource.path)
    ]


def _operation(resource: Resource, method: str) -> dict[str, Any]:
    handler = resource.stream if resource.stream is not None and method == "GET" else resource.handlers[method]
    words = " ".join((handler.__doc__ or _WORDS.get(method, method)).split())
    operation: dict[str, Any] = {"summary": words}
    if not resource.needs(method):
        operation["security"] = []
    if method == "GET" and resource.queries:
        operation["parameters"] = [_query(name) for name in sorted(resource.queries)]
    if method in resource.bodies:
        operation["requestBody"] = {"required": True, "content": _json(resource.bodies[method].__name__)}
    elif method == "POST":
        operation["requestBody"] = {"required": False, "content": _json("Empty")}
    status = str(resource.statuses.get(method, _STATUS.get(method, "200")))
    operation["responses"] = {status: _success(resource, method, status), "default": _ERROR}
    return operation


def _success(resource: Resource, method: str, status: str) -> dict[str, Any]:
    if status == "204":
        return {"description": "It is done."}
    if resource.stream is not None and method == "GET":
        content: dict[str, Any] = {"text/event-stream": {"schema": {"type": "string"}}}
    else:
        content = {"application/json": {"schema": {"type": "object"}}}
    if status != "201":
        is_json = resource.schema or resource.bodies
        return {"description": "As it is now.", "content": content if is_json or resource.stream else {}}
    headers = {"Location": {"description": "Its URI.", "schema": {"type": "string"}}}
    return {"description": "It was created.", "headers": headers, "content": content}


def _query(name: str) -> dict[str, Any]:
    schema = {"type": "integer", "minimum": 0} if name in PAGING else {"type": "string"}
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _json(model: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REFERENCE.format(model=model)}}}


_SCHEMAS: dict[str, Any] = {
    "Empty": {"type": "object", "additionalProperties": False},
    "Message": {
        "type": "object",
        "required": ["MessageId"],
        "properties": {
            "@odata.type": {"type": "string"},
            "MessageId": {"type": "string"},
            "Message": {"type": "string"},
            "MessageArgs": {"type": "array", "items": {"type": "string"}},
            "MessageSeverity": {"enum": ["OK", "Warning", "Critical"]},
            "RelatedProperties": {"type": "array", "items": {"type": "string"}},
            "Resolution": {"type": "string"},
        },
    },
    "RedfishError": {
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["code", "message"],
                "properties": {
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                    "@Message.ExtendedInfo": {"type": "array", "items": {"$ref": "#/components/schemas/Message"}},
                },
            }
        },
    },
}
