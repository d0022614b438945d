"""`hotline serve` as a process of its own, and the people around it, for end-to-end tests."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from hotline.agent_console.accounts import Accounts, Role
from hotline.config.loading import load_site
from hotline.config.samples import path as sample
from hotline.config.schema import Site
from hotline.config.secrets import Secrets
from hotline.core.clock import SystemClock
from hotline.server.demo.console_client import ConsoleClient
from hotline.server.paths import database_url
from hotline.store.accounts import AccountStore
from hotline.store.audit import AuditLog
from hotline.store.database import open_engine, sessions_of
from hotline.store.models import Call as CallRow
from hotline.store.models import QueueEntry, TalkRow, TranscriptRow
from hotline.telephony.asterisk_config.secrets import secrets_of
from hotline.telephony.phone.call import Call
from hotline.telephony.phone.phone import Phone
from tests.fixtures.ports import free_port

COMMAND = (sys.executable, "-c", "from hotline.server.cli import main; main()")
PASSWORD = "a password of tests"
START_SECONDS = 60  # a busy machine synthesises prompts at the first start


def write_site(folder: Path, **changes: Any) -> Path:
    """The demo site on free ports, with prompts of a word or two, and nobody is asked after the talk.

    ``changes`` replace top-level sections.
    """
    data = yaml.safe_load(sample("demo").read_text(encoding="utf-8"))
    rtp = random.randrange(12000, 31000, 200)
    data |= {
        "data_dir": str(folder / "data"),
        "asterisk": {
            "sip_port": free_port(),
            "http_port": free_port(),
            "rtp_first_port": rtp,
            "rtp_last_port": rtp + 199,
            "ami": {"port": free_port()},
        },
        "fastagi": {"port": free_port()},
        "asr": {"audiosocket": {"port": free_port()}},
        "web": {"port": free_port()},
        "metrics": {"port": free_port()},
        "prompts": [{"name": prompt["name"], "text": "请按键"} for prompt in data["prompts"]],
        "notice": None,
    }
    del data["notice"], data["survey"]
    data |= changes
    file = folder / "site.yaml"
    file.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    return file


class ServerProcess:
    """``hotline serve`` on a site file; may be killed and started again. Its Asterisk outlives a kill."""

    def __init__(self, site_file: Path) -> None:
        self.site_file = site_file
        self.log: list[str] = []
        self._logged = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None

    @property
    def site(self) -> Site:
        return load_site(self.site_file, {})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.site.web.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def start(self, *options: str) -> None:
        """Return when the server says that it is ready. ``options``: of ``hotline serve``."""
        environment = {key: value for key, value in os.environ.items() if key != "HOTLINE_DATA_DIR"}
        self._process = await asyncio.create_subprocess_exec(
            *COMMAND, "serve", "--site", str(self.site_file), *options,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE, env=environment,
        )  # fmt: skip
        ready = asyncio.Event()
        self._reader = asyncio.create_task(self._read(self._process, ready))
        waiting = asyncio.create_task(ready.wait())
        done, _ = await asyncio.wait(
            {waiting, self._reader}, timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        waiting.cancel()
        assert waiting in done, "the server did not become ready:\n" + "\n".join(self.log[-30:])

    async def _read(self, process: asyncio.subprocess.Process, ready: asyncio.Event) -> None:
        assert process.stderr is not None
        async for raw in process.stderr:
            line = raw.decode(errors="replace").rstrip()
            self.log.append(line)
            self._logged.set()
            if "ready after" in line:
                ready.set()

    async def said(self, words: str, within_seconds: float = 30) -> None:
        """Return once the server's log has a line with these words."""
        async with asyncio.timeout(within_seconds):
            while not any(words in line for line in self.log):
                self._logged.clear()
                await self._logged.wait()

    async def kill(self) -> None:
        """As a power cut would: SIGKILL."""
        assert self._process is not None
        self._process.kill()
        await self._gone()

    async def stop(self) -> int:
        """An orderly stop; the exit code."""
        if self._process is None or self._process.returncode is not None:
            return -1
        self._process.terminate()
        try:
            async with asyncio.timeout(30):
                return await self._gone()
        except TimeoutError:
            self._process.kill()
            await self._gone()
            raise

    async def _gone(self) -> int:
        assert self._process is not None and self._reader is not None
        code = await self._process.wait()
        await self._reader
        return code

    async def add_user(self, name: str, *, role: Role = "agent", agent: str | None = None) -> None:
        """An account in the running server's database."""
        site = self.site
        engine = open_engine(database_url(site, Secrets(site.data_dir)))
        sessions, clock = sessions_of(engine), SystemClock()
        accounts = Accounts(AccountStore(sessions), AuditLog(sessions, clock), clock)
        try:
            await accounts.add(name, name, role, agent, PASSWORD, by="a test")
        finally:
            accounts.close()
            await engine.dispose()

    async def rows(self, within_seconds: float = 3.0) -> list[QueueEntry]:
        """The ledger in the database once every wait has its end there, or as it stands after that time.

        An event is told a moment before its row is saved.
        """
        deadline = time.monotonic() + within_seconds
        while True:
            async with self._database() as session:
                rows = list(await session.scalars(select(QueueEntry).order_by(QueueEntry.joined_at)))
            if (rows and all(row.closed_at for row in rows)) or time.monotonic() > deadline:
                return rows
            await asyncio.sleep(0.05)  # a database tells nobody that it has a row more

    async def texts(self) -> list[TranscriptRow]:
        """The final texts as they stand in the database."""
        async with self._database() as session:
            return list(await session.scalars(select(TranscriptRow).order_by(TranscriptRow.id)))

    async def calls(self) -> list[CallRow]:
        """The calls in the database, oldest first."""
        async with self._database() as session:
            return list(await session.scalars(select(CallRow).order_by(CallRow.started_at)))

    async def talks(self, call_id: str) -> list[TalkRow]:
        """The talks of a call in the database, in order."""
        query = select(TalkRow).where(TalkRow.call_id == call_id).order_by(TalkRow.answered_at)
        async with self._database() as session:
            return list(await session.scalars(query))

    @asynccontextmanager
    async def _database(self) -> AsyncIterator[AsyncSession]:
        site = self.site
        engine = open_engine(database_url(site, Secrets(site.data_dir)))
        try:
            async with sessions_of(engine)() as session:
                yield session
        finally:
            await engine.dispose()


