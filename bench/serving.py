"""`hotline serve` as a process of its own with its Asterisk, and people with telephones beside it.

The benchmarks' own work (phones, WebSocket, manager client) stays in another process than what is measured.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from bench.common import write_site
from hotline.agent_console.accounts import Accounts
from hotline.config.loading import load_site
from hotline.config.schema import Site
from hotline.config.secrets import Secrets
from hotline.core.clock import SystemClock
from hotline.server.demo.console_client import ConsoleClient
from hotline.server.paths import database_url
from hotline.store.accounts import AccountStore
from hotline.store.audit import AuditLog
from hotline.store.database import open_engine, sessions_of
from hotline.telephony.ami.client import AmiClient, AmiSettings
from hotline.telephony.asterisk_config.secrets import secrets_of
from hotline.telephony.local_asterisk import LocalAsterisk
from hotline.telephony.phone.call import Call
from hotline.telephony.phone.phone import Phone

COMMAND = (sys.executable, "-c", "from hotline.server.cli import main; main()")
PASSWORD = "a password of benchmarks"  # noqa: S105 - of a server that lives a minute on loopback
START_SECONDS = 90.0
STOP_SECONDS = 30.0
LINK_SECONDS = 10.0
ANSWER_SECONDS = 20.0
HANG_UP_SECONDS = 5.0
_READY = re.compile(r"ready after")

TakeFrame = Callable[[dict[str, Any], float, float], None]
"""A frame, the monotonic moment it came, and the same in seconds since 1970."""


class Server:
    """One `hotline serve` from start to stop.

    Attributes:
        ready_seconds: from the start of the process to its word that it is ready.
        log: the last lines of its log.
    """

    def __init__(self, site_file: Path) -> None:
        self.site_file = site_file
        self.site: Site = load_site(site_file, {})
        self.secrets = Secrets(self.site.data_dir)
        self.ready_seconds = 0.0
        self.log: list[str] = []
        self._secret = secrets_of(self.site)
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._asterisk = LocalAsterisk.of_site(self.site, self._secret)  # for its console only

    @property
    def url(self) -> str:
        """Of its pages."""
        return f"http://127.0.0.1:{self.site.web.port}"

    @property
    def sip(self) -> tuple[str, int]:
        """Where phones find the exchange."""
        return self.site.asterisk.host, self.site.asterisk.sip_port

    @property
    def pid(self) -> int:
        """Of the server."""
        assert self._process is not None
        return self._process.pid

    @property
    def asterisk_pid(self) -> int:
        """Of its Asterisk."""
        return int(self._asterisk.places.pid_file.read_text())

    @property
    def worker_pids(self) -> list[int]:
        """Of its recogniser processes."""
        children = psutil.Process(self.pid).children()
        return [child.pid for child in children if "hotline.asr.worker" in child.cmdline()]

    async def start(self) -> None:
        """Return when it is ready."""
        began = time.monotonic()
        self._process = await asyncio.create_subprocess_exec(
            *COMMAND, "serve", "--site", str(self.site_file),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env={key: value for key, value in os.environ.items() if key != "HOTLINE_DATA_DIR"},
        )  # fmt: skip
        ready = asyncio.Event()
        self._reader = asyncio.create_task(self._read(self._process, ready))
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait(
            {waiting, self._reader}, timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        waiting.cancel()
        if not ready.is_set():
            raise SystemExit("the server did not become ready:\n" + "\n".join(self.log[-30:]))
        self.ready_seconds = time.monotonic() - began

    async def stop(self) -> None:
        """An orderly stop: its Asterisk and workers go with it."""
        if self._process is None or self._reader is None:
            return
        if self._process.returncode is None:
            self._process.terminate()
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        await self._reader

    async def rx(self, command: str) -> str:
        """What Asterisk's console says."""
        return await self._asterisk.rx(command)

    async def dialplan(self, context: str, *steps: str) -> None:
        """Add the extension ``s`` of a context to the running dialplan."""
        for number, step in enumerate(steps, start=1):
            answer = await self.rx(f'dialplan add extension "s,{number},{step}" into {context}')
            assert "added" in answer, answer

    @asynccontextmanager
    async def ami(self) -> AsyncIterator[AmiClient]:
        """A manager client of the benchmark's own."""
        ami = self.site.asterisk.ami
        client = AmiClient(
            AmiSettings(username=ami.user, secret=self._secret("ami"), host=ami.host, port=ami.port)
        )
        running = asyncio.create_task(client.run())
        try:
            await client.wait_connected(LINK_SECONDS)
            yield client
        finally:
            await client.aclose()
            await running

    async def add_accounts(self, agents: Iterable[str]) -> None:
        """Accounts for these agents of the site, each under its own id."""
        engine = open_engine(database_url(self.site, self.secrets))
        sessions = sessions_of(engine)
        clock = SystemClock()
        accounts = Accounts(AccountStore(sessions), AuditLog(sessions, clock), clock)
        try:
            for one in self.site.agents:
                if one.id in agents:
                    await accounts.ensure_account(one.id, one.name, one.role, one.id, PASSWORD)
        finally:
            accounts.close()
            await engine.dispose()

    def phone_of(self, agent: str) -> Phone:
        """An agent's telephone, not open yet."""
        extension = next(one.extension for one in self.site.agents if one.id == agent)
        return Phone(extension, self._secret(f"agent-{agent}"), server=self.sip)

    async def _read(self, process: asyncio.subprocess.Process, ready: asyncio.Event) -> None:
        assert process.stderr is not None
        async for raw in process.stderr:
            line = raw.decode(errors="replace").rstrip()
            self.log.append(line)
            del self.log[:-2000]
            if _READY.search(line):
                ready.set()


