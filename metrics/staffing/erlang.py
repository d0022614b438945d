"""What a number of agents gives callers: Erlang C (everybody waits) and Erlang A (callers lose patience).

Calls come at random at one rate, handling and patience are exponential, the longest waiting is served first.
Erlang C is M/M/n: with no more agents than erlangs the queue grows without end. Erlang A is M/M/n+M and
always settles.

Sources: A. K. Erlang (1917); the recursion of Erlang's B; F. Baccelli and G. Hebuterne (1981) for the wait
that a patient caller would have, as A. Mandelbaum and S. Zeltyn write it ("Service Engineering in Action",
2007).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hotline.core.errors import UsageError

MAX_ERLANGS: Final = 20_000.0  # twenty times the largest hotline: beyond it the numbers are a mistake
_NEGLIGIBLE: Final = 45.0  # e**-45 of the highest point is less than a double holds beside it
_SETTLED: Final = 40.0  # mean patiences: whoever was to give up has
_PANELS: Final = 24
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Load:
    """Calls that come, how long one takes, and how long callers wait before they give up.

    Attributes:
        calls_per_hour: offered.
        aht_seconds: talk, hold and wrap-up of a call.
        patience_seconds: mean; None: nobody ever gives up (Erlang C).

    Raises:
        UsageError: a number that no hotline has.
    """

    calls_per_hour: float
    aht_seconds: float
    patience_seconds: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.calls_per_hour < math.inf:
            raise UsageError(f"{self.calls_per_hour:g} calls", hint="give 0 or more")
        if not 0 < self.aht_seconds < math.inf:
            raise UsageError(f"a handling time of {self.aht_seconds:g} s", hint="give seconds, more than 0")
        if self.patience_seconds is not None and not 0 < self.patience_seconds < math.inf:
            raise UsageError(
                f"a patience of {self.patience_seconds:g} s", hint="give seconds, or leave it out"
            )
        if self.erlangs > MAX_ERLANGS:
            hint = f"at most {MAX_ERLANGS:,.0f} are reckoned with: look at calls and handling time"
            raise UsageError(f"{self.erlangs:,.0f} erlangs", hint=hint)

    @property
    def erlangs(self) -> float:
        """How many agents would talk at once if every call were taken."""
        return self.calls_per_hour * self.aht_seconds / 3600


@dataclass(frozen=True, slots=True)
class Service:
    """What a number of agents gives.

    Attributes:
        wait_probability: of a caller's finding every agent busy.
        service_level: answered within the time over offered.
        asa_seconds: mean wait of those answered; None where the queue grows without end.
        occupancy: handling time over agents' time, 0 to 1.
        abandon_share: given up over offered.
    """

    agents: int
    wait_probability: float
    service_level: float
    asa_seconds: float | None
    occupancy: float
    abandon_share: float


def service(load: Load, agents: int, within_seconds: float) -> Service:
    """What so many agents give these callers.

    Raises:
        UsageError: no agents, or a negative time.
    """
    if agents < 1:
        raise UsageError(f"{agents} agents", hint="give 1 or more")
    if not 0 <= within_seconds < math.inf:
        raise UsageError(f"answered within {within_seconds:g} s", hint="give seconds, 0 or more")
    if load.calls_per_hour == 0:
        return Service(agents, 0.0, 1.0, 0.0, 0.0, 0.0)
    if load.patience_seconds is None:
        return _erlang_c(load, agents, within_seconds)
    return _erlang_a(load, load.patience_seconds, agents, within_seconds)


def agents_needed(load: Load, target: float, within_seconds: float) -> int:
    """The fewest agents with whom at least ``target`` of the callers are answered in time; 0 without calls.

    Raises:
        UsageError: a target that cannot be reached.
    """
    if not 0 < target < 1:
        hint = "give a share between 0 and 1, as 0.95"
        raise UsageError(f"a target of {target:g}", hint=hint)
    if load.calls_per_hour == 0:
        return 0
    enough = max(1, math.ceil(load.erlangs))
    step = 1
    while service(load, enough, within_seconds).service_level < target:
        enough, step = enough + step, step * 2
    too_few = 0
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        if service(load, middle, within_seconds).service_level < target:
            too_few = middle
        else:
            enough = middle
    return enough


def rostered(agents: int, shrinkage: float) -> int:
    """How many must be on the roster for ``agents`` to be at work; ``shrinkage`` is the share away.

    Raises:
        UsageError: a share that leaves nobody.
    """
    if not 0 <= shrinkage < 1:
        raise UsageError(f"a shrinkage of {shrinkage:g}", hint="give a share from 0 to less than 1, as 0.3")
    return math.ceil(agents / (1 - shrinkage) - 1e-9)


def blocked(erlangs: float, agents: int) -> float:
    """Erlang's B: the share that finds every agent busy if nobody may wait. Stable for any size."""
    share = 1.0
    for number in range(1, agents + 1):
        share = erlangs * share / (number + erlangs * share)
    return share


