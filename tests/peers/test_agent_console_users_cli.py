"""``hotline user``: accounts made, listed and disabled from the command line, on a real database file."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner, Result

from hotline.agent_console.accounts import Accounts, WrongCredentials
from hotline.agent_console.cli import user_commands
from hotline.agent_console.passwords import Passwords
from hotline.config.schema import Site
from hotline.core.clock import SystemClock
from hotline.core.errors import SetupError, UsageError
from hotline.store.accounts import AccountStore
from hotline.store.audit import AuditLog, AuditRow
from hotline.store.database import open_engine, sessions_of
from tests.fixtures.console import SITE


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def run(folder: Path, *arguments: str, stdin: str = "") -> Result:
    def open_site(path: Path) -> tuple[Site, AsyncEngine]:
        assert path == Path("site.yaml")
        return SITE, open_engine(f"sqlite+aiosqlite:///{folder}/hotline.db")

    command = [*arguments, "--site", "site.yaml"]
    return CliRunner().invoke(user_commands(open_site), command, input=stdin)


def can_sign_in(folder: Path, user: str, password: str) -> str | None:
    """The role of who signs in so, or None when refused; and the audit stays readable."""

    async def attempt() -> str | None:
        engine = open_engine(f"sqlite+aiosqlite:///{folder}/hotline.db")
        clock, sessions = SystemClock(), sessions_of(engine)
        accounts = Accounts(AccountStore(sessions), AuditLog(sessions, clock), clock, passwords=Passwords())
        try:
            return (await accounts.sign_in(user, password, "127.0.0.1")).account.role
        except WrongCredentials:
            return None
        finally:
            accounts.close()
            await engine.dispose()

    return asyncio.run(attempt())


def audited(folder: Path) -> list[AuditRow]:
    async def read() -> list[AuditRow]:
        engine = open_engine(f"sqlite+aiosqlite:///{folder}/hotline.db")
        try:
            return await AuditLog(sessions_of(engine), SystemClock()).recent()
        finally:
            await engine.dispose()

    return asyncio.run(read())


def test_an_account_made_with_a_piped_password_can_sign_in(folder: Path) -> None:
    """An agent named like a seat takes it, with the seat's name; the password is not repeated."""
    done = run(folder, "add", "a1", stdin="secret words\n")
    assert done.exit_code == 0, done.output
    assert "takes seat a1" in done.output and "secret words" not in done.output
    assert can_sign_in(folder, "a1", "secret words") == "agent"
    assert can_sign_in(folder, "a1", "secret") is None
    (row,) = json.loads(run(folder, "list", "--format", "json").output)
    assert (row["name"], row["agent"], row["disabled"]) == ("张三", "a1", False)


def test_a_made_password_is_printed_once_and_works(folder: Path) -> None:
    """--generate prints a password that nobody chose and nobody reads again."""
    done = run(folder, "add", "chief", "--role", "supervisor", "--generate")
    password = done.output.strip().rsplit(" ", 1)[-1]
    assert len(password) >= 16
    assert can_sign_in(folder, "chief", password) == "supervisor"
    assert password not in run(folder, "list").output


def test_a_disabled_account_is_shut_out_and_listed_so(folder: Path) -> None:
    """The right password opens nothing; the audit log knows who did it."""
    run(folder, "add", "zhang", stdin="secret words\n")
    assert run(folder, "disable", "zhang").exit_code == 0
    assert can_sign_in(folder, "zhang", "secret words") is None
    assert json.loads(run(folder, "list", "--format", "json").output)[0]["disabled"] is True
    assert "disabled" in run(folder, "list").output
    assert [(row.action, row.subject) for row in audited(folder)] == [
        ("user_disable", "zhang"), ("user_add", "zhang"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "stdin", "says"),
    [
        (("add", "zhang"), "", "no password"),
        (("add", "zhang"), "short\n", "8 to 256"),
        (("add", "zh ang"), "secret words\n", "a user name is"),
        (("add", "张三"), "secret words\n", "a user name is"),
        (("add", "zhang", "--role", "boss"), "secret words\n", "no role boss"),
        (("add", "zhang", "--agent", "a9"), "secret words\n", "no agent a9"),
        (("add", "zhang", "--name", "张\u2028三"), "secret words\n", "on one line"),
        (("disable", "nobody"), "", "no user nobody"),
        (("list", "--format", "xml"), "", "no format xml"),
    ],
)
def test_what_cannot_be_is_said_with_a_hint(
    folder: Path, arguments: tuple[str, ...], stdin: str, says: str
) -> None:
    """Wrong names, roles, seats and passwords are wrong usage, and nothing is written."""
    done = run(folder, *arguments, stdin=stdin)
    assert isinstance(done.exception, UsageError) and says in str(done.exception)
    assert json.loads(run(folder, "list", "--format", "json").output) == []


def test_a_name_is_taken_once(folder: Path) -> None:
    """The second account of a name is refused and the first keeps its password."""
    run(folder, "add", "zhang", stdin="secret words\n")
    again = run(folder, "add", "zhang", stdin="other words\n")
    assert isinstance(again.exception, UsageError) and "already" in str(again.exception)
    assert can_sign_in(folder, "zhang", "secret words") == "agent"


def test_a_database_that_cannot_be_opened_is_a_set_up_problem(folder: Path) -> None:
    """One line about the database, no stack trace of its driver."""
    done = run(folder / "none", "list")
    assert isinstance(done.exception, SetupError) and "database" in str(done.exception)


def test_ensured_accounts_are_what_was_asked_for(folder: Path) -> None:
    """A program's own accounts: made once, left alone when right, put right when not."""

    async def ensure() -> tuple[bool, bool, bool]:
        engine = open_engine(f"sqlite+aiosqlite:///{folder}/hotline.db")
        clock, sessions = SystemClock(), sessions_of(engine)
        store = AccountStore(sessions)
        accounts = Accounts(store, AuditLog(sessions, clock), clock, passwords=Passwords())
        try:
            await accounts.ensure_account("demo", "演示", "supervisor", None, "first words")
            signed = await accounts.sign_in("demo", "first words", "127.0.0.1")
            await accounts.ensure_account("demo", "演示", "supervisor", None, "first words")
            kept = await accounts.who(signed.token) is not None
            await accounts.disable("demo", by="test")
            await accounts.ensure_account("demo", "演示", "agent", "a1", "second words")
            ended = await accounts.who(signed.token) is None
            again = await accounts.sign_in("demo", "second words", "127.0.0.1")
            return kept, ended, (again.account.role, again.account.agent) == ("agent", "a1")
        finally:
            accounts.close()
            await engine.dispose()

    run(folder, "list")  # makes the tables
    assert asyncio.run(ensure()) == (True, True, True)
