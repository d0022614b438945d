"""The answers of ``hotline staff`` as text and rows."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from hotline.core.staffing import StaffingPlan, StaffingQuarter
from hotline.metrics.staffing.erlang import rostered
from hotline.metrics.staffing.what_if import Plan

NO_CALLS = 0.05  # quarter hours with fewer and nobody planned are left out of the text


def print_what_if(answer: Plan) -> None:
    """What is needed, and a table of what some agents fewer or more would give."""
    load, norm = answer.load, answer.norm
    model = "Erlang C" if load.patience_seconds is None else "Erlang A"
    print(f"{load.erlangs:.2f} erlangs, {model}")
    if norm.shrinkage:
        roster = f", {rostered(answer.needed, norm.shrinkage)} on the roster with {norm.shrinkage:.1%} away"
    else:
        roster = ""
    print(f"{answer.needed} agents answer {norm.target:.2%} within {norm.within_seconds:g} s{roster}")
    table = Table()
    for title in ("agents", f"within\n{norm.within_seconds:g} s", "wait at\nall", "ASA", "give up", "busy"):
        table.add_column(title, justify="right")
    for one in answer.around:
        table.add_row(
            str(one.agents),
            f"{one.service_level:.2%}",
            f"{one.wait_probability:.2%}",
            "grows" if one.asa_seconds is None else f"{one.asa_seconds:.1f} s",
            f"{one.abandon_share:.2%}",
            f"{one.occupancy:.1%}",
            style="bold" if one.agents == answer.given.agents else "",
        )
    _print(table)


def plan_row(plan: StaffingPlan) -> dict[str, Any]:
    """A plan for programs; moments are ISO 8601 with the site's zone."""
    return asdict(plan) | {
        "history_from": plan.history_from.isoformat(),
        "errors": plan.errors and {name: round(value, 4) for name, value in asdict(plan.errors).items()},
        "days": [asdict(one) | {"day": one.day.isoformat()} for one in plan.days],
        "quarters": [asdict(one) | {"starts": one.starts.isoformat()} for one in plan.quarters],
    }


def print_plan(plan: StaffingPlan) -> None:
    """Days, how far to trust the forecast, and a table of quarter hours."""
    for one in plan.days:
        kind = {"ordinary": "", "holiday": ", holiday", "made_up": ", worked weekend (调休)"}[one.kind]
        unknown = "" if one.published else f", holidays of {one.day.year} are not published: by weekday"
        print(f"{one.day} {one.day:%a}{kind}{unknown}: {one.calls:.0f} calls expected")
    print(f"from {plan.history_days} days since {plan.history_from}; {_trust(plan)}")
    patience = (
        "" if plan.patience_seconds is None else f"; callers give up after {plan.patience_seconds:.0f} s"
    )
    print(f"norm: {plan.target:.2%} within {plan.within_seconds:g} s, {plan.shrinkage:.1%} away{patience}")
    for problem in plan.problems:
        print(problem, file=sys.stderr)
    table = Table(caption="needed: Erlang C, in brackets Erlang A; in time: with those planned")
    for title in ("quarter\nhour", "calls", "AHT", "needed", "on the\nroster", "planned", "gap", "in time"):
        table.add_column(title, justify="right")
    for quarter in plan.quarters:
        if quarter.calls >= NO_CALLS or quarter.planned:
            table.add_row(*_cells(quarter, several=len(plan.days) > 1))
    _print(table)


def _trust(plan: StaffingPlan) -> str:
    if plan.errors is None:
        return "too few days to say how far such forecasts are off"
    errors = plan.errors
    return (
        f"over {errors.weeks} weeks such forecasts were {errors.wape:.1%} off by quarter hour and"
        f" {errors.day_wape:.1%} by day, bias {errors.bias:+.1%}"
        f" (the week before: {errors.naive_wape:.1%}, {errors.naive_day_wape:.1%}, {errors.naive_bias:+.1%})"
    )


def _cells(quarter: StaffingQuarter, *, several: bool) -> list[str]:
    patient = "" if quarter.needed_patience is None else f" ({quarter.needed_patience})"
    return [
        f"{quarter.starts:%m-%d %H:%M}" if several else f"{quarter.starts:%H:%M}",
        f"{quarter.calls:.1f}",
        f"{quarter.aht_seconds:.0f} s",
        f"{quarter.needed}{patient}",
        str(quarter.rostered),
        "—" if quarter.planned is None else str(quarter.planned),
        "—" if quarter.gap is None else f"{quarter.gap:+d}",
        "—" if quarter.planned_service is None else f"{quarter.planned_service:.1%}",
    ]


def _print(table: Table) -> None:
    Console(width=None if sys.stdout.isatty() else 200).print(table)
