"""Test calls at work: by schedule and on demand, one at a time, each kept with its sound and its text.

It is a caller like any other: no fault here can touch another call. Policy: while one test call goes on,
those that become due wait, one for each plan, ten minutes at most; who asks by hand is told to wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from hotline.config.dialling import TrialPlan
from hotline.config.schema import Site
from hotline.core.clock import Clock
from hotline.core.errors import HotlineError, IllegalState, UsageError
from hotline.core.trials import (
    ALL_TRIALS,
    MARKS,
    PlannedTrial,
    TrialCall,
    TrialFilter,
    TrialMarks,
    TrialOrder,
    TrialResult,
    TrialsNow,
    TrialSum,
    is_emergency,
)
from hotline.metrics.dialling.dialler import Heard, dial
from hotline.metrics.dialling.measure import loudness
from hotline.metrics.dialling.schedule import Waiting, moments
from hotline.metrics.dialling.sheets import summed
from hotline.metrics.dialling.sounds import TrialSounds
from hotline.metrics.prometheus_present import Number
from hotline.store.trials import TrialStore

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 5.0
SUMMED_MOST: Final = 5000  # test calls, the newest: years of one every hour of the day
A_WEEK: Final = timedelta(days=8)  # a plan's next moment lies within it
LEDGER_SECONDS: Final = 3.0  # for the exchange to tell that the call is over, and for its row to be saved

Transcribe = Callable[[Path], Awaitable[str]]
"""What is said in a WAV file. Raises HotlineError."""


def order_of(plan: TrialPlan) -> TrialOrder:
    """What a plan of the site file asks to be dialled."""
    return TrialOrder(
        plan.number, plan.name, plan.unit or "", plan.line or "", plan.via or "", plan.keys, plan.seconds,
        plan.ring_seconds,
    )  # fmt: skip


class TrialDesk:
    """Makes test calls.

    Args:
        site: its plans, and where its exchange listens.
        store: where they are kept.
        clock: the present.
        transcribe: writes down what was said; None: nobody does.
    """

    def __init__(self, site: Site, store: TrialStore, clock: Clock, transcribe: Transcribe | None) -> None:
        self.made = 0
        self.faults = 0
        self.store = store
        self.sounds = TrialSounds(site.data_dir / "test_calls")
        self._site, self._clock = site, clock
        self._transcribe = transcribe if site.test_dialling.transcribe else None
        self._line = asyncio.Lock()
        self._asked: TrialOrder | None = None
        self._dialling: TrialOrder | None = None
        self._wake = asyncio.Event()
        self._waiting = Waiting(site.test_dialling.calls, clock.now(), site.zone)

    def numbers(self) -> Iterable[Number]:
        """For Prometheus."""
        yield "test_calls", "Test calls made.", True, self.made
        yield "test_call_faults", "Test calls that a fault of ours broke off.", True, self.faults
        yield "test_calls_left_out", "Planned test calls that came too late.", True, self._waiting.left_out

    async def run(self) -> None:
        """Call by schedule until cancelled."""
        while True:
            self._waiting.look(self._clock.now())
            order, self._asked = self._asked or self._next(), None
            if order is None:
                self._wake.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), LOOK_SECONDS)
                continue
            try:
                await self.call(order)
            except Exception:  # neither the next test call nor the server may suffer from this one
                self.faults += 1
                log.exception("a test call failed")

    def _next(self) -> TrialOrder | None:
        plan = self._waiting.take()
        return order_of(plan) if plan else None

    def begin(self, order: TrialOrder) -> None:
        """Have a test call made now, by ``run``.

        Raises:
            UsageError: see ``check``.
            IllegalState: another one goes on, or is about to begin.
        """
        self.check(order)
        if self._asked is not None or self._line.locked():
            raise IllegalState("a test call goes on", hint="try again when it is over")
        self._asked = order
        self._wake.set()

    def now(self) -> TrialsNow:
        """The schedule, and what is being dialled."""
        now, zone, section = self._clock.now(), self._site.zone, self._site.test_dialling
        plans = tuple(
            PlannedTrial(
                order_of(plan),
                plan.days,
                tuple(f"{at:%H:%M}" for at in sorted(plan.times)),
                plan.every_minutes,
                next(moments(plan, now, now + A_WEEK, zone), None),
            )
            for plan in section.calls
        )
        return TrialsNow(plans, self._asked or self._dialling, MARKS, section.caller_number)

    async def newest(
        self, limit: int, before: datetime | None, wanted: TrialFilter = ALL_TRIALS
    ) -> list[TrialCall]:
        """Test calls that began before a moment, the newest first."""
        return await self.store.newest(limit, before, wanted)

    async def sums(self, wanted: TrialFilter, by: Literal["unit", "line"]) -> list[TrialSum]:
        """What test calls come to, by unit or line."""
        return summed(await self.store.newest(SUMMED_MOST, None, wanted), by)

    async def mark(self, trial_id: str, marks: TrialMarks, user: str) -> TrialCall | None:
        """Keep the listener's sheet; None if there is no such test call.

        Raises:
            UsageError: a person was heard after the call was over.
        """
        trial = await self.store.one(trial_id)
        if trial is None:
            return None
        if marks.person_seconds is not None and marks.person_seconds > trial.spoken_seconds:
            raise UsageError(
                f"the call lasted {trial.spoken_seconds:.0f} s",
                hint="give the seconds from its answer until a person spoke",
            )
        return await self.store.mark(trial_id, marks, user)

    async def sound(self, trial_id: str) -> bytes | None:
        """The WAV file of a test call; None if it is not kept."""
        trial = await self.store.one(trial_id)
        if trial is None or not trial.has_sound:
            return None
        try:
            return await asyncio.to_thread(self.sounds.path(trial_id).read_bytes)
        except FileNotFoundError:
            return None

    def plan(self, name: str) -> TrialOrder | None:
        """The order of a plan of the site file."""
        return next((order_of(plan) for plan in self._site.test_dialling.calls if plan.name == name), None)

    def check(self, order: TrialOrder) -> None:
        """Refuse what must not be dialled.

        Raises:
            UsageError: an emergency service might answer.
        """
        emergency = {one.number for one in self._site.transfer.numbers if one.emergency}
        if is_emergency(order.number) or order.number in emergency:
            raise UsageError(
                "an emergency service might answer this number", hint="it is never called for a test"
            )

    async def call(self, order: TrialOrder) -> TrialCall:
        """Make one test call, and return when all is known of it.

        Raises:
            UsageError: see ``check``.
            IllegalState: another one goes on.
        """
        self.check(order)
        if self._line.locked():
            raise IllegalState("a test call goes on", hint="try again when it is over")
        async with self._line:
            self._dialling = order
            try:
                trial, heard = await self._dial(order)
                trial = await self._look_into_ledger(trial, heard)
                await self.store.save(trial)
                self.made += 1
                trial = await self._write_down(trial)
            finally:
                self._dialling = None
        await self._delete_old()
        return trial

    async def _dial(self, order: TrialOrder) -> tuple[TrialCall, Heard]:
        began_at = self._clock.now()
        heard = await dial(order, self._server(order), self._site.test_dialling.caller_number)
        loud = loudness(heard.samples)
        trial = TrialCall(
            trial_id=f"{began_at:%Y%m%d%H%M%S}-{secrets.token_hex(4)}",
            order=order,
            began_at=began_at,
            result=heard.result,
            status=heard.status,
            answer_seconds=heard.answer_seconds,
            sound_seconds=heard.first_sound,
            spoken_seconds=heard.up_seconds,
            level_dbfs=loud.level_dbfs,
            silent_share=loud.silent_share if len(heard.samples) else None,
            keys=" ".join(f"{key}@{seconds:.1f}" for key, seconds in heard.keys),
        )
        if len(heard.samples):
            try:
                await asyncio.to_thread(self.sounds.keep, trial.trial_id, heard.samples)
            except OSError as error:
                log.error("the sound of a test call could not be kept: %s", error.strerror)
            else:
                trial = replace(trial, has_sound=True)
        return trial, heard

    def _server(self, order: TrialOrder) -> tuple[str, int]:
        if order.via:
            host, _, port = order.via.rpartition(":")
            return host, int(port)
        return self._site.asterisk.host, self._site.asterisk.sip_port

    async def _look_into_ledger(self, trial: TrialCall, heard: Heard) -> TrialCall:
        """Where our own exchange was called: who answered, of which line."""
        if trial.order.via or trial.result is not TrialResult.ANSWERED:
            return trial
        answered_at = trial.began_at + timedelta(seconds=heard.answered_after or 0.0)
        number, ended_at = self._site.test_dialling.caller_number, self._clock.now()
        deadline = self._clock.monotonic() + LEDGER_SECONDS
        reached = None
        while self._clock.monotonic() < deadline:
            reached = await self.store.reached(number, trial.began_at, ended_at)
            if reached is not None and reached.agent is not None:
                break
            await asyncio.sleep(0.25)  # the row is on its way; nobody tells this process when it is there
        if reached is None:
            return trial
        person = None
        if reached.answered_at is not None:
            person = max(0.0, (reached.answered_at - answered_at).total_seconds())
        trial = replace(trial, agent=reached.agent, person_seconds=person)
        return replace(trial, call_id=reached.call_id, reached_line=reached.line)

    async def _write_down(self, trial: TrialCall) -> TrialCall:
        """The text of what was said, if it can be had."""
        if self._transcribe is None or not trial.has_sound:
            return trial
        try:
            text = await self._transcribe(self.sounds.path(trial.trial_id))
        except HotlineError as error:
            log.warning("a test call could not be written down: %s", error)
            return trial
        trial = replace(trial, text=text)
        await self.store.save(trial)
        return trial

    async def _delete_old(self) -> None:
        before: datetime = self._clock.now() - timedelta(days=self._site.test_dialling.keep_days)
        for trial_id in await self.store.older_sounds(before):
            try:
                await asyncio.to_thread(self.sounds.delete, trial_id)
            except OSError as error:
                log.error("the sound of an old test call could not be deleted: %s", error.strerror)
            else:
                await self.store.sound_is_gone(trial_id)
