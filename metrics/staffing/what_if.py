"""What numbers typed on the command line give: agents needed, or what a given number of them brings."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from hotline.metrics.staffing.erlang import Load, Service, agents_needed, rostered, service

AROUND = 2  # numbers of agents shown on either side


@dataclass(frozen=True, slots=True)
class Norm:
    """What is wanted: this share of callers answered in so many seconds, with this share of agents away."""

    target: float
    within_seconds: float
    shrinkage: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """The answer. ``needed``: the fewest agents that reach the norm; ``given``: those asked about."""

    load: Load
    norm: Norm
    needed: int
    given: Service
    around: tuple[Service, ...]


def plan(load: Load, norm: Norm, agents: int | None = None) -> Plan:
    """What so many agents give; by default as many as are needed.

    Raises:
        UsageError: numbers that mean nothing.
    """
    needed = agents_needed(load, norm.target, norm.within_seconds)
    middle = max(1, needed) if agents is None else agents
    given = service(load, middle, norm.within_seconds)
    numbers = range(max(1, middle - AROUND), middle + AROUND + 1)
    around = tuple(service(load, number, norm.within_seconds) for number in numbers)
    return Plan(load, norm, needed, given, around)


def as_row(plan: Plan) -> dict[str, Any]:
    """The answer for programs; shares are 0 to 1."""
    load, norm = plan.load, plan.norm
    return {
        "calls_per_hour": load.calls_per_hour,
        "aht_seconds": load.aht_seconds,
        "patience_seconds": load.patience_seconds,
        "erlangs": round(load.erlangs, 6),
        "target": norm.target,
        "within_seconds": norm.within_seconds,
        "shrinkage": norm.shrinkage,
        "agents_needed": plan.needed,
        "rostered": rostered(plan.needed, norm.shrinkage),
        **_service(plan.given),
        "around": [_service(one) for one in plan.around],
    }


def _service(one: Service) -> dict[str, Any]:
    return {
        name: value if value is None or isinstance(value, int) else round(value, 6)
        for name, value in asdict(one).items()
    }
