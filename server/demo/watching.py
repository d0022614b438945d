"""What the pages show of each call: the supervisor's of its course, the agents' of its text, and when.

Texts are taken from the page of the agent who has the call: on others numbers of persons are masked.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from hotline.agent_console.wire import mask_number
from hotline.core.events import Side

#: Calls remembered; the oldest go. Those of the demo are taken out when they are done.
MAX_CALLS = 500
MAX_TEXTS = 5_000


@dataclass(frozen=True, slots=True)
class ShownText:
    """One text of an utterance as it came to the page, and the loop's time at which it came."""

    at: float
    utterance: int
    revision: int
    text: str
    final: bool


@dataclass(slots=True)
class ShownCall:
    """What the page knows of one call.

    Attributes:
        caller: the masked number.
        line: where the caller was queued; before that, where the call came in.
        path: the titles of the menu choices.
        menu_seconds: spent in menus.
        outcome: how the queue entry was closed; empty while it is open.
        ended: set when nothing of the call is left.
        texts: of each side, in the order of arrival.
    """

    caller: str
    line: str
    path: tuple[str, ...] = ()
    menu_seconds: float = 0.0
    agent: str = ""
    wait_seconds: float = 0.0
    talk_seconds: float = 0.0
    outcome: str = ""
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    texts: dict[Side, deque[ShownText]] = field(
        default_factory=lambda: {side: deque(maxlen=MAX_TEXTS) for side in Side}
    )
    changed_at: float = 0.0

    @property
    def settled(self) -> bool:
        """Whether each side's latest utterance has its final text."""
        return all(not texts or texts[-1].final for texts in self.texts.values())


class Watch:
    """Follows every call over the pages' WebSockets."""

    def __init__(self) -> None:
        self.figures: dict[str, Any] = {}
        self.link_up = asyncio.Event()
        self._calls: dict[str, ShownCall] = {}
        self._changed = asyncio.Event()

    async def run(self, frames: AsyncIterator[dict[str, Any]]) -> None:
        """Take a supervisor's frames until cancelled."""
        loop = asyncio.get_running_loop()
        async for frame in frames:
            self.take(frame, loop.time())

    async def read(self, frames: AsyncIterator[dict[str, Any]]) -> None:
        """Take the texts of an agent's frames until cancelled."""
        loop = asyncio.get_running_loop()
        async for frame in frames:
            self.take_text(frame, loop.time())

    def take_text(self, frame: dict[str, Any], now: float) -> None:
        """Take one frame that came to an agent's page now; that of a second agent on the call is known."""
        call = (
            self._calls.get(frame["data"]["call_id"]) if frame.get("name") == "transcript_segment" else None
        )
        if call is None:
            return
        data = frame["data"]
        text = ShownText(now, data["utterance"], data["revision"], data["text"], data["final"])
        texts = call.texts[Side(data["side"])]
        if all((one.utterance, one.revision) != (text.utterance, text.revision) for one in texts):
            texts.append(text)
            self._tell(call, now)

    def take(self, frame: dict[str, Any], now: float) -> None:
        """Take one frame that came to the supervisor's page now."""
        kind = frame.get("type")
        if kind in ("live", "snapshot"):
            live = frame["live"] if kind == "snapshot" else frame["data"]
            if live["link_up"]:
                self.link_up.set()
        elif kind == "figures":
            self.figures = frame["data"]
        elif kind == "event" and isinstance(call_id := frame["data"].get("call_id"), str):
            self._take_event(str(frame["name"]), call_id, frame["data"], now)

    def of_caller(self, masked: str) -> ShownCall | None:
        """The newest call from this masked number."""
        matches = [call for call in self._calls.values() if call.caller == masked]
        return matches[-1] if matches else None

    def of_number(self, number: str) -> ShownCall | None:
        """The newest call from this number, as far as its mask tells."""
        return self.of_caller(mask_number(number))

    async def wait_change(self, timeout_seconds: float) -> None:
        """Wait until something of any call changes, at most so long."""
        changed = self._changed
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                await changed.wait()

    def forget(self, shown: ShownCall) -> None:
        """Let go of a call that has been reported."""
        self._calls = {call_id: call for call_id, call in self._calls.items() if call is not shown}

    def _take_event(self, name: str, call_id: str, data: dict[str, Any], now: float) -> None:
        if name == "call_started":
            self._calls[call_id] = ShownCall(caller=data["caller_number"], line=data["line"])
            if len(self._calls) > MAX_CALLS:
                del self._calls[next(iter(self._calls))]
        call = self._calls.get(call_id)
        if call is None:
            return
        if name == "menu_finished":
            call.path = tuple(data["path"])
            call.menu_seconds += data["menu_seconds"]
        elif name == "caller_queued":
            call.line = data["line"]
        elif name == "call_answered":
            call.agent, call.wait_seconds = data["agent"], data["wait_seconds"]
        elif name == "entry_closed":
            call.outcome = data["outcome"]
            call.wait_seconds, call.talk_seconds = data["wait_seconds"], data["talk_seconds"]
        elif name == "call_ended":
            call.ended.set()
        if name != "transcript_segment":
            self._tell(call, now)

    def _tell(self, call: ShownCall, now: float) -> None:
        call.changed_at = now
        self._changed.set()
        self._changed = asyncio.Event()
