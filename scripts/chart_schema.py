# ruff: noqa: INP001 - a program, not a package
"""
Writes helm/odim-relay/values.schema.json anew: what values.schema.base.yaml says, and the settings themselves.

    .venv/bin/python scripts/chart_schema.py
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from odim_relay.settings import ENV_PREFIX, Settings

CHART = Path(__file__).parents[1] / "helm" / "odim-relay"
_DRAFT = "http://json-schema.org/draft-07/schema#"
_KEPT = ("type", "enum", "minimum", "maximum", "exclusiveMinimum", "pattern", "items", "additionalProperties", "anyOf")
_SECRET_REFERENCE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["existingSecret"],
    "properties": {
        "existingSecret": {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"},
        "key": {"type": "string", "pattern": "^[-._a-zA-Z0-9]+$"},
    },
}


def schema() -> dict[str, Any]:
    """
    The schema of the chart's values.
    """
    base = yaml.safe_load((CHART / "values.schema.base.yaml").read_text(encoding="utf-8"))
    del base["x"]
    settings = Settings.model_json_schema()
    base["properties"] |= {
        "settings": {
            "description": "what is no secret, by the names of docs/settings.md",
            **_groups(settings, settings["$defs"], _plain),
        },
        "settingsFromSecrets": {
            "description": "the same names, each with the Secret that holds it",
            **_groups(settings, settings["$defs"], _secret),
        },
    }
    return {"$schema": _DRAFT, "title": "Values of odim-relay", **base}


def schema_text() -> str:
    """
    The same as a file.
    """
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def _groups(group: Mapping[str, Any], definitions: Mapping[str, Any], leaf: Any, path: tuple[str, ...] = ()) -> Any:
    members = {}
    for name, member in group["properties"].items():
        here = (*path, name)
        if "$ref" in member:
            inner = _groups(definitions[member["$ref"].rpartition("/")[2]], definitions, leaf, here)
            found = inner if inner["properties"] else None
        else:
            found = leaf(member, here)
        if found is not None:
            members[name] = found
    about = {} if not path else {"description": " ".join(group.get("description", "").split())}
    return {**about, "type": "object", "additionalProperties": False, "properties": members}


def _plain(member: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, Any] | None:  # noqa: ARG001 - as _secret
    """
    A setting that may stand among the values; a secret may not. Null is as good as not there: a values file can take
    back what one before it said.
    """
    if member.get("secret"):
        return None
    found = {key: _clean(value) for key, value in member.items() if key in _KEPT}
    if "type" in found:
        found["type"] = [found["type"], "null"]
    if "enum" in found:
        found["enum"] = [*found["enum"], None]
    return {"description": _about(member), **found}


def _secret(member: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, Any] | None:
    """
    A setting that a Secret may hold: every text, for it may name what not all are to know, but a file's.
    """
    kinds = [member, *member.get("anyOf", ())]
    is_text = any(kind.get("type") == "string" and kind.get("format") != "path" for kind in kinds)
    if not member.get("secret") and (not is_text or "enum" in member):
        return None
    variable = ENV_PREFIX + "__".join(path).upper()
    return {"description": f"{_about(member)}; key {variable} unless another is given", **_SECRET_REFERENCE}


def _about(member: Mapping[str, Any]) -> str:
    words = str(member["description"])
    default = member.get("default")
    return words if default in (None, "") or member.get("secret") else f"{words}; default {json.dumps(default)}"


def _clean(value: Any) -> Any:
    """
    Leave out formats: Helm's validator knows others.
    """
    if isinstance(value, dict):
        return {key: _clean(inner) for key, inner in value.items() if key not in {"format", "title"}}
    return [_clean(inner) for inner in value] if isinstance(value, list) else value


def write() -> None:
    """
    Write the file.
    """
    (CHART / "values.schema.json").write_text(schema_text(), encoding="utf-8")


if __name__ == "__main__":
    write()
