from itertools import count

from odim_relay.use_cases.identity import ServiceIdentity


class Store:
    def __init__(self, certificate: str | None = None) -> None:
        self.uuid = ""
        self.stands = certificate

    def service_uuid(self, fresh: str) -> str:
        self.uuid = self.uuid or fresh
        return self.uuid

    def certificate(self) -> str | None:
        return self.stands

    def keep_certificate(self, fresh: str, *, instead_of: str | None) -> str:
        if self.stands == instead_of:
            self.stands = fresh
        assert self.stands
        return self.stands


def identity(store: Store) -> ServiceIdentity:
    numbers = count(1)
    return ServiceIdentity(
        store=store,
        new_id=lambda: f"id-{next(numbers)}",
        make_certificate=lambda: "made",
        is_usable=lambda pem: pem != "old",
    )


def test_all_processes_have_the_uuid_of_the_first() -> None:
    store = Store()
    store.uuid = "first"

    assert identity(store).uuid() == "first"
    assert identity(Store()).uuid() == "id-1"


def test_a_certificate_is_made_once() -> None:
    store = Store()

    assert identity(store).certificate() == "made"
    assert store.stands == "made"
    assert identity(Store("there")).certificate() == "there"


def test_a_certificate_that_runs_out_is_made_anew() -> None:
    assert identity(Store("old")).certificate() == "made"


def test_of_two_that_make_one_at_the_same_time_the_first_counts() -> None:
    class Racing(Store):
        def keep_certificate(self, fresh: str, *, instead_of: str | None) -> str:
            self.stands = "the other's"
            return super().keep_certificate(fresh, instead_of=instead_of)

    assert identity(Racing()).certificate() == "the other's"
