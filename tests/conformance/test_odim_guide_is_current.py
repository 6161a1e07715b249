"""
docs/odim.md names tests that there are, for every defect of ODIM's that it tells of.
"""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
COUNT = 63
NOT_OURS = {2, 3, 8, 9, 25}
"""
What happens before Kafka, or on another bus: nothing here could be tested.
"""


def rows() -> dict[int, list[str]]:
    """
    The tests of each defect, by its number.
    """
    text = (ROOT / "docs" / "odim.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| (\d+) \|.*\| ([^|]*) \|$", text, re.MULTILINE)
    assert len(found) == COUNT
    return {int(number): re.findall(r"`([^`]+)`", tests) for number, tests in found}


@cache
def names_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_defect_is_told_of_once_and_has_a_test_where_it_could_happen_here() -> None:
    found = rows()
    assert list(found) == list(range(1, COUNT + 1))
    assert {number for number, tests in found.items() if not tests} == NOT_OURS


def test_every_test_that_is_named_is_there() -> None:
    for number, tests in rows().items():
        for named in tests:
            path, separator, name = named.partition("::")
            assert separator, f"{number}: {named} is no test"
            assert (ROOT / path).is_file(), f"{number}: there is no {path}"
            assert name in names_in(path), f"{number}: there is no {named}"
