"""
Data that several projects share: it lies beside the repository, not in it.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

_BESIDE_THE_REPOSITORY = Path(__file__).parents[3] / "shared"


def shared_data(name: str) -> Path:
    """
    The file `name` of the shared data; skips the test, or the module that asks on import, where it is missing.

    `RELAY_TEST_SHARED_DIR` names the folder that holds `data/`; by default it is `shared` beside the repository.
    """
    folder = Path(os.environ.get("RELAY_TEST_SHARED_DIR") or _BESIDE_THE_REPOSITORY)
    path = folder / "data" / name
    if not path.is_file():
        pytest.skip(f"shared data is not here: {path}", allow_module_level=True)
    return path


def shared_rows(name: str) -> list[dict[str, Any]]:
    """
    The objects of a file of one JSON object a line; skips as `shared_data`.
    """
    with shared_data(name).open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
