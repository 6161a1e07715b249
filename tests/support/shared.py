"""
Data that several projects share: it lies beside the repository, not in it.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

_BESIDE_THE_REPOSITORY = Path(__file__).parents[3] / "shared"


def _folder() -> Path:
    return Path(os.environ.get("RELAY_TEST_SHARED_DIR") or _BESIDE_THE_REPOSITORY)


def is_there(name: str) -> bool:
    """
    Whether the shared data has `name`: for what checks more where it does. The header of a run tells when it does not.
    """
    return (_folder() / "data" / name).exists()


def _there(path: Path, how: str) -> Path:
    if not path.exists():
        pytest.skip(f"{how} is not here: {path}", allow_module_level=True)
    return path


def shared_data(name: str) -> Path:
    """
    The file `name` of the shared data; skips the test, or the module that asks on import, where it is missing.

    `RELAY_TEST_SHARED_DIR` names the folder that holds `data/`; by default it is `shared` beside the repository.
    """
    return _there(_folder() / "data" / name, "shared data")


def shared_tool(name: str) -> Path:
    """
    The program `name` of the shared tools; skips as `shared_data`.
    """
    return _there(_folder() / "tools" / name, "a shared tool")


def csdl_dir() -> Path:
    """
    The folder of Redfish's schemas in CSDL, which `REDFISH_CSDL_DIR` names; by default that of the shared data. Skips
    as `shared_data`.
    """
    named = os.environ.get("REDFISH_CSDL_DIR")
    folder = Path(named) if named else _folder() / "data" / "redfish_schemas" / "csdl"
    return _there(folder, "Redfish's CSDL (REDFISH_CSDL_DIR)")


def shared_rows(name: str) -> list[dict[str, Any]]:
    """
    The objects of a file of one JSON object a line; skips as `shared_data`.
    """
    with shared_data(name).open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
