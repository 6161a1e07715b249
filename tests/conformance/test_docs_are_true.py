"""
What the documents say in code is so: blocks can be read, and settings, commands, metrics and targets exist.
"""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

from odim_relay.api.metric_definitions import METRICS
from odim_relay.cli.main import main
from odim_relay.cli.settings_listing import groups, list_settings
from odim_relay.settings import ENV_PREFIX, Settings
from tests.support.documents import ROOT, Block, blocks, code_spans, documents, typed

_SETTING = re.compile(rf"\b({ENV_PREFIX})?([A-Z]+(?:_[A-Z]+)*__[A-Z0-9_]+)(\*?)")
_METRIC = re.compile(r"(?<![\w./-])odim_relay_[a-z0-9_]+")
_TARGET = re.compile(r"\bmake ((?:[a-z][a-z-]*)(?: [a-z][a-z-]*)*)")


def every(language: str) -> list[Block]:
    return [block for document in documents() for block in blocks(document, language)]


def texts() -> Iterator[tuple[str, str]]:
    """
    Everything that stands in code, in the text or in blocks, with its place.
    """
    for document in documents():
        place = document.relative_to(ROOT)
        yield from ((f"{place}:{line}", text) for line, text in code_spans(document))
        yield from ((str(block), block.text) for block in blocks(document))


def test_json_can_be_read() -> None:
    for block in every("json"):
        try:
            json.loads(block.text)
        except ValueError as exc:
            pytest.fail(f"{block}: {exc}")


def test_yaml_can_be_read() -> None:
    for block in [*every("yaml"), *every("yml")]:
        assert list(yaml.safe_load_all(block.text)), block


def test_python_can_be_compiled() -> None:
    assert every("python")
    for block in every("python"):
        compile(block.text, str(block), "exec")


def test_every_setting_that_is_named_exists() -> None:
    known = {one.variable.removeprefix(ENV_PREFIX) for one in list_settings(Settings.model_construct())}
    our_groups = tuple(f"{group.upper()}__" for group, _ in groups())
    named = [(place, *found) for place, text in texts() for found in _SETTING.findall(text)]
    assert len({name for _, _, name, _ in named}) > 50
    for place, prefix, name, star in named:
        # Without our prefix it may be another program's.
        if prefix or name.startswith(our_groups):
            is_start = star or name.endswith("_")
            is_known = any(one.startswith(name) for one in known) if is_start else name in known
            assert is_known, f"{place}: there is no setting {name}"


def test_every_metric_that_is_named_exists() -> None:
    known = {name for definition in METRICS.values() for name in (definition.name, *definition.series)}
    named = [(place, name) for place, text in texts() for name in _METRIC.findall(text)]
    assert len({name for _, name in named}) > 20
    for place, name in named:
        # The package has the same name in other spellings.
        assert name in known or name.endswith("_") or (ROOT / name).exists(), f"{place}: there is no metric {name}"


def test_every_target_of_make_that_is_named_exists() -> None:
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = [(place, words.split()[0]) for place, text in texts() for words in _TARGET.findall(text)]
    assert {"run", "test", "demo", "docs"} <= {name for _, name in named}
    for place, name in named:
        assert name in known, f"{place}: there is no make {name}"


def commands() -> Iterator[tuple[str, list[str]]]:
    """
    Every call of `odim-relay` in a block that shows commands, as the words behind that.
    """
    for document in documents():
        for block in blocks(document):
            match block.language:
                case "console":
                    lines = [one.command for one in typed(block)]
                case "bash" | "sh":
                    lines = re.sub(r"\\\n\s*", " ", block.text).splitlines()
                case _:
                    continue
            for line in lines:
                for words in calls(line):
                    yield f"{block}: {line}", words


def calls(line: str) -> Iterator[list[str]]:
    line = re.sub(r"(^|\s)#.*", "", line.replace("\\\n", " "))
    for start in re.finditer(r"(?:^|[\s(;|&])odim-relay(?= )", line):
        yield shlex.split(re.split(r"[|;<>)]|&&", line[start.end() :])[0])


def test_every_command_that_is_shown_exists_with_its_options() -> None:
    shown = list(commands())
    assert len(shown) > 20
    for place, words in shown:
        command: click.Command = main
        while isinstance(command, click.Group):
            assert words, f"{place}: which command?"
            name = words.pop(0)
            found = command.get_command(click.Context(command), name)
            assert found is not None, f"{place}: there is no command {name}"
            command = found
        context = click.Context(command)
        try:
            given, _, _ = command.make_parser(context).parse_args(list(words))
        except click.UsageError as exc:
            pytest.fail(f"{place}: {exc.format_message()}")
        for param in command.params:
            if isinstance(param.type, click.Choice) and param.name in given:
                value = given[param.name]
                for one in value if isinstance(value, list) else [value]:
                    param.type.convert(one, param, context)


def test_every_kind_of_block_has_a_language() -> None:
    for document in documents():
        for block in blocks(document):
            assert block.language or Path(document).name in PLAIN, f"{block} does not say what it holds"


PLAIN = {"README.md", "CONTRIBUTING.md", "architecture.md", "concepts.md"}
"""
With drawings of lines and arrows.
"""
