"""
What the doctor looks at beside the stores: files, the proxy, the certificate, and settings that belong together.
"""

import socket
import time
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from odim_relay.adapters.http.tls_files import TlsFile, TlsFileError, TlsFiles, load_tls
from odim_relay.adapters.security import certificate
from odim_relay.bootstrap.process import settings
from odim_relay.bootstrap.stores import identity_store, scripts
from odim_relay.domain.proxy import read_proxy
from odim_relay.domain.subscription import Subscription
from odim_relay.domain.tls import USUAL, TlsTerms, tls_terms_of
from odim_relay.ports import FileProblem
from odim_relay.use_cases.doctor_redis import Needs
from odim_relay.use_cases.doctor_settings import ChosenTimes

_CONNECT_S = 5.0


def chosen_times() -> ChosenTimes:
    """
    The settings that have to do with each other.
    """
    chosen = settings()
    delivery, breaker, letters, ledger = chosen.delivery, chosen.breaker, chosen.dead_letters, chosen.ledger
    return ChosenTimes(
        timeout_s=delivery.timeout_s,
        lease_margin_s=ledger.lease_margin_s,
        reap_interval_s=ledger.reap_interval_s,
        retry_attempts=delivery.retry_attempts,
        retry_interval_s=delivery.retry_interval_s,
        retry_factor=delivery.retry_factor,
        retry_max_interval_s=delivery.retry_max_interval_s,
        max_countdown_s=delivery.max_countdown_s,
        probe_interval_s=breaker.probe_interval_s,
        probe_max_interval_s=breaker.probe_max_interval_s,
        replay_interval_s=letters.replay_interval_s,
        retention_s=letters.retention_s,
        is_rabbitmq=chosen.broker_url.startswith("amqp"),
    )


def redis_needs(worker_count: int | None) -> Needs:
    """
    What the relay may want of the ledger's server.

    Raises:
        ConfigurationError, TransientError: that server cannot be used.
    """
    chosen = settings()
    concurrency = chosen.delivery.concurrency
    is_broker_too = urlsplit(chosen.broker_url).netloc == urlsplit(chosen.redis.url).netloc
    return Needs(
        ledger_bytes=scripts().rules.max_bytes,
        beside_bytes=chosen.quarantine.max_bytes + chosen.api.journal_max_bytes,
        # As the pools of `stores.scripts` and celeryconfig are: one of the ledger, one of the broker.
        connections=max(concurrency, 2 * chosen.api.threads) + 16 + (concurrency + 20 if is_broker_too else 0),
        worker_count=worker_count,
    )


def proxy_problem() -> tuple[str, str] | None:
    """
    The proxy's address, and why it takes no connections, empty when it does; None without a proxy.
    """
    url = settings().egress.proxy
    if url is None:
        return None
    proxy = read_proxy(url)
    try:
        socket.create_connection((proxy.host, proxy.port), _CONNECT_S).close()
    except OSError as exc:
        return str(proxy), f"takes no connections: {exc.strerror or exc}"
    return str(proxy), ""


def api_certificate() -> tuple[float, bool] | None:
    """
    How many seconds the API's certificate is good for yet, and whether it is its own; None when there is none yet, or
    no TLS.

    Raises:
        TransientError: Redis cannot be reached.
        SealedError: its own cannot be read.
        ValueError, OSError: what is given cannot be read, or is none.
    """
    chosen = settings().api
    if chosen.plain_http:
        return None
    given = chosen.tls_cert_file
    pem = identity_store().certificate() if given is None else given.read_bytes().decode("latin-1")
    if pem is None:
        return None
    return certificate.expires_at(pem).timestamp() - time.time(), given is None


def tls_problems(subscriptions: Iterable[Subscription]) -> tuple[list[FileProblem], int]:
    """
    Read every file that TLS is made with, as those do who use it; tells how many uses there are.
    """
    chosen = settings()
    by_terms: dict[TlsTerms, list[str]] = {}
    for subscription in subscriptions:
        terms = tls_terms_of(subscription)
        if not terms.is_usual:
            by_terms.setdefault(terms, []).append(subscription.subscription_id)
    uses: list[tuple[str, TlsTerms]] = [
        (f"subscription {ids[0]}" + (f" and {len(ids) - 1} more" if ids[1:] else ""), terms)
        for terms, ids in by_terms.items()
    ]
    if chosen.delivery.ca_file is not None:
        uses.append(("DELIVERY__CA_FILE", USUAL))
    problems = []
    for used_for, terms in uses:
        is_verified = bool(terms.ca_file) or (
            chosen.delivery.verify if terms.is_verified is None else terms.is_verified
        )
        try:
            files = TlsFiles.of(terms, chosen.delivery.tls_dir, chosen.delivery.ca_file)
            load_tls(files, is_verified=is_verified, now_s=time.time())
        except TlsFileError as exc:
            problems.append(FileProblem(used_for=used_for, problem=str(exc)))
    others = _of_stores()
    for setting, path in others:
        try:
            TlsFile(path=path, name=str(path)).read()
        except TlsFileError as exc:
            problems.append(FileProblem(used_for=setting, problem=str(exc)))
    return problems, len(uses) + len(others)


def _of_stores() -> list[tuple[str, Path]]:
    chosen = settings()
    security = chosen.kafka.security
    named = {
        "REDIS__CA_FILE": chosen.redis.ca_file,
        "KAFKA__SECURITY__CA_FILE": security.ca_file,
        "KAFKA__SECURITY__CERT_FILE": security.cert_file,
        "KAFKA__SECURITY__KEY_FILE": security.key_file,
        "ODIM__REDIS_CA_FILE": chosen.odim.redis_ca_file,
        "ODIM__REDIS_CERT_FILE": chosen.odim.redis_cert_file,
        "ODIM__REDIS_KEY_FILE": chosen.odim.redis_key_file,
        "API__TLS_CERT_FILE": chosen.api.tls_cert_file,
        "API__TLS_KEY_FILE": chosen.api.tls_key_file,
    }
    return [(setting, path) for setting, path in named.items() if path is not None]
