"""The demo from start to stop: the real server, the real exchange, and people at telephones."""

from __future__ import annotations

import asyncio
import itertools
import logging
import random
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

from hotline.config.schema import Agent, Site
from hotline.core.errors import HotlineError, PeerError
from hotline.core.events import Side
from hotline.server.app import HotlineServer
from hotline.server.demo.actors import AgentActor, CitizenActor
from hotline.server.demo.console_client import ConsoleClient
from hotline.server.demo.conversation import Conversation, Stage
from hotline.server.demo.dialogues import Dialogue, load_dialogues, load_segmenter, programme
from hotline.server.demo.judging import judge
from hotline.server.demo.report import Printer, Summary
from hotline.server.demo.speaking import Speaking
from hotline.server.demo.watching import Watch
from hotline.speech.voice import Voice
from hotline.speech.voices import AGENT_VARIANTS, CALLER_VARIANTS
from hotline.telephony.asterisk_config.secrets import secrets_of
from hotline.telephony.phone.phone import Phone

log = logging.getLogger(__name__)

#: Every twelfth citizen gives up while an agent's phone rings in vain: no hotline answers 100 %.
GIVES_UP_EVERY = 12
PATIENCE_SECONDS = 90.0
SECONDS_BETWEEN_CALLS = (0.8, 3.0)
LINK_SECONDS = 20.0

#: In endless mode an agent takes a break after so many calls on average.
BREAK_CHANCE = 0.04

#: Citizens' numbers: a mobile number's shape with four random digits; nobody is called.
NUMBER_HEAD = "1380013"

