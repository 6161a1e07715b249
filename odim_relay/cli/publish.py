"""
`odim-relay publish`.
"""

from typing import IO

import click

from odim_relay import bootstrap
from odim_relay.cli.exits import FailedCommand
from odim_relay.cli.output import counted, quiet_logs
from odim_relay.cli.progress import progress
from odim_relay.formats.documents import Document, NotADocumentError, documents
from odim_relay.formats.wrapping import WRAPPINGS

_DEFAULT_SOURCE = "127.0.0.1"
_TOLD_FAILURES = 5


@click.command()
@click.option("--topic", metavar="T", help="Default: the first of KAFKA__TOPICS.")
@click.option("--format", "format_", type=click.Choice(sorted(WRAPPINGS)), help="Default: the topic's own.")
@click.option(
    "--source", metavar="HOST", help=f"Who sends the events, in ODIM's envelope.  [default: {_DEFAULT_SOURCE}]"
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.File("rb"))
def publish(topic: str | None, format_: str | None, source: str | None, files: tuple[IO[bytes], ...]) -> None:
    """
    Write events to Kafka, as ODIM's plugins do.

    A FILE holds JSON objects: one, an array of them, or one after another (JSON Lines); `-` is the standard input.
    They are published byte by byte as they stand there. Nothing is published unless all files can be read.
    """
    quiet_logs()
    chosen = bootstrap.settings().kafka
    topic = topic or chosen.topics[0]
    format_ = format_ or chosen.formats.get(topic, "odim")
    if source is not None and format_ != "odim":
        raise click.UsageError(f"--source has no place in the format {format_}")
    found = [(file.name, document) for file in files for document in _read(file)]
    with progress("publishing", len(found)) as tally:
        published = bootstrap.publish(topic, format_)(
            [document for _, document in found], source or _DEFAULT_SOURCE, progressed=tally.advance
        )
    for index, failure in published.failures[:_TOLD_FAILURES]:
        name, document = found[index]
        click.echo(f"{name}, line {document.line}: {failure}", err=True)
    if published.failures:
        raise FailedCommand(f"{len(published.failures)} of {len(found)} events were not published to {topic}")
    click.echo(f"{counted(published.count, 'event')} published to {topic}")


def _read(file: IO[bytes]) -> list[Document]:
    try:
        return documents(file.read())
    except NotADocumentError as exc:
        raise FailedCommand(f"{file.name}, {exc}; nothing was published") from exc
    except OSError as exc:
        raise FailedCommand(f"{file.name} cannot be read: {exc.strerror}; nothing was published") from exc
