# ruff: noqa: INP001 - a program, not a package
"""
What `mkdocs.yml` cannot say: the decisions are listed by their folder, and what the documents lead to outside of
docs/ becomes a page of the site, so that a link works at a repository's host and here.

MkDocs calls the functions named `on_...`.
"""

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
_DOCS = "docs"
_OUTSIDE = "repository"
_ALL_OF = "/"
"""
Ends an entry of the navigation that stands for each page of a folder.
"""
_LANGUAGES = {
    ".py": "python",
    ".lua": "lua",
    ".sh": "sh",
    ".go": "go",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".json": "json",
}
_FENCE = re.compile(r"^ *(```+|~~~+)")
# Code is matched too, and first where it begins first: brackets in it are no link.
_LINK_OR_CODE = re.compile(r"(!?\[(?:[^\]`]|`[^`]*`)*\]\()([^)\s]+)(\))|`+[^`]*`+")
_IS_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|#|/")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """
    Put the pages of a folder in the place of an entry that ends in a slash.
    """
    config.nav = _with_folders(config.nav)
    return config


def _with_folders(entry: Any) -> Any:
    match entry:
        case list():
            return [_with_folders(one) for one in entry]
        case dict():
            return {title: _with_folders(below) for title, below in entry.items()}
        case str() if entry.endswith(_ALL_OF):
            # README first.
            pages = sorted((ROOT / _DOCS / entry).glob("*.md"), key=lambda page: (page.name != "README.md", page.name))
            return [f"{entry}{page.name}" for page in pages]
        case _:
            return entry


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """
    Add a page for each file outside of docs/ that a page leads to, or that the navigation names.
    """
    known = {file.src_uri for file in files}
    waiting = [_repository_path(one) for one in _named(config.nav) if one.startswith(f"{_OUTSIDE}/")]
    for file in files.documentation_pages():
        waiting += _outside_targets(file.content_string, f"{_DOCS}/{file.src_uri}")
    while waiting:
        path = waiting.pop()
        uri = _page_of(path)
        if uri in known:
            continue
        known.add(uri)
        text = _text_of(path)
        if uri == f"{_OUTSIDE}/{path}":
            waiting += _outside_targets(text, path)
        files.append(File.generated(config, uri, content=text))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 - MkDocs' names
    """
    Lead links that leave docs/, or come from outside of it, to the pages that there are here.
    """
    here = page.file.src_uri

    def lead(target: str) -> str:
        path, mark, anchor = target.partition("#")
        found = posixpath.relpath(_page_of(_resolved(path, _repository_path(here))), posixpath.dirname(here))
        return f"{found}{mark}{anchor}"

    def replaced(found: "re.Match[str]") -> str:
        before, target, after = found.groups()
        if target is None or _IS_ELSEWHERE.match(target):
            return found.group()
        return f"{before}{lead(target)}{after}"

    return "".join(piece if is_code else _LINK_OR_CODE.sub(replaced, piece) for piece, is_code in _pieces(markdown))


def _named(entry: Any) -> Iterator[str]:
    match entry:
        case str():
            yield entry
        case list():
            for one in entry:
                yield from _named(one)
        case dict():
            for one in entry.values():
                yield from _named(one)


def _repository_path(uri: str) -> str:
    """
    Where in the repository the source of a page stands.
    """
    is_outside = uri.startswith(f"{_OUTSIDE}/")
    return uri.removeprefix(f"{_OUTSIDE}/") if is_outside else f"{_DOCS}/{uri}"


def _page_of(path: str) -> str:
    """
    The page of a file or a folder of the repository.
    """
    if path.startswith(f"{_DOCS}/"):
        return path.removeprefix(f"{_DOCS}/")
    return f"{_OUTSIDE}/{path}" if path.endswith(".md") else f"{_OUTSIDE}/{path}.md"


def _outside_targets(text: str, path: str) -> list[str]:
    """
    What of the repository a document leads to that is not below docs/.
    """
    targets = [
        _resolved(found[2].partition("#")[0], path)
        for piece, is_code in _pieces(text)
        if not is_code
        for found in _LINK_OR_CODE.finditer(piece)
        if found[2] is not None and not _IS_ELSEWHERE.match(found[2])
    ]
    return [target for target in targets if not target.startswith(f"{_DOCS}/")]


def _resolved(target: str, path: str) -> str:
    """
    What of the repository a link in the file at `path` leads to; for a folder with a README, that.
    """
    found = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    readme = f"{found}/README.md"
    return readme if (ROOT / readme).is_file() else found


def _text_of(path: str) -> str:
    """
    The text of a page: a document as it is, other files as code, folders as a list of what is tracked in them.

    Raises:
        PluginError: there is no such file.
    """
    file = ROOT / path
    if file.is_dir():
        return _listing(path)
    if not file.is_file():
        raise PluginError(f"a document leads to {path}, and there is no such file")
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".md":
        return text
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", text)), 0)
    return f"{_NOT_SEARCHED}# {path}\n\n{fence}{_LANGUAGES.get(file.suffix, 'text')}\n{text}\n{fence}\n"


def _listing(path: str) -> str:
    below = sorted(
        file.relative_to(ROOT / path)
        for file in (ROOT / path).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    )
    return f"{_NOT_SEARCHED}# {path}\n\n{''.join(f'* `{name}`{chr(10)}' for name in below)}"


_NOT_SEARCHED = "---\nsearch:\n  exclude: true\n---\n\n"


def _pieces(markdown: str) -> Iterator[tuple[str, bool]]:
    """
    The text in pieces, each with whether it is a line of a code block.
    """
    text: list[str] = []
    fence = ""
    for line in markdown.splitlines(keepends=True):
        found = _FENCE.match(line)
        if fence:
            yield line, True
            if found and found[1].startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
        elif found:
            yield "".join(text), False
            text, fence = [], found[1]
            yield line, True
        else:
            text.append(line)
    yield "".join(text), False
