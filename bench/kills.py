"""A load of calls on the real Asterisk while the server is killed again and again: is anything lost?

    python -m bench.kills                      five minutes, 10 calls a second, 60 agents, 10 kills
    python -m bench.kills --seconds 40 --kills 2 --per-second 4 --agents 20

SIPp places the calls (`bench.callers`), our phones answer them and note what they did; hearing is off.
``hotline serve`` ends by SIGKILL at random moments (``--seed``) and is started again some seconds later.
At the end every call of the ledger is compared with what caller and agent noted. The exit code is 1 if a
call was lost or a row differs.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from sqlalchemy import select

from bench.callers import CallerRecord, Group, place
from bench.common import machine, write_site
from hotline.config.samples import path as sample
from hotline.config.secrets import Secrets
from hotline.core.events import Outcome, Source
from hotline.server.paths import database_url
from hotline.store.database import open_engine, sessions_of
from hotline.store.models import Call as CallRow
from hotline.store.models import QueueEntry
from hotline.telephony.asterisk_config.secrets import secrets_of
from hotline.telephony.local_asterisk import LocalAsterisk
from hotline.telephony.phone.call import Call, EndedBy
from hotline.telephony.phone.phone import Phone
from hotline.telephony.phone.states import CallStateError
from hotline.telephony.phone.ticker import Ticker
from tests.fixtures.ports import free_port
from tests.real.serving import ServerProcess, serving

LINE = "12333"
RINGS_SECONDS = (0.3, 1.0)
TALKS_SECONDS = (2.0, 5.0)
REFUSES = 0.03  # share of the rings that an agent turns away
SETTLE_SECONDS = 90.0  # until the last row is closed: queue_log is read every 30 s
SLACK_SECONDS = {Source.LIVE: 1.0, Source.QUEUE_LOG: 1.5}
"""How far a row's times may be from the phones': queue_log has whole seconds, and phones on a machine that is
busy with all sides at once note a moment late."""
ANSWERING_SECONDS = 0.5
"""Asterisk's Answer() waits so long for the caller's first sound, which SIPp never sends."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much, for how long, and by which chance."""

    seconds: float = 300.0
    per_second: float = 10.0
    agents: int = 60
    kills: int = 10
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Talk:
    """What an agent's phone noted of a call that it answered; moments of one monotonic clock."""

    agent: str
    number: str
    seconds: float


@dataclass(slots=True)
class Report:
    """What came of a run.

    Attributes:
        calls: how many were placed.
        lost: numbers of callers whose call was not taken, never ended, or ended by neither caller nor agent.
        differences: rows that do not agree with the phones, one line each.
        outcomes: the ledger's classes.
        sources: how many rows needed queue_log.
    """

    calls: int = 0
    kills: int = 0
    lost: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)


class Silent(Ticker):
    """Paces nothing: phones that talk with nobody's ears need no sound."""

    def join(self, member: Callable[[], None]) -> None:
        """No frame is ever due."""


class Floor:
    """The agents at work. Each answers what rings after a moment, talks for a while, and hangs up."""

    def __init__(self, seed: int) -> None:
        self.talks: list[Talk] = []
        self.broken: set[str] = set()  # callers whose talk ended by a fault of a phone or the exchange
        self._rng = random.Random(seed)

    async def work(self, agent: str, phone: Phone) -> None:
        """Take calls until the phone is closed."""
        async for call in phone.incoming():
            number = call.number
            call.ring()
            await self._pause(call, RINGS_SECONDS)
            try:
                if call.end is None and self._rng.random() < REFUSES:
                    call.reject()
                    continue
                await call.answer()
            except CallStateError:
                continue  # the caller left while it rang
            began = time.monotonic()
            await self._pause(call, TALKS_SECONDS)
            end = await call.hangup()
            if end.by is EndedBy.FAULT:
                self.broken.add(number)
            self.talks.append(Talk(agent, number, time.monotonic() - began))

    async def _pause(self, call: Call, between: tuple[float, float]) -> None:
        """Wait for a while, or until the caller hangs up."""
        try:
            async with asyncio.timeout(self._rng.uniform(*between)):
                await call.wait_ended()
        except TimeoutError:
            return


