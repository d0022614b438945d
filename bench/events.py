"""Events a second from AMI's bytes to rows in the database, beside the parser alone.

    python -m bench.events [--calls 600] [--rounds 3]

Both sides read the same bytes: a recorded session of the real Asterisk (`tests/fixtures`), its two calls
repeated with names and moments of their own. The parser alone turns them into typed events. The other side
is the whole queue room as the server runs it: parser, call table, agent table, bus, writer, SQLite on disk;
its time ends when the last row is saved.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from sqlalchemy import func, select

from bench.common import head, machine, row, write_site
from hotline.config.loading import load_site
from hotline.config.schema import Site
from hotline.core.bus import MemoryBus
from hotline.core.clock import SystemClock
from hotline.queue.exchange import Exchange
from hotline.store.database import open_engine, sessions_of
from hotline.store.ledger import Ledger
from hotline.store.migrate import upgrade
from hotline.store.models import QueueEntry
from hotline.telephony.ami import events as ami
from hotline.telephony.ami.answers import AmiResponse
from hotline.telephony.ami.feed import AmiFeed
from hotline.telephony.ami.parse import parse_event
from hotline.telephony.ami.wire import AmiParser

SESSION = Path(__file__).parents[1] / "tests" / "fixtures" / "telephony_ami_session.txt"
CALLS_IN_SESSION = 2
SESSION_SECONDS = 60
CHUNK_BYTES = 1 << 16
FEED_LIMIT = 20_000
_CHANNEL = re.compile(rb"t1-(\d+)\.(\d+)")
_MOMENT = re.compile(rb"^Timestamp: (\d+)", re.MULTILINE)


def stream(calls: int) -> tuple[bytes, int]:
    """So many calls' bytes as the manager interface sends them, and how many events they hold."""
    greeting, _, rest = SESSION.read_bytes().replace(b"\r\n", b"\n").partition(b"\n")
    packets = [packet for packet in rest.split(b"\n\n") if packet.startswith(b"Event: ")]
    session = b"\n\n".join(packets) + b"\n\n"
    parts = [greeting + b"\n"]
    rounds = calls // CALLS_IN_SESSION
    for number in range(rounds):
        parts.append(shifted(session, number))
    return b"".join(parts).replace(b"\n", b"\r\n"), rounds * len(packets)


def shifted(session: bytes, number: int) -> bytes:
    """The session with channels of its own, so many minutes later."""

    def channel(match: re.Match[bytes]) -> bytes:
        return b"t1-%s.%d" % (match[1], int(match[2]) + 1000 * number)

    def moment(match: re.Match[bytes]) -> bytes:
        return b"Timestamp: %d" % (int(match[1]) + SESSION_SECONDS * number)

    return _MOMENT.sub(moment, _CHANNEL.sub(channel, session))


def chunks(data: bytes) -> Iterator[bytes]:
    """As a socket hands them over."""
    for start in range(0, len(data), CHUNK_BYTES):
        yield data[start : start + CHUNK_BYTES]


def parsed(parser: AmiParser, chunk: bytes) -> list[ami.AmiEvent]:
    """The typed events of a chunk."""
    now = datetime.now(UTC)
    return [parse_event(packet.headers, received_at=now) for packet in parser.receive(chunk)]


@dataclass(frozen=True, slots=True)
class Took:
    """How long one side took: by the clock, and of processor time (which neighbours do not lengthen)."""

    seconds: float
    cpu_seconds: float
    entries: int = 0  # rows of the ledger that came of it
    faults: int = 0


class Stopwatch:
    """Both times from its making on."""

    def __init__(self) -> None:
        self._began, self._cpu_began = time.perf_counter(), time.process_time()

    def stop(self) -> Took:
        """What has passed."""
        cpu_seconds = time.process_time() - self._cpu_began
        return Took(time.perf_counter() - self._began, cpu_seconds)


