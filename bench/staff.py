"""The agents of the load test: what each does with a call, by chance, and what the own phone noted of it.

Most serve the queue of the line; the specialists serve none and are only reached by a transfer or an enquiry.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum

from bench.witness import Witness
from hotline.config.schema import Site
from hotline.core.events import TalkKind
from hotline.telephony.ami.errors import AmiError
from hotline.telephony.asterisk_config.secrets import secrets_of
from hotline.telephony.phone.call import Call, End, EndedBy
from hotline.telephony.phone.phone import Phone
from hotline.telephony.phone.states import CallStateError, ChangeRefused
from hotline.telephony.phone.ticker import Ticker

RINGS_SECONDS = (0.3, 1.0)
TALKS_SECONDS = (2.0, 5.0)
ASKS_SECONDS = (0.5, 1.5)
BREAKS_SECONDS = (1.0, 3.0)
ANSWER_WITHIN_SECONDS = 6.0  # whom an agent asks; else the caller gets the agent back
SPECIALISTS = 6  # one agent in so many
IGNORES, REFUSES = 0.03, 0.03  # shares of the rings
TAKES_A_BREAK = 0.05  # share of the talks


class Then(StrEnum):
    """How an agent ends a talk."""

    HANGS_UP = "hangs up"
    TO_QUEUE = "blind transfer to a queue"
    TO_AGENT = "blind transfer to an agent"
    ASKS_AND_JOINS = "attended transfer"


SHARES = {Then.HANGS_UP: 0.76, Then.TO_QUEUE: 0.08, Then.TO_AGENT: 0.08, Then.ASKS_AND_JOINS: 0.08}


@dataclass(slots=True)
class Note:
    """What an agent's phone knows of one talk. Moments are seconds since 1970.

    Attributes:
        number: the caller's.
        asked_by: the agent who asked this one; empty where nobody did.
        blurred: the caller may have gone before the agent's own call ended.
        dropped: Asterisk ended the agent's call.
    """

    agent: str
    number: str
    kind: TalkKind
    began_at: float
    ended_at: float = 0.0
    asked_by: str = ""
    then: Then | None = None
    blurred: bool = False
    dropped: bool = False

    @property
    def seconds(self) -> float:
        return self.ended_at - self.began_at


class Silent(Ticker):
    """Paces nothing: phones that talk with nobody's ears need no sound."""

    def join(self, member: Callable[[], None]) -> None:
        """No frame is ever due."""


@dataclass(slots=True)
class Enquiry:
    """An agent who asks a specialist about a caller; ``answered``: by the specialist, with this note."""

    agent: str
    number: str
    answered: asyncio.Future[Note]


