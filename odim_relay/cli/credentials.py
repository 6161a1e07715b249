"""
Secrets that a person gives, or has made: never on the command line, where every user of the machine could read them.
"""

import sys
from typing import Any

import click

from odim_relay import bootstrap
from odim_relay.domain.authentication import Authentication, Basic, Bearer, ClientCredentials

GENERATED = ("generate", "generated")
"""
In place of a secret: one is to be made.
"""


def secret_from_stdin(question: str) -> str:
    """
    Ask a person for a secret, without showing it; else read one line of stdin.
    """
    if sys.stdin.isatty():
        answer: str = click.prompt(question, hide_input=True, err=True)
        return answer
    return sys.stdin.readline().rstrip("\r\n")


def generated(given: dict[str, Any]) -> list[str]:
    """
    Put new ones in place of the word for it, and give what is to be printed: the secret, which its subscriber needs
    too, and of the key the public half. Of a key that is given that is told too.
    """
    told = []
    if given.get("signing_secret") in GENERATED:
        given["signing_secret"] = bootstrap.new_signing_secret()
        told.append(given["signing_secret"])
    if given.get("signing_key") in GENERATED:
        given["signing_key"] = bootstrap.new_signing_key()
        told.append(bootstrap.signer().public_key(given["signing_key"]))
    return told


def authentication_of(given: dict[str, Any]) -> Authentication | None:
    """
    Take the options that say how to authenticate out of `given`, and ask for the secret that belongs to them.

    Raises:
        click.UsageError: they do not go together.
    """
    user, bearer = given.pop("basic_user"), given.pop("bearer")
    url, client_id, scope = given.pop("oauth2_token_url"), given.pop("oauth2_client_id"), given.pop("oauth2_scope")
    if sum((user is not None, bool(bearer), url is not None)) > 1:
        raise click.UsageError("give one of --basic-auth, --bearer-auth, --oauth2-token-url: they exclude each other")
    if url is None and (client_id is not None or scope is not None):
        raise click.UsageError("--oauth2-client-id and --oauth2-scope need --oauth2-token-url")
    if user is not None:
        return Basic(username=user, password=_required("Password", "--basic-auth"))
    if bearer:
        return Bearer(token=_required("Token", "--bearer-auth"))
    if url is None:
        return None
    if client_id is None:
        raise click.UsageError("--oauth2-token-url needs --oauth2-client-id")
    secret = _required("Client secret", "--oauth2-token-url")
    return ClientCredentials(token_url=url, client_id=client_id, client_secret=secret, scope=scope or "")


def _required(question: str, option: str) -> str:
    secret = secret_from_stdin(question)
    if not secret:
        raise click.UsageError(f"{option} reads a secret from stdin, and got none")
    return secret
