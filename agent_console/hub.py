"""One reader of the bus for all pages: each event is encoded once and put into the outboxes it concerns.

Nothing here waits for a page. ``advance`` is synchronous: when it returns, every event published so far is in
the outboxes, so that joining (``join``) can say exactly which number a page has got. Two slow loops beside it
send pictures: the live one and today's figures, at most once a second, when something changed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass, field
from typing import Final

from hotline.agent_console.frames import Frames, whole_frame
from hotline.agent_console.outbox import Outbox
from hotline.agent_console.ownership import Ownership, Topic, Viewer, visible
from hotline.agent_console.pictures import Pictures
from hotline.agent_console.tails import Revisions
from hotline.agent_console.wire import dump, to_json
from hotline.core.clock import Clock
from hotline.core.errors import SlowConsumer
from hotline.core.events import (
    AgentEvent,
    AlertEvent,
    DraftChanged,
    EngineChanged,
    Envelope,
    Event,
    LegLost,
    LegTapped,
    LinkChanged,
    TranscriptSegment,
)
from hotline.core.ports import Bus, Figures, LivePicture
from hotline.core.views import LiveView

log = logging.getLogger(__name__)

CLOSE_SLOW: Final = 4408
CLOSE_RESTART: Final = 1012
PICTURE_SECONDS: Final = 1.0  # between two pictures of a kind
FIGURES_AT_LEAST_SECONDS: Final = 60.0  # figures change at midnight without an event
RESUME_LIMIT: Final = 2_000  # missed events sent one by one; beyond that a snapshot is quicker
FEED_LIMIT: Final = 10_000  # the hub never waits, so this many unread means the loop stood still
UNPICTURED: Final = (TranscriptSegment, LegTapped, LegLost, EngineChanged, DraftChanged)  # change no picture


@dataclass(slots=True, eq=False)
class Console:
    """One page that is connected. ``close_code`` is set once, by whoever ends it first."""

    viewer: Viewer
    session: str
    outbox: Outbox = field(default_factory=Outbox)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    shown: str = ""  # the last live picture without its moment
    texts: Revisions = field(default_factory=Revisions)
    close_code: int | None = None
    close_reason: str = ""

    def send(self, text: str) -> None:
        """Queue an event's frame, or end the page when it does not keep up."""
        if self.close_code is not None:
            return
        if self.outbox.push(text):
            self.wake.set()
        else:
            self.close(CLOSE_SLOW, "too slow")

    def show(self, kind: str, text: str) -> None:
        """Queue a picture in place of an older one."""
        if self.close_code is None:
            self.outbox.put_picture(kind, text)
            self.wake.set()

    def close(self, code: int, reason: str) -> None:
        """Ask for the end; the first reason stays."""
        if self.close_code is None:
            self.close_code, self.close_reason = code, reason
            self.closing.set()


@dataclass(frozen=True, slots=True)
class Joined:
    """Where a page stands after joining. ``missed`` is None when it needs a snapshot, made of ``live``."""

    seq: int
    missed: list[str] | None
    live: LiveView


