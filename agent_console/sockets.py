"""The door of the WebSockets: who may enter, what a page may say, and how each one ends.

A page says one thing, hello; from then on only the server speaks. Three tasks serve a page: one sends what
its outbox holds, one listens for the page going away (or saying what it must not), one waits for somebody to
ask for the end. The first that ends takes the others with it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.websockets import WebSocket, WebSocketDisconnect

from hotline.agent_console.deps import ConsoleDeps
from hotline.agent_console.hub import Console, Hub
from hotline.agent_console.identity import COOKIE, Identity
from hotline.agent_console.ownership import Topic, Viewer, visible_live
from hotline.agent_console.wire import dump, to_json
from hotline.core.sensitive import mask_segments
from hotline.core.views import LiveView

log = logging.getLogger(__name__)

MAX_FRAME_BYTES: Final = 4 * 1024
HELLO_SECONDS: Final = 5.0
ALIVE_SECONDS: Final = 15.0
SOCKETS_PER_USER: Final = 8
RECHECK_SECONDS: Final = 2.0  # how soon a session that another process ended loses its sockets
SNAPSHOT_CALLS: Final = 200  # whose text a supervisor's snapshot holds: the newest ones

CLOSE_NONSENSE: Final = 4400
CLOSE_NOT_SIGNED_IN: Final = 4401
CLOSE_FORBIDDEN: Final = 4403
CLOSE_TOO_MANY: Final = 4429
CLOSE_FAULT: Final = 1011
CLOSE_LATER: Final = 1013

CUT_EXTENSION: Final = "hotline.cut"
"""ASGI extension of our server: closes a socket although its peer does not read. See ``server.py``."""


class Hello(BaseModel):
    """What a page says first."""

    model_config = ConfigDict(extra="forbid", strict=True)

    type: Literal["hello"]
    topics: Annotated[frozenset[Topic], Field(min_length=1, max_length=3)]
    boot_id: Annotated[str, Field(max_length=64)] | None = None
    last_seq: Annotated[int, Field(ge=0, le=2**53)] | None = None


class Hangup(Exception):
    """The server ends a socket."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


class Gone(Exception):
    """The page went away."""


class Door:
    """Lets pages in and keeps them. ``watch`` runs beside the hub."""

    def __init__(self, deps: ConsoleDeps, hub: Hub) -> None:
        self._deps = deps
        self._hub = hub
        self._sockets: Counter[str] = Counter()
        deps.accounts.on_revoked(self.end_user)

    def end_user(self, user: str) -> None:
        """End every socket of a user."""
        self._end(lambda console: console.viewer.user == user)

    def end_session(self, session: str) -> None:
        """End every socket that was opened with a session."""
        self._end(lambda console: console.session == session)

    async def watch(self) -> None:
        """End, for ever, the sockets whose sessions hold no longer: expired, or ended by another process."""
        while True:
            await asyncio.sleep(RECHECK_SECONDS)
            sessions = {console.session for console in self._hub.consoles}
            if not sessions:
                continue
            try:
                valid = await self._deps.accounts.valid_sessions(sessions)
            except SQLAlchemyError as error:  # a locked database is no reason to throw everybody out
                log.warning("sessions could not be looked at again: %s", type(error).__name__)
                continue
            self._end(lambda console, lost=sessions - valid: console.session in lost)  # type: ignore[misc]

    async def serve(self, socket: WebSocket) -> None:
        """Serve one page from its handshake to its end."""
        await socket.accept()
        user: str | None = None
        try:
            identity = await self._identify(socket)
            user = identity.account.name
            self._sockets[user] += 1
            if self._sockets[user] > SOCKETS_PER_USER:
                raise Hangup(CLOSE_TOO_MANY, "too many sockets of this user")
            await self._talk(socket, identity)
        except Hangup as end:
            await _close(socket, end.code, end.reason)
        except (Gone, WebSocketDisconnect):
            log.debug("a page went away")
        except Exception as error:
            log.error("a socket failed", exc_info=error)
            await _close(socket, CLOSE_FAULT, "the server failed")
        finally:
            if user is not None:
                self._sockets[user] -= 1
                if not self._sockets[user]:
                    del self._sockets[user]

    def _end(self, wanted: Callable[[Console], bool]) -> None:
        for console in list(self._hub.consoles):
            if wanted(console):
                console.close(CLOSE_NOT_SIGNED_IN, "the session has ended")

    async def _identify(self, socket: WebSocket) -> Identity:
        try:
            found = await self._deps.accounts.who(socket.cookies.get(COOKIE, ""))
        except SQLAlchemyError as error:
            log.error("the database failed a console socket: %s", type(error).__name__)
            raise Hangup(CLOSE_LATER, "the database cannot be had now") from error
        if found is None:
            raise Hangup(CLOSE_NOT_SIGNED_IN, "not signed in")
        return Identity(*found)

    async def _talk(self, socket: WebSocket, identity: Identity) -> None:
        hello = await _hello(socket)
        if Topic.CALLS in hello.topics and not identity.supervisor:
            raise Hangup(CLOSE_FORBIDDEN, "calls is a topic of supervisors")
        console = Console(identity.viewer(hello.topics), identity.session)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_listen(socket), name="console-listen")
                group.create_task(_ended(console), name="console-ended")
                group.create_task(self._speak(socket, console, hello), name="console-speak")
        except BaseExceptionGroup as ends:
            raise _first(ends) from None
        finally:
            self._hub.leave(console)

    async def _speak(self, socket: WebSocket, console: Console, hello: Hello) -> None:
        await self._welcome(socket, console, hello)
        while True:
            text = console.outbox.take()
            if text is None:
                console.wake.clear()
                try:
                    async with asyncio.timeout(ALIVE_SECONDS):
                        await console.wake.wait()
                    continue
                except TimeoutError:
                    text = dump({"type": "alive", "seq": self._hub.seq})
            await socket.send_text(text)

    async def _welcome(self, socket: WebSocket, console: Console, hello: Hello) -> None:
        joined = self._hub.join(console, hello.boot_id, hello.last_seq)
        resumed = joined.missed is not None
        boot_id = self._deps.bus.boot_id
        welcome = {"type": "welcome", "boot_id": boot_id, "seq": joined.seq, "resumed": resumed}
        await socket.send_text(dump(welcome))
        if joined.missed is None:
            await socket.send_text(await self._snapshot(console.viewer, joined.seq, joined.live))
            return
        for text in joined.missed:
            await socket.send_text(text)
        console.show("live", self._hub.live_frame(console.viewer))
        if Topic.BOARD in console.viewer.topics:
            console.show("figures", await self._hub.figures_frame())

    async def _snapshot(self, viewer: Viewer, seq: int, live: LiveView) -> str:
        segments = []
        for call_id in _calls_with_text(viewer, live):
            said = await self._deps.transcripts.of_call(call_id)
            seat = viewer.agent
            whole = not viewer.supervisor or (seat is not None and self._hub.ownership.has(call_id, seat))
            segments += said if whole else mask_segments(said, goes_on=True)
        figures = None
        if Topic.BOARD in viewer.topics:
            figures = to_json(await self._deps.figures.today())
        return dump(
            {
                "type": "snapshot",
                "seq": seq,
                "live": to_json(visible_live(live, viewer)),
                "segments": to_json(segments),
                "figures": figures,
            }
        )


