"""After a real call: its words are found, taken away as a file, and heard again in the sealed recording."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from hotline.asr.models import SMALL_MODEL
from tests.fixtures.ports import free_port
from tests.real.serving import COMMAND, Seat, Watcher, citizen, serving, write_site
from tests.real.speaking import say
from tests.real.test_end_to_end import AGENT_SAYS, CALLER_SAYS, bare, put_through

pytestmark = pytest.mark.timeout(180)


async def answer(page: Watcher, path: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The API's answer once it is as ``wanted``: nothing is told when the background has done its work."""
    async with asyncio.timeout(60):
        while not wanted(found := await page.console.get(path)):  # noqa: ASYNC110 - as said
            await asyncio.sleep(0.2)
        return found


async def test_a_calls_words_are_found_exported_and_decoded_again(tmp_path: Path) -> None:
    """A supervisor finds the call by a part of what was said, and sees what the second decoding changed."""
    file = write_site(
        tmp_path,
        recording={"lines": "on", "encrypt": True},
        asr={
            "audiosocket": {"port": free_port()},
            "second_pass": {"model": str(SMALL_MODEL), "load_limit": 10},
        },
    )
    async with serving(file) as server:
        await server.add_user("chief", role="supervisor")
        await server.add_user("1003", agent="1003")
        phone = citizen(server.site, "13800001234")
        async with Watcher(server) as page, Seat(server, "1003") as seat, phone:
            call, talk = await put_through(page, phone, seat)
            await say(talk, AGENT_SAYS, "m1")
            await say(call, CALLER_SAYS, "f3")
            search = f"/api/transcripts/search?q={quote('健身房关门 您好')}"
            found = await answer(page, search, lambda one: bool(one["calls"]))
            await call.hangup()
            [hit] = found["calls"]
            call_id = hit["call"]["call_id"]
            marked = {one["text"][start:end] for one in hit["utterances"] for start, end in one["marks"]}
            assert marked == {"健身房关门", "您好"}
            second = await answer(
                page, f"/api/calls/{call_id}/second-text", lambda one: one["state"] == "done"
            )
        heard = {side: "" for side in ("caller", "agent")}
        for row in second["rows"]:
            heard[row["side"]] += "".join(piece["text"] for piece in row["second"])
        assert {side: bare(said) for side, said in heard.items()} == {
            "caller": bare(CALLER_SAYS), "agent": bare(AGENT_SAYS),
        }  # fmt: skip
        assert {said[-1] for said in heard.values()} == {"。"}, "both versions as people write them"
        assert second["differed"] == 0, "the same model hears the same in the recording"
    command = (*COMMAND, "asr", "export", call_id, "--site", str(file), "--format", "srt")
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    printed, _ = await process.communicate()
    assert process.returncode == 0
    captions = bare(printed.decode())
    assert f"来电人{bare(CALLER_SAYS)}" in captions
    assert bare(AGENT_SAYS) in captions
