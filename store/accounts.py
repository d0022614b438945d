"""Accounts and cookie sessions in the database: of passwords and cookies only the hashes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from hotline.core.errors import UsageError
from hotline.store.database import Sessions
from hotline.store.models import Session, User

MAX_SESSIONS_PER_USER = 20
"""A further sign-in ends the oldest session of that user."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account without its password hash."""

    name: str
    display_name: str
    role: str
    agent: str | None
    disabled: bool
    created_at: datetime


def _account(row: User) -> Account:
    return Account(row.name, row.display_name, row.role, row.agent, row.disabled, row.created_at)


class AccountStore:
    """Rows of ``users`` and ``sessions``."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def add(self, account: Account, password_hash: str) -> None:
        """Write a new account.

        Raises:
            UsageError: the name is taken.
        """
        try:
            async with self._sessions.begin() as session:
                session.add(
                    User(
                        name=account.name,
                        display_name=account.display_name,
                        role=account.role,
                        agent=account.agent,
                        password_hash=password_hash,
                        disabled=account.disabled,
                        created_at=account.created_at,
                    )
                )
        except IntegrityError as error:
            raise UsageError(f"there is a user {account.name} already", hint="choose another name") from error

    async def replace(self, account: Account, password_hash: str) -> None:
        """Overwrite everything about an account but its name and age, and end its sessions."""
        async with self._sessions.begin() as session:
            await session.execute(
                update(User)
                .where(User.name == account.name)
                .values(
                    display_name=account.display_name,
                    role=account.role,
                    agent=account.agent,
                    password_hash=password_hash,
                    disabled=account.disabled,
                )
            )
            await session.execute(delete(Session).where(Session.user == account.name))

    async def find(self, name: str) -> tuple[Account, str] | None:
        """The account and its password hash."""
        async with self._sessions() as session:
            row = await session.get(User, name)
            return None if row is None else (_account(row), row.password_hash)

    async def all(self) -> list[Account]:
        """Every account, by name."""
        async with self._sessions() as session:
            return [_account(row) for row in await session.scalars(select(User).order_by(User.name))]

    async def set_password_hash(self, name: str, password_hash: str) -> None:
        """Store a hash made with newer parameters."""
        async with self._sessions.begin() as session:
            await session.execute(update(User).where(User.name == name).values(password_hash=password_hash))

    async def set_disabled(self, name: str, disabled: bool) -> bool:
        """Disable (and end every session) or enable an account; False when there is none."""
        async with self._sessions.begin() as session:
            row = await session.get(User, name)
            if row is None:
                return False
            row.disabled = disabled
            if disabled:
                await session.execute(delete(Session).where(Session.user == name))
            return True

    async def open_session(self, token_hash: str, user: str, now: datetime, expires_at: datetime) -> None:
        """Remember a signed-in browser; clear away what has expired and the user's surplus of old ones."""
        async with self._sessions.begin() as session:
            await session.execute(delete(Session).where(Session.expires_at <= now))
            oldest = await session.scalars(
                select(Session.token_hash)
                .where(Session.user == user)
                .order_by(Session.created_at.desc())
                .offset(MAX_SESSIONS_PER_USER - 1)
            )
            surplus = oldest.all()
            if surplus:
                await session.execute(delete(Session).where(Session.token_hash.in_(surplus)))
            session.add(Session(token_hash=token_hash, user=user, created_at=now, expires_at=expires_at))

    async def close_session(self, token_hash: str) -> None:
        """Forget a browser; no error if it is not known."""
        async with self._sessions.begin() as session:
            await session.execute(delete(Session).where(Session.token_hash == token_hash))

    async def of_session(self, token_hash: str, now: datetime) -> Account | None:
        """Who is behind a session, unless it has expired or the account is disabled."""
        query = (
            select(User)
            .join(Session, Session.user == User.name)
            .where(Session.token_hash == token_hash, Session.expires_at > now, User.disabled.is_(False))
        )
        async with self._sessions() as session:
            row = await session.scalar(query)
            return None if row is None else _account(row)

    async def valid_sessions(self, token_hashes: Collection[str], now: datetime) -> set[str]:
        """Those of the given sessions that still hold."""
        valid: set[str] = set()
        wanted = list(token_hashes)
        async with self._sessions() as session:
            for start in range(0, len(wanted), 500):  # SQLite's bound on variables is 999 in old builds
                query = (
                    select(Session.token_hash)
                    .join(User, Session.user == User.name)
                    .where(
                        Session.token_hash.in_(wanted[start : start + 500]),
                        Session.expires_at > now,
                        User.disabled.is_(False),
                    )
                )
                valid.update(await session.scalars(query))
        return valid
