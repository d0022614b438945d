"""Start to ready and memory of `hotline serve`, beside the limits it promises.

    python -m bench.memory [--calls 50] [--answered 25] [--starts 3]

Starts count from the process's first moment to its word that it is ready, prompts made and Asterisk stopped
before; the first start, which makes the prompts, is shown too. Then so many calls come in at a quiet pace:
all wait in a queue at first, then ``--answered`` of them are answered and heard on both sides. Callers and
agents are Local channels of Asterisk, the callers playing speech, so that no phone is measured.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.common import head, machine, percentile, resident_mb, row, write_site
from bench.serving import Server
from hotline.telephony.ami.client import AmiClient
from hotline.telephony.ami.events import AgentConnect, AmiNews, QueueCallerJoin
from hotline.telephony.asterisk_config.prompts import sound

SERVER_MB, WORKER_MB, READY_SECONDS = 250.0, 120.0, 3.0
QUEUE = "12333"
SPEECH = "main"  # a prompt of the site that callers and agents play to each other
CALLS_A_SECOND = 10
ARRIVE_SECONDS = 20.0
TALK_SECONDS = 6.0


class Exchange:
    """How many callers have come to the queue and how many were answered."""

    def __init__(self) -> None:
        self.joined = self.answered = 0
        self._changed = asyncio.Event()

    def take(self, news: AmiNews) -> None:
        """Note one event."""
        self.joined += isinstance(news, QueueCallerJoin)
        self.answered += isinstance(news, AgentConnect)
        self._changed.set()

    async def until(self, reached: Callable[[], bool]) -> None:
        """Wait for events until ``reached`` holds."""
        async with asyncio.timeout(ARRIVE_SECONDS):
            while not reached():
                self._changed.clear()
                await self._changed.wait()


async def call_in(ami: AmiClient, seen: Exchange, calls: int) -> None:
    """So many callers, until all wait."""
    for _ in range(calls):
        fields = {
            "Channel": f"Local/{QUEUE}@hotline-in/n",
            "Context": "bench-talk",
            "Exten": "s",
            "Priority": "1",
        }
        await ami.action("Originate", fields | {"Async": "true", "Timeout": "10000"})
        await asyncio.sleep(1 / CALLS_A_SECOND)
    await seen.until(lambda: seen.joined >= calls)


async def answer(ami: AmiClient, seen: Exchange, agents: list[str]) -> None:
    """Have so many agents sign in and take a call each."""
    for agent in agents:
        fields = {"Queue": QUEUE, "Interface": f"Local/{agent}@bench-agents/n", "MemberName": agent}
        await ami.action("QueueAdd", fields)
        await asyncio.sleep(1 / CALLS_A_SECOND)
    await seen.until(lambda: seen.answered >= len(agents))


def worker_mb(server: Server) -> float:
    """The largest recogniser process."""
    return max(map(resident_mb, server.worker_pids))


async def with_calls(server: Server, calls: int, agents: list[str]) -> dict[str, tuple[float, float]]:
    """Memory of server and recogniser at rest, with callers waiting, and with some of them answered."""
    memory = {"at rest": (resident_mb(server.pid), worker_mb(server))}
    talking = f"Playback({'&'.join([sound(SPEECH)] * 20)})"
    await server.dialplan("bench-talk", "Answer()", talking, "Hangup()")
    await server.rx('dialplan add extension "_X.,1,Goto(bench-talk,s,1)" into bench-agents')
    seen = Exchange()
    async with server.ami() as ami:
        ami.subscribe(seen.take)
        await call_in(ami, seen, calls)
        await asyncio.sleep(1)
        memory[f"{calls} calls waiting"] = resident_mb(server.pid), worker_mb(server)
        await answer(ami, seen, agents)
        await asyncio.sleep(TALK_SECONDS)
        taps = (await server.rx("core show channels concise")).count("!ChanSpy!")
        name = f"{calls} calls, {len(agents)} of them answered ({taps} legs heard)"
        memory[name] = resident_mb(server.pid), worker_mb(server)
    return memory


def show(what: str, value: float, limit: float, unit: str) -> None:
    """A value beside its limit."""
    verdict = "kept" if value < limit else "**exceeded**"
    row(
        what,
        f"{value:.2f} {unit}" if unit == "s" else f"{value:.0f} {unit}",
        f"< {limit:.0f} {unit}",
        f"{value / limit:.2f}",
        verdict,
    )


async def main(calls: int, answered: int, starts: int) -> None:
    """Measure and print."""
    machine()
    ready: list[float] = []
    memory: dict[str, tuple[float, float]] = {}
    with TemporaryDirectory(prefix="hotline-bench-") as folder:
        asr = {"legs_per_worker": 2 * answered}
        file = write_site(Path(folder), agents=answered, asr=asr)
        for number in range(starts + 1):
            server = Server(file)
            try:
                await server.start()
                ready.append(server.ready_seconds)
                if number == starts:
                    agents = [one.id for one in server.site.agents if one.role == "agent"]
                    memory = await with_calls(server, calls, agents)
            finally:
                await server.stop()
    warm = ", ".join(f"{seconds:.1f}" for seconds in ready[1:])
    print(f"seconds to ready: {ready[0]:.1f} at the first start, which made the prompts; then {warm}\n")
    head("what", "measured", "limit", "measured / limit", "")
    show(f"start to ready, median of {starts}", percentile(ready[1:], 0.5), READY_SECONDS, "s")
    for when, (server_mb, recogniser_mb) in memory.items():
        show(f"server, {when}", server_mb, SERVER_MB, "MB")
        show(f"recogniser, {when}", recogniser_mb, WORKER_MB, "MB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--calls", type=int, default=50, help="at the same time")
    parser.add_argument("--answered", type=int, default=25, help="of them, answered and heard")
    parser.add_argument("--starts", type=int, default=3, help="with prompts made already")
    given = parser.parse_args()
    asyncio.run(main(given.calls, given.answered, given.starts))
