"""What hearing a call costs: processor time of tapped calls beside the same calls untapped.

    python -m bench.tapping [--calls 10] [--seconds 20] [--rounds 1]

The same people say the same sentences on both sides, once with ``asr.enabled`` and once without, on SIP
phones in this process (whose own time is not counted). Asterisk, the server and its recogniser processes
are counted apart, over the seconds in which all calls are up.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass

import numpy as np

from bench.common import cpu_seconds, head, machine, percentile, row
from bench.serving import Server, answered_call, seats, serving
from hotline.core.events import Side
from hotline.server.demo.dialogues import load_dialogues, load_segmenter
from hotline.server.demo.speaking import Speaking
from hotline.speech.voice import Voice
from hotline.speech.voices import AGENT_VARIANTS, CALLER_VARIANTS
from hotline.telephony.phone.codec import Samples

RATE_HZ = 8000
PARTS = ("Asterisk", "server", "recogniser")
SETTLE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Spent:
    """Processor seconds of each part, and the seconds they were spent in."""

    seconds: float
    cpu: dict[str, float]

    def percent_of_a_core(self, part: str, calls: int) -> float:
        """What one call takes of one processor."""
        return 100 * self.cpu[part] / self.seconds / calls


def processes(server: Server) -> dict[str, list[int]]:
    """Process ids of each part."""
    return dict(zip(PARTS, ([server.asterisk_pid], [server.pid], server.worker_pids), strict=True))


async def speech(seconds: float) -> dict[Side, Samples]:
    """So many seconds of each side of the demo's dialogues: sentence by sentence, a breath between them."""
    speaking = Speaking(load_segmenter())
    voices = {Side.CALLER: Voice(CALLER_VARIANTS[0]), Side.AGENT: Voice(AGENT_VARIANTS[0])}
    said: dict[Side, list[Samples]] = {side: [] for side in Side}
    breath = np.zeros(round(0.5 * RATE_HZ), np.int16)
    for dialogue in load_dialogues():
        for turn in dialogue.turns:
            if sum(map(len, said[turn.side])) < seconds * RATE_HZ:
                said[turn.side] += [(await speaking.line(turn.text, voices[turn.side])).samples, breath]
    return {side: np.concatenate(parts)[: round(seconds * RATE_HZ)] for side, parts in said.items()}


async def talk(calls: int, seconds: float, said: dict[Side, Samples], *, tapped: bool) -> Spent:
    """Have so many calls talk on both sides at once and count what is spent meanwhile."""
    asr = {"enabled": tapped, "legs_per_worker": 2 * calls}
    async with serving(agents=calls, asr=asr) as server, AsyncExitStack() as stack:
        agents = [agent.id for agent in server.site.agents if agent.role == "agent"]
        ringing = await stack.enter_async_context(seats(server, agents))
        talks = [
            await stack.enter_async_context(answered_call(server, ringing, f"1380000{number:04d}"))
            for number in range(calls)
        ]
        await asyncio.sleep(SETTLE_SECONDS)
        if tapped:
            heard = await server.rx("core show channels concise")
            taps = sum("ChanSpy" in line for line in heard.splitlines())
            assert taps == 2 * calls, f"{taps} of {2 * calls} legs are tapped"
        pids = processes(server)
        before = {part: sum(map(cpu_seconds, pids[part])) for part in PARTS}
        began = time.monotonic()
        for caller, agent in talks:
            caller.play(said[Side.CALLER])
            agent.play(said[Side.AGENT])
        await asyncio.sleep(seconds)
        cpu = {part: sum(map(cpu_seconds, pids[part])) - before[part] for part in PARTS}
        return Spent(time.monotonic() - began, cpu)


async def main(calls: int, seconds: float, rounds: int) -> None:
    """Measure both sides in turn and print what a tap adds."""
    machine()
    said = await speech(seconds)
    runs: dict[bool, list[Spent]] = {False: [], True: []}
    for _ in range(rounds):
        for tapped in (False, True):
            runs[tapped].append(await talk(calls, seconds, said, tapped=tapped))
    print(f"{calls} calls, both sides speaking for {seconds:.0f} s; percent of one core for each call\n")
    head("process", "untapped", "tapped", "added by the tap", "ratio")
    totals = {False: 0.0, True: 0.0}
    for part in PARTS:
        share = {
            tapped: percentile([one.percent_of_a_core(part, calls) for one in runs[tapped]], 0.5)
            for tapped in (False, True)
        }
        for tapped, value in share.items():
            totals[tapped] += value
        show(part, share)
    show("**all**", totals)


def show(name: str, share: dict[bool, float]) -> None:
    """One line: without, with, difference, ratio."""
    without, tapped = share[False], share[True]
    ratio = f"{tapped / without:.2f}" if without > 0 else "-"
    row(name, f"{without:.2f} %", f"{tapped:.2f} %", f"{tapped - without:+.2f} %", ratio)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--calls", type=int, default=10, help="at the same time")
    parser.add_argument("--seconds", type=float, default=20, help="of talk")
    parser.add_argument("--rounds", type=int, default=1, help="how often each side is run, in turn")
    given = parser.parse_args()
    asyncio.run(main(given.calls, given.seconds, given.rounds))
