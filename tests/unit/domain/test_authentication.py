import pytest

from odim_relay.domain.authentication import (
    LONGEST_CREDENTIAL,
    Authentication,
    AuthenticationKind,
    Basic,
    Bearer,
    ClientCredentials,
    authorization,
    kind_of,
    problems_of,
)

OAUTH = {"token_url": "https://idp.example/token", "client_id": "me", "client_secret": "a secret"}


@pytest.mark.parametrize(
    ("authentication", "kind", "value"),
    [
        (Basic(username="Aladdin", password="open sesame"), "Basic", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        (Basic(username="test", password="123£"), "Basic", "Basic dGVzdDoxMjPCow=="),
        (Bearer(token="mF_9.B5f-4.1JqM"), "Bearer", "Bearer mF_9.B5f-4.1JqM"),
        (ClientCredentials(**OAUTH), "OAuth2ClientCredentials", None),
    ],
)
def test_each_kind_says_who_we_are_as_its_rfc_wants(
    authentication: Authentication, kind: str, value: str | None
) -> None:
    assert kind_of(authentication) is AuthenticationKind(kind)
    assert authorization(authentication) == value
    assert list(problems_of(authentication)) == []


@pytest.mark.parametrize(
    ("authentication", "problems"),
    [
        (Basic(username="", password=""), [("Username", "is empty"), ("Password", "is empty")]),
        (Basic(username="a:b", password="x"), [("Username", "has a colon, which ends a user name")]),
        (Basic(username="a", password="x\r\nY: z"), [("Password", "has a control character")]),
        (Bearer(token=""), [("Token", "is empty")]),
        (Bearer(token="hunter 2"), [("Token", "holds characters that no bearer token has (RFC 6750)")]),
        (
            Bearer(token="a" * (LONGEST_CREDENTIAL + 1)),
            [("Token", f"is longer than {LONGEST_CREDENTIAL} characters")],
        ),
        (
            ClientCredentials(**OAUTH | {"token_url": "http://idp.example/token"}),
            [("TokenUri", "does not begin with https://")],
        ),
        (ClientCredentials(**OAUTH | {"token_url": "https://"}), [("TokenUri", "has no host")]),
        (
            ClientCredentials(**OAUTH | {"token_url": "https://u:hunter2@idp.example/"}),
            [("TokenUri", "has user-info before its host; give credentials as HttpHeaders")],
        ),
        (
            ClientCredentials(**OAUTH | {"client_id": "ü", "client_secret": "hunter\n2"}),
            [
                ("ClientId", "has a character that is not printable ASCII"),
                ("ClientSecret", "has a character that is not printable ASCII"),
            ],
        ),
        (
            ClientCredentials(**OAUTH, scope="one  two"),
            [("Scope", "is not scopes with one space between them (RFC 6749)")],
        ),
    ],
)
def test_what_cannot_be_is_told_without_the_secret(
    authentication: Authentication, problems: list[tuple[str, str]]
) -> None:
    assert list(problems_of(authentication)) == problems
    assert "hunter" not in str(problems)


def test_no_secret_is_in_what_it_looks_like_as_text() -> None:
    everything = [
        Basic(username="a", password="hunter2"),
        Bearer(token="hunter2"),
        ClientCredentials(**OAUTH | {"client_secret": "hunter2"}),
    ]
    assert "hunter2" not in repr(everything)
