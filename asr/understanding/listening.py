"""Understanding at work: the texts of every call, from the bus, to what each call is about.

    listener = CallListener(site, bus, transcripts, PointStore(sessions), clock, ear, model)
    await listener.run()        # until cancelled
    listener                    # the Points port

While a call goes on each final text costs 0.3 to 3 ms, more the longer it is; at the hang-up the summary is
there at once. What was said before this server began to listen is read back then. A model, where the site has
one, is asked once the last texts have come; until it answers, and whenever not, the rules' result stands.

Bound: `CALLS_LIMIT` calls; those longest unheard of are forgotten first.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from hotline.asr.understanding.ear import Alarm, Ear
from hotline.asr.understanding.rules import CallReading
from hotline.asr.understanding.saving import PointBook, PointSaver
from hotline.asr.understanding.summary import proposals_of
from hotline.config.schema import Site
from hotline.core.bus import follow
from hotline.core.clock import Clock
from hotline.core.events import (
    AlarmKind,
    CallAnswered,
    CallEnded,
    CallerQueued,
    CallStarted,
    CallUnderstood,
    Event,
    MenuFinished,
    PartyJoined,
    SurveyBegan,
    TranscriptSegment,
    WordsHeard,
)
from hotline.core.ports import Bus, Feed, Transcripts
from hotline.core.understanding import (
    CallPoints,
    PointKind,
    Proposal,
    Understanding,
    Understood,
    Utterance,
)
from hotline.core.views import Segment

log = logging.getLogger(__name__)

FEED_LIMIT: Final = 20_000  # events unread; beyond that they are replayed from the bus's history
CALLS_LIMIT: Final = 5_000
QUIET_SECONDS: Final = 2.0  # after the hang-up, for the last texts, before a model is asked
LIVE_TEXTS: Final = 200  # of a longer call what it is about is told anew with every LONG_EVERY-th text only
LONG_EVERY: Final = 10
LATE_SECONDS: Final = 30.0  # after it, for texts of a recogniser that is behind


@dataclass(slots=True)
class _Call:
    """A call that goes on, or ended a moment ago. ``whole``: this server has heard it from its first word."""

    call_id: str
    reading: CallReading
    whole: bool
    line: str = ""
    agent: str = ""
    ended: bool = False
    points: CallPoints | None = None
    alarmed: set[AlarmKind] = field(default_factory=set)
    after: asyncio.Task[None] | None = None


@dataclass(slots=True)
class Counts:
    """Since the start."""

    understood: int = 0
    alarms: int = 0
    faults: int = 0
    parts_dropped: int = 0


class CallListener:
    """Understands every call of the bus.

    Args:
        site: its rules and lines.
        bus: of texts; where `CallUnderstood` and `WordsHeard` are told.
        transcripts: what was said before this server began.
        store: for calls that are over.
        clock: the present.
        ear: the site's rules, made ready.
        model: asked after each call beside the rules; None: nothing is.
        late_seconds: how long after the hang-up texts are still taken in.
    """

    def __init__(
        self,
        site: Site,
        bus: Bus,
        transcripts: Transcripts,
        store: PointBook,
        clock: Clock,
        ear: Ear,
        model: Understanding | None = None,
        *,
        late_seconds: float = LATE_SECONDS,
    ) -> None:
        self.counts = Counts()
        self.ear = ear
        self._bus, self._clock = bus, clock
        self._transcripts, self._model = transcripts, model
        self._saver = PointSaver(store)
        self._late_seconds = late_seconds
        self._quiet_seconds = min(QUIET_SECONDS, late_seconds)
        self._lines = {line.id: _names_of(site, line.id) for line in site.lines}
        self._calls: OrderedDict[str, _Call] = OrderedDict()
        self._started_at = clock.now()

    async def run(self) -> None:
        """Listen until cancelled; then save what is unsaved."""
        self._started_at = self._clock.now()
        feed = self._bus.subscribe("understanding", limit=FEED_LIMIT)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._listen(feed), name="understanding")
                tasks.create_task(self._saver.run(), name="understanding-save")
        finally:
            self._end_tasks()
            await self._saver.flush()

    async def of_call(self, call_id: str) -> CallPoints | None:
        """All that is understood of a call; a past one is asked of the database, which may raise."""
        call = self._calls.get(call_id)
        known = call.points if call is not None else None
        return known or await self._saver.of_call(call_id)

    def proposals(self, points: CallPoints) -> tuple[Proposal, ...]:
        """What they offer to the draft."""
        return proposals_of(points.points, self.ear.things.is_platform)

    def numbers(self) -> Iterator[tuple[str, str, bool, float]]:
        """Name, help, whether it only grows, value: the form that a metrics exporter takes."""
        counts = self.counts
        yield "understood_texts", "Final texts that the rules have read.", True, counts.understood
        yield "alarming_words", "Urgent or abusive words told to supervisors.", True, counts.alarms
        yield "understanding_faults", "Texts and calls that a fault of ours left out.", True, counts.faults
        yield "points_unsaved", "Ended calls whose points wait for the database.", False, self._saver.waiting
        yield "points_dropped", "Of them, calls given up.", True, self._saver.dropped
        yield "model_parts_dropped", "Parts of answers that no words bore out.", True, counts.parts_dropped

    async def _listen(self, feed: Feed) -> None:
        async for envelope in follow(self._bus, feed, "understanding", limit=FEED_LIMIT):
            try:
                self.take(envelope.event)
            except Exception:  # what one text does must not end the understanding of the others
                self.counts.faults += 1
                log.exception("an event was not understood")

    def take(self, event: Event) -> None:
        """Act on an event of the bus."""
        match event:
            case CallStarted() | CallerQueued() | CallAnswered():
                call = self._call(event.call_id, whole=event.at >= self._started_at)
                call.agent = event.agent if isinstance(event, CallAnswered) else call.agent
                self._on_line(call, event.line)
            case MenuFinished(line=str(line)):
                self._on_line(self._call(event.call_id, whole=event.at >= self._started_at), line)
            case PartyJoined():
                call = self._call(event.call_id, whole=False)
                call.agent = event.agent or call.agent
            case TranscriptSegment(final=True):
                self._heard(event)
            case SurveyBegan() | CallEnded():  # whichever tells first that the talk is over
                self._ended(event.call_id)
            case _:
                pass

    def _call(self, call_id: str, *, whole: bool) -> _Call:
        call = self._calls.get(call_id)
        if call is None:
            call = self._calls[call_id] = _Call(call_id, CallReading(self.ear), whole)
            if len(self._calls) > CALLS_LIMIT:
                _, forgotten = self._calls.popitem(last=False)
                if forgotten.after is not None:
                    forgotten.after.cancel()
        self._calls.move_to_end(call_id)
        return call

    def _on_line(self, call: _Call, line: str) -> None:
        call.line = line
        call.reading.lines = self._lines.get(line, frozenset({line}))

    def _heard(self, event: TranscriptSegment) -> None:
        call = self._call(event.call_id, whole=False)
        self.counts.understood += 1
        for alarm in call.reading.take(_utterance(event)):
            self._alarm(call, alarm, event.utterance)
        if call.points is not None and call.points.source != "rules":
            return  # a late text does not undo what a model made of the rest
        if call.ended or call.reading.size <= LIVE_TEXTS or call.reading.size % LONG_EVERY == 0:
            self._tell(call)

    def _alarm(self, call: _Call, alarm: Alarm, utterance: int) -> None:
        kind = AlarmKind(alarm.kind.value)
        if kind in call.alarmed or call.ended:
            return
        call.alarmed.add(kind)
        self.counts.alarms += 1
        self._bus.publish(
            WordsHeard(call.call_id, self._clock.now(), kind, alarm.phrase, call.line, call.agent, utterance)
        )

    def _tell(self, call: _Call, understood: Understood | None = None) -> None:
        """Say what is understood now, if that is news; of an ended call it is to be saved too."""
        found = understood or call.reading.understood(ended=call.ended)
        before = call.points
        if not found.points and before is None:
            return
        if before is not None and call.ended == before.ended:
            told = Understood(before.points, before.source, before.dropped)
            if told == found:
                return
        revision = 1 if before is None else before.revision + 1
        now = self._clock.now()
        call.points = CallPoints(
            call.call_id, now, revision, call.ended, found.points, found.source, found.dropped
        )
        self._publish(call.points, settled=False)
        if call.ended:
            self._saver.put(call.points)

    def _publish(self, points: CallPoints, *, settled: bool) -> None:
        topic = points.one(PointKind.TOPIC)
        self._bus.publish(
            CallUnderstood(
                points.call_id,
                self._clock.now(),
                points.revision,
                points.ended,
                settled,
                points.request_type,
                topic.value if topic else "",
            )
        )

    def _ended(self, call_id: str) -> None:
        call = self._calls.get(call_id)
        if call is None or call.ended:
            return
        call.ended = True
        self._tell(call)
        call.after = asyncio.create_task(self._after(call), name="after a call")

    async def _after(self, call: _Call) -> None:
        """What is still to be done for a call that is over, until nothing more comes of it."""
        try:
            if not call.whole:
                await self._read_back(call)
            await asyncio.sleep(self._quiet_seconds)
            if self._model is not None and call.points is not None:
                understood = await self._model.understand(call.reading.heard(call.call_id))
                self.counts.parts_dropped += understood.dropped
                self._tell(call, understood)
            await asyncio.sleep(self._late_seconds - self._quiet_seconds)
        except Exception:  # the rules' result stands, and is kept
            self.counts.faults += 1
            log.exception("a call that is over was not wholly understood")
        if call.points is not None:
            self._publish(call.points, settled=True)
        self._calls.pop(call.call_id, None)

    async def _read_back(self, call: _Call) -> None:
        """Hear the whole call again, from its kept text."""
        segments = await self._transcripts.of_call(call.call_id)
        whole = CallReading(self.ear, call.reading.lines)
        for segment in segments:
            if segment.final:
                whole.take(_utterance(segment))
        call.reading = whole
        self._tell(call)

    def _end_tasks(self) -> None:
        for call in self._calls.values():
            if call.after is not None:
                call.after.cancel()


def _utterance(said: TranscriptSegment | Segment) -> Utterance:
    """As people write it."""
    return Utterance(said.side, said.utterance, said.written if said.text else "")


def _names_of(site: Site, line_id: str) -> frozenset[str]:
    names: set[str] = set()
    for line in site.upward(site.line(line_id)):
        names |= {line.id, line.label}
        if line.number is not None:
            names.add(line.number)
    return frozenset(names)
