"""Live pictures as text, one per viewer, from one picture of the exchange.

With 900 agents at work each second's picture goes out 900 times, nearly the same each time. So what viewers
share is put into JSON once, and a seat costs only its own line and its own call.
"""

from __future__ import annotations

from functools import cached_property

from hotline.agent_console.ownership import Viewer, visible_live
from hotline.agent_console.wire import dump, moment, to_json
from hotline.core.views import AgentView, CallView, LiveView


class Pictures:
    """The frames of one moment's picture; says the same as ``visible_live``."""

    def __init__(self, live: LiveView) -> None:
        self._live = live

    def frame(self, lasting: str) -> str:
        """The live frame around what ``lasting`` gave."""
        return f'{{"type":"live","data":{{"at":"{moment(self._live.at)}",{lasting}}}}}'

    def lasting(self, viewer: Viewer) -> str:
        """A viewer's picture without its moment: equal texts mean that nothing has changed for the viewer."""
        if viewer.supervisor:
            return self._all
        own = self._own(viewer.agent)
        link_up = "true" if self._live.link_up else "false"
        calls, agents = dump(to_json(own.calls)), dump(to_json(own.agents))
        return f'"link_up":{link_up},"calls":{calls},"waiting":{self._waiting},"agents":{agents}'

    def _own(self, agent: str | None) -> LiveView:
        """The seat's part, cut from the few things that can be in it instead of from everything."""
        seat = self._seats.get(agent or "")
        calls = dict.fromkeys(self._calls_of.get(agent or "", ()))
        if seat is not None and seat.call_id in self._calls:
            calls[self._calls[seat.call_id]] = None
        live = LiveView(self._live.at, self._live.link_up, tuple(calls), (), (seat,) if seat else ())
        return visible_live(live, Viewer("", False, agent))

    @cached_property
    def _all(self) -> str:
        shown = to_json(self._live)
        del shown["at"]
        return dump(shown)[1:-1]

    @cached_property
    def _waiting(self) -> str:
        return dump(to_json(self._live.waiting))

    @cached_property
    def _seats(self) -> dict[str, AgentView]:
        return {seat.agent: seat for seat in self._live.agents}

    @cached_property
    def _calls(self) -> dict[str | None, CallView]:
        return {call.call_id: call for call in self._live.calls}

    @cached_property
    def _calls_of(self) -> dict[str, list[CallView]]:
        found: dict[str, list[CallView]] = {}
        for call in self._live.calls:
            for agent in {call.agent, *call.parties}:
                if agent is not None:
                    found.setdefault(agent, []).append(call)
        return found
