"""FastAGI menu beside a static dialplan menu: failures, and what the menu server adds to the set-up.

    python -m bench.menus [--rates 20,50,100] [--seconds 4] [--rounds 1]

Both sides run in one Asterisk in turn at each rate. A caller is a Local channel that presses 1 as soon as it
hears the prompt, as a person does who knows the menu. Set-up is Asterisk's own clock, from the call's first
event to the one before Queue(); most of it is the same on both sides (hearing the prompt's first sound, the
key's own length), so the difference in milliseconds is printed beside the ratio of the whole.

A failure is a caller who did not reach the queue, or reached it by the fallback.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
from dataclasses import dataclass, field

from bench.common import head, machine, percentile, row
from bench.serving import Server, serving
from hotline.telephony.ami.client import AmiClient
from hotline.telephony.ami.events import AmiNews, Hangup, OriginateResponse, UserEvent

STATIC = (
    "Set(HOTLINE_LINE=12315)",
    "UserEvent(HotlineCall,Line: 12315,Did: 12315)",
    "Answer()",
    "Read(KEY,hotline/consumer,1,,1,5)",
    "GotoIf($[${KEY}=1]?s,6:s,8)",
    "UserEvent(HotlineQueue,Line: 12315,Did: 12315,Queue: 12315,Path: )",
    "Queue(12315,tc)",
    "Hangup()",
)
"""The same menu without any server: one prompt, one key, the queue."""

CALLER = (
    "WaitForNoise(60,1,5)",
    "UserEvent(BenchHeard)",
    "SendDTMF(1,50,100)",
    "UserEvent(BenchPressed)",
    "Wait(3)",
    "Hangup()",
)
"""What a caller does once the call is up: hear the prompt begin, press 1, stay a moment in the queue."""

LAST_SECONDS = 12.0
SIDES = {"static dialplan": "Local/s@bench-static/n", "FastAGI menu": "Local/12315@hotline-in/n"}


@dataclass(slots=True)
class Caller:
    """When each thing happened to one caller, by Asterisk's clock."""

    began: float | None = None
    heard: float | None = None
    pressed: float | None = None
    queued: float | None = None
    fell_back: bool = False
    ended: bool = False


@dataclass(slots=True)
class Run:
    """What happened to the callers of one side at one rate, by linkedid."""

    calls: int
    callers: dict[str, Caller] = field(default_factory=dict)
    refused: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, news: AmiNews) -> None:
        """Note one event."""
        if isinstance(news, OriginateResponse) and not news.succeeded:
            self.refused += 1
        if isinstance(news, Hangup) and (caller := self.callers.get(news.linkedid)) is not None:
            caller.ended = True
        if isinstance(news, UserEvent):
            self._take_step(news)
        if len(self.callers) == self.calls and all(one.ended for one in self.callers.values()):
            self.over.set()

    def _take_step(self, news: UserEvent) -> None:
        caller = self.callers.setdefault(news.linkedid, Caller())
        at = news.at.timestamp()
        match news.name:
            case "HotlineCall":
                caller.began = at
            case "BenchHeard":
                caller.heard = at
            case "BenchPressed":
                caller.pressed = at
            case "HotlineQueue" if caller.queued is None:
                caller.queued = at
            case "HotlineFallback":
                caller.fell_back = True

    @property
    def failures(self) -> int:
        """Callers who did not get where the key leads, by the menu."""
        return self.calls - sum(one.queued is not None and not one.fell_back for one in self.callers.values())

    @property
    def why(self) -> str:
        """What became of those."""
        lost = [one for one in self.callers.values() if one.queued is None]
        parts = {
            "no call came about": self.calls - len(self.callers),
            "refused": self.refused,
            "fell back": sum(one.fell_back for one in self.callers.values()),
            "heard no prompt": sum(one.heard is None for one in lost),
            "pressed in vain": sum(one.pressed is not None for one in lost),
        }
        return ", ".join(f"{name} {count}" for name, count in parts.items() if count)

    def between_ms(self, first: str, then: str) -> list[float]:
        """Milliseconds between two moments of each caller who saw both."""
        pairs = [(getattr(one, first), getattr(one, then)) for one in self.callers.values()]
        return [(end - start) * 1000 for start, end in pairs if start is not None and end is not None]


