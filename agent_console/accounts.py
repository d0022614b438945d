"""Who may use the console: sign-in, sessions, and the making and disabling of accounts.

A session is a random cookie; the database knows only its SHA-256, so that a stolen database opens no session.
(The cookie has 256 random bits: a plain hash is enough, unlike for passwords.)
"""

from __future__ import annotations

import hashlib
import logging
import re
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from hotline.agent_console.passwords import MAX_CHARS, MIN_CHARS, Busy, Passwords, made_password
from hotline.agent_console.throttle import Throttle
from hotline.core.clock import Clock
from hotline.core.errors import HotlineError, UsageError
from hotline.store.accounts import Account, AccountStore
from hotline.store.audit import AuditLog

log = logging.getLogger(__name__)

Role = Literal["agent", "supervisor"]
USER_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,39}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")


class WrongCredentials(HotlineError):
    """No such user, a wrong password or a disabled account: on purpose not said which."""


class TooManyAttempts(HotlineError):
    """Sign-in is refused for a while.

    Args:
        wait_seconds: until when.
    """

    def __init__(self, wait_seconds: float) -> None:
        super().__init__("too many sign-in attempts", hint=f"try again in {max(1, round(wait_seconds))} s")
        self.wait_seconds = wait_seconds


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh session: the cookie to hand out, once."""

    account: Account
    token: str
    token_hash: str


def hash_token(token: str) -> str:
    """What the database knows of a cookie."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


class Accounts:
    """The console's accounts.

    Args:
        store: rows of users and sessions.
        audit: where sign-ins and changes of accounts are recorded.
        clock: time of sessions and of the throttle.
        session_hours: how long a sign-in holds.
        passwords: the hasher; its threads are ended by ``close``.
    """

    def __init__(
        self,
        store: AccountStore,
        audit: AuditLog,
        clock: Clock,
        *,
        session_hours: int = 12,
        passwords: Passwords | None = None,
    ) -> None:
        self.session_lifetime = timedelta(hours=session_hours)
        self._store = store
        self._audit = audit
        self._clock = clock
        self._passwords = passwords or Passwords()
        self._throttle = Throttle()
        self._on_revoked: list[Callable[[str], None]] = []

    def close(self) -> None:
        """End the hashing threads."""
        self._passwords.close()

    def on_revoked(self, listener: Callable[[str], None]) -> None:
        """Call ``listener`` with a user's name when their sessions have been ended from here."""
        self._on_revoked.append(listener)

    async def sign_in(self, user: str, password: str, address: str) -> SignedIn:
        """Check a password and open a session.

        Raises:
            WrongCredentials: and the attempt counts against the user and the address.
            TooManyAttempts: without looking at the password.
        """
        now = self._clock.monotonic()
        wait_seconds = self._throttle.wait_seconds(user, address, now)
        if wait_seconds > 0:
            raise TooManyAttempts(wait_seconds)
        self._throttle.begin(user, address, now)
        try:
            account = await self._checked(user, password)
        except Exception:
            self._throttle.undo(user, address)
            raise
        if account is None:
            log.warning("a sign-in was refused")
            raise WrongCredentials("wrong user name or password")
        self._throttle.succeeded(user, address)
        token = secrets.token_urlsafe(32)
        token_hash = hash_token(token)
        moment = self._clock.now()
        await self._store.open_session(token_hash, account.name, moment, moment + self.session_lifetime)
        await self._audit.record(account.name, "sign_in", account.name)
        return SignedIn(account, token, token_hash)

    async def who(self, token: str) -> tuple[Account, str] | None:
        """The account behind a cookie and the session's hash; None when it does not hold (any more)."""
        if not token or len(token) > 200:
            return None
        token_hash = hash_token(token)
        account = await self._store.of_session(token_hash, self._clock.now())
        return None if account is None else (account, token_hash)

    async def sign_out(self, token_hash: str, user: str) -> None:
        """End one session."""
        await self._store.close_session(token_hash)
        await self._audit.record(user, "sign_out", user)

    async def valid_sessions(self, token_hashes: Collection[str]) -> set[str]:
        """Those of the given sessions that still hold; changes made by another process included."""
        return await self._store.valid_sessions(token_hashes, self._clock.now())

    async def all(self) -> list[Account]:
        """Every account, by name."""
        return await self._store.all()

    async def add(
        self, name: str, display_name: str, role: Role, agent: str | None, password: str, *, by: str
    ) -> Account:
        """Make an account. ``by``: who does it, for the audit log.

        Raises:
            UsageError: a name, role or password that cannot be, or a name that is taken.
        """
        account = self._draft(name, display_name, role, agent, password)
        await self._store.add(account, await self._passwords.hash(password))
        await self._audit.record(by, "user_add", name, role)
        return account

    async def ensure_account(
        self, name: str, display_name: str, role: Role, agent: str | None, password: str
    ) -> Account:
        """Make the account exist exactly so, whatever was there: for accounts a program owns (the demo's).

        An account that already is so, password included, is left alone with its sessions.

        Raises:
            UsageError: a name, role or password that cannot be.
        """
        wanted = self._draft(name, display_name, role, agent, password)
        found = await self._store.find(name)
        if found is None:
            return await self.add(name, display_name, role, agent, password, by="setup")
        present, stored = found
        same = (present.display_name, present.role, present.agent, present.disabled) == (
            display_name, role, agent, False,
        )  # fmt: skip
        if same and await self._passwords.verify(stored, password):
            return present
        await self._store.replace(wanted, await self._passwords.hash(password))
        await self._audit.record("setup", "user_change", name, role)
        self._revoked(name)
        return wanted

    async def disable(self, name: str, *, by: str) -> None:
        """Disable an account and end its sessions and sockets at once.

        Raises:
            UsageError: there is no such user.
        """
        if not await self._store.set_disabled(name, True):
            raise UsageError(f"there is no user {name}", hint="see: hotline user list")
        await self._audit.record(by, "user_disable", name)
        self._revoked(name)

    async def _checked(self, user: str, password: str) -> Account | None:
        found = await self._store.find(user) if USER_NAME.fullmatch(user) else None
        stored = None if found is None else found[1]
        try:
            right = len(password) <= MAX_CHARS and await self._passwords.verify(stored, password)
        except Busy:
            raise TooManyAttempts(2.0) from None
        if found is None or not right or found[0].disabled or stored is None:
            return None
        if self._passwords.outdated(stored):
            await self._store.set_password_hash(user, await self._passwords.hash(password))
        return found[0]

    def _draft(self, name: str, display_name: str, role: str, agent: str | None, password: str) -> Account:
        if not USER_NAME.fullmatch(name):
            raise UsageError(
                "a user name is 1 to 40 of A-Z a-z 0-9 . _ @ - and starts with a letter or digit",
                hint=f"not: {name[:40]!r}",
            )
        if not display_name.strip() or len(display_name) > 80 or _CONTROL.search(display_name):
            raise UsageError("a displayed name has 1 to 80 characters on one line")
        if role not in ("agent", "supervisor"):
            raise UsageError(f"there is no role {role}", hint="agent or supervisor")
        if not MIN_CHARS <= len(password) <= MAX_CHARS:
            raise UsageError(f"a password has {MIN_CHARS} to {MAX_CHARS} characters")
        return Account(name, display_name, role, agent, False, self._clock.now())

    def _revoked(self, name: str) -> None:
        for listener in self._on_revoked:
            listener(name)


__all__ = [
    "Accounts",
    "Role",
    "SignedIn",
    "TooManyAttempts",
    "WrongCredentials",
    "hash_token",
    "made_password",
]
