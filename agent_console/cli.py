"""``hotline user add / list / disable``: accounts from the command line.

``server/`` knows how to get from a site file to a database, so it hands that in and registers the result.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from hotline.agent_console.accounts import Accounts, Role, made_password
from hotline.agent_console.wire import moment
from hotline.config.schema import Site
from hotline.core.clock import SystemClock
from hotline.core.errors import SetupError, UsageError
from hotline.store.accounts import Account, AccountStore
from hotline.store.audit import AuditLog
from hotline.store.database import sessions_of
from hotline.store.migrate import upgrade

T = TypeVar("T")
OpenSite = Callable[[Path], tuple[Site, AsyncEngine]]
"""From a site file's path to the site and an engine on its database."""

BY = "command line"  # who did it, in the audit log
SiteFile = Annotated[Path, typer.Option("--site", help="The site file.")]
UserName = Annotated[str, typer.Argument(help="The name to sign in with.")]


def user_commands(open_site: OpenSite) -> typer.Typer:
    """The ``user`` group. Errors are raised as HotlineError for the command line's own handler."""
    group = typer.Typer(no_args_is_help=True, help="Accounts of the agents' and supervisors' pages.")

    @group.command("add")
    def add(
        name: UserName,
        site: SiteFile,
        display_name: Annotated[str, typer.Option("--name", help="As pages show it.")] = "",
        role: Annotated[str, typer.Option(help="agent or supervisor.")] = "agent",
        agent: Annotated[str | None, typer.Option(help="The seat of the site file to take.")] = None,
        generate: Annotated[
            bool, typer.Option("--generate", help="Make a password and print it once.")
        ] = False,
    ) -> None:
        """Make an account. The password is asked for, or read from standard input's first line."""
        here, engine = open_site(site)
        seat = _seat(here, name, role, agent)
        password = made_password() if generate else _ask_password()
        shown = display_name or _seat_name(here, seat) or name
        _with_accounts(engine, lambda accounts: accounts.add(name, shown, _role(role), seat, password, by=BY))
        typer.echo(f"user {name} ({role}) can sign in" + (f" and takes seat {seat}" if seat else ""))
        if generate:
            typer.echo(f"password (shown only now): {password}")

    @group.command("list")
    def list_users(
        site: SiteFile,
        output: Annotated[str, typer.Option("--format", help="text or json.")] = "text",
    ) -> None:
        """Every account."""
        if output not in ("text", "json"):
            raise UsageError(f"there is no format {output}", hint="text or json")
        _, engine = open_site(site)
        rows = _with_accounts(engine, lambda accounts: accounts.all())
        if output == "json":
            typer.echo(json.dumps([_row(row) for row in rows], ensure_ascii=False, indent=2))
        else:
            _print_table(rows)

    @group.command("disable")
    def disable(name: UserName, site: SiteFile) -> None:
        """Shut an account out. A running server ends its open pages within two seconds."""
        _, engine = open_site(site)
        _with_accounts(engine, lambda accounts: accounts.disable(name, by=BY))
        typer.echo(f"user {name} is disabled")

    return group


def _with_accounts(engine: AsyncEngine, work: Callable[[Accounts], Awaitable[T]]) -> T:
    async def run() -> T:
        try:
            await upgrade(engine)
            sessions, clock = sessions_of(engine), SystemClock()
            accounts = Accounts(AccountStore(sessions), AuditLog(sessions, clock), clock)
            try:
                return await work(accounts)
            finally:
                accounts.close()
        except SQLAlchemyError as error:
            raise SetupError(
                f"the database failed: {type(error).__name__}", hint="see: hotline doctor"
            ) from error
        finally:
            await engine.dispose()

    return asyncio.run(run())


def _ask_password() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("password", hide_input=True, confirmation_prompt=True))
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise UsageError("no password was given", hint="pipe it in, type it, or use --generate")
    return password


def _role(role: str) -> Role:
    if role == "agent":
        return "agent"
    if role == "supervisor":
        return "supervisor"
    raise UsageError(f"there is no role {role}", hint="agent or supervisor")


def _seat(site: Site, name: str, role: str, agent: str | None) -> str | None:
    seats = {seat.id for seat in site.agents}
    if agent is not None and agent not in seats:
        raise UsageError(
            f"the site file has no agent {agent}", hint=f"it has: {', '.join(sorted(seats)) or 'none'}"
        )
    if agent is None and role == "agent":
        return name if name in seats else None
    return agent


def _seat_name(site: Site, agent: str | None) -> str | None:
    return next((seat.name for seat in site.agents if seat.id == agent), None)


def _row(account: Account) -> dict[str, Any]:
    return {
        "user": account.name,
        "name": account.display_name,
        "role": account.role,
        "agent": account.agent,
        "disabled": account.disabled,
        "created_at": moment(account.created_at),
    }


def _print_table(rows: list[Account]) -> None:
    table = Table("user", "name", "role", "agent", "state")
    for row in rows:
        table.add_row(
            row.name, row.display_name, row.role, row.agent or "", "disabled" if row.disabled else "active"
        )
    Console().print(table)
