"""Passwords: argon2id off the event loop, a few at a time."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, ParamSpec, TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

MIN_CHARS: Final = 8
MAX_CHARS: Final = 256
AT_ONCE: Final = 2  # 2 x 19 MiB at the most, so that a shift's start does not fill the memory
WAITING_LIMIT: Final = 64  # further sign-ins are told to come back; hashing 64 takes about two seconds

P = ParamSpec("P")
T = TypeVar("T")


class Busy(Exception):
    """More sign-ins wait for their turn than is sensible."""


def made_password() -> str:
    """A password for a person to copy once: about 95 bits."""
    return secrets.token_urlsafe(12)


class Passwords:
    """Hashes and verifies. Close it to end its threads.

    The parameters are OWASP's second choice for argon2id (19 MiB, 2 passes, 1 lane), of equal strength to the
    first and kinder to a server that shares its machine with the exchange.
    """

    def __init__(self, *, time_cost: int = 2, memory_kib: int = 19 * 1024) -> None:
        self._hasher = PasswordHasher(
            time_cost=time_cost, memory_cost=memory_kib, parallelism=1, type=Type.ID
        )
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="argon2")
        self._waiting = 0
        self._nobodys: str | None = None

    def close(self) -> None:
        """End the threads; hashes that wait are dropped."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """The hash to store.

        Raises:
            Busy: too many wait already.
        """
        return await self._in_turn(self._hasher.hash, password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether ``password`` made ``stored``. Without a stored hash it takes as long and is False.

        Raises:
            Busy: too many wait already.
        """
        return await self._in_turn(self._verify, stored, password)

    def outdated(self, stored: str) -> bool:
        """Whether ``stored`` was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    async def _in_turn(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._waiting >= WAITING_LIMIT:
            raise Busy
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, partial(work, *args, **kwargs))
        finally:
            self._waiting -= 1

    def _verify(self, stored: str | None, password: str) -> bool:
        if stored is None:
            if self._nobodys is None:
                self._nobodys = self._hasher.hash(secrets.token_hex())
            stored = self._nobodys
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False
