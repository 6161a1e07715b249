"""
`odim-relay sources aggregates`.
"""

from collections.abc import Sequence

import click

from odim_relay import bootstrap
from odim_relay.cli.inventory_output import changes_to_json, print_removal, tell_last_reading
from odim_relay.cli.output import counted, json_option, print_json, print_json_array, print_table
from odim_relay.domain.inventory_entries import read_aggregate, read_aggregate_uri
from odim_relay.ports import InventoryContent
from odim_relay.use_cases.sources import checked


@click.group()
def aggregates() -> None:
    """
    Systems and other resources that belong together: who subscribes to an aggregate gets what its elements tell.
    """


@aggregates.command("set")
@click.argument("aggregate", metavar="AGGREGATE")
@click.argument("elements", metavar="ELEMENT...", nargs=-1, required=True)
@json_option
def set_(aggregate: str, elements: Sequence[str], *, as_json: bool) -> None:
    """
    Say what AGGREGATE, an id or a URI, has for elements, each a URI; they replace those it had.
    """
    made = checked(read_aggregate(aggregate, elements))
    changes = bootstrap.sources().put(InventoryContent(aggregates={made.uri: made.elements}))
    if as_json:
        print_json({"aggregate": made.uri, "elements": list(made.elements), **changes_to_json(changes)})
        return
    did = "Added" if changes.added_count else "Changed" if changes.changed_count else "It was so already"
    click.echo(f"{did}: {made.uri} has {counted(len(made.elements), 'element')}")


@aggregates.command("list")
@json_option
def list_(*, as_json: bool) -> None:
    """
    List them, by URI, with who keeps them. Of two of one URI our own counts, which is listed first.
    """
    found = bootstrap.sources().aggregates()
    if as_json:
        print_json_array(
            {
                "aggregate": one.name,
                "elements": list(one.value),
                "keeper": str(one.keeper),
                "counts": not one.is_overridden,
            }
            for one in found
        )
    elif found:
        print_table(
            ("aggregate", "elements", "kept by"),
            [
                (one.name, "\n".join(one.value), f"{one.keeper}{', overridden' if one.is_overridden else ''}")
                for one in found
            ],
        )
    else:
        click.echo("There are no aggregates: `odim-relay sources aggregates set AGGREGATE ELEMENT...` makes one")
    tell_last_reading(bootstrap.sources().last_reading())


@aggregates.command()
@click.argument("names", metavar="AGGREGATE...", nargs=-1, required=True)
@json_option
def remove(names: Sequence[str], *, as_json: bool) -> None:
    """
    Forget these aggregates, by id or URI. What ODIM keeps is removed there, and stays here until then.
    """
    removal = bootstrap.sources().remove_aggregates([checked(read_aggregate_uri(name)) for name in names])
    print_removal(removal, "aggregate", as_json=as_json)
