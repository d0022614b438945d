"""FastAGI menu beside a static dialplan menu: failures, and the time from the menu to the queue.

    python -m bench.menus [--rates 20,50,100] [--seconds 10]

Both sides run in one Asterisk in turn at each rate. Callers are Local channels that press 1 as soon as they
are answered, so no phone is measured. Set-up time is Asterisk's own clock: from the call's first UserEvent to
the one before Queue().
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import resource
from dataclasses import dataclass, field

from bench.common import percentile, row, whole_server
from hotline.server.app import HotlineServer
from hotline.server.paths import secret_of_site
from hotline.telephony.ami.client import AmiClient, AmiSettings
from hotline.telephony.ami.events import AmiNews, UserEvent

STATIC = (
    "s,1,Set(HOTLINE_LINE=12315)",
    "s,2,UserEvent(HotlineCall,Line: 12315,Did: 12315)",
    "s,3,Answer()",
    "s,4,Read(KEY,hotline/consumer,1,,1,5)",
    "s,5,GotoIf($[${KEY}=1]?s,6:s,8)",
    "s,6,UserEvent(HotlineQueue,Line: 12315,Did: 12315,Queue: 12315,Path: )",
    "s,7,Queue(12315,tc)",
    "s,8,Hangup()",
)
"""The same menu without any server: one prompt, one key, the queue."""


@dataclass(slots=True)
class Side:
    """What happened to the callers of one run."""

    calls: int
    began: dict[str, float] = field(default_factory=dict)
    queued: dict[str, float] = field(default_factory=dict)
    fell_back: int = 0
    all_queued: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, news: AmiNews) -> None:
        """Note one event."""
        if not isinstance(news, UserEvent):
            return
        if news.name == "HotlineCall":
            self.began[news.uniqueid] = news.at.timestamp()
        elif news.name == "HotlineQueue":
            self.queued.setdefault(news.uniqueid, news.at.timestamp())
            if len(self.queued) == self.calls:
                self.all_queued.set()
        elif news.name == "HotlineFallback":
            self.fell_back += 1

    def setups_ms(self) -> list[float]:
        """Milliseconds from the menu to the queue of each caller."""
        return [(at - self.began[uid]) * 1000 for uid, at in self.queued.items() if uid in self.began]


async def run(ami: AmiClient, channel: str, rate: int, seconds: float) -> Side:
    """Call ``channel`` at ``rate`` a second for ``seconds``; then wait up to 10 s for the last one."""
    calls = round(rate * seconds)
    side = Side(calls)
    unsubscribe = ami.subscribe(side.take)
    loop = asyncio.get_running_loop()
    start = loop.time()
    tasks = []
    for number in range(calls):
        await asyncio.sleep(max(0.0, start + number / rate - loop.time()))
        fields = {
            "Channel": channel,
            "Context": "bench-caller",
            "Exten": "s",
            "Priority": "1",
            "Async": "true",
            "Timeout": "10000",
        }
        tasks.append(asyncio.create_task(ami.action("Originate", fields)))
    await asyncio.gather(*tasks, return_exceptions=True)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(10):
            await side.all_queued.wait()
    unsubscribe()
    failures = calls - len(side.queued) + side.fell_back
    setups = side.setups_ms()
    name = "static dialplan" if "static" in channel else "FastAGI menu"
    row(rate, name, calls, failures, f"{percentile(setups, 0.5):.1f}", f"{percentile(setups, 0.95):.1f}")
    return side


async def main(rates: list[int], seconds: float) -> None:
    """Measure both sides at every rate and print the ratio."""
    async with whole_server(asr={"enabled": False}) as server:
        ami = await connected(server)
        stop = asyncio.create_task(ami.run())
        await ami.wait_connected(10)
        assert server.asterisk is not None
        for line in STATIC:
            await server.asterisk.rx(f'dialplan add extension "{line}" into bench-static')
        for line in ("s,1,SendDTMF(1)", "s,2,Wait(1)", "s,3,Hangup()"):
            await server.asterisk.rx(f"dialplan add extension {line} into bench-caller")
        row("calls/s", "menu", "calls", "failures", "set-up p50 ms", "p95 ms")
        row(*["---"] * 6)
        for rate in rates:
            static = await run(ami, "Local/s@bench-static/n", rate, seconds)
            agi = await run(ami, "Local/12315@hotline-in/n", rate, seconds)
            ratio = percentile(agi.setups_ms(), 0.5) / percentile(static.setups_ms(), 0.5)
            row(rate, "ratio FastAGI / static", "", "", f"{ratio:.2f}", "")
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"\nserver's peak memory {peak_mb:.0f} MB")
        await ami.aclose()
        await stop


async def connected(server: HotlineServer) -> AmiClient:
    """A manager client of the benchmark's own."""
    ami = server.site.asterisk.ami
    secret = secret_of_site(server.site, server.secrets, "ami")
    return AmiClient(AmiSettings(username=ami.user, secret=secret, host=ami.host, port=ami.port))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rates", default="20,50,100", help="calls a second, in turn")
    parser.add_argument("--seconds", type=float, default=10, help="of calls at each rate and side")
    given = parser.parse_args()
    asyncio.run(main([int(rate) for rate in given.rates.split(",")], given.seconds))
