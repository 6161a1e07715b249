"""
`odim-relay subscriptions rotate-secret`.
"""

import time

import click

from odim_relay import bootstrap
from odim_relay.cli.credentials import GENERATED, generated
from odim_relay.cli.instants import DurationType
from odim_relay.cli.output import json_option, moment, print_json
from odim_relay.cli.subscription_options import KEY_OPTION, SECRET_OPTION
from odim_relay.domain.rotation import (
    LONGEST_OVERLAP_S,
    USUAL_OVERLAP_S,
    finished_rotation,
    rotated_key,
    rotated_secret,
)
from odim_relay.domain.subscription import Subscription
from odim_relay.ports import Action


@click.command("rotate-secret")
@click.argument("subscription_id", metavar="ID")
@SECRET_OPTION
@KEY_OPTION
@click.option(
    "--overlap",
    "overlap_s",
    metavar="DURATION",
    type=DurationType(),
    help="For how long the old one signs too: so long the subscriber may take to learn the new one.  [default: 1d]",
)
@click.option("--finish", is_flag=True, help="End the overlap now: only the newest signs from now on.")
@json_option
def rotate_secret(
    subscription_id: str,
    *,
    signing_secret: str | None,
    signing_key: str | None,
    overlap_s: float | None,
    finish: bool,
    as_json: bool,
) -> None:
    """
    Sign with a new secret, and for a while with the old one too, so that the subscriber can verify each request while
    it changes its own. Without --secret or --signing-key a new secret is made. Prints what the subscriber needs: the
    new secret, or the public half of the new key.
    """
    is_given = signing_secret is not None or signing_key is not None
    if finish and (is_given or overlap_s is not None):
        raise click.UsageError("--finish ends a rotation: it takes no new secret, and no --overlap")
    overlap_s = USUAL_OVERLAP_S if overlap_s is None else overlap_s
    if overlap_s > LONGEST_OVERLAP_S:
        raise click.UsageError(f"--overlap is longer than {LONGEST_OVERLAP_S // 86_400} days")
    given = {"signing_secret": signing_secret, "signing_key": signing_key}
    if not is_given and not finish:
        given["signing_secret"] = GENERATED[0]
    told = generated(given)
    now_s = time.time()

    def change(subscription: Subscription) -> Subscription:
        if finish:
            return finished_rotation(subscription)
        if (secret := given["signing_secret"]) is not None:
            subscription = rotated_secret(subscription, secret, now_s=now_s, overlap_s=overlap_s)
        if (key := given["signing_key"]) is not None:
            subscription = rotated_key(subscription, key, now_s=now_s, overlap_s=overlap_s)
        return subscription

    changed = bootstrap.subscribe().update(subscription_id, change, action=Action.SECRET_ROTATED)
    _print(changed, told, as_json=as_json)


def _print(changed: Subscription, told: list[str], *, as_json: bool) -> None:
    until_s = max((one.until_s for one in changed.retired_secrets), default=0)
    if as_json:
        document = {"id": changed.subscription_id, "old_signs_until": moment(until_s * 1000), "generated": told}
        print_json(document)
        return
    for line in told:
        click.echo(line)
    if until_s:
        click.echo(f"The old one signs too until {moment(until_s * 1000)} UTC, or until --finish", err=True)
