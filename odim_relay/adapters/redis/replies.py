"""
What scripts answer, as plain values.
"""

from collections.abc import Sequence

from odim_relay.ports import Notice, TaskTicket


def tickets_of(flat: Sequence[bytes | int]) -> list[TaskTicket]:
    """
    Read `tickets`: id, subscription, seq, wait in ms, flat.
    """
    return [
        TaskTicket(
            delivery_id=bytes(id_).decode(),
            subscription_id=bytes(subscription).decode(),
            seq=int(seq),
            wait_s=int(wait_ms) / 1000,
        )
        for id_, subscription, seq, wait_ms in zip(flat[::4], flat[1::4], flat[2::4], flat[3::4], strict=True)
    ]


def notices_of(flat: Sequence[bytes]) -> list[Notice]:
    """
    Read `notices`: a name and an id, flat.
    """
    return [Notice(name=name.decode(), subject=id_.decode()) for name, id_ in zip(flat[::2], flat[1::2], strict=True)]
