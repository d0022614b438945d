"""The present for Prometheus: read at each scrape, not counted."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from hotline.core.events import AgentState
from hotline.core.ports import LivePicture
from hotline.core.views import LiveView
from hotline.metrics.prometheus_rows import OTHER, Names

SCRAPE_SECONDS = 2.0

Number = tuple[str, str, bool, float]
"""A room's own number: name without prefix, help, whether it only grows, value."""

Numbers = Callable[[], Iterable[Number]]
"""Reads a room's numbers."""


class Present(Collector):
    """Callers who wait, agents by state, and the rooms' own numbers.

    Scrapes come on a thread of their own; the rooms belong to the event loop. So they are read there, and a
    loop that does not answer within two seconds is itself the news.
    """

    def __init__(self, picture: LivePicture, numbers: list[Numbers], names: Names) -> None:
        self._picture, self._numbers, self._names = picture, numbers, names
        self._loop = asyncio.get_running_loop()

    def describe(self) -> Iterable[Any]:
        return ()  # registering must not scrape

    def collect(self) -> Iterable[Any]:
        async def read() -> list[Any]:
            return list(self._read())

        responsive = GaugeMetricFamily("hotline_event_loop_responsive", "0 when the server's loop hangs.")
        pending = asyncio.run_coroutine_threadsafe(read(), self._loop)
        try:
            families = pending.result(timeout=SCRAPE_SECONDS)
        except TimeoutError:
            pending.cancel()
            families = []
        responsive.add_metric([], 1 if families else 0)
        return [responsive, *families]

    def _read(self) -> Iterable[Any]:
        live = self._picture.live()
        yield GaugeMetricFamily("hotline_calls_in_progress", "Calls on the exchange now.", len(live.calls))
        yield from self._waiting(live)
        yield from self._agents(live)
        for read in self._numbers:
            for name, text, is_counter, value in read():
                family = CounterMetricFamily if is_counter else GaugeMetricFamily
                yield family(f"hotline_{name}", text, value=value)

    def _waiting(self, live: LiveView) -> Iterable[Any]:
        """Every queue has its series: a queue where nobody waits shows 0."""
        waits: dict[str, list[float]] = {queue: [] for queue in (*sorted(self._names.queues), OTHER)}
        for caller in live.waiting:
            waits[self._names.queue(caller.queue)].append((live.at - caller.since).total_seconds())
        waiting = GaugeMetricFamily("hotline_callers_waiting", "Callers in a queue now.", labels=["queue"])
        longest = GaugeMetricFamily(
            "hotline_longest_wait_seconds",
            "How long the first caller of a queue has waited.",
            labels=["queue"],
        )
        for queue, seconds in waits.items():
            waiting.add_metric([queue], len(seconds))
            longest.add_metric([queue], max(seconds, default=0))
        yield from (waiting, longest)

    def _agents(self, live: LiveView) -> Iterable[Any]:
        agents = GaugeMetricFamily("hotline_agents", "Agents of the site file, by state.", labels=["state"])
        by_queue = GaugeMetricFamily(
            "hotline_queue_agents",
            "Agents who serve a queue now, by state; one who serves several is in each.",
            labels=["queue", "state"],
        )
        all_states = Counter(agent.state for agent in live.agents)
        of_queue = Counter(
            (self._names.queue(queue), agent.state) for agent in live.agents for queue in agent.queues
        )
        for state in AgentState:
            agents.add_metric([state.value], all_states[state])
            for queue in sorted(self._names.queues):
                by_queue.add_metric([queue, state.value], of_queue[queue, state])
        yield from (agents, by_queue)