class Hub:
    """Push to every page. ``run`` it as a task; ``join`` and ``leave`` from the sockets."""

    def __init__(self, bus: Bus, picture: LivePicture, figures: Figures, clock: Clock) -> None:
        self.cut_off = 0
        self.ownership = Ownership()
        self.consoles: set[Console] = set()
        self._supervisors: set[Console] = set()
        self._at_seat: dict[str, set[Console]] = {}
        self.running = False
        self._bus = bus
        self._picture = picture
        self._figures = figures
        self._clock = clock
        self.seq = bus.last_seq
        self._live_dirty = asyncio.Event()
        self._figures_dirty = asyncio.Event()
        self._figures_lock = asyncio.Lock()
        self._figures_text: str | None = None
        self._figures_at: float | None = None

    async def run(self) -> None:
        """Push until cancelled."""
        self.ownership.adopt(self._picture.live(), self.seq)
        self.running = True
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(), name="console-pump")
                group.create_task(self._show_live(), name="console-live")
                group.create_task(self._show_figures(), name="console-figures")
        finally:
            self.running = False

    def join(self, console: Console, boot_id: str | None, last_seq: int | None) -> Joined:
        """Let a page in and say what it missed; from here on it gets every event after ``Joined.seq``."""
        self.advance()
        live = self._picture.live()  # in the same step: it holds all that happened up to here
        if console.viewer.agent is not None:
            self.ownership.adopt(live, self.seq, console.viewer.agent)
        missed: list[str] | None = None
        if boot_id == self._bus.boot_id and last_seq is not None:
            missed = self._missed(console.viewer, last_seq)
        self._admit(console)
        return Joined(self.seq if missed is None or last_seq is None else last_seq, missed, live)

    def leave(self, console: Console) -> None:
        """Forget a page; no error if it is not there."""
        self.consoles.discard(console)
        self._supervisors.discard(console)
        at_seat = self._at_seat.get(console.viewer.agent or "")
        if at_seat is not None:
            at_seat.discard(console)
            if not at_seat:
                del self._at_seat[console.viewer.agent or ""]

    def _admit(self, console: Console) -> None:
        self.consoles.add(console)
        if console.viewer.supervisor:
            self._supervisors.add(console)
        if console.viewer.agent is not None:
            self._at_seat.setdefault(console.viewer.agent, set()).add(console)

    def live(self) -> LiveView:
        """The present of the exchange."""
        return self._picture.live()

    def live_frame(self, viewer: Viewer) -> str:
        """The live picture as this viewer may see it."""
        pictures = Pictures(self._picture.live())
        return pictures.frame(pictures.lasting(viewer))

    async def figures_frame(self) -> str:
        """Today's figures, at most a second old; asked for once however many pages want them."""
        async with self._figures_lock:
            now = self._clock.monotonic()
            fresh = self._figures_at is not None and now - self._figures_at < PICTURE_SECONDS
            if self._figures_text is None or not fresh:
                self._figures_text = dump({"type": "figures", "data": to_json(await self._figures.today())})
                self._figures_at = self._clock.monotonic()
            return self._figures_text

    def advance(self) -> None:
        """Bring the outboxes up to the bus's last event; ends every page if events were lost on the way."""
        if self.seq >= self._bus.last_seq:
            return
        envelopes = self._bus.since(self.seq)
        if envelopes is None:
            log.error("the bus no longer holds the events after %d; all pages start anew", self.seq)
            self.seq = self._bus.last_seq
            self.close_all(CLOSE_RESTART, "events were lost")
            return
        for envelope in envelopes:
            self._take(envelope)

    def close_all(self, code: int, reason: str) -> None:
        """Ask every page to go."""
        for console in self.consoles:
            console.close(code, reason)

    async def _pump(self) -> None:
        while True:
            with self._bus.subscribe("agent_console", limit=FEED_LIMIT) as feed:
                self.advance()
                with contextlib.suppress(SlowConsumer):  # then subscribe again and read the history
                    async for envelope in feed:
                        self._take(envelope)

    def _take(self, envelope: Envelope) -> None:
        if envelope.seq <= self.seq:
            return
        self.seq = envelope.seq
        newly = self.ownership.observe(envelope)
        frames = Frames(envelope)
        for console in self._candidates(envelope.event):
            if visible(envelope, console.viewer, self.ownership):
                masked = self._masked(envelope, console.viewer)
                console.send(frames.for_page(console.texts, masked=masked))
                if console.close_code == CLOSE_SLOW:
                    self.cut_off += 1
                    self.leave(console)
        if newly:
            self._show_call(envelope, newly)
        if not isinstance(envelope.event, UNPICTURED):
            self._live_dirty.set()
            self._figures_dirty.set()

    def _masked(self, envelope: Envelope, viewer: Viewer) -> bool:
        """Whether this is a text in which this viewer sees no numbers of persons."""
        event = envelope.event
        if not viewer.supervisor or not isinstance(event, TranscriptSegment):
            return False  # an agent gets no other calls
        return viewer.agent is None or not self.ownership.had(event.call_id, viewer.agent, envelope.seq)

    def _candidates(self, event: Event) -> set[Console]:
        """The pages worth asking ``visible`` about: with 900 agents, most events concern one."""
        if isinstance(event, LinkChanged):
            return set(self.consoles)
        if isinstance(event, AlertEvent):
            return set(self._supervisors)
        seats = {event.agent} if isinstance(event, AgentEvent) else self.ownership.seats(event.call_id)
        return self._supervisors.union(*(self._at_seat.get(seat, ()) for seat in seats))

    def _show_call(self, envelope: Envelope, agents: tuple[str, ...]) -> None:
        call_id = getattr(envelope.event, "call_id", None)
        wanted = [
            console for agent in agents for console in self._at_seat.get(agent, ())
            if Topic.AGENT in console.viewer.topics
        ]  # fmt: skip
        if not wanted:
            return
        for call in self._picture.live().calls:
            if call.call_id == call_id:
                text = dump({"type": "call", "data": to_json(call)})
                for console in wanted:
                    console.send(text)

    def _missed(self, viewer: Viewer, last_seq: int) -> list[str] | None:
        if last_seq > self.seq:
            return None
        envelopes = self._bus.since(last_seq)
        if envelopes is None:
            return None
        mine = [one for one in envelopes if one.seq <= self.seq and visible(one, viewer, self.ownership)]
        if len(mine) > RESUME_LIMIT:
            return None
        return [whole_frame(one, masked=self._masked(one, viewer)) for one in mine]

    async def _show_live(self) -> None:
        while True:
            await self._live_dirty.wait()
            self._live_dirty.clear()
            self.advance()
            pictures = Pictures(self._picture.live())
            for console in list(self.consoles):
                lasting = pictures.lasting(console.viewer)
                if lasting != console.shown:
                    console.shown = lasting
                    console.show("live", pictures.frame(lasting))
            await asyncio.sleep(PICTURE_SECONDS)

    async def _show_figures(self) -> None:
        shown: str | None = None
        looks = 0
        while True:
            if looks == 0 and not await self._figures_changed():
                looks = 1
            if self._figures_dirty.is_set():
                self._figures_dirty.clear()
                looks = 2  # a second look: the row behind the event may be written a moment after it
            looks -= 1
            watchers = [console for console in self.consoles if Topic.BOARD in console.viewer.topics]
            if not watchers:
                shown = None
            elif (text := await self._figures_or_none()) is None:
                looks = 1
            elif text != shown:
                for console in watchers:
                    console.show("figures", text)
                shown = text
            await asyncio.sleep(PICTURE_SECONDS)

    async def _figures_changed(self) -> bool:
        """Wait for an event that may change the figures; False when it was long enough without one."""
        try:
            async with asyncio.timeout(FIGURES_AT_LEAST_SECONDS):
                await self._figures_dirty.wait()
        except TimeoutError:
            return False
        return True

    async def _figures_or_none(self) -> str | None:
        try:
            return await self.figures_frame()
        except Exception as error:  # another room's fault must not stop the transcripts
            log.warning("today's figures cannot be had now (%s); trying again", type(error).__name__)
            return None