@asynccontextmanager
async def serving(site_file: Path) -> AsyncIterator[ServerProcess]:
    """A server for a test; at the end it and its Asterisk are stopped, whatever was killed meanwhile."""
    server = ServerProcess(site_file)
    await server.start()
    try:
        yield server
    finally:
        if await server.stop() == -1:  # it was killed: only a server can take its Asterisk down in order
            with contextlib.suppress(AssertionError):
                await server.start("--stop-asterisk")
            await server.stop()


class Seat:
    """An agent at work: a registered phone and a signed-in console.

    ``user``: the account, where it does not bear the agent's name. ``buttons``: the phone obeys NOTIFY.
    """

    def __init__(
        self,
        server: ServerProcess,
        agent: str,
        *,
        sign_in: bool = True,
        user: str | None = None,
        buttons: bool = False,
    ) -> None:
        site = server.site
        extension = next(one.extension for one in site.agents if one.id == agent)
        secret = secrets_of(site)(f"agent-{agent}")
        self.agent = agent
        self._sign_in = sign_in
        exchange = (site.asterisk.host, site.asterisk.sip_port)
        self.phone = Phone(extension, secret, server=exchange, remote_control=buttons)
        self.console = ConsoleClient(server.url, user or agent)

    async def __aenter__(self) -> Seat:
        await self.phone.open()
        await self.phone.register()
        await self.console.sign_in(PASSWORD)
        if not self._sign_in:
            return self
        view = await self.console.agent("sign-in")
        assert view["state"] == "ready", view
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.phone.aclose()

    async def next_call(self) -> Call:
        """The next call that rings here."""
        return await anext(aiter(self.phone.incoming()))


def citizen(site: Site, number: str, name: str = "") -> Phone:
    """A caller's phone."""
    return Phone(number, server=(site.asterisk.host, site.asterisk.sip_port), display_name=name)


class Watcher:
    """A supervisor's page: every event that the console shows, to be waited for."""

    def __init__(self, server: ServerProcess, user: str = "chief") -> None:
        self.events: list[dict[str, Any]] = []
        self.figures: dict[str, Any] = {}
        self.live: dict[str, Any] = {}
        self.console = ConsoleClient(server.url, user)
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Watcher:
        await self.console.sign_in(PASSWORD)
        self._task = asyncio.create_task(self._follow())
        await self.until(lambda: bool(self.live) and self.live["link_up"])
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _follow(self) -> None:
        async for frame in self.console.frames(["board", "calls"]):
            match frame["type"]:
                case "event":
                    self.events.append({"name": frame["name"], **frame["data"]})
                case "figures":
                    self.figures = frame["data"]
                case "live":
                    self.live = frame["data"]
                case "snapshot":
                    self.live, self.figures = frame["live"], frame["figures"] or {}
            self._changed.set()

    async def until(self, reached: Callable[[], bool], within_seconds: float = 20) -> None:
        """Wait until ``reached`` holds, looking after every frame."""
        try:
            async with asyncio.timeout(within_seconds):
                while not reached():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            names = [event["name"] for event in self.events if event["name"] != "transcript_segment"]
            raise AssertionError(f"not within {within_seconds} s; seen: {names}") from None

    async def event(self, name: str, within_seconds: float = 20, **wanted: Any) -> dict[str, Any]:
        """The first event of that name with those fields, past or to come."""

        def find() -> dict[str, Any] | None:
            for event in self.events:
                if event["name"] == name and all(event.get(key) == value for key, value in wanted.items()):
                    return event
            return None

        await self.until(lambda: find() is not None, within_seconds)
        found = find()
        assert found is not None
        return found

    def text(self, side: str) -> str:
        """The final text of one side so far."""
        finals = [
            event for event in self.events
            if event["name"] == "transcript_segment" and event["side"] == side and event["final"]
        ]  # fmt: skip
        return "".join(event["text"] for event in sorted(finals, key=lambda one: one["utterance"]))
