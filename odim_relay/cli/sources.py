"""
`odim-relay sources`.
"""

from collections.abc import Sequence
from typing import IO

import click

from odim_relay import bootstrap
from odim_relay.cli.exits import FailedCommand
from odim_relay.cli.inventory_output import changes_in_words, changes_to_json, print_removal, tell_last_reading
from odim_relay.cli.output import counted, json_option, print_json, print_json_array, print_table, quiet_logs
from odim_relay.cli.source_aggregates import aggregates
from odim_relay.domain.inventory_entries import read_address, read_source
from odim_relay.formats.inventory_files import read_inventory_file
from odim_relay.ports import InventoryContent
from odim_relay.use_cases.sources import checked

_TOLD_PROBLEMS = 20


@click.group()
def sources() -> None:
    """
    Which system an address belongs to, and which systems belong together.

    With sources, what a controller calls /redfish/v1/Systems/1 is known by the system's own URI, and an event of an
    address that is none of them goes to those who do not filter by origin. Without any, an event is from where it says.
    """
    quiet_logs()


sources.add_command(aggregates)


@sources.command()
@click.argument("address", metavar="ADDRESS")
@click.argument("system", metavar="SYSTEM")
@json_option
def add(address: str, system: str, *, as_json: bool) -> None:
    """
    Say what ADDRESS belongs to; whatever was said of it before is replaced.

    ADDRESS is a name or an IP address; a port does not count. SYSTEM is the URI of a system,
    /redfish/v1/Systems/UUID.ID, or of another resource.
    """
    source = checked(read_source(address, system))
    changes = bootstrap.sources().put(InventoryContent(sources={source.address: source.origin}))
    if as_json:
        print_json({"address": source.address, "system": source.origin, **changes_to_json(changes)})
        return
    did = "Added" if changes.added_count else "Changed" if changes.changed_count else "It was so already"
    click.echo(f"{did}: {source.address} belongs to {source.origin}")


@sources.command("list")
@json_option
def list_(*, as_json: bool) -> None:
    """
    List them, by address, with who keeps them. Of two for one address our own counts, which is listed first.
    """
    found = bootstrap.sources().sources()
    if as_json:
        print_json_array(
            {"address": one.name, "system": one.value, "keeper": str(one.keeper), "counts": not one.is_overridden}
            for one in found
        )
    elif found:
        print_table(
            ("address", "system", "kept by"),
            [(one.name, one.value, f"{one.keeper}{', overridden' if one.is_overridden else ''}") for one in found],
        )
    else:
        click.echo("There are no sources: `odim-relay sources add ADDRESS SYSTEM` makes one")
    tell_last_reading(bootstrap.sources().last_reading())


@sources.command()
@click.argument("addresses", metavar="ADDRESS...", nargs=-1, required=True)
@json_option
def remove(addresses: Sequence[str], *, as_json: bool) -> None:
    """
    Forget what these addresses belong to. What ODIM keeps is removed there, and stays here until then.
    """
    removal = bootstrap.sources().remove_sources([checked(read_address(address)) for address in addresses])
    print_removal(removal, "source", as_json=as_json)


@sources.command("import")
@click.argument("file", metavar="FILE", type=click.File("rb"))
@click.option("--replace", is_flag=True, help="Remove what is not in the file, but for what ODIM keeps.")
@click.option("--dry-run", is_flag=True, help="Only check the file, and count what would be changed.")
@json_option
def import_(file: IO[bytes], *, replace: bool, dry_run: bool, as_json: bool) -> None:
    """
    Take sources and aggregates from a FILE, all of them or, where a line is wrong, none; - is the standard input.

    It is CSV of address,system, with or without that as its first line, or JSON Lines of {"address", "system"} and
    {"aggregate", "elements"}.
    """
    name = getattr(file, "name", "<stdin>")
    try:
        found = read_inventory_file(file.read())
    except OSError as exc:
        raise FailedCommand(f"{name} cannot be read: {exc.strerror}; nothing was changed") from exc
    for line, problem in found.problems[:_TOLD_PROBLEMS]:
        click.echo(f"{name}, line {line}: {problem}", err=True)
    if found.problems:
        hidden = len(found.problems) - _TOLD_PROBLEMS
        more = f", {hidden} of them not shown" if hidden > 0 else ""
        told = counted(len(found.problems), "line is wrong", "lines are wrong")
        raise FailedCommand(f"{told}{more}; nothing was changed: mend them and start it again")
    content = InventoryContent(sources=found.sources, aggregates=found.aggregates)
    if replace and not (content.sources or content.aggregates):
        raise FailedCommand(f"{name} is empty: with --replace that would remove everything; nothing was changed")
    changes = bootstrap.sources().put(content, replaces=replace, dry_run=dry_run)
    if as_json:
        print_json({"dry_run": dry_run, **changes_to_json(changes)})
    else:
        click.echo(f"{'Would be: ' if dry_run else ''}{changes_in_words(changes)}")
