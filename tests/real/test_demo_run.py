"""`hotline demo` as a person runs it: the table after N calls, and Ctrl-C that leaves nothing behind."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from pathlib import Path

import psutil
import pytest

from tests.real.serving import COMMAND, write_site

pytestmark = pytest.mark.timeout(240)


async def start_demo(site: Path, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *COMMAND, "demo", "--site", str(site), "--seed", "7", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env={**os.environ, "COLUMNS": "200"},
    )  # fmt: skip


def running_under(folder: Path) -> list[str]:
    """Processes whose command line names the folder."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if any(str(folder) in word for word in words):
            found.append(" ".join(words))
    return found


async def test_calls_asked_for_are_made_answered_and_heard_on_both_sides(tmp_path: Path) -> None:
    """Three calls at once, over every number: each answered, both sides in text, exit 0, one JSON object."""
    site = write_site(tmp_path)
    demo = await start_demo(site, "--calls", "3", "--at-once", "3", "--format", "json")
    out, log = await demo.communicate()
    assert demo.returncode == 0, log.decode()
    figures = json.loads(out)
    assert (figures["calls"], figures["answered"], figures["failed"]) == (3, 3, 0)
    assert 0 < figures["median_wait_seconds"] < 15
    for side in ("caller", "agent"):
        words = figures["words"][side]
        assert words["spoken"] >= 20
        assert words["right"] / words["spoken"] > 0.9
    assert 0 < figures["latency_seconds"]["p50"] < figures["latency_seconds"]["p95"] < 5
    said = log.decode()
    lines = [line for line in said.splitlines() if re.match(r"\d\d:\d\d:\d\d  ", line)]
    assert len(lines) == 3
    assert {line.split()[1].split("→")[0] for line in lines} == {"12345", "12315", "12333"}
    assert not re.search(r"1380013\d{4}", said), "a whole number was printed"
    assert all(re.search(r"138\*\*\*\*\d{4}", line) for line in lines)
    assert "http://127.0.0.1:" in said and "password" in said
    assert running_under(tmp_path) == []


async def test_ctrl_c_ends_calls_in_progress_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """SIGINT in mid-call: the table, exit 0, no process of the exchange or the recognisers left."""
    site = write_site(tmp_path)
    demo = await start_demo(site)
    assert demo.stdout is not None
    async with asyncio.timeout(60):
        while b"signed in" not in await demo.stdout.readline():
            assert demo.returncode is None
    queue_log = tmp_path / "data" / "asterisk" / "log" / "queue_log"
    async with asyncio.timeout(60):
        # another process writes the file: nothing tells of it
        while "CONNECT" not in (queue_log.read_text() if queue_log.exists() else ""):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    demo.send_signal(signal.SIGINT)
    async with asyncio.timeout(30):
        out, log = await demo.communicate()
    assert demo.returncode == 0, log.decode()
    assert "calls" in out.decode()
    assert b"Traceback" not in log
    assert running_under(tmp_path) == []


async def test_taken_port_is_one_line_that_says_what_to_do(tmp_path: Path) -> None:
    """The page's port belongs to another program: exit 1, one line, nothing left running."""
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        demo = await start_demo(write_site(tmp_path, web={"port": port}), "--calls", "1")
        _, log = await demo.communicate()
    assert demo.returncode == 1
    assert str(port) in log.decode()
    assert len(log.decode().strip().splitlines()) == 1
    assert running_under(tmp_path) == []
