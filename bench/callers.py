"""Callers by the hundred: SIPp places the calls and notes what became of each.

A caller dials, is answered by the dialplan, and stays until the other side hangs up or its patience ends.
SIPp sends no sound, and gives up on a call that nobody ends: nothing here can run for ever.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hotline.core.errors import SetupError

GIVE_UP_SECONDS = 90
"""A caller who has heard of nobody for so long counts as lost."""

_SCENARIO = """<?xml version="1.0" encoding="UTF-8" ?>
<scenario name="a caller">
  <send retrans="500"><![CDATA[
    INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
    From: <sip:[field0]@[local_ip]:[local_port]>;tag=[pid]c[call_number]
    To: <sip:[service]@[remote_ip]:[remote_port]>
    Call-ID: [call_id]
    CSeq: 1 INVITE
    Contact: <sip:[field0]@[local_ip]:[local_port]>
    Max-Forwards: 70
    Content-Type: application/sdp
    Content-Length: [len]

    v=0
    o=- 1 1 IN IP[local_ip_type] [local_ip]
    s=-
    c=IN IP[media_ip_type] [media_ip]
    t=0 0
    m=audio [media_port] RTP/AVP 8
    a=rtpmap:8 PCMA/8000
  ]]></send>
  <recv response="100" optional="true" />
  <recv response="180" optional="true" />
  <recv response="183" optional="true" />
  <recv response="200" rrs="true" />
  <send><![CDATA[
    ACK [next_url] SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
    From: <sip:[field0]@[local_ip]:[local_port]>;tag=[pid]c[call_number]
    [last_To:]
    Call-ID: [call_id]
    CSeq: 1 ACK
    Max-Forwards: 70
    Content-Length: 0

  ]]></send>
  <nop><action><log message="answered [field0] [clock_tick]" /></action></nop>
  <recv request="BYE" timeout="PATIENCE" ontimeout="leave" />
  <send next="done"><![CDATA[
    SIP/2.0 200 OK
    [last_Via:]
    [last_From:]
    [last_To:]
    [last_Call-ID:]
    [last_CSeq:]
    Content-Length: 0

  ]]></send>
  <label id="leave" />
  <nop><action><log message="left [field0] [clock_tick]" /></action></nop>
  <send retrans="500"><![CDATA[
    BYE [next_url] SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
    From: <sip:[field0]@[local_ip]:[local_port]>;tag=[pid]c[call_number]
    [last_To:]
    Call-ID: [call_id]
    CSeq: 2 BYE
    Max-Forwards: 70
    Content-Length: 0

  ]]></send>
  <recv request="BYE" optional="true" next="crossed" />
  <recv response="200" next="end" />
  <label id="crossed" />
  <send next="end"><![CDATA[
    SIP/2.0 200 OK
    [last_Via:]
    [last_From:]
    [last_To:]
    [last_Call-ID:]
    [last_CSeq:]
    Content-Length: 0

  ]]></send>
  <label id="done" />
  <nop><action><log message="ended [field0] [clock_tick]" /></action></nop>
  <label id="end" />
</scenario>
"""


@dataclass(frozen=True, slots=True)
class Group:
    """Callers of one kind.

    Attributes:
        numbers: who calls, one call each, in this order.
        per_second: how many of them begin each second.
        dialled: the number they dial.
        patience_seconds: when a caller hangs up if nobody else does; None: not before `GIVE_UP_SECONDS`.
    """

    numbers: tuple[str, ...]
    per_second: float
    dialled: str
    patience_seconds: float | None = None


@dataclass(slots=True)
class CallerRecord:
    """What one caller saw, in milliseconds of the process that made the call.

    Attributes:
        answered_ms: the call was taken by the exchange.
        ended_ms: it was over.
        left: the caller's own patience ended.
    """

    answered_ms: int | None = None
    ended_ms: int | None = None
    left: bool = False

    @property
    def seconds(self) -> float | None:
        """From the answer of the exchange to the end; None for a call that was never taken or never ended."""
        if self.answered_ms is None or self.ended_ms is None:
            return None
        return (self.ended_ms - self.answered_ms) / 1000


async def place(
    groups: Iterable[Group], server: tuple[str, int], folder: Path, ports: Iterable[int]
) -> dict[str, CallerRecord]:
    """Place every group's calls, all groups at once, and return each caller's record when all are over.

    Args:
        groups: who calls; their numbers differ.
        server: the exchange.
        folder: for scenarios and logs.
        ports: two UDP ports a group (SIP and media) are taken from here.

    Raises:
        SetupError: there is no SIPp.
    """
    if (sipp := shutil.which("sipp")) is None:
        raise SetupError("SIPp is not installed", hint="as root: apt-get install sip-tester")
    free = iter(ports)
    runs = []
    for index, group in enumerate(groups):
        scenario, names = folder / f"callers-{index}.xml", folder / f"callers-{index}.csv"
        patience = GIVE_UP_SECONDS if group.patience_seconds is None else group.patience_seconds
        scenario.write_text(_SCENARIO.replace("PATIENCE", str(round(patience * 1000))), encoding="utf-8")
        names.write_text("SEQUENTIAL\n" + "".join(f"{number}\n" for number in group.numbers), "utf-8")
        options: dict[str, object] = {
            "-sf": scenario, "-inf": names, "-s": group.dialled, "-i": "127.0.0.1", "-p": next(free),
            "-mp": next(free), "-m": len(group.numbers), "-r": round(group.per_second * 10), "-rp": 10_000,
            "-l": len(group.numbers), "-log_file": folder / f"callers-{index}.log",
            "-error_file": folder / f"callers-{index}.errors",
            "-timeout": round(len(group.numbers) / group.per_second) + 2 * GIVE_UP_SECONDS,
        }  # fmt: skip
        words = [str(word) for option in options.items() for word in option]
        target = f"{server[0]}:{server[1]}"
        runs.append(_run(sipp, target, *words, "-nostdin", "-trace_logs", "-trace_err", folder=folder))
    await asyncio.gather(*runs)
    found: dict[str, CallerRecord] = {}
    for index, group in enumerate(groups):
        found |= {number: CallerRecord() for number in group.numbers}
        read_log((folder / f"callers-{index}.log").read_text("utf-8", "replace"), found)
    return found


def read_log(text: str, records: dict[str, CallerRecord]) -> None:
    """Take what SIPp's scenario noted: ``what number milliseconds`` a line."""
    for line in text.splitlines():
        what, number, tick = line.split()
        record = records[number]
        if what == "answered":
            record.answered_ms = int(tick)
        else:
            record.ended_ms, record.left = int(tick), what == "left"


async def _run(*command: str, folder: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
