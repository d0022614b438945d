"""A load of calls on the real Asterisk while the server is killed again and again: is anything lost?

    python -m bench.kills                      five minutes, 10 calls a second, 60 agents, 10 kills
    python -m bench.kills --seconds 40 --kills 2 --per-second 4 --agents 20

SIPp places the calls (`bench.callers`), our phones answer, transfer and ask (`bench.staff`); hearing is off.
``hotline serve`` ends by SIGKILL at random moments (``--seed``) and is started again some seconds later.
At the end every call is compared (`bench.comparing`): what Asterisk says of it with what caller and agents
noted, and the ledger with what Asterisk says. The exit code is 1 if a call was lost or a row differs.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import yaml

from bench.callers import CallerRecord, Group, place
from bench.common import machine, write_site
from bench.comparing import Deaths, Rows, Said, asterisk_and_phones, server_and_asterisk, times_of_phones
from bench.staff import Note, Staff, on_duty
from bench.witness import Witness, witnessing
from hotline.config.samples import path as sample
from hotline.config.secrets import Secrets
from hotline.server.paths import database_url
from hotline.store.database import open_engine, sessions_of
from hotline.store.ledger import CallRecord, EntryRecord, Ledger, TalkRecord
from tests.fixtures.ports import free_port
from tests.real.serving import ServerProcess, serving

LINE = "12333"
NOBODYS_LINE = "12315"  # its queue has no agents here: who dials it waits until the own patience ends
SETTLE_SECONDS = 90.0  # until the last row is closed: queue_log is read every 30 s
EVER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much, for how long, and by which chance."""

    seconds: float = 300.0
    per_second: float = 10.0
    agents: int = 60
    kills: int = 10
    seed: int = 1


@dataclass(slots=True)
class Report:
    """What came of a run.

    Attributes:
        calls: how many were placed.
        lost: callers whose call was not taken, never ended, or ended by neither caller nor agent, and what
            Asterisk says of it.
        differences: rows that do not agree with Asterisk or the phones, one line each.
        stutters: calls whose phones noted another time than Asterisk, by more than can be explained: no row
            is wrong by it, but the machine was too busy to measure by.
        outcomes: the ledger's classes.
        kinds: of the ledger's talks.
        sources: how many rows needed queue_log.
        endings: how agents ended talks.
        phones_late_seconds: how late the phones' own process was at most.
        events_late_seconds: how late Asterisk's events were at least, at worst.
    """

    calls: int = 0
    kills: int = 0
    lost: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    stutters: list[str] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    endings: Counter[str] = field(default_factory=Counter)
    phones_late_seconds: float = 0.0
    events_late_seconds: float = 0.0

    def __str__(self) -> str:
        lines = [
            f"{self.calls} calls, {self.kills} kills: {len(self.lost)} lost",
            *(f"  {line}" for line in self.lost[:20]),
            f"talks ended by: {dict(self.endings)}",
            f"ledger: {dict(self.outcomes)}; talks: {dict(self.kinds)}; rows by source: {dict(self.sources)}",
            f"late at most: phones {self.phones_late_seconds:.2f} s, events {self.events_late_seconds:.2f} s",
            f"{len(self.differences)} differences",
            *(f"  {line}" for line in self.differences[:40]),
            f"{len(self.stutters)} calls whose phones noted other times than Asterisk",
            *(f"  {line}" for line in self.stutters[:10]),
        ]
        return "\n".join(lines)


def write_busy_site(folder: Path, agents: int) -> Path:
    """A site of so many agents, without menus, hearing, notice and wrap-up."""
    data = yaml.safe_load(sample("demo").read_text(encoding="utf-8"))
    calm = {"wrap_up_seconds": 0, "no_answer_pause_after": 0, "ring_seconds": 5}
    return write_site(
        folder,
        agents=agents,
        asr={"enabled": False},
        queues=[queue | calm for queue in data["queues"]],
        lines=[{key: value for key, value in line.items() if key != "menu"} for line in data["lines"]],
        menus=[],
        prompts=[],
    )


async def kill_at_random(server: ServerProcess, plan: Plan) -> Deaths:
    """Kill and restart, once in each of as many equal parts of the time; when it was dead."""
    rng = random.Random(plan.seed)
    part = plan.seconds / plan.kills
    began = time.monotonic()
    spans = []
    for number in range(plan.kills):
        due = began + number * part + rng.uniform(0.1, 0.7) * part
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        killed_at = datetime.now(UTC)
        await server.kill()
        await asyncio.sleep(rng.uniform(0.0, 0.2) * part)
        await server.start()
        spans.append((killed_at, datetime.now(UTC)))
    return Deaths(spans)


def groups_of(plan: Plan) -> list[Group]:
    """Two of three callers stay until the agent hangs up; the others leave.

    They leave while an agent rings or talks, or from where nobody answers, before or after the limit of a
    short abandon (5 s).
    """
    shares: list[tuple[float, str, float | None]] = [
        (0.66, LINE, None), (0.08, LINE, 0.8), (0.08, LINE, 2.2), (0.08, LINE, 4.1),
        (0.03, NOBODYS_LINE, 2.0), (0.03, NOBODYS_LINE, 5.4), (0.04, NOBODYS_LINE, 8.0),
    ]  # fmt: skip
    groups, first = [], 13_800_000_000
    for share, dialled, patience in shares:
        count = round(plan.seconds * plan.per_second * share)
        numbers = tuple(str(first + index) for index in range(count))
        groups.append(Group(numbers, plan.per_second * share, dialled, patience))
        first += 1_000_000
    return groups


