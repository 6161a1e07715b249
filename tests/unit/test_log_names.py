"""
Names of what is logged: constant, and `noun.verbed`.
"""

import ast
import re
from pathlib import Path

import odim_relay

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*\.[a-z0-9]+(_[a-z0-9]+)*")
_LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}


def test_whatever_a_module_logs_has_a_constant_name() -> None:
    names = [
        (path.name, str(node.args[0].value))
        for path in Path(odim_relay.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in _LEVELS
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "log"
        and isinstance(node.args[0], ast.Constant)
    ]

    assert len(names) > 100
    assert [one for one in names if not _NAME.fullmatch(one[1])] == []
