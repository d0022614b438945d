"""Menus for callers: the interpreter driven over FastAGI, a thread for each caller.

What this server leaves behind is channel variables, ``HOTLINE_RESULT`` the last of them: whatever goes wrong
before that, the dialplan's fallback brings the caller to a person. It never hangs up on anyone.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import Protocol

from hotline.config.menu_path import titles
from hotline.config.schema import Site
from hotline.core.clock import Clock
from hotline.core.events import Event, MenuEntered, MenuFinished, MenuOutcome
from hotline.core.ports import Bus
from hotline.ivr.interpreter import (
    Collect,
    Command,
    Digit,
    Fault,
    Finish,
    Hangup,
    Play,
    PlaybackDone,
    Silence,
    TimeUp,
    Visit,
)
from hotline.telephony.asterisk_config.prompts import sound
from hotline.telephony.fastagi import FastAgiCounters, FastAgiServer
from hotline.telephony.fastagi_errors import AgiError, AgiHangup
from hotline.telephony.fastagi_session import AgiSession

__all__ = ["SCRIPT", "Durations", "MenuService"]

SCRIPT = "menu"  # of agi://host:port/menu?line=..&menu=..
LEAVING_SECONDS = 12.0  # kept back from TIMEOUT(absolute) to say goodbye and set the variables
_RESULTS = {MenuOutcome.QUEUE: "queue", MenuOutcome.OPERATOR: "operator"}

_log = logging.getLogger(__name__)


class Durations(Protocol):
    """How long prompts take (``PromptFiles``)."""

    def duration_seconds(self, name: str) -> float: ...


class MenuService:
    """Serves the site's menus to Asterisk.

    Args:
        site: a checked site.
        bus: where MenuEntered and MenuFinished go, always from the loop's own thread.
        durations: of the prompts, which are expected to lie in Asterisk's sounds folder already.
        clock: for the events' times.
        loop: the bus's; the running one when absent.
    """

    def __init__(
        self,
        site: Site,
        bus: Bus,
        durations: Durations,
        clock: Clock,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._site = site
        self._bus = bus
        self._durations = durations
        self._clock = clock
        self._stopping = False
        self._loop = loop or asyncio.get_running_loop()
        agi = site.fastagi
        self._server = FastAgiServer(agi.host, agi.port, self.serve, max_sessions=agi.max_sessions)
        self._menu_seconds_limit = agi.absolute_timeout_seconds - min(
            LEAVING_SECONDS, agi.absolute_timeout_seconds / 3
        )

    @property
    def port(self) -> int:
        """Where it listens, once started."""
        return self._server.port

    @property
    def counters(self) -> FastAgiCounters:
        """Sessions begun, finished, failed; only ever grow."""
        return self._server.counters

    def start(self) -> None:
        """Listen for callers from now on.

        Raises:
            SetupError: if the port is taken.
        """
        self._server.start()

    async def stop(self, drain_seconds: float = 5.0) -> None:
        """Take no more callers, let those inside finish, then leave the rest to the dialplan; idempotent."""
        self._stopping = True
        await asyncio.to_thread(self._server.stop, drain_seconds)

    def serve(self, session: AgiSession) -> None:
        """Lead one caller through a menu; called on a thread of its own.

        Raises:
            AgiHangup: if the caller left.
            AgiError: if the session broke; the dialplan's fallback takes the call.
        """
        visit = self._visit(session)
        if visit is None:
            return  # no result is set: the fallback takes the call
        menu = visit.menu.name
        call_id = session.linkedid
        self._publish(MenuEntered(call_id, self._clock.now(), menu))
        began = self._clock.monotonic()
        finish: Finish | None = None
        try:
            finish = self._drive(session, visit, began + self._menu_seconds_limit)
            self._set_result(session, finish)
            self._say_on_leaving(session, finish)
        except AgiHangup:
            # While this server stops it is we who close sessions: the caller is still there.
            finish = _cut_short(visit, finish, Fault() if self._stopping else Hangup())
            raise
        except BaseException:
            finish = _cut_short(visit, finish, Fault())
            raise
        finally:
            if finish is not None:
                seconds = self._clock.monotonic() - began
                self._publish(self._finished(call_id, menu, finish, seconds))

    def _visit(self, session: AgiSession) -> Visit | None:
        query = session.env.query
        try:
            if session.env.network_script == SCRIPT:
                return Visit(self._site, query.get("line", ""), query.get("menu", ""))
        except KeyError:
            pass  # told below
        _log.warning("call %s asks for a menu that the site does not have", session.env.uniqueid)
        return None

    def _drive(self, session: AgiSession, visit: Visit, deadline: float) -> Finish:
        """Do what the interpreter says until it is done.

        Raises:
            AgiError: if the session broke or the caller left.
        """
        command = visit.start()
        while not isinstance(command, Finish):
            if self._clock.monotonic() + self._expected_seconds(command) > deadline:
                command = visit.receive(TimeUp())
            elif isinstance(command, Play):
                command = self._play(session, visit, command)
            else:
                key = session.wait_for_digit(command.timeout_seconds)
                command = visit.receive(Digit(key) if key else Silence())
        return command

    def _play(self, session: AgiSession, visit: Visit, play: Play) -> Command:
        """Say and listen in one go: between two AGI commands Asterisk would throw a key away."""
        key = session.play_and_get_digit([sound(name) for name in play.prompts], play.then_seconds)
        if key:
            return visit.receive(Digit(key))
        following = visit.receive(PlaybackDone())
        return visit.receive(Silence()) if isinstance(following, Collect) else following

    def _expected_seconds(self, command: Play | Collect) -> float:
        if isinstance(command, Collect):
            return command.timeout_seconds
        return sum(map(self._durations.duration_seconds, command.prompts)) + command.then_seconds

    def _set_result(self, session: AgiSession, finish: Finish) -> None:
        result = _RESULTS.get(finish.outcome)
        if result is None or finish.queue is None:
            return
        session.set_variable("HOTLINE_LINE", finish.line)
        session.set_variable("HOTLINE_QUEUE", finish.queue)
        session.set_variable("HOTLINE_PATH", finish.path)
        session.set_variable("HOTLINE_LANGUAGE", finish.language)
        session.set_variable("HOTLINE_RESULT", result)  # from here on the dialplan goes our way

    def _say_on_leaving(self, session: AgiSession, finish: Finish) -> None:
        for name in finish.say:
            try:
                session.stream_file(sound(name), keys="")
            except AgiHangup:
                raise
            except AgiError as error:  # the result is set: the caller reaches the queue all the same
                _log.warning("call %s: %s was not said: %s", session.env.uniqueid, name, error)
                return

    def _finished(self, call_id: str, menu: str, finish: Finish, seconds: float) -> MenuFinished:
        return MenuFinished(
            call_id=call_id,
            at=self._clock.now(),
            menu=menu,
            path=titles(self._site, finish.path),
            outcome=finish.outcome,
            line=finish.line,
            queue=finish.queue,
            menu_seconds=seconds,
            language=finish.language,
        )

    def _publish(self, event: Event) -> None:
        try:
            self._loop.call_soon_threadsafe(self._bus.publish, event)
        except RuntimeError:  # the loop is closed: the server ends while callers finish
            _log.debug("an event came after the end of the server")


def _cut_short(visit: Visit, finish: Finish | None, why: Hangup | Fault) -> Finish:
    """The caller left or the session broke: in a menu, or on the way out of it."""
    if finish is None:
        return visit.end(why)
    outcome = MenuOutcome.HANGUP if isinstance(why, Hangup) else MenuOutcome.FAULT
    return replace(finish, outcome=outcome, queue=None)
