"""
The documents as their readers see them: code blocks, commands, links, anchors.

    for block in blocks(ROOT / "docs" / "odim.md", "bash"):
        ...
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(r"^( *)(```+)(.*)$")
_HEADING = re.compile(r"^#{1,6} +(.*?) *#*$")
_CODE = re.compile(r"(`+).*?\1", re.DOTALL)
_LINK = re.compile(r"\[(?:[^\]`]|`[^`]*`)*\]\(([^)\s]+)\)|(`+).*?\2", re.DOTALL)
_TITLE = re.compile(r'title="([^"]*)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """
    A fenced block.

    Attributes:
        language: the first word behind the fence; may be empty.
        title: of `title="..."` behind it; empty without.
        line: where in its document it begins, from 1.
    """

    document: Path
    line: int
    language: str
    title: str
    text: str

    def __str__(self) -> str:
        return f"{self.document.relative_to(ROOT)}:{self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """
    A command of a console block, and what the document shows of its output, line by line.
    """

    command: str
    shown: tuple[str, ...]
    block: Block

    def __str__(self) -> str:
        return f"{self.block}: {self.command}"


def documents() -> list[Path]:
    """
    Every document that people read.
    """
    places = ("*.md", "docs/**/*.md", "helm/**/*.md", "examples/**/*.md", "benchmarks/**/*.md", "docker/**/*.md")
    return sorted(path for place in places for path in ROOT.glob(place))


def blocks(document: Path, language: str = "") -> list[Block]:
    """
    The fenced blocks, in order; with a language only those of it.
    """
    return [block for block in _pieces(document) if isinstance(block, Block) and language in ("", block.language)]


def prose(document: Path) -> str:
    """
    The text without its fenced blocks, whose lines are empty: so lines keep their numbers.
    """
    return "".join(
        piece if isinstance(piece, str) else "\n" * (piece.text.count("\n") + 2) for piece in _pieces(document)
    )


def typed(block: Block) -> list[Typed]:
    """
    The commands of a console block, each behind `$ `. A line that ends in a backslash, or within quotes, goes on in
    the next. What stands before the first is shown of something that runs already: its command is empty.
    """
    found: list[tuple[list[str], list[str]]] = []
    for line in block.text.splitlines():
        if found and not found[-1][1] and _goes_on("\n".join(found[-1][0])):
            found[-1][0].append(line)
        elif line.startswith("$ "):
            found.append(([line.removeprefix("$ ")], []))
        else:
            if not found:
                found.append(([], []))
            found[-1][1].append(line)
    return [Typed(command="\n".join(command), shown=tuple(shown), block=block) for command, shown in found]


def _goes_on(command: str) -> bool:
    try:
        shlex.split(command)
    except ValueError:  # no closing quotation, or nothing behind a backslash
        return True
    return False


def links(document: Path) -> list[tuple[int, str]]:
    """
    Where each link leads, with the line that it stands in.
    """
    text = prose(document)
    return [(text.count("\n", 0, found.start()) + 1, found[1]) for found in _LINK.finditer(text) if found[1]]


def code_spans(document: Path) -> list[tuple[int, str]]:
    """
    What stands between backticks in the text, with its line.
    """
    text = prose(document)
    return [(text.count("\n", 0, found.start()) + 1, found[0].strip("`")) for found in _CODE.finditer(text)]


def anchors(document: Path) -> set[str]:
    """
    What a link may name behind `#`: each heading as repository hosts spell it.
    """
    found: set[str] = set()
    for line in prose(document).splitlines():
        heading = _HEADING.match(line)
        if heading:
            words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[1])
            slug = re.sub(r"[^\w\- ]", "", words.lower()).strip().replace(" ", "-")
            number = 0
            while (f"{slug}-{number}" if number else slug) in found:
                number += 1
            found.add(f"{slug}-{number}" if number else slug)
    return found


def _pieces(document: Path) -> Iterator[str | Block]:
    lines: list[str] = []
    opened: re.Match[str] | None = None
    at = 0
    for number, line in enumerate(document.read_text(encoding="utf-8").splitlines(keepends=True), start=1):
        fence = _FENCE.match(line.rstrip("\n"))
        if opened is None:
            if fence is None:
                yield line
            else:
                opened, at, lines = fence, number, []
        elif fence is not None and fence[2].startswith(opened[2]) and not fence[3].strip():
            about = opened[3].strip()
            title = _TITLE.search(about)
            indent = len(opened[1])
            yield Block(
                document=document,
                line=at,
                language=about.partition(" ")[0],
                title=title[1] if title else "",
                text="".join(one[indent:] if one.strip() else one for one in lines),
            )
            opened = None
        else:
            lines.append(line)
    if opened is not None:
        raise AssertionError(f"{document}:{at}: the block has no end")