class Staff:
    """The agents at work, until their phones are closed.

    Args:
        site: their site.
        line: the line, which is also a queue's name, that they serve.
        witness: knows channels by extension, and has a manager connection.
        seed: of what they do.

    Attributes:
        notes: of talks, in the order in which they began.
        broken: callers whose talk ended by a fault of a phone or of the exchange.
    """

    def __init__(self, site: Site, line: str, witness: Witness, seed: int) -> None:
        self.notes: list[Note] = []
        self.broken: set[str] = set()
        self.done: dict[Then, int] = dict.fromkeys(Then, 0)
        self._rng = random.Random(seed)
        self._line, self._witness = line, witness
        people = [agent for agent in site.agents if line in agent.skills]
        self.specialists = people[::SPECIALISTS]
        self.serving = [agent for agent in people if agent not in self.specialists]
        self._enquiries: dict[str, Enquiry] = {}  # by the asker's extension, whose number the specialist sees

    async def work(self, agent: str, phone: Phone) -> None:
        """Take calls until the phone is closed."""
        specialist = any(one.id == agent for one in self.specialists)
        async for call in phone.incoming():
            call.ring()
            if not specialist and self._rng.random() < IGNORES:
                await call.wait_ended()  # the queue gives up, or the caller does
                continue
            await self._pause(call, RINGS_SECONDS)
            try:
                if call.end is None and self._rng.random() < REFUSES:
                    call.reject()
                    continue
                await call.answer()
            except CallStateError:
                continue  # the caller left while it rang
            if (enquiry := self._enquiries.get(call.number)) is not None:
                await self._be_asked(agent, call, enquiry)
            else:
                await self._talk(agent, call, TalkKind.TRANSFER if specialist else TalkKind.QUEUE)
            if not specialist and self._rng.random() < TAKES_A_BREAK:
                await self._take_a_break(phone)

    async def _talk(self, agent: str, call: Call, kind: TalkKind) -> None:
        note = Note(agent, call.number, kind, time.time())
        self.notes.append(note)
        await self._pause(call, TALKS_SECONDS)
        then = Then.HANGS_UP
        if kind is TalkKind.QUEUE and call.end is None:
            then = self._rng.choices(list(SHARES), list(SHARES.values()))[0]
        try:
            await self._finish(note, call, then)
        except (AmiError, CallStateError, ChangeRefused, KeyError):
            note.blurred = True  # the caller left in that moment, or nobody could be reached
        self._ended(note, await call.hangup())

    async def _finish(self, note: Note, call: Call, then: Then) -> None:
        """End the talk in that way; the call ends by it, or is still to be hung up."""
        channel = self._witness.channel_of(note.agent) if then is not Then.HANGS_UP else ""
        someone = self._rng.choice(self.specialists).extension
        target = f"q{self._line}" if then is Then.TO_QUEUE else someone
        if then is Then.ASKS_AND_JOINS:
            await self._ask(note, call, channel, target)
        elif then is not Then.HANGS_UP and self._rng.random() < 0.5:
            note.ended_at = time.time()  # the exchange takes it from here; the phone hears of it later
            await call.transfer(target)
        elif then is not Then.HANGS_UP:
            await self._manage("BlindTransfer", Channel=channel, Context="hotline-transfer", Exten=target)
            await call.wait_ended()
        note.then = then
        self.done[then] += 1

    async def _ask(self, note: Note, call: Call, channel: str, target: str) -> None:
        """Ask a specialist; if one answers, leave the two together."""
        note.blurred = True  # whoever is left in an enquiry learns late that the caller has gone
        enquiry = Enquiry(note.agent, note.number, asyncio.get_running_loop().create_future())
        if (own := note.agent) in self._enquiries:
            raise KeyError(own)
        self._enquiries[own] = enquiry
        try:
            await self._manage("Atxfer", Channel=channel, Context="hotline-transfer", Exten=target)
            async with asyncio.timeout(ANSWER_WITHIN_SECONDS):
                asked = await enquiry.answered
        except TimeoutError:
            return
        finally:
            del self._enquiries[own]
        await self._pause(call, ASKS_SECONDS)
        await call.hangup()
        asked.blurred = True

    async def _be_asked(self, agent: str, call: Call, enquiry: Enquiry) -> None:
        """Answer an enquiry, and perhaps be left with the caller."""
        note = Note(
            agent, enquiry.number, TalkKind.CONSULT, time.time(), asked_by=enquiry.agent, blurred=True
        )
        self.notes.append(note)
        if not enquiry.answered.done():
            enquiry.answered.set_result(note)
        await self._pause(call, TALKS_SECONDS)
        self._ended(note, await call.hangup())

    async def _take_a_break(self, phone: Phone) -> None:
        device = f"PJSIP/{phone.username}"
        await self._manage("QueuePause", Interface=device, Paused="true", Reason="break")
        await asyncio.sleep(self._rng.uniform(*BREAKS_SECONDS))
        await self._manage("QueuePause", Interface=device, Paused="false")

    async def _manage(self, action: str, **fields: str) -> None:
        await self._witness.manager.action(action, fields)

    def _ended(self, note: Note, end: End) -> None:
        note.ended_at = note.ended_at or time.time()
        note.dropped = end.by is EndedBy.THEM
        if end.by is EndedBy.FAULT:
            self.broken.add(note.number)

    async def _pause(self, call: Call, between: tuple[float, float]) -> None:
        """Wait for a while, or until the other side hangs up."""
        try:
            async with asyncio.timeout(self._rng.uniform(*between)):
                await call.wait_ended()
        except TimeoutError:
            return


@asynccontextmanager
async def on_duty(site: Site, line: str, witness: Witness, seed: int) -> AsyncIterator[Staff]:
    """The agents' phones, registered; Asterisk is told directly who serves the queue: no console needed."""
    secret = secrets_of(site)
    staff, silent = Staff(site, line, witness, seed), Silent()
    async with AsyncExitStack() as stack:
        for agent in [*staff.serving, *staff.specialists]:
            phone = Phone(
                agent.extension, secret(f"agent-{agent.id}"), ticker=silent,
                server=(site.asterisk.host, site.asterisk.sip_port),
            )  # fmt: skip
            await stack.enter_async_context(phone)
            await phone.register()
            working = asyncio.create_task(staff.work(agent.id, phone))
            stack.push_async_callback(asyncio.wait, {working})
            stack.callback(working.cancel)
            if agent in staff.serving:
                device = f"PJSIP/{agent.extension}"
                await witness.manager.action(
                    "QueueAdd",
                    {"Queue": line, "Interface": device, "MemberName": agent.id, "StateInterface": device},
                )
        yield staff