def write_busy_site(folder: Path, agents: int) -> Path:
    """A site of so many agents, without hearing, notice and wrap-up."""
    data = yaml.safe_load(sample("demo").read_text(encoding="utf-8"))
    calm = {"wrap_up_seconds": 0, "no_answer_pause_after": 0}
    queues = [queue | calm for queue in data["queues"]]
    prompts = [{"name": prompt["name"], "text": "请按键"} for prompt in data["prompts"]]
    return write_site(folder, agents=agents, asr={"enabled": False}, queues=queues, prompts=prompts)


@asynccontextmanager
async def floor(server: ServerProcess, plan: Plan) -> AsyncIterator[Floor]:
    """The agents' phones, registered and serving the queue (Asterisk is told directly: no console needed)."""
    site = server.site
    secret = secrets_of(site)
    console = LocalAsterisk.of_site(site, secret)
    staff = [agent for agent in site.agents if LINE in agent.skills]
    people, silent = Floor(plan.seed), Silent()
    async with AsyncExitStack() as stack:
        for agent in staff:
            phone = Phone(
                agent.extension, secret(f"agent-{agent.id}"), ticker=silent,
                server=(site.asterisk.host, site.asterisk.sip_port),
            )  # fmt: skip
            await stack.enter_async_context(phone)
            await phone.register()
            working = asyncio.create_task(people.work(agent.id, phone))
            stack.push_async_callback(asyncio.wait, {working})
            stack.callback(working.cancel)
            device = f"PJSIP/{agent.extension}"
            await console.rx(
                f"queue add member {device} to {LINE} penalty 0 as {agent.id} state_interface {device}"
            )
        yield people


async def kill_at_random(server: ServerProcess, plan: Plan) -> int:
    """Kill and restart, once in each of as many equal parts of the time; how often it was done."""
    rng = random.Random(plan.seed)
    part = plan.seconds / plan.kills
    began = time.monotonic()
    for number in range(plan.kills):
        due = began + number * part + rng.uniform(0.1, 0.7) * part
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        await server.kill()
        await asyncio.sleep(rng.uniform(0.0, 0.2) * part)
        await server.start()
    return plan.kills


def groups_of(plan: Plan) -> list[Group]:
    """Seven of ten callers stay until the agent hangs up; the others leave at some time before."""
    shares: list[tuple[float, float | None]] = [(0.7, None), (0.1, 0.8), (0.1, 2.2), (0.1, 4.1)]
    groups, first = [], 13_800_000_000
    for share, patience in shares:
        count = round(plan.seconds * plan.per_second * share)
        numbers = tuple(str(first + index) for index in range(count))
        groups.append(Group(numbers, plan.per_second * share, patience))
        first += 1_000_000
    return groups


async def read_ledger(server: ServerProcess) -> dict[str, list[QueueEntry]]:
    """The rows of the database, by the caller's number."""
    site = server.site
    engine = open_engine(database_url(site, Secrets(site.data_dir)))
    found: dict[str, list[QueueEntry]] = {}
    try:
        async with sessions_of(engine)() as session:
            query = select(CallRow.caller_number, QueueEntry).join(
                QueueEntry, QueueEntry.call_id == CallRow.call_id
            )
            for number, row in await session.execute(query):
                found.setdefault(number, []).append(row)
    finally:
        await engine.dispose()
    return found


