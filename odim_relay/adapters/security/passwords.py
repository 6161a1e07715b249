"""
Passwords, by argon2.
"""

import hmac
import secrets
from collections.abc import Callable
from hashlib import sha256
from threading import BoundedSemaphore, Lock

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_AT_ONCE = 2
"""
Each takes 64 MiB and a core.
"""
_MOST_REMEMBERED = 1_000


class Argon2Passwords:
    """
    `PasswordHasher`. What was found right is remembered for a minute, by a keyed hash of the stored hash and the
    password: a client that sends them with each request pays once, and a changed password is not remembered.
    """

    def __init__(self, *, monotonic_s: Callable[[], float], remember_s: float = 60.0) -> None:
        self._argon2 = PasswordHasher()
        self._slots = BoundedSemaphore(_AT_ONCE)
        self._monotonic_s = monotonic_s
        self._remember_s = remember_s
        self._key = secrets.token_bytes(32)
        self._lock = Lock()
        self._remembered: dict[bytes, float] = {}
        self._nobodys = self._argon2.hash(secrets.token_hex())

    def hash(self, password: str) -> str:
        """
        See `PasswordHasher.hash`.
        """
        with self._slots:
            return self._argon2.hash(password.encode())

    def verify(self, password_hash: str, password: str) -> bool:
        """
        See `PasswordHasher.verify`.
        """
        with self._slots:
            # Of many that came with the same at the same time, the first has found out.
            if self.remembers(password_hash, password):
                return True
            try:
                self._argon2.verify(password_hash or self._nobodys, password.encode(errors="replace"))
            except (VerificationError, InvalidHashError):
                return False
        if not password_hash:
            return False
        self._remember(self._mark(password_hash, password))
        return True

    def remembers(self, password_hash: str, password: str) -> bool:
        """
        See `PasswordHasher.remembers`.
        """
        mark = self._mark(password_hash, password)
        with self._lock:
            return self._remembered.get(mark, 0.0) > self._monotonic_s()

    def _mark(self, password_hash: str, password: str) -> bytes:
        return hmac.digest(self._key, f"{password_hash}\0{password}".encode(errors="replace"), sha256)

    def _remember(self, mark: bytes) -> None:
        with self._lock:
            self._remembered.pop(mark, None)
            self._remembered[mark] = self._monotonic_s() + self._remember_s
            while len(self._remembered) > _MOST_REMEMBERED:
                del self._remembered[next(iter(self._remembered))]
