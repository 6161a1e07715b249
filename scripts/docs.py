# ruff: noqa: INP001 - a program, not a package
"""
Writes docs/cli.md, docs/settings.md, docs/metrics.md, docs/logs.md and docs/api-reference.md anew, from the commands,
the settings, the metrics, the code and what the API says of itself, and the schema of the chart's values.

    .venv/bin/python scripts/docs.py
"""

import textwrap
from collections.abc import Iterator
from pathlib import Path

import chart_schema
import click
from api_reference import api_markdown
from log_lines import logs_markdown

from odim_relay.api.metric_definitions import SECTIONS, Kind, MetricDefinition
from odim_relay.cli.main import main
from odim_relay.cli.settings_listing import groups, list_settings
from odim_relay.settings import ENV_PREFIX, Settings

DOCS = Path(__file__).parents[1] / "docs"
_MADE = "<!-- Made by scripts/docs.py: change the code, then run it. -->"


def cli_markdown() -> str:
    """
    Every command with its arguments and options.
    """
    lines = ["# The command line", "", _MADE, "", *_paragraphs(main), ""]
    for command, name in _commands(main, "odim-relay"):
        lines += [f"## `{name}{_arguments(command)}`", "", *_paragraphs(command), ""]
        options = [param for param in command.params if isinstance(param, click.Option) and not param.hidden]
        if options:
            lines += ["| option | does |", "|---|---|"]
            lines += [f"| `{_spelling(option)}` | {_meaning(option)} |" for option in options]
            lines.append("")
    return "\n".join(lines)


def settings_markdown() -> str:
    """
    Every setting with its default.
    """
    lines = [
        "# Settings",
        "",
        _MADE,
        "",
        f"Environment variables with the prefix `{ENV_PREFIX}`, groups by `__`; also from a `.env` file in the",
        "working directory, which the environment overrides. Durations end in `_S`: seconds. Lists and objects are",
        f"JSON. An unknown `{ENV_PREFIX}*` variable is an error. `odim-relay settings` shows the values in effect and",
        "where they come from.",
        "",
    ]
    known = list_settings(Settings.model_construct())
    for group, about in groups():
        prefix = f"{ENV_PREFIX}{group.upper()}__"
        lines += [f"## {group}", "", about, "", "| variable | default | meaning |", "|---|---|---|"]
        lines += [
            f"| `{one.variable}` | {_code(one.default)} | {one.description} |"
            for one in known
            if one.variable.startswith(prefix)
        ]
        lines.append("")
    return "\n".join(lines)


def metrics_markdown() -> str:
    """
    Every metric with its labels.
    """
    lines = [
        "# Metrics",
        "",
        _MADE,
        "",
        "`GET /metrics` of any api process, without authentication, for Prometheus. All of it but `process_*` and",
        "`odim_relay_build_info` is of the whole relay: every process counts in Redis, and each api process tells the",
        "same, so scrape one, or take the `max` of several. What workers measure of attempts is told about a second",
        "later. While Redis is away the answer is 503.",
        "",
        "Counters are sums since the ledger's birth. A histogram `x` has the series `x_bucket`, `x_count` and `x_sum`.",
        "Label values are told where there is a fixed set of them; those are there from the start, at 0.",
        "",
    ]
    for section, definitions in SECTIONS.items():
        lines += [f"## {section}", "", "| metric | type | labels | meaning |", "|---|---|---|---|"]
        lines += [f"| `{one.name}` | {one.kind} | {_labels(one)} | {one.meaning} |" for one in definitions]
        lines.append("")
    return "\n".join(lines)


def _labels(definition: MetricDefinition) -> str:
    names = [f"`{name}`" for name in (*definition.labels, *(["le"] if definition.kind is Kind.HISTOGRAM else []))]
    told = ", ".join(" ".join(f"`{value}`" for value in values) for values in definition.values if values)
    return ", ".join(names) + (f": {told}" if told else "")


def api_reference_markdown() -> str:
    """
    Every path, method and body of the API.
    """
    return api_markdown(_MADE)


def logs_document() -> str:
    """
    Every line that is logged.
    """
    return logs_markdown(_MADE)


def _commands(group: click.Group, path: str) -> Iterator[tuple[click.Command, str]]:
    ctx = click.Context(group)
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        if isinstance(command, click.Group):
            yield from _commands(command, f"{path} {name}")
        elif command is not None:
            yield command, f"{path} {name}"


def _paragraphs(command: click.Command) -> list[str]:
    return textwrap.dedent(command.help or "").strip().splitlines()


def _arguments(command: click.Command) -> str:
    names = [param.metavar or param.name for param in command.params if isinstance(param, click.Argument)]
    return "".join(f" {name}" for name in names)


def _spelling(option: click.Option) -> str:
    names = "/".join([*option.opts, *option.secondary_opts])
    if option.is_flag:
        return names
    if isinstance(option.type, click.Choice):
        values = "\\|".join(str(value) for value in option.type.choices)
    else:
        values = option.metavar or option.type.name.upper()
    return f"{names} {values}{'...' if option.multiple else ''}"


def _meaning(option: click.Option) -> str:
    words = " ".join((option.help or "").split())
    notes = ["required"] if option.required else []
    if option.show_default:
        notes.append(f"default {option.default}")
    return f"{words} ({'; '.join(notes)})" if notes else words


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def write() -> None:
    """
    Write the files.
    """
    (DOCS / "cli.md").write_text(cli_markdown(), encoding="utf-8")
    (DOCS / "settings.md").write_text(settings_markdown(), encoding="utf-8")
    (DOCS / "metrics.md").write_text(metrics_markdown(), encoding="utf-8")
    (DOCS / "logs.md").write_text(logs_document(), encoding="utf-8")
    (DOCS / "api-reference.md").write_text(api_reference_markdown(), encoding="utf-8")
    chart_schema.write()


if __name__ == "__main__":
    write()
