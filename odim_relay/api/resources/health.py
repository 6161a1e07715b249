"""
Beside Redfish: whether the process lives, whether it can work, and what was counted.
"""

from odim_relay import bootstrap
from odim_relay.api import store_answers
from odim_relay.api.http.call import Call
from odim_relay.api.http.reply import Reply
from odim_relay.api.http.resource import Resource
from odim_relay.api.metrics import CONTENT_TYPE, metrics_text
from odim_relay.api.preparation import preparation
from odim_relay.errors import TransientError

_OPEN = frozenset({"GET"})
_NEEDED = "redis"


def healthz(call: Call) -> Reply:  # noqa: ARG001 - every handler's signature
    """
    The process answers.
    """
    return Reply(body={"alive": True})


def readyz(call: Call) -> Reply:  # noqa: ARG001 - every handler's signature
    """
    Whether requests can be served: 503 when Redis is away. What else is away is told, and hinders nobody here.
    """
    reasons = {one.store: one.reason for one in store_answers.unreachable() or () if one.store != _NEEDED}
    try:
        bootstrap.ledger_figures().now_ms()
    except TransientError as exc:
        reasons[_NEEDED] = str(exc)
    if not preparation().is_done:
        reasons["start"] = preparation().problem
    is_ready = not reasons.keys() & {_NEEDED, "start"}
    return Reply(status=200 if is_ready else 503, body={"ready": is_ready, "reasons": reasons})


def metrics(call: Call) -> Reply:  # noqa: ARG001 - every handler's signature
    """
    Counters of all processes, and how things stand, for Prometheus.
    """
    return Reply(content=metrics_text(), media_type=CONTENT_TYPE)


RESOURCES = (
    Resource(path="/healthz", handlers={"GET": healthz}, open_methods=_OPEN, is_immediate=True),
    Resource(path="/readyz", handlers={"GET": readyz}, open_methods=_OPEN),
    Resource(path="/metrics", handlers={"GET": metrics}, open_methods=_OPEN),
)