async def run(ami: AmiClient, channel: str, rate: int, seconds: float) -> Run:
    """Call ``channel`` at ``rate`` a second for ``seconds``, then wait for the last one to end."""
    result = Run(round(rate * seconds))
    unsubscribe = ami.subscribe(result.take)
    loop = asyncio.get_running_loop()
    start = loop.time()
    fields = {
        "Channel": channel, "Context": "bench-caller", "Exten": "s", "Priority": "1",
        "Async": "true", "Timeout": "10000",
    }  # fmt: skip
    asked = []
    for number in range(result.calls):
        await asyncio.sleep(max(0.0, start + number / rate - loop.time()))
        asked.append(asyncio.create_task(ami.action("Originate", fields)))
    await asyncio.gather(*asked, return_exceptions=True)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LAST_SECONDS):
            await result.over.wait()
    unsubscribe()
    return result


def show(rate: int, name: str, runs: list[Run]) -> list[float]:
    """Print one side and return its times in the order of the columns."""
    setups = [ms for one in runs for ms in one.between_ms("began", "queued")]
    prompts = [ms for one in runs for ms in one.between_ms("began", "heard")]
    keys = [ms for one in runs for ms in one.between_ms("heard", "queued")]
    failures = sum(one.failures for one in runs)
    why = "; ".join(filter(None, (one.why for one in runs if one.failures)))
    row(
        rate, name, sum(one.calls for one in runs), f"{failures} ({why})" if why else failures,
        f"{percentile(setups, 0.5):.0f}", f"{percentile(setups, 0.95):.0f}",
        f"{percentile(prompts, 0.5):.1f}", f"{percentile(keys, 0.5):.1f}",
    )  # fmt: skip
    columns = ((setups, 0.5), (setups, 0.95), (prompts, 0.5), (keys, 0.5))
    return [percentile(times, share) for times, share in columns]


async def main(rates: list[int], seconds: float, rounds: int) -> None:
    """Measure both sides at every rate and print the ratio."""
    machine()
    async with serving(asr={"enabled": False}) as server, server.ami() as ami:
        await server.dialplan("bench-static", *STATIC)
        await server.dialplan("bench-caller", *CALLER)
        await server.rx("module load app_waitforsilence.so")
        head(
            "calls/s", "menu", "calls", "failures", "set-up p50 ms", "p95 ms",
            "call to prompt p50", "prompt to queue p50",
        )  # fmt: skip
        for rate in rates:
            runs: dict[str, list[Run]] = {name: [] for name in SIDES}
            for _ in range(rounds):
                for name, channel in SIDES.items():
                    runs[name].append(await run(ami, channel, rate, seconds))
            static, agi = (show(rate, name, runs[name]) for name in SIDES)
            pairs = zip(agi, static, strict=True)
            ratios = (f"{ours / theirs:.2f} ({ours - theirs:+.1f} ms)" for ours, theirs in pairs)
            row(rate, "**FastAGI / static**", "", "", *ratios)
        await told(server)


async def told(server: Server) -> None:
    """What the server's own log had to complain about."""
    complaints = [line for line in server.log if " WARNING " in line or " ERROR " in line]
    print(f"\nwarnings in the server's log: {len(complaints)}")
    for line in complaints[:5]:
        print(f"    {line}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rates", default="20,50,100", help="calls a second, in turn")
    parser.add_argument("--seconds", type=float, default=4, help="of calls at each rate and side")
    parser.add_argument(
        "--rounds", type=int, default=1, help="how often both sides are run at each rate, in turn"
    )
    given = parser.parse_args()
    asyncio.run(main([int(rate) for rate in given.rates.split(",")], given.seconds, given.rounds))
