"""The forecast of `hotline staff` beside the seasonal methods of statsmodels, on made-up years, in one run.

    pip install statsmodels
    python -m bench.staff_forecast --years 5
    python -m bench.staff_forecast --years 3 --seasons

Each year is forecast week by week over its last eight weeks, each week from all the days before it. The
methods of statsmodels forecast the days; the days are spread over their quarter hours by the mean of the
same weekday in eight weeks, as is usual. They know no holidays: with --first 2025-03-01 the weeks that are
forecast have none. WAPE: differences without their sign over the calls that came, by quarter hour and by
day.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

import numpy as np

from bench.staff_histories import WORLDS, World, made_up, seasonal
from hotline.metrics.staffing.backtest import Errors, Method, errors, naive, past_weeks
from hotline.metrics.staffing.calendar import Day
from hotline.metrics.staffing.forecast import Floats, History, forecast
from hotline.metrics.staffing.planner import HISTORY_DAYS

Daily = Callable[[Floats, int], Floats]


def spread(history: History, days: Sequence[Day], totals: Floats) -> Floats:
    """Days over their quarter hours, by the mean of the weekday's shares in eight weeks."""
    weekdays = np.array([one.day.weekday() for one in history.days[-56:]])
    recent = history.calls[-56:]
    shares = [recent[weekdays == one.day.weekday()].sum(axis=0) for one in days]
    return np.array(
        [total * share / max(share.sum(), 1) for total, share in zip(totals, shares, strict=True)]
    )


def of_days(daily: Daily) -> Method:
    """A method of quarter hours from one of days."""

    def method(history: History, days: Sequence[Day]) -> Floats:
        totals = np.maximum(history.calls.sum(axis=1), 1)
        return spread(history, days, np.maximum(daily(totals, len(days)), 0))

    return method


def statsmodels_methods() -> dict[str, Method]:
    """The seasonal methods that statsmodels has for such series."""
    try:
        from statsmodels.tsa.arima.model import ARIMA
        from statsmodels.tsa.exponential_smoothing.ets import ETSModel
        from statsmodels.tsa.forecasting.stl import STLForecast
        from statsmodels.tsa.holtwinters import ExponentialSmoothing
    except ImportError:
        sys.exit("statsmodels is not installed; pip install statsmodels")

    def holt_winters(totals: Floats, ahead: int) -> Floats:
        fitted = ExponentialSmoothing(
            totals, trend="add", damped_trend=True, seasonal="mul", seasonal_periods=7
        ).fit()
        return np.asarray(fitted.forecast(ahead))

    def ets(totals: Floats, ahead: int) -> Floats:
        model = ETSModel(
            totals, error="mul", trend="add", damped_trend=True, seasonal="mul", seasonal_periods=7
        )
        return np.asarray(model.fit(disp=False).forecast(ahead))

    def stl_arima(totals: Floats, ahead: int) -> Floats:
        model = STLForecast(np.log(totals), ARIMA, model_kwargs={"order": (1, 1, 1)}, period=7, robust=True)
        return np.asarray(np.exp(model.fit().forecast(ahead)))

    return {"Holt-Winters": of_days(holt_winters), "ETS": of_days(ets), "STL + ARIMA": of_days(stl_arima)}


def score(method: Method, pieces: list[tuple[History, Sequence[Day], Floats]]) -> tuple[Errors, float]:
    """A method's errors over weeks, and how long one week takes it, in seconds."""
    began = time.perf_counter()
    expected = np.concatenate([method(before, days) for before, days, _ in pieces])
    seconds = (time.perf_counter() - began) / len(pieces)
    return errors(np.concatenate([came for _, _, came in pieces]), expected), seconds


def seasons(years: int) -> None:
    """Print what last year is worth beside half a year alone, with seasons and without."""
    print("\n| world | days ahead | half a year | with last year |\n|---|---|---|---|")
    for world, make in ((WORLDS[0], seasonal), (WORLDS[-1], seasonal), (WORLDS[0], two_years),
                        (WORLDS[-1], two_years)):  # fmt: skip
        for ahead in (1, 29, 85):
            truth, half, whole = [], [], []
            for seed in range(years):
                history = make(world, seed)
                for start in range(len(history.days) - 7 * 26, len(history.days) - 6, 14):
                    known, days = start - ahead + 1, history.days[start : start + 7]
                    first = known - HISTORY_DAYS
                    near = History(history.days[first:known], history.calls[first:known])
                    earlier = history.calls[:first].sum(axis=1)
                    half.append(forecast(near, days))
                    whole.append(
                        forecast(replace(near, earlier=history.days[:first], earlier_calls=earlier), days)
                    )
                    truth.append(history.calls[start : start + 7])
            came = np.concatenate(truth)
            alone, both = errors(came, np.concatenate(half)), errors(came, np.concatenate(whole))
            name = f"{world.name}, {'seasons' if make is seasonal else 'no seasons'}"
            cells = " | ".join(
                f"{one.wape:.1%} ({one.day_wape:.1%}; {one.bias:+.1%})" for one in (alone, both)
            )
            print(f"| {name} | {ahead} | {cells} |", flush=True)


def two_years(world: World, seed: int) -> History:
    """Two made-up years in which the time of year does not matter."""
    return made_up(world, seed, first=date(2024, 1, 8), days=728)


def main() -> None:
    """Print a table: worlds down, methods across."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--years", type=int, default=5, help="made-up years of each kind")
    options.add_argument("--weeks", type=int, default=8, help="weeks forecast of each")
    options.add_argument("--first", type=date.fromisoformat, default=date(2025, 1, 10), help="first day")
    options.add_argument("--seasons", action="store_true", help="only what the time of year does")
    chosen = options.parse_args()
    warnings.simplefilter("ignore")  # fits that do not converge still forecast
    if chosen.seasons:
        seasons(chosen.years)
        return
    methods: dict[str, Method] = {"hotline": forecast, **statsmodels_methods(), "week before": naive}
    print(f"WAPE by quarter hour (by day; bias), {chosen.years} years of {chosen.weeks} weeks each")
    print("| world | " + " | ".join(methods) + " |\n" + "|---" * (1 + len(methods)) + "|")
    won, seconds = 0, dict.fromkeys(methods, 0.0)
    for world in WORLDS:
        pieces = [
            piece
            for seed in range(chosen.years)
            for piece in past_weeks(made_up(world, seed, first=chosen.first), chosen.weeks)
        ]
        scores = {name: score(method, pieces) for name, method in methods.items()}
        cells = [f"{one.wape:.1%} ({one.day_wape:.1%}; {one.bias:+.1%})" for one, _ in scores.values()]
        print(f"| {world.name} | " + " | ".join(cells) + " |", flush=True)
        won += min(scores, key=lambda name: scores[name][0].wape) == "hotline"
        for name, (_, took) in scores.items():
            seconds[name] += took / len(WORLDS)
    print("| a week takes | " + " | ".join(f"{took * 1000:.0f} ms" for took in seconds.values()) + " |")
    print(f"hotline has the smallest WAPE in {won} of {len(WORLDS)}")


if __name__ == "__main__":
    main()