async def settled(server: ServerProcess, calls: int) -> dict[str, list[QueueEntry]]:
    """The rows once all are there and closed, or as they are after `SETTLE_SECONDS`."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        rows = await read_ledger(server)
        closed = all(row.closed_at is not None for entries in rows.values() for row in entries)
        if (closed and len(rows) >= calls) or time.monotonic() > deadline:
            return rows
        await asyncio.sleep(1.0)  # a database tells nobody that a row was written


def differences(number: str, rows: list[QueueEntry], caller: CallerRecord, talks: list[Talk]) -> list[str]:
    """Where the ledger's row of one caller is not what the phones noted, in words."""
    if len(rows) != 1 or len(talks) > 1:
        return [f"{number[-5:]}: {len(rows)} rows, {len(talks)} talks"]
    row, talk = rows[0], talks[0] if talks else None
    slack = SLACK_SECONDS[Source(row.source)]
    if talk and caller.left and row.agent is None and talk.seconds <= slack:
        talk = None  # the caller left in the moment of the answer: the exchange never joined the two
    expected = {Outcome.ANSWERED} if talk else {Outcome.ABANDONED, Outcome.SHORT_ABANDON}
    wanted_wait = (caller.seconds or 0.0) - ANSWERING_SECONDS - (talk.seconds if talk else 0.0)
    found = []
    if row.outcome not in expected:
        found.append(f"is {row.outcome}, the phones say {' or '.join(sorted(expected))}")
    if row.agent != (talk.agent if talk else None):
        found.append(f"agent {row.agent}, the phones say {talk.agent if talk else 'nobody'}")
    if abs(row.wait_ms / 1000 - wanted_wait) > slack:
        found.append(f"waited {row.wait_ms / 1000:.2f} s, the phones say {wanted_wait:.2f}")
    if talk and abs(row.talk_ms / 1000 - talk.seconds) > slack:
        found.append(f"talked {row.talk_ms / 1000:.2f} s, the phones say {talk.seconds:.2f}")
    return [f"{number[-5:]} ({row.source}): {what}" for what in found]


async def run(plan: Plan, folder: Path) -> Report:
    """Do it all in a folder, and compare."""
    report = Report()
    async with serving(write_busy_site(folder, plan.agents)) as server:
        async with floor(server, plan) as people:
            site = server.site.asterisk
            groups = groups_of(plan)
            ports = (free_port() for _ in range(2 * len(groups)))
            killing = asyncio.create_task(kill_at_random(server, plan))
            callers = await place(groups, LINE, (site.host, site.sip_port), folder, ports)
            report.kills = await killing
            rows = await settled(server, len(callers))
        talks: dict[str, list[Talk]] = {}
        for talk in people.talks:
            talks.setdefault(talk.number, []).append(talk)
        report.calls = len(callers)
        report.lost = [
            number for number, caller in callers.items()
            if caller.seconds is None
            or number in people.broken
            or not (caller.left or number in talks)
        ]  # fmt: skip
        for number, caller in callers.items():
            if number not in report.lost:
                report.differences += differences(number, rows.get(number, []), caller, talks.get(number, []))
        for entries in rows.values():
            report.outcomes.update(row.outcome or "open" for row in entries)
            report.sources.update(row.source for row in entries)
    return report


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench.kills", description=__doc__.partition("\n")[0])
    default = Plan()
    parser.add_argument("--seconds", type=float, default=default.seconds)
    parser.add_argument("--per-second", type=float, default=default.per_second)
    parser.add_argument("--agents", type=int, default=default.agents)
    parser.add_argument("--kills", type=int, default=default.kills)
    parser.add_argument("--seed", type=int, default=default.seed)
    plan = Plan(**vars(parser.parse_args()))
    machine()
    with TemporaryDirectory(prefix="hotline-kills-") as folder:
        report = asyncio.run(run(plan, Path(folder)))
    print(f"{report.calls} calls, {report.kills} kills: {len(report.lost)} lost {report.lost[:20]}")
    print(f"ledger: {dict(report.outcomes)}; rows by source: {dict(report.sources)}")
    print(f"{len(report.differences)} differences between ledger and phones")
    for line in report.differences[:20]:
        print(f"  {line}")
    sys.exit(bool(report.lost or report.differences))


if __name__ == "__main__":
    main()