async def read_ledger(server: ServerProcess) -> dict[str, Rows]:
    """The rows of the database."""
    site = server.site
    engine = open_engine(database_url(site, Secrets(site.data_dir)))
    try:
        known = await Ledger(sessions_of(engine)).recent(site.site.node, EVER)
    finally:
        await engine.dispose()
    return gathered(
        {row.call_id: row for row in known.calls},
        {row.entry_id: row for row in known.entries},
        {row.talk_id: row for row in known.talks},
    )


def gathered(
    calls: dict[str, CallRecord], entries: dict[str, EntryRecord], talks: dict[str, TalkRecord]
) -> dict[str, Rows]:
    """Rows by the caller's number."""
    found: dict[str, Rows] = {}
    for entry in entries.values():
        found.setdefault(calls[entry.call_id].caller_number, Rows()).entries.append(entry)
    for talk in talks.values():
        found.setdefault(calls[talk.call_id].caller_number, Rows()).talks.append(talk)
    return {number: rows.sort() for number, rows in found.items()}


async def settled(server: ServerProcess, witness: Witness) -> dict[str, Rows]:
    """The rows once all that Asterisk told of are there and closed, or as they are after `SETTLE_SECONDS`."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        found = await read_ledger(server)
        closed = {row.entry_id for rows in found.values() for row in rows.entries if row.closed_at}
        ended = all(row.ended_at for rows in found.values() for row in rows.talks)
        if (ended and witness.entries.keys() <= closed) or time.monotonic() > deadline:
            return found
        await asyncio.sleep(1.0)  # a database tells nobody that a row was written


def why_lost(caller: CallerRecord, notes: list[Note], broken: bool) -> str:
    """What the phones miss of a call; empty if nothing."""
    if caller.answered_ms is None:
        return "was not taken"
    if caller.ended_ms is None:
        return "never ended for the caller"
    if broken:
        return "ended for an agent by a fault of a phone or of Asterisk"
    return "" if caller.left or notes else "ended by neither caller nor agent"


def account(
    report: Report, callers: dict[str, CallerRecord], staff: Staff, witness: Witness,
    server: dict[str, Rows], deaths: Deaths,
) -> None:  # fmt: skip
    """Compare all calls, one by one."""
    by_events = gathered(witness.calls, witness.entries, witness.talks)
    by_log = gathered(*witness.queue_log())
    said = {
        number: Said(by_events.get(number, Rows()), by_log.get(number, Rows()), witness.stays)
        for number in callers
    }
    events_late = max((one.late() for one in said.values()), default=timedelta())
    if witness.cut_off:
        report.differences.append("the witness lost its connection to Asterisk: run it again")
    notes: dict[str, list[Note]] = {}
    for note in staff.notes:
        notes.setdefault(note.number, []).append(note)
    for number, caller in callers.items():
        own, asterisk = notes.get(number, []), said[number]
        if why := why_lost(caller, own, number in staff.broken):
            report.lost.append(f"{number[-7:]} {why}; {caller}; notes: {own}; Asterisk: {asterisk}")
            continue
        begin = min((row.joined_at.timestamp() for row in asterisk.log.entries), default=0.0)
        late = witness.latest_between(begin - 2, begin + 60) + events_late.total_seconds()
        found = [*asterisk_and_phones(asterisk, caller, own, late)]
        if early := [*times_of_phones(asterisk, caller, own, late)]:
            report.stutters.append(f"{number[-7:]}: {'; '.join(early)}")
        found += server_and_asterisk(server.get(number, Rows()), asterisk, deaths, events_late)
        report.differences += [f"{number[-7:]}: {what}" for what in found]
    for rows in server.values():
        report.outcomes.update(row.outcome or "open" for row in rows.entries)
        report.sources.update(row.source for row in rows.entries)
        report.kinds.update(row.kind for row in rows.talks)
    report.endings.update({then.value: count for then, count in staff.done.items()})
    report.phones_late_seconds = max((late for _, late in witness.lateness), default=0.0)
    report.events_late_seconds = events_late.total_seconds()


async def run(plan: Plan, folder: Path) -> Report:
    """Do it all in a folder, and compare."""
    report = Report()
    async with serving(write_busy_site(folder, plan.agents)) as server:
        site = server.site
        async with witnessing(site) as witness, on_duty(site, LINE, witness, plan.seed) as staff:
            groups = groups_of(plan)
            ports = (free_port() for _ in range(2 * len(groups)))
            killing = asyncio.create_task(kill_at_random(server, plan))
            exchange = (site.asterisk.host, site.asterisk.sip_port)
            callers = await place(groups, exchange, folder, ports)
            deaths = await killing
            rows = await settled(server, witness)
            report.calls, report.kills = len(callers), len(deaths.spans)
            account(report, callers, staff, witness, rows, deaths)
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
    folder = Path(mkdtemp(prefix="hotline-kills-"))
    wrong = True
    try:
        report = asyncio.run(run(plan, folder))
        wrong = bool(report.lost or report.differences)
        print(report)
    finally:
        if wrong:
            print(f"database, queue_log and logs are kept: {folder}")
        else:
            rmtree(folder)
    sys.exit(wrong)


if __name__ == "__main__":
    main()
