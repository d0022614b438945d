"""The recordings of live calls: which calls are recorded, and the agent's pause while a number is spoken.

Asterisk records by itself; here it is asked whether it does (a channel variable) and told to record silence
(MixMonitorMute) and to go on. A pause is a row from its first moment, so that a server killed in the
middle of one ends it after its restart instead of leaving the rest of the call unrecorded. So does a pause
that came about on some channels only: it is no pause for the agent, and is taken back as soon as possible.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

from sqlalchemy.exc import SQLAlchemyError

from hotline.config.schema import Site
from hotline.core.bus import follow
from hotline.core.clock import Clock
from hotline.core.control import SuperviseVerb
from hotline.core.errors import ExchangeUnreachable, HotlineError, IllegalState
from hotline.core.events import (
    CallAnswered,
    CallEnded,
    PartyJoined,
    RecordingChanged,
    RecordingState,
    Side,
    SupervisionChanged,
    SurveyBegan,
)
from hotline.core.ports import Bus, LivePicture
from hotline.core.views import LiveView
from hotline.queue.control.spies import is_spy
from hotline.store.audit import AuditLog
from hotline.store.recordings import RecordingStore
from hotline.telephony.ami.answers import AmiResponse
from hotline.telephony.ami.errors import AmiError, AmiRefused
from hotline.telephony.ami.events import CoreShowChannel
from hotline.telephony.asterisk_config import recording
from hotline.telephony.asterisk_config.recording import RawName

log = logging.getLogger(__name__)

FEED_LIMIT: Final = 20_000
TICK_SECONDS: Final = 0.5
BY_ITSELF: Final = "server"


class Manager(Protocol):
    """The part of the AMI client that this needs."""

    async def action(self, name: str, fields: Mapping[str, str | Sequence[str]]) -> AmiResponse: ...
    async def core_show_channels(self) -> tuple[CoreShowChannel, ...]: ...


@dataclass(slots=True)
class _Recording:
    """A live call that is recorded."""

    paused_since: datetime | None = None
    half_paused: bool = False  # a pause that failed: some channels may still be silent
    changing: asyncio.Lock = field(default_factory=asyncio.Lock)


class LiveRecordings:
    """The RecordingDesk port: pauses and resumes, and knows which live calls are recorded."""

    def __init__(
        self,
        site: Site,
        raw_dir: Path,
        manager: Manager,
        bus: Bus,
        store: RecordingStore,
        audit: AuditLog,
        clock: Clock,
    ) -> None:
        self.unwritten = 0  # calls that were to be recorded, but Asterisk writes no file that we can see
        self._raw_dir = raw_dir
        self._records = site.records
        self._longest_pause = timedelta(seconds=site.recording.pause_max_seconds)
        self._manager, self._bus, self._store = manager, bus, store
        self._audit, self._clock = audit, clock
        self._calls: dict[str, _Recording] = {}
        self._left_paused: dict[str, datetime] = {}  # by an earlier run of the server

    def state(self, call_id: str) -> RecordingState:
        """Whether a live call is recorded now."""
        call = self._calls.get(call_id)
        if call is None:
            return RecordingState.OFF
        return RecordingState.ON if call.paused_since is None else RecordingState.PAUSED

    def paused_until(self, call_id: str) -> datetime | None:
        """When the pause of a live call ends by itself; None when there is none."""
        call = self._calls.get(call_id)
        if call is None or call.paused_since is None:
            return None
        return call.paused_since + self._longest_pause

    async def run(self) -> None:
        """Follow the calls until cancelled."""
        if not self._records:
            await asyncio.Event().wait()
        feed = self._bus.subscribe("live-recordings", limit=FEED_LIMIT)
        self._left_paused = {pause.call_id: pause.since for pause in await self._store.pauses()}
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_time(), name="recordings-pauses")
            async for envelope in follow(self._bus, feed, "live-recordings", limit=FEED_LIMIT):
                match envelope.event:
                    case CallAnswered(call_id=call_id, caller_uniqueid=caller, at=at):
                        tasks.create_task(self._look(call_id, caller, at), name="recordings-look")
                    case PartyJoined() as joined:
                        tasks.create_task(self._joined(joined), name="recordings-joined")
                    case SupervisionChanged(call_id=call_id, verb=SuperviseVerb.BARGE):
                        tasks.create_task(self._barged_in(call_id), name="recordings-barged-in")
                    case SurveyBegan(call_id=call_id, at=at) | CallEnded(call_id=call_id, at=at):
                        tasks.create_task(self._ended(call_id, at), name="recordings-ended")

    async def pause(self, call_id: str, user: str) -> None:
        """Record silence from now on; the pause is in the audit log.

        Raises:
            IllegalState: the call is not recorded, or paused already.
            ExchangeUnreachable: Asterisk cannot be asked; the recording goes on.
            SQLAlchemyError: it is paused, but that could not be written down.
        """
        call = self._recorded(call_id)
        async with call.changing:
            if call.paused_since is not None:
                raise IllegalState("the recording is paused already", code="recording_paused")
            now = self._clock.now()
            channels = await self._channels(call_id)
            anew, call.half_paused = not call.half_paused, True
            told, written = await asyncio.gather(  # the number is spoken now: it waits for no database
                self._mute(channels, silent=True),
                self._begin_pause(call_id, now, user, anew=anew),
                return_exceptions=True,
            )
            if isinstance(told, BaseException):
                raise told
            call.half_paused = False
            self._change(call_id, call, now, paused_since=now)
            if written is not None:
                raise written
            await self._audit.record(user, "recording_pause", call_id)

    async def resume(self, call_id: str, user: str) -> None:
        """Record again.

        Raises:
            IllegalState: the recording is not paused.
            ExchangeUnreachable: Asterisk cannot be asked; the recording stays paused.
            SQLAlchemyError: it is recorded again, but that could not be written down.
        """
        call = self._recorded(call_id)
        async with call.changing:
            if call.paused_since is None:
                raise IllegalState("the recording is not paused", code="recording_not_paused")
            await self._mute(await self._channels(call_id), silent=False)
            now = self._clock.now()
            self._change(call_id, call, now, paused_since=None)
            await self._store.end_pause(call_id, now)
            await self._audit.record(user, "recording_resume", call_id)

    async def _begin_pause(self, call_id: str, since: datetime, user: str, *, anew: bool) -> None:
        """Write a pause down; one that failed half-way goes on as it was written."""
        if anew:
            await self._store.begin_pause(call_id, since, user)

    def _recorded(self, call_id: str) -> _Recording:
        try:
            return self._calls[call_id]
        except KeyError:
            raise IllegalState("this call is not recorded", code="not_recorded") from None

    def _change(self, call_id: str, call: _Recording, at: datetime, *, paused_since: datetime | None) -> None:
        call.paused_since = paused_since
        self._bus.publish(RecordingChanged(call_id, at, self.state(call_id)))

    async def _look(self, call_id: str, caller_uniqueid: str, answered_at: datetime) -> None:
        """A person answered (or is told to have, after a break of ours): is the call recorded?"""
        question = {"Channel": caller_uniqueid, "Variable": recording.CALL}
        try:
            answer = await self._manager.action("Getvar", question)
            if not answer.headers.get("Value"):
                return
            if not await asyncio.to_thread(self._is_written, call_id):
                self.unwritten += 1
                log.error("call %s is not recorded: no file of it is in %s", call_id, self._raw_dir)
                return
            call = self._calls.setdefault(call_id, _Recording())
            paused_since = self._left_paused.pop(call_id, call.paused_since)
            if paused_since is not None:  # whoever answers during a pause is not recorded either
                call.half_paused = True
                await self._mute(await self._channels(call_id), silent=True)
                call.half_paused = False
            self._change(call_id, call, paused_since or answered_at, paused_since=paused_since)
        except (AmiError, HotlineError) as error:
            log.warning("call %s: whether it is recorded is not known: %s", call_id, error)

    async def _joined(self, joined: PartyJoined) -> None:
        """Somebody else talks with a recorded caller: see that this voice is recorded, or silent in a pause.

        The dialplan has seen to it, but for a phone's own call that it then hands over (REFER with Replaces):
        whose call that becomes nobody knew when it was dialled.
        """
        call = self._calls.get(joined.call_id)
        if call is None:
            if joined.caller_uniqueid != joined.call_id:  # a citizen called back, whom no queue answers
                await self._look(joined.call_id, joined.caller_uniqueid, joined.at)
            return
        channel = {"Channel": joined.uniqueid}
        try:
            known = await self._manager.action("Getvar", {**channel, "Variable": recording.CALL})
            if not known.headers.get("Value"):
                name = RawName(joined.call_id, Side.AGENT, self._clock.now())
                options = f"r({recording.FOLDER}/{name})"
                await self._manager.action("MixMonitor", {**channel, "Options": options})
                mark = {"Variable": recording.CALL, "Value": joined.call_id}
                await self._manager.action("Setvar", {**channel, **mark})
            if call.paused_since is not None:
                await self._mute(await self._channels(joined.call_id), silent=True)
        except (AmiError, HotlineError) as error:
            self.unwritten += 1
            log.error("call %s: somebody who joined it is not recorded: %s", joined.call_id, error)

    async def _barged_in(self, call_id: str) -> None:
        """The dialplan records a supervisor whom the caller hears; in a pause that is silent too."""
        call = self._calls.get(call_id)
        if call is None or call.paused_since is None:
            return
        try:
            await self._mute(await self._channels(call_id), silent=True)
        except HotlineError as error:
            log.error("call %s: a supervisor is recorded in a pause: %s", call_id, error)

    def _is_written(self, call_id: str) -> bool:
        """Whether the caller's raw file is there: Asterisk opens it before the caller waits."""
        try:
            names = (RawName.parse(path.name) for path in self._raw_dir.glob(f"{call_id}-*"))
            return any(name is not None and name.call_id == call_id for name in names)
        except OSError:
            return False

    async def _ended(self, call_id: str, at: datetime) -> None:
        self._left_paused.pop(call_id, None)
        call = self._calls.pop(call_id, None)
        if call is None or (call.paused_since is None and not call.half_paused):
            return
        try:
            await self._store.end_pause(call_id, at)
        except (SQLAlchemyError, OSError) as error:
            log.warning("call %s: the end of a pause is not written: %s", call_id, type(error).__name__)

    async def _channels(self, call_id: str) -> list[str]:
        """The call's channels, by their unique ids."""
        try:
            channels = await self._manager.core_show_channels()
            return [one.uniqueid for one in channels if await self._is_of(one, call_id)]
        except AmiError as error:
            raise _unreachable() from error

    async def _mute(self, channels: Iterable[str], *, silent: bool) -> None:
        """Have every one of the channels that is recorded record silence, or sound again."""
        state = "1" if silent else "0"
        told = 0
        try:
            for channel in channels:
                fields = {"Channel": channel, "Direction": "both", "State": state}
                try:
                    await self._manager.action("MixMonitorMute", fields)
                    told += 1
                except AmiRefused:
                    continue  # a channel that is not recorded
        except AmiError as error:
            raise _unreachable() from error
        if not told:
            raise IllegalState("no channel of this call is recorded", code="not_recorded")

    async def _is_of(self, channel: CoreShowChannel, call_id: str) -> bool:
        """Whether a channel belongs to a call; a supervisor's phone does while it is recorded with it."""
        if not is_spy(channel.uniqueid):
            return channel.linkedid == call_id
        question = {"Channel": channel.uniqueid, "Variable": recording.CALL}
        try:
            return (await self._manager.action("Getvar", question)).headers.get("Value") == call_id
        except AmiRefused:
            return False  # it is gone

    async def _keep_time(self) -> None:
        """End pauses that are too long, and failed ones. What does not succeed is tried at the next tick."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            too_old = self._clock.now() - self._longest_pause
            for call_id, call in list(self._calls.items()):
                with suppress(HotlineError):  # Asterisk is away, which is told elsewhere
                    if call.paused_since is not None and call.paused_since <= too_old:
                        await self._resume_by_itself(call_id)
                    elif call.half_paused:
                        await self._take_back(call_id, call)

    async def _take_back(self, call_id: str, call: _Recording) -> None:
        """Record on all channels again after a pause that failed."""
        async with call.changing:
            if not call.half_paused:
                return  # meanwhile the agent's second try succeeded
            with suppress(IllegalState):  # nothing is recorded any more
                await self._mute(await self._channels(call_id), silent=False)
            call.half_paused = False
            try:
                await self._store.end_pause(call_id, self._clock.now())
            except (SQLAlchemyError, OSError) as error:
                log.warning("call %s: the end of a pause is not written: %s", call_id, type(error).__name__)

    async def _resume_by_itself(self, call_id: str) -> None:
        try:
            await self.resume(call_id, BY_ITSELF)
        except (SQLAlchemyError, OSError) as error:
            log.warning("call %s: the end of a pause is not written: %s", call_id, type(error).__name__)


def _unreachable() -> ExchangeUnreachable:
    hint = "the call goes on; try again in a moment"
    return ExchangeUnreachable("the exchange cannot be reached", hint=hint)


class RecordedPicture:
    """The LivePicture port: the exchange's picture with what is recorded in it."""

    def __init__(self, picture: LivePicture, recordings: LiveRecordings) -> None:
        self._picture, self._recordings = picture, recordings

    def live(self) -> LiveView:
        """The present of the exchange."""
        view = self._picture.live()
        known = self._recordings
        calls = tuple(
            replace(
                call,
                recording=known.state(call.call_id),
                recording_paused_until=known.paused_until(call.call_id),
            )
            for call in view.calls
        )
        return replace(view, calls=calls)
