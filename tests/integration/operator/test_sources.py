"""
Sources and aggregates from the command line.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from odim_relay import bootstrap
from odim_relay.adapters.redis.inventory import RedisInventoryStore
from odim_relay.cli.main import main
from odim_relay.domain.inventory_entries import AGGREGATES
from odim_relay.domain.keeper import Keeper
from odim_relay.ports import InventoryContent
from tests.integration.operator.filled import Filled

pytestmark = pytest.mark.server

X, Y = "/redfish/v1/Systems/x.1", "/redfish/v1/Systems/y.1"
RACK = f"{AGGREGATES}/rack"


@pytest.fixture
def store(filled: Filled) -> RedisInventoryStore:
    return RedisInventoryStore(filled.scripts)


def ok(cli: CliRunner, *arguments: str, **options: Any) -> str:
    done = cli.invoke(main, ["sources", *arguments], **options)
    assert done.exit_code == 0, done.output
    return done.stdout


def refused(cli: CliRunner, *arguments: str, **options: Any) -> Result:
    done = cli.invoke(main, ["sources", *arguments], **options)
    assert done.exit_code == 1, done.output
    return done


def told(cli: CliRunner, *arguments: str, **options: Any) -> Any:
    return json.loads(ok(cli, *arguments, "--json", **options))


def test_a_source_is_added_changed_listed_and_removed(cli: CliRunner, store: RedisInventoryStore) -> None:
    assert "There are no sources" in ok(cli, "list")
    assert ok(cli, "add", "BMC7.example:443", f"{X}/") == f"Added: bmc7.example belongs to {X}\n"
    version = store.version()
    assert ok(cli, "add", "bmc7.example", X).startswith("It was so already: ")
    assert store.version() == version
    assert ok(cli, "add", "bmc7.example", Y).startswith("Changed: ")
    assert told(cli, "add", "[2001:db8::1]:443", X) == {
        "address": "2001:db8::1",
        "system": X,
        "added": 1,
        "changed": 0,
        "unchanged": 0,
        "removed": 0,
    }
    listed = told(cli, "list")
    assert listed == [
        {"address": "2001:db8::1", "system": X, "keeper": "own", "counts": True},
        {"address": "bmc7.example", "system": Y, "keeper": "own", "counts": True},
    ]
    assert Y in ok(cli, "list")
    said = ok(cli, "remove", "bmc7.example:1", "elsewhere")
    assert said == "1 source removed\nThere was no source elsewhere\n"
    assert store.content(Keeper.OWN).sources == {"2001:db8::1": X}


def test_what_odim_keeps_is_listed_may_be_overridden_and_is_not_removed(
    cli: CliRunner, store: RedisInventoryStore
) -> None:
    store.replace(Keeper.ODIM, InventoryContent(sources={"10.0.0.1": X, "10.0.0.2": X}, aggregates={RACK: (X,)}))
    ok(cli, "add", "10.0.0.1", Y)
    assert told(cli, "list") == [
        {"address": "10.0.0.1", "system": Y, "keeper": "own", "counts": True},
        {"address": "10.0.0.1", "system": X, "keeper": "odim", "counts": False},
        {"address": "10.0.0.2", "system": X, "keeper": "odim", "counts": True},
    ]
    assert "odim, overridden" in ok(cli, "list")
    done = refused(cli, "remove", "10.0.0.1", "10.0.0.2")
    assert done.stdout == "1 source removed\n"
    assert "10.0.0.2 stays: ODIM keeps it" in done.stderr
    assert "rack stays: ODIM keeps it" in refused(cli, "aggregates", "remove", "rack").stderr
    assert store.content(Keeper.OWN) == InventoryContent()
    assert store.content(Keeper.ODIM).sources == {"10.0.0.1": X, "10.0.0.2": X}


def test_an_aggregate_is_set_listed_and_removed(cli: CliRunner, store: RedisInventoryStore) -> None:
    assert "There are no aggregates" in ok(cli, "aggregates", "list")
    assert ok(cli, "aggregates", "set", "rack", X, f"{Y}/", X) == f"Added: {RACK} has 2 elements\n"
    assert ok(cli, "aggregates", "set", RACK, X, Y).startswith("It was so already: ")
    assert told(cli, "aggregates", "set", "rack", Y)["changed"] == 1
    assert told(cli, "aggregates", "list") == [{"aggregate": RACK, "elements": [Y], "keeper": "own", "counts": True}]
    assert RACK in ok(cli, "aggregates", "list")
    assert told(cli, "aggregates", "remove", "rack", "other") == {
        "removed": [RACK],
        "kept_by_odim": [],
        "missing": [f"{AGGREGATES}/other"],
    }
    assert store.content(Keeper.OWN) == InventoryContent()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["add", "https://h/", X], "address 'https://h/' is none: "),
        (["add", "h", "x.1"], "system 'x.1' is none: "),
        (["remove", "a b"], "address 'a b' is none: "),
        (["aggregates", "set", "a/b", X], "aggregate 'a/b' is none: "),
        (["aggregates", "set", "rack", X, "y"], "elements 'y' is none: "),
        (["aggregates", "remove", "h", ""], "aggregate '' is none: "),
    ],
)
def test_what_cannot_be_is_told_and_nothing_is_changed(
    cli: CliRunner, store: RedisInventoryStore, arguments: list[str], problem: str
) -> None:
    assert refused(cli, *arguments).stderr.startswith(f"odim-relay: {problem}")
    assert store.version() == 0


def test_a_file_is_imported_whole_and_again_without_a_change(
    cli: CliRunner, store: RedisInventoryStore, tmp_path: Path
) -> None:
    file = tmp_path / "sources.csv"
    file.write_text(f"address,system\n10.0.0.1,{X}\n10.0.0.2,{X}\n")
    ok(cli, "add", "10.0.0.2", Y)
    ok(cli, "add", "10.0.0.3", Y)
    assert ok(cli, "import", str(file), "--dry-run") == "Would be: 1 added, 1 changed, 0 unchanged, 0 removed\n"
    assert store.content(Keeper.OWN).sources == {"10.0.0.2": Y, "10.0.0.3": Y}
    assert ok(cli, "import", str(file)) == "1 added, 1 changed, 0 unchanged, 0 removed\n"
    assert store.content(Keeper.OWN).sources == {"10.0.0.1": X, "10.0.0.2": X, "10.0.0.3": Y}
    version = store.version()
    assert told(cli, "import", str(file))["unchanged"] == 2
    assert store.version() == version
    assert told(cli, "import", str(file), "--replace") == {
        "dry_run": False,
        "added": 0,
        "changed": 0,
        "unchanged": 2,
        "removed": 1,
    }
    assert store.content(Keeper.OWN).sources == {"10.0.0.1": X, "10.0.0.2": X}


def test_json_lines_come_through_the_standard_input_with_aggregates(cli: CliRunner, store: RedisInventoryStore) -> None:
    lines = [{"address": "10.0.0.1", "system": X}, {"aggregate": "rack", "elements": [X]}]
    store.replace(Keeper.ODIM, InventoryContent(sources={"10.0.0.9": Y}))
    said = told(cli, "import", "-", "--replace", input="\n".join(map(json.dumps, lines)))
    assert said["added"] == 2
    assert store.content(Keeper.OWN) == InventoryContent(sources={"10.0.0.1": X}, aggregates={RACK: (X,)})
    assert store.content(Keeper.ODIM).sources == {"10.0.0.9": Y}


def test_a_file_with_wrong_lines_changes_nothing_and_each_is_told(cli: CliRunner, store: RedisInventoryStore) -> None:
    done = refused(cli, "import", "-", input=f"10.0.0.1,{X}\n10.0.0.2\nh,x\n")
    assert done.stderr.splitlines() == [
        "<stdin>, line 2: has 1 value, not the two of address,system",
        "<stdin>, line 3: system 'x' is none: give the URI of a resource, as /redfish/v1/Systems/UUID.1",
        "odim-relay: 2 lines are wrong; nothing was changed: mend them and start it again",
    ]
    many = refused(cli, "import", "-", input="x\n" * 30)
    assert len(many.stderr.splitlines()) == 21
    assert "30 lines are wrong, 10 of them not shown" in many.stderr
    assert store.version() == 0


def test_an_empty_file_does_not_empty_the_inventory(cli: CliRunner, store: RedisInventoryStore) -> None:
    ok(cli, "add", "h", X)
    assert "with --replace that would remove everything" in refused(cli, "import", "-", "--replace", input="\n").stderr
    assert ok(cli, "import", "-", input="") == "0 added, 0 changed, 0 unchanged, 0 removed\n"
    assert store.content(Keeper.OWN).sources == {"h": X}


def test_ten_thousand_lines_are_one_import(cli: CliRunner) -> None:
    text = "".join(f"10.0.{number // 256}.{number % 256},{X}\n" for number in range(10_000))
    assert told(cli, "import", "-", input=text)["added"] == 10_000
    assert bootstrap.inventory_store().counts()[Keeper.OWN] == (10_000, 0)


def test_what_the_last_reading_of_odims_tables_passed_over_is_told_beside_the_list(
    cli: CliRunner, store: RedisInventoryStore
) -> None:
    store.note_reading(json.dumps({"rows": {"subscriptions": 3}, "skipped": {}}))
    assert cli.invoke(main, ["sources", "list"]).stderr == ""
    store.note_reading(json.dumps({"rows": {}, "skipped": {"not_json": 2, "no_origin": 1}}))
    for command in (["sources", "list"], ["sources", "aggregates", "list"]):
        done = cli.invoke(main, command)
        assert "hold what is not used: no origin: 1, not json: 2" in done.stderr
