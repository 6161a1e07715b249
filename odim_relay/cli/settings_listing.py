"""
Every setting: what it is, and where its value comes from.
"""

import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from odim_relay.domain.destination import without_secrets
from odim_relay.settings import Settings, dotenv_names, known_variables

HIDDEN = "********"
_USER_INFO = re.compile(r"(://|;)([^:@/;]*):[^/;]*@")
_SECRET_PARAMETER = re.compile(r"([?&][^=&]*(?:password|secret|token)[^=&]*=)[^&]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """
    One setting.

    Attributes:
        value, default: as they would be written in the environment; a secret's value is hidden.
        source: `environment`, `.env` or `default`.
    """

    variable: str
    value: str
    source: str
    default: str
    description: str


def list_settings(settings: Settings) -> list[Setting]:
    """
    All of them, in the order of their definition.
    """
    environment = {name.upper() for name in os.environ}
    dotenv = {name.upper() for name in dotenv_names()}
    found = []
    for variable, path in known_variables().items():
        field = _field(path)
        value = reduce(getattr, path, settings)
        source = "environment" if variable in environment else ".env" if variable in dotenv else "default"
        found.append(
            Setting(
                variable=variable,
                value=_shown(field, value),
                source=source,
                default=_in_words(field.get_default(call_default_factory=True)),
                description=field.description or "",
            )
        )
    return found


def groups() -> Sequence[tuple[str, str]]:
    """
    The groups in order: name, and what it is about.
    """
    return [
        (name, " ".join((field.annotation.__doc__ or "").split()))
        for name, field in Settings.model_fields.items()
        if isinstance(field.annotation, type)
    ]


def without_password(url: str) -> str:
    """
    A URL, or several as `sentinel://` has them, with the passwords hidden.
    """
    return _SECRET_PARAMETER.sub(rf"\1{HIDDEN}", _USER_INFO.sub(rf"\1\2:{HIDDEN}@", url))


def _field(path: Sequence[str]) -> FieldInfo:
    model: type[BaseModel] = Settings
    for name in path[:-1]:
        annotation: Any = model.model_fields[name].annotation
        model = annotation
    return model.model_fields[path[-1]]


def _shown(field: FieldInfo, value: object) -> str:
    extra = field.json_schema_extra
    if isinstance(extra, dict) and extra.get("secret"):
        return HIDDEN if value else ""
    if value and isinstance(extra, dict) and extra.get("user_info"):
        return without_secrets(str(value))
    return without_password(_in_words(value))


def _in_words(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case dict() | tuple() | list():
            return json.dumps(value, default=str)
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)