def _calls_with_text(viewer: Viewer, live: LiveView) -> list[str]:
    if Topic.CALLS in viewer.topics:
        newest = sorted(live.calls, key=lambda call: call.started_at)[-SNAPSHOT_CALLS:]
        return [call.call_id for call in newest if call.answered_at is not None]
    if Topic.AGENT not in viewer.topics or viewer.agent is None:
        return []
    own = Viewer(viewer.user, False, viewer.agent, viewer.topics)  # a supervisor's own seat, not everybody's
    return [call.call_id for call in visible_live(live, own).calls]


async def _hello(socket: WebSocket) -> Hello:
    try:
        async with asyncio.timeout(HELLO_SECONDS):
            text = await _text(socket)
    except TimeoutError:
        raise Hangup(CLOSE_NONSENSE, "no hello") from None
    try:
        return Hello.model_validate_json(text)
    except ValidationError as error:
        where = ", ".join(".".join(str(part) for part in one["loc"]) or "frame" for one in error.errors()[:3])
        raise Hangup(CLOSE_NONSENSE, f"no such hello: {where}"[:120]) from None


async def _text(socket: WebSocket) -> str:
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise Gone
    text = message.get("text")
    if text is None:
        raise Hangup(CLOSE_NONSENSE, "binary frames mean nothing here")
    if len(text.encode()) > MAX_FRAME_BYTES:
        raise Hangup(CLOSE_NONSENSE, "the frame is too long")
    return str(text)


async def _listen(socket: WebSocket) -> None:
    await _text(socket)
    raise Hangup(CLOSE_NONSENSE, "a page says hello once and nothing more")


async def _ended(console: Console) -> None:
    await console.closing.wait()
    raise Hangup(console.close_code or CLOSE_FAULT, console.close_reason)


def _first(ends: BaseExceptionGroup[BaseException]) -> BaseException:
    """The end to act on when several came at once: a fault, then one that can be told, then a page gone."""

    def urgency(end: BaseException) -> int:
        return 2 if isinstance(end, Gone | WebSocketDisconnect) else 1 if isinstance(end, Hangup) else 0

    leaves = [_first(end) if isinstance(end, BaseExceptionGroup) else end for end in ends.exceptions]
    return min(leaves, key=urgency)


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    cut = socket.scope.get("extensions", {}).get(CUT_EXTENSION)
    if cut is not None:
        cut(code, reason)
        return
    try:
        await socket.close(code, reason)
    except (WebSocketDisconnect, RuntimeError):
        log.debug("a page was gone before it could be told why")
