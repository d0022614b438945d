"""What the queue room asks of the site file: whose queue is it, what did the keys mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hotline.config.caller_lists import CallerLists
from hotline.config.menu_path import titles
from hotline.config.schema import Site


@dataclass(frozen=True, slots=True)
class Routing:
    """Look-ups from the exchange's names to the site's."""

    line_of_queue: Callable[[str], str]
    menu_titles: Callable[[str], tuple[str, ...]]
    extensions: Mapping[str, str] = field(default_factory=dict)  # agent -> extension
    queues: Mapping[str, str] = field(default_factory=dict)  # line -> queue
    caller_lists: CallerLists = field(default_factory=CallerLists)

    def agent_at(self, channel: str) -> str | None:
        """Whose phone a channel is: ``PJSIP/1001-0000002a`` is that of the agent with extension 1001."""
        return self.agent_with(channel.partition("/")[2].rpartition("-")[0])

    def agent_with(self, extension: str) -> str | None:
        """Whose extension it is."""
        return next((agent for agent, own in self.extensions.items() if own == extension), None)

    @classmethod
    def of_site(cls, site: Site) -> Routing:
        """For a site. A queue of several lines counts to the first naming it, when no trace says which."""
        first: dict[str, str] = {}
        for line in site.lines:
            first.setdefault(line.queue_name, line.id)
        extensions = {agent.id: agent.extension for agent in site.agents}
        queues = {line.id: line.queue_name for line in site.lines}
        return cls(
            lambda queue: first.get(queue, queue),
            lambda token: titles(site, token),
            extensions,
            queues,
            CallerLists.of_site(site.caller_lists),
        )


@dataclass(slots=True)
class HistoryNames:
    """Look-ups from another system's names to the site's, for calls of the past."""

    site: Site
    queues: set[str] = field(init=False)
    _routing: Routing = field(init=False)
    _agents: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self._routing = Routing.of_site(self.site)
        self.queues = {queue.name for queue in self.site.queues}
        self._agents = {agent.name: agent.id for agent in self.site.agents}
        self._agents |= {agent.extension: agent.id for agent in self.site.agents}
        self._agents |= {agent.id: agent.id for agent in self.site.agents}

    def line_of(self, line: str, did: str) -> str:
        """The line a log names, or that has the dialled number; empty if neither says."""
        found = None if line else self.site.line_of_did(did)
        return found.id if found else line

    def line_of_queue(self, queue: str) -> str:
        """The line of a queue; a queue the site has not stands for itself."""
        return self._routing.line_of_queue(queue)

    def menu_titles(self, token: str) -> tuple[str, ...]:
        """The titles of a menu path."""
        return self._routing.menu_titles(token)

    def agent_of(self, member: str) -> str:
        """The agent of a queue member: ``SIP/1001``, ``Local/1001@from-queue/n``, ``1001`` or a name.

        A member that is nobody of the site keeps its own name.
        """
        extension = member.partition("/")[2].partition("@")[0].partition("-")[0]
        return self._agents.get(member) or self._agents.get(extension) or member[:120]

    def knows(self, agent: str) -> bool:
        """Whether the site has this agent."""
        return agent in self._routing.extensions

    def extension_of(self, agent: str) -> str:
        """The agent's extension; who is nobody of the site is told by name."""
        return self._routing.extensions.get(agent, agent)