PASSWORD_CHARACTERS = 14


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What may be asked of the demo.

    Attributes:
        calls: end after so many; None goes on until it is stopped.
        seed: makes the order of dialogues, pauses and voices the same again.
        at_once: calls at a time.
    """

    calls: int | None = None
    seed: int | None = None
    at_once: int = 4


class Demo:
    """One run, beside a server that is up.

    Args:
        site: what the server runs.
        server: the running server.
        options: how much and how often.
        printer: where lines go.
    """

    def __init__(self, site: Site, server: HotlineServer, options: DemoOptions, printer: Printer) -> None:
        self.summary = Summary()
        self._site = site
        self._server = server
        self._options = options
        self._printer = printer
        self._rng = random.Random(options.seed)  # noqa: S311 - a play, no secret
        self._stage = Stage()
        self._watch = Watch()
        self._segmenter = load_segmenter()
        self._speaking = Speaking(self._segmenter)
        self._sip = (site.asterisk.host, site.asterisk.sip_port)
        self._fault: BaseException | None = None
        self._stop = asyncio.Event()

    def request_stop(self) -> None:
        """Start no more calls and hang up those that go on."""
        self._stop.set()

    async def run(self) -> None:
        """Act until the calls are done or the stop is asked for.

        Raises:
            HotlineError: a part of the demo or of the server failed; nothing is left running.
        """
        async with AsyncExitStack() as stack:
            password = await self._make_accounts()
            await self._open_eyes(stack, password)
            await self._seat_agents(stack, password)
            self._introduce(password)
            self._background(stack, "server", self._server.wait())
            await self._run_calls()
        if self._fault is not None:
            raise HotlineError(f"the demo broke off: {self._fault}") from self._fault
        if self._server.failure is not None:
            raise HotlineError(f"the server failed: {self._server.failure}")

    # -- setting up -----------------------------------------------------------------------------------

    async def _make_accounts(self) -> str:
        """An account for every seat and supervisor of the site, all with one password kept as a secret."""
        password = self._server.secrets.get("demo-password")[:PASSWORD_CHARACTERS]
        for agent in self._site.agents:
            await self._server.accounts.ensure_account(agent.id, agent.name, agent.role, agent.id, password)
        return password

    async def _open_eyes(self, stack: AsyncExitStack, password: str) -> None:
        """Follow the course of every call as a supervisor's page does."""
        supervisor = next((agent for agent in self._site.agents if agent.role == "supervisor"), None)
        if supervisor is None:
            raise HotlineError("the demo needs a supervisor in the site file", hint="add one to agents")
        console = ConsoleClient(self._server.console.url, supervisor.id)
        await console.sign_in(password)
        stack.push_async_callback(self._leave_console, console)
        self._background(stack, "watch", self._watch.run(console.frames(["calls", "board"])))
        try:
            async with asyncio.timeout(LINK_SECONDS):
                await self._watch.link_up.wait()
        except TimeoutError:
            hint = "see the log named above"
            raise PeerError("the server has no link to Asterisk", hint=hint) from None

    async def _seat_agents(self, stack: AsyncExitStack, password: str) -> None:
        """Every agent registers the phone, signs in and works until the end."""
        seats = [agent for agent in self._site.agents if agent.role == "agent"]
        if not seats:
            raise HotlineError("the demo needs agents in the site file", hint="add some to agents")
        async with asyncio.TaskGroup() as arriving:
            for place, agent in enumerate(seats):
                variant = AGENT_VARIANTS[place % len(AGENT_VARIANTS)]
                arriving.create_task(self._seat(stack, agent, Voice(variant), password))

    async def _seat(self, stack: AsyncExitStack, agent: Agent, voice: Voice, password: str) -> None:
        secret = secrets_of(self._site)(f"agent-{agent.id}")
        phone = await stack.enter_async_context(
            Phone(agent.extension, secret, server=self._sip, display_name=agent.name)
        )
        console = ConsoleClient(self._server.console.url, agent.id)
        await console.sign_in(password)
        stack.push_async_callback(self._leave_console, console)
        self._background(stack, f"page {agent.id}", self._watch.read(console.frames(["agent"])))
        actor = AgentActor(
            self._stage, phone, console, voice, self._speaking,
            rng=random.Random(self._rng.random()),  # noqa: S311 - a play, no secret
            break_chance=0.0 if self._options.calls is not None else BREAK_CHANCE,
        )  # fmt: skip
        await actor.begin()
        stack.push_async_callback(self._sign_out, actor)
        self._background(stack, f"agent {agent.id}", actor.work())

    def _introduce(self, password: str) -> None:
        agents = [agent for agent in self._site.agents if agent.role == "agent"]
        supervisors = [agent for agent in self._site.agents if agent.role == "supervisor"]
        say = self._printer.say
        say(f"page 页面        {self._server.console.url}")
        say(f"agent 坐席       user {agents[0].id} … {agents[-1].id}   password {password}")
        say(f"supervisor 班长  user {supervisors[0].id}          password {password}")
        ending = "Ctrl-C ends it" if self._options.calls is None else f"{self._options.calls} calls"
        say(f"{len(agents)} agents are signed in; {ending}.")
        say()

    # -- calls ----------------------------------------------------------------------------------------

    async def _run_calls(self) -> None:
        """Keep up to ``at_once`` calls going until there have been enough or the stop is asked for."""
        going: set[asyncio.Task[None]] = set()
        stopping = asyncio.create_task(self._stop.wait(), name="demo-stop")
        try:
            for index, dialogue in self._schedule():
                while len(going) >= self._options.at_once and not self._stop.is_set():
                    await asyncio.wait({*going, stopping}, return_when=asyncio.FIRST_COMPLETED)
                    going = {task for task in going if not _finished(task)}
                if self._stop.is_set():
                    break
                going.add(asyncio.create_task(self._one_call(index, dialogue), name=f"demo-call-{index}"))
                await asyncio.wait({stopping}, timeout=self._rng.uniform(*SECONDS_BETWEEN_CALLS))
            while going and not self._stop.is_set():
                await asyncio.wait({*going, stopping}, return_when=asyncio.FIRST_COMPLETED)
                going = {task for task in going if not _finished(task)}
        finally:
            for task in {*going, stopping}:
                task.cancel()
            await asyncio.gather(*going, stopping, return_exceptions=True)

    def _schedule(self) -> Iterator[tuple[int, Dialogue]]:
        numbers = itertools.count() if self._options.calls is None else range(self._options.calls)
        return zip(numbers, programme(load_dialogues(), self._rng), strict=False)

    async def _one_call(self, index: int, dialogue: Dialogue) -> None:
        conversation = Conversation(
            self._free_number(),
            dialogue,
            gives_up=index % GIVES_UP_EVERY == GIVES_UP_EVERY - 1,
            hangs_up=self._rng.choice([Side.CALLER, Side.CALLER, Side.AGENT]),
        )
        citizen = CitizenActor(
            self._stage, conversation, self._sip,
            Voice(CALLER_VARIANTS[index % len(CALLER_VARIANTS)]), self._speaking,
            patience_seconds=PATIENCE_SECONDS, rng=random.Random(self._rng.random()),  # noqa: S311 - a play
        )  # fmt: skip
        await citizen.call()
        report = await judge(conversation, self._watch, self._segmenter)
        self.summary.add(report)
        self._printer.call(report)

    def _free_number(self) -> str:
        """A number whose last four digits nobody bears now: they are what the page shows of it."""
        while True:
            number = f"{NUMBER_HEAD}{self._rng.randrange(10_000):04d}"
            if self._stage.of_number(number) is None and self._watch.of_number(number) is None:
                return number

    # -- tidying up -----------------------------------------------------------------------------------

    def _background(self, stack: AsyncExitStack, name: str, work: Coroutine[None, None, None]) -> None:
        """Run ``work`` until the stack is closed; if it ends before, the demo stops."""

        async def watched() -> None:
            try:
                await work
            except asyncio.CancelledError:
                raise
            except Exception as error:
                log.exception("a part of the demo failed: %s", name)
                self._fault = self._fault or error
            self._stop.set()

        task = asyncio.create_task(watched(), name=f"demo-{name}")

        async def end() -> None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        stack.push_async_callback(end)

    @staticmethod
    async def _sign_out(actor: AgentActor) -> None:
        try:
            await actor.end()
        except PeerError as error:
            log.info("an agent could not sign out: %s", error.message)

    @staticmethod
    async def _leave_console(console: ConsoleClient) -> None:
        try:
            await console.sign_out()
        except PeerError as error:
            log.info("a console session could not be closed: %s", error.message)


async def run_demo(site: Site, options: DemoOptions, printer: Printer, stop: asyncio.Event) -> Summary:
    """Start the server, act, stop the server.

    Args:
        site: what to run; its Asterisk must be a managed one.
        options: how much and how often.
        printer: where lines go.
        stop: set to end it early.

    Raises:
        HotlineError: something could not be started or broke off; nothing is left running.
    """
    if not site.asterisk.managed:
        raise HotlineError(
            "the demo calls only an Asterisk of its own", hint="set asterisk.managed: true in the site file"
        )
    server = HotlineServer(site)
    await server.start()
    try:
        demo = Demo(site, server, options, printer)
        watcher = asyncio.create_task(_relay(stop, demo), name="demo-relay")
        try:
            await demo.run()
        finally:
            watcher.cancel()
            await asyncio.gather(watcher, return_exceptions=True)
        return demo.summary
    finally:
        await server.aclose()


async def _relay(stop: asyncio.Event, demo: Demo) -> None:
    await stop.wait()
    demo.request_stop()


def _finished(task: asyncio.Task[None]) -> bool:
    """Whether a call is done; what it raised is raised here."""
    if not task.done():
        return False
    task.result()
    return True