def parser_alone(data: bytes) -> Took:
    """The parser alone."""
    parser, watch = AmiParser(), Stopwatch()
    for chunk in chunks(data):
        parsed(parser, chunk)
    return watch.stop()


class Recording:
    """A manager that plays a recording and has nothing else to say."""

    def __init__(self) -> None:
        self.news = AmiFeed(FEED_LIMIT, lambda: None, lambda feed: None)

    def feed(self, limit: int = FEED_LIMIT) -> AmiFeed:
        return self.news

    def reconnect(self, reason: str) -> None:
        raise AssertionError(reason)

    async def action(self, name: str, fields: Mapping[str, str | Sequence[str]]) -> AmiResponse:
        return AmiResponse("Success", "", {})

    async def queue_status(self) -> tuple[ami.QueueSnapshot, ...]:
        return ()

    async def core_show_channels(self) -> tuple[ami.CoreShowChannel, ...]:
        return ()


async def linked(exchange: Exchange, up: bool) -> None:
    """Return once the room has read the news that the link is up, or down."""
    while exchange.link_up is not up:  # noqa: ASYNC110 - nothing else of the room is listened to
        await asyncio.sleep(0.001)


async def whole_room(site: Site, folder: Path, data: bytes) -> Took:
    """The whole room, until the last row of the recording is in the database."""
    engine = open_engine(f"sqlite+aiosqlite:///{folder}/events.db")
    await upgrade(engine)
    bus, manager = MemoryBus(), Recording()
    sessions = sessions_of(engine)
    exchange = Exchange(site, manager, bus, Ledger(sessions), SystemClock(), None)
    running = asyncio.create_task(exchange.run())
    try:
        manager.news.put(ami.AmiConnected(at=datetime.now(UTC), epoch=1, version="11.0.0"))
        await linked(exchange, True)
        parser, watch = AmiParser(), Stopwatch()
        for chunk in chunks(data):
            for event in parsed(parser, chunk):
                manager.news.put(event)
            await asyncio.sleep(0)  # the room takes them before the next chunk is read, as from a socket
        manager.news.put(ami.AmiLost(at=datetime.now(UTC), epoch=1, reason="the recording ends"))
        await linked(exchange, False)
        await exchange.writer.settled()
        took = watch.stop()
        async with sessions() as session:
            entries = await session.scalar(select(func.count()).select_from(QueueEntry)) or 0
        return replace(took, entries=entries, faults=exchange.faults)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await engine.dispose()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench.events", description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, default=600, help="in the recording")
    parser.add_argument("--rounds", type=int, default=3, help="of each side; medians are printed")
    options = parser.parse_args()
    machine()
    data, events = stream(options.calls)
    alone, room = [], []
    with TemporaryDirectory(prefix="hotline-events-") as folder:
        site = load_site(write_site(Path(folder)), {})
        parser_alone(data)  # the first pass finds everything cold
        for number in range(options.rounds):
            alone.append(parser_alone(data))
            database = Path(folder) / str(number)
            database.mkdir()
            room.append(asyncio.run(whole_room(site, database, data)))
    print(f"{events} events of {options.calls} calls, {len(data) / 1e6:.1f} MB; rows of the ledger: ", end="")
    print(f"{[took.entries for took in room]}, faults: {sum(took.faults for took in room)}\n")
    head("", "events/s", "events/s of processor time")
    for name, side in (("parser alone", alone), ("parser, tables, bus, database", room)):
        row(name, f"{events / by_clock(side):,.0f}", f"{events / by_cpu(side):,.0f}")
    row("ratio", f"{by_clock(room) / by_clock(alone):.2f}", f"{by_cpu(room) / by_cpu(alone):.2f}")


def by_clock(side: list[Took]) -> float:
    """Seconds, in the median."""
    return median(took.seconds for took in side)


def by_cpu(side: list[Took]) -> float:
    """Seconds of processor time, in the median."""
    return median(took.cpu_seconds for took in side)


if __name__ == "__main__":
    main()