@asynccontextmanager
async def serving(**changes: Any) -> AsyncIterator[Server]:
    """A running server in a folder of its own; both are gone afterwards. For ``changes`` see `write_site`."""
    with TemporaryDirectory(prefix="hotline-bench-") as folder:
        server = Server(write_site(Path(folder), **changes))
        try:
            await server.start()
            yield server
        finally:
            await server.stop()


@asynccontextmanager
async def seats(server: Server, agents: list[str]) -> AsyncIterator[asyncio.Queue[Call]]:
    """These agents with registered telephones and signed in; gives the calls that ring at any of them."""
    await server.add_accounts(agents)
    ringing: asyncio.Queue[Call] = asyncio.Queue()  # bounded by the agents: a phone has one call at a time

    async def answer_at(phone: Phone) -> None:
        async for call in phone.incoming():
            ringing.put_nowait(call)

    async with AsyncExitStack() as stack:
        for agent in agents:
            phone = await stack.enter_async_context(server.phone_of(agent))
            await phone.register()
            listening = asyncio.create_task(answer_at(phone))
            stack.push_async_callback(asyncio.wait, {listening})
            stack.callback(listening.cancel)
            console = ConsoleClient(server.url, agent)
            await console.sign_in(PASSWORD)
            await console.agent("sign-in")
        yield ringing


@asynccontextmanager
async def frames(server: Server, agent: str, take: TakeFrame) -> AsyncIterator[None]:
    """Give ``take`` every frame of an agent's WebSocket, with its moment on both clocks."""
    await server.add_accounts([agent])
    console = ConsoleClient(server.url, agent)
    await console.sign_in(PASSWORD)
    welcomed = asyncio.Event()

    async def follow() -> None:
        async for frame in console.frames(["agent"]):
            take(frame, time.monotonic(), time.time())
            if frame["type"] == "snapshot":
                welcomed.set()

    following = asyncio.create_task(follow())
    try:
        async with asyncio.timeout(LINK_SECONDS):
            await welcomed.wait()
        yield
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


@asynccontextmanager
async def answered_call(
    server: Server, ringing: asyncio.Queue[Call], number: str
) -> AsyncIterator[tuple[Call, Call]]:
    """A call of a citizen to 12333, answered where it rings: both ends, hung up afterwards."""
    async with Phone(number, server=server.sip) as citizen:
        calling = await citizen.call("12333")
        async with asyncio.timeout(ANSWER_SECONDS):
            await calling.wait_answered()
            answering = await ringing.get()
            await answering.answer()
        yield calling, answering
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HANG_UP_SECONDS):
                await calling.hangup()