def _erlang_c(load: Load, agents: int, within_seconds: float) -> Service:
    erlangs = load.erlangs
    free = agents - erlangs
    if free <= 0:
        return Service(agents, 1.0, 0.0, None, 1.0, 0.0)
    share = blocked(erlangs, agents)
    waits = agents * share / (free + erlangs * share)
    late = waits * math.exp(-free * within_seconds / load.aht_seconds)
    return Service(agents, waits, 1 - late, waits * load.aht_seconds / free, erlangs / agents, 0.0)


def _erlang_a(load: Load, patience_seconds: float, agents: int, within_seconds: float) -> Service:
    """By the density of the wait a patient caller would have: proportional to exp(_hazard(x))."""
    share = blocked(load.erlangs, agents - 1)
    if share == 0.0:  # so many agents that nobody waits, as far as a double can tell
        return Service(agents, 0.0, 1.0, 0.0, load.erlangs / agents, 0.0)
    wait = _Wait(load.calls_per_hour / 3600, agents / load.aht_seconds, 1 / patience_seconds)
    scale = max(wait.highest, -math.log(share))  # neither of the two below can overflow
    at_once = math.exp(-math.log(share) - scale)
    weight = math.exp(wait.highest - scale) * wait.calls_per_second
    first, last = wait.span()
    everybody, answered, waited = wait.integrals(first, last)
    _, in_time, _ = wait.integrals(first, min(max(within_seconds, first), last))
    whole = at_once + weight * everybody
    served = (at_once + weight * answered) / whole
    return Service(
        agents,
        wait_probability=weight * everybody / whole,
        service_level=min(1.0, (at_once + weight * in_time) / whole),
        asa_seconds=weight * waited / (at_once + weight * answered),
        occupancy=min(1.0, load.erlangs * served / agents),
        abandon_share=max(0.0, 1 - served),
    )


@dataclass(frozen=True, slots=True)
class _Wait:
    """The wait x of a caller who would never give up, in seconds.

    Its density is proportional to exp(h(x)) with
    h(x) = calls (1 - exp(-x impatience)) / impatience - served x,
    concave, so it has one highest point and falls off on both sides.
    """

    calls_per_second: float
    served_per_second: float  # while every agent is busy
    impatience: float  # 1 / mean patience in seconds

    def height(self, seconds: Floats) -> Floats:
        """The exponent h(x)."""
        still_here = -np.expm1(-self.impatience * seconds) / self.impatience
        return np.asarray(self.calls_per_second * still_here - self.served_per_second * seconds)

    @property
    def peak_seconds(self) -> float:
        """Where h is highest: where as many give up as come too many; 0 with enough agents."""
        return max(0.0, math.log(self.calls_per_second / self.served_per_second) / self.impatience)

    @property
    def highest(self) -> float:
        """The height at the peak."""
        return float(self.height(np.array(self.peak_seconds)))

    def span(self) -> tuple[float, float]:
        """The seconds between which all of the density lies, as far as a double can tell."""
        return self._fallen(-1), self._fallen(1)

    def _fallen(self, side: int) -> float:
        """The first place tried on this side of the peak where the density is nothing; never below 0."""
        peak, nothing = self.peak_seconds, self.highest - _NEGLIGIBLE
        step = 1 / self.served_per_second
        while (place := peak + side * step) > 0:
            if float(self.height(np.array(place))) <= nothing:
                return place
            step *= 1.5
        return 0.0

    def integrals(self, start: float, end: float) -> tuple[float, float, float]:
        """From start to end: of exp(h - highest), of that times who is still there, and of both times x."""
        settled = min(end, max(start, _SETTLED / self.impatience))  # from there on the density only decays
        edges = np.concatenate(
            [np.linspace(start, settled, _PANELS + 1), np.linspace(settled, end, _PANELS + 1)[1:]]
        )
        half = (edges[1:] - edges[:-1])[:, None] / 2
        seconds = edges[:-1][:, None] + half * (_NODES + 1)
        density = np.exp(self.height(seconds) - self.highest) * half * _WEIGHTS
        there = density * np.exp(-self.impatience * seconds)
        return float(density.sum()), float(there.sum()), float((there * seconds).sum())
