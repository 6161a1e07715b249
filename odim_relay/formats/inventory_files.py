"""
Files of sources and aggregates: CSV or JSON Lines.
"""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from odim_relay.domain.inventory import Aggregate, Source
from odim_relay.domain.inventory_entries import Fault, read_aggregate, read_source
from odim_relay.formats.json_text import kind_of

_HEADER = ["address", "system"]
_SOURCE = frozenset({"address", "system"})
_AGGREGATE = frozenset({"aggregate", "elements"})
_FORM = 'a line is {"address", "system"} or {"aggregate", "elements"}'


@dataclass(slots=True)
class InventoryFile:
    """
    What stands in a file.

    Attributes:
        sources: URI of the machine, by address.
        aggregates: elements, by URI.
        problems: of each line that cannot be, its number, from 1, and why. A file with any is not to be used.
    """

    sources: dict[str, str] = field(default_factory=dict)
    aggregates: dict[str, tuple[str, ...]] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)


def read_inventory_file(content: bytes) -> InventoryFile:
    """
    Read a file: JSON Lines where it begins with a brace, else CSV of `address,system`, with or without that as header.

    Empty lines do not count. The same line twice is one; two systems for one address, or two lists of elements for one
    aggregate, are a problem of the later line.
    """
    file = InventoryFile()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        file.problems.append((content.count(b"\n", 0, exc.start) + 1, f"is not UTF-8 at byte {exc.start}"))
        return file
    lines_of: dict[str, int] = {}
    for line, entry in _json_lines(text) if text.lstrip().startswith("{") else _csv_lines(text):
        problem = _add(file, entry, line, lines_of)
        if problem:
            file.problems.append((line, problem))
    return file


def _add(file: InventoryFile, entry: Source | Aggregate | Fault | str, line: int, lines_of: dict[str, int]) -> str:
    match entry:
        case Source():
            name = entry.address
            is_one = file.sources.setdefault(name, entry.origin) == entry.origin
        case Aggregate():
            name = entry.uri
            is_one = file.aggregates.setdefault(name, entry.elements) == entry.elements
        case _:
            return str(entry)
    first = lines_of.setdefault(name, line)
    return "" if is_one else f"gives {name} something else than line {first} does"


def _csv_lines(text: str) -> Iterator[tuple[int, Source | Fault | str]]:
    reader = csv.reader(text.splitlines(), strict=True, skipinitialspace=True)
    is_first = True
    while True:
        try:
            row = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as exc:
            yield reader.line_num, f"is no CSV: {exc}"
            continue
        if not any(row):
            continue
        if not (is_first and [cell.lower() for cell in row] == _HEADER):
            yield reader.line_num, _from_row(row)
        is_first = False


def _from_row(row: list[str]) -> Source | Fault | str:
    if len(row) != len(_HEADER):
        return f"has {len(row)} {'value' if len(row) == 1 else 'values'}, not the two of address,system"
    return read_source(*row)


def _json_lines(text: str) -> Iterator[tuple[int, Source | Aggregate | Fault | str]]:
    for line, words in enumerate(text.split("\n"), 1):
        if words.strip():
            yield line, _from_json(words)


def _from_json(words: str) -> Source | Aggregate | Fault | str:
    try:
        document = json.loads(words)
    except (ValueError, RecursionError) as exc:
        return f"is no JSON: {getattr(exc, 'msg', exc)}"
    if not isinstance(document, dict):
        return f"is {kind_of(document)}; {_FORM}"
    match document:
        case {"address": str(address), "system": str(system)} if document.keys() == _SOURCE:
            return read_source(address, system)
        case {"aggregate": str(name), "elements": list(elements)} if document.keys() == _AGGREGATE:
            if all(isinstance(one, str) for one in elements):
                return read_aggregate(name, elements)
    return _wrong_members(document)


def _wrong_members(document: dict[str, Any]) -> str:
    if document.keys() == _SOURCE:
        return "address and system have to be texts"
    if document.keys() == _AGGREGATE:
        return "aggregate has to be a text, and elements an array of texts"
    return f"has {', '.join(sorted(document)) or 'no members'}; {_FORM}"
