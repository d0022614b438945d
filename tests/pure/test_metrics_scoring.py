"""``hotline score``: the published example cell by cell, rounding, ranks, and what a file may not say."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from hotline.config import samples
from hotline.config.scoring import Scheme
from hotline.metrics.scoring.schemes import known_schemes
from hotline.metrics.scoring.score import Unit, half_up, ranking
from hotline.server.cli import app

SAMPLE = samples.path("demo").with_name("score.yaml")
FIVE_RATES = known_schemes(None)["five-rates"]
XIANGXIANG = """\
  - name: 湘乡市
    orders: {on_time: 100.00, contacted: 99.60, satisfied: 55.66}
    rates: {answer: 89.89, closed_online: 76.62, on_time: 99.76,
      called_back: 100.00, satisfied: 73.11, accuracy: 30}
    test_calls: {menu: 8.75, answering: 10.00, manner: 37.50, knowledge: 24.75, call_back: 10.00}
"""
HALVES = """\
name: halves
title: 各半
groups:
  - {name: answer, title: 接听, weight: 50, parts: [{name: answered, title: 接通率, full: 100, kind: share}]}
  - name: calls
    title: 拨测
    weight: 50
    parts: [{name: heard, title: 听到, full: 100, kind: threshold, target: 80, below: nothing}]
"""
HALF_UNITS = "units: [{name: 甲, answer: {answered: 90.004}, calls: {heard: 79.99}}]\n"


def run(file: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["score", str(file), *options], catch_exceptions=False)


def scored(folder: Path, text: str, *options: str) -> list[dict[str, Any]]:
    file = folder / "units.yaml"
    file.write_text(text, encoding="utf-8")
    result = run(file, "--format", "json", *options)
    assert result.exit_code == 0, result.stderr
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def refused(folder: Path, text: str) -> list[str]:
    """The lines that say why a file is not scored."""
    file = folder / "units.yaml"
    file.write_text(text, encoding="utf-8")
    result = run(file, "--format", "json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert all(line.startswith(f"{file}:") for line in result.stderr.splitlines())
    return [line.removeprefix(f"{file}:") for line in result.stderr.splitlines()]


def five_rates(*units: str) -> str:
    return "scheme: five-rates\nunits:\n" + "".join(units)


def test_the_published_example_comes_out_cell_by_cell(tmp_path: Path) -> None:
    """Every cell, every group and the total of 湘乡市 are those that were published."""
    assert scored(tmp_path, five_rates(XIANGXIANG)) == [
        {
            "name": "湘乡市",
            "rank": 1,
            "scores": {
                "orders": {"on_time": 30.0, "contacted": 29.88, "satisfied": 10.66},
                "rates": {
                    "answer": 18.98,
                    "closed_online": 10.0,
                    "on_time": 9.98,
                    "called_back": 10.0,
                    "satisfied": 9.24,
                    "accuracy": 30.0,
                },
                "test_calls": {
                    "menu": 8.75,
                    "answering": 10.0,
                    "manner": 37.5,
                    "knowledge": 24.75,
                    "call_back": 10.0,
                },
            },
            "groups": {"orders": 7.05, "rates": 52.92, "test_calls": 27.3},
            "total": 87.27,
        }
    ]


def test_the_sample_is_scored_and_the_text_has_every_unit_and_formula() -> None:
    """The file that people copy works; the table ranks, the formulas carry their own numbers."""
    result = run(SAMPLE, "--explain")
    assert result.exit_code == 0
    assert "87.27" in result.stdout and "2. 湘乡市: 7.05 + 52.92 + 27.30 = 87.27" in result.stdout
    assert "20 - 0.2 × (95 - 89.89) = 18.978 → 18.98" in result.stdout
    assert "20 - 0.2 × (95 - 97.30) = 20.46, at most 20" in result.stdout
    assert "(10 + 8 + 10 + 9) / 4 = 9.25" in result.stdout
    assert "(30.00 + 29.88 + 10.66) × 10 % = 7.054 → 7.05" in result.stdout


def test_formulas_come_in_json_too(tmp_path: Path) -> None:
    """With --explain each number has its formula beside it, under the same names."""
    [row] = scored(tmp_path, five_rates(XIANGXIANG), "--explain")
    assert row["formulas"]["scores"]["orders"]["contacted"] == "30 × 99.60 % = 29.88"
    assert row["formulas"]["total"] == "7.05 + 52.92 + 27.30 = 87.27"


def test_best_first_and_equals_share_a_place(tmp_path: Path) -> None:
    """Two equal totals are both first, the next is third."""
    worse = XIANGXIANG.replace("湘乡市", "丙").replace("99.60", "90.00")
    rows = scored(tmp_path, five_rates(worse, XIANGXIANG, XIANGXIANG.replace("湘乡市", "乙")))
    assert [(row["name"], row["rank"]) for row in rows] == [("湘乡市", 1), ("乙", 1), ("丙", 3)]


def test_test_calls_are_a_mean_or_a_list(tmp_path: Path) -> None:
    """The points of each call come to the same as their mean."""
    listed = XIANGXIANG.replace("menu: 8.75", "menu: [10, 7.5]").replace(
        "manner: 37.50", "manner: [35, 40, 37.5]"
    )
    assert scored(tmp_path, five_rates(listed)) == scored(tmp_path, five_rates(XIANGXIANG))


@pytest.mark.parametrize(
    ("change", "line", "said"),
    [
        (("contacted: 99.60, ", ""), 4, 'units[0].orders: 湘乡市: "contacted" is missing — give it'),
        (("contacted: 99.60", "contacted: 199.60"), 4, "湘乡市: 联系率: 199.60 is out of range — give"),
        (("contacted: 99.60", "contacted: -1"), 4, "out of range"),
        (("contacted: 99.60", "contacted:"), 4, "nothing is not a number — give a percent from 0 to 100"),
        (("contacted: 99.60", "contacted: 无"), 4, '"无" is not a number'),
        (("contacted: 99.60", "contacted: nan"), 4, "is not a number"),
        (("contacted: 99.60", "contacted: [99, 98]"), 4, "a list is not a number"),
        (("contacted: 99.60", "contact: 99.60"), 4, 'unknown key "contact" — did you mean "contacted"?'),
        (("menu: 8.75", "menu: 10.5"), 7, "语音导航: 10.5 is out of range — give points from 0 to 10"),
        (("menu: 8.75", "menu: []"), 7, "there is no test call"),
        (("menu: 8.75", "menu: [8, 11]"), 7, ".test_calls.menu[1]: 湘乡市: 语音导航: 11 is out of range"),
        (("    orders: {on_time: 100.00, contacted: 99.60, satisfied: 55.66}\n", ""), 3, '"orders" is miss'),
        (("湘乡市", ""), 3, "a unit without a name"),
        (("100.00, contacted: 99.60, satisfied: 55.66", "1, contacted: 0.99, satisfied: 0.5"), 4, "fractio"),
    ],
)  # fmt: skip
def test_what_is_missing_or_senseless_is_named(
    tmp_path: Path, change: tuple[str, str], line: int, said: str
) -> None:
    """File, line, unit and remedy; nothing is ever scored as 0."""
    lines = refused(tmp_path, five_rates(XIANGXIANG.replace(*change)))
    assert any(text.startswith(f"{line}:") and said in text for text in lines), lines


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    """Two units with a fault each, and a name given twice: three lines, in file order."""
    other = XIANGXIANG.replace("accuracy: 30", "accuracy: 31")
    lines = refused(tmp_path, five_rates(XIANGXIANG.replace("89.89", "x"), other))
    assert [line.split(":")[0] for line in lines] == ["5", "8", "11"]
    assert "is given twice (first on line 3)" in lines[1]


def test_a_scheme_that_is_not_known_is_refused(tmp_path: Path) -> None:
    """With the name that was probably meant."""
    [line] = refused(tmp_path, five_rates(XIANGXIANG).replace("five-rates", "five-rate"))
    assert line.startswith('1: scheme: "five-rate" is no scheme — did you mean "five-rates"?')


def test_a_site_holds_schemes_or_names_their_files(tmp_path: Path) -> None:
    """A scheme in the site's file, one in a file of its own, and one in the file of units score the same."""
    site = samples.path("demo").read_text(encoding="utf-8")
    indented = HALVES.replace("\n", "\n      ").rstrip()
    holds, names = tmp_path / "holds.yaml", tmp_path / "names.yaml"
    holds.write_text(f"{site}\nscoring:\n  schemes:\n    - {indented}\n", encoding="utf-8")
    names.write_text(f"{site}\nscoring: {{files: [评分.yaml]}}\n", encoding="utf-8")
    (tmp_path / "评分.yaml").write_text(HALVES, encoding="utf-8")
    inline = "scheme:\n  " + HALVES.replace("\n", "\n  ").rstrip() + "\n" + HALF_UNITS
    [row] = scored(tmp_path, inline)
    assert (row["scores"], row["total"]) == ({"answer": {"answered": 90.0}, "calls": {"heard": 0.0}}, 45.0)
    for file in (holds, names):
        assert scored(tmp_path, f"scheme: halves\n{HALF_UNITS}", "--site", str(file)) == [row]


@pytest.mark.parametrize(
    ("change", "line", "said"),
    [
        (("full: 100", "ful: 100"), 5, '.groups[0].parts[0].ful: unknown key "ful" — did you mean "full"?'),
        (("weight: 50, parts", "weight: 40, parts"), 1, "the weights of the groups sum to 90"),
        (("kind: share", "kind: slope"), 5, "kind: slope needs slope and target"),
        (("kind: share", "kind: share, target: 3"), 5, "kind: share has no target"),
        (("kind: share", "kind: shares"), 5, 'did you mean "share"?'),
        (("full: 100, kind: share", "full: all, kind: share"), 5, '"all" is not a number'),
    ],
)  # fmt: skip
def test_a_scheme_is_read_as_strictly_as_a_site(
    tmp_path: Path, change: tuple[str, str], line: int, said: str
) -> None:
    """Every mistake has its line, unknown keys are refused with what was probably meant."""
    inline = "scheme:\n  " + HALVES.replace(*change).replace("\n", "\n  ").rstrip() + "\n" + HALF_UNITS
    lines = refused(tmp_path, inline)
    assert any(text.startswith(f"{line}:") and said in text for text in lines), lines


FIGURE = st.decimals(0, 100, places=2)


def unit(figures: list[Decimal]) -> Unit:
    """A unit with these figures in the scheme's order; points in the same share of what is possible."""
    rest = iter(figures)
    return Unit(
        "甲",
        {
            group.name: {
                part.name: (next(rest) * (part.full / 100 if part.kind == "points" else 1),)
                for part in group.parts
            }
            for group in FIVE_RATES.groups
        },
    )


@given(st.lists(FIGURE, min_size=14, max_size=14))
def test_a_printed_table_adds_up_by_hand(figures: list[Decimal]) -> None:
    """Printed cells sum and weigh to the printed group, printed groups to the total; 100 at the most."""
    [score] = ranking(FIVE_RATES, [unit(figures)])
    for group in FIVE_RATES.groups:
        cells = [cell.points for cell in score.groups[group.name].cells.values()]
        assert score.groups[group.name].points == half_up(sum(cells) * group.weight / 100, 2)
        assert all(0 <= cell <= part.full for cell, part in zip(cells, group.parts, strict=True))
    assert score.total == sum(group.points for group in score.groups.values())
    assert 0 <= score.total <= 100


@given(st.lists(FIGURE, min_size=14, max_size=14), st.integers(0, 13), FIGURE)
def test_a_better_figure_never_costs_points(figures: list[Decimal], place: int, other: Decimal) -> None:
    """Raising any one figure leaves the total as it is or raises it."""
    lower, higher = sorted((figures[place], other))
    totals = []
    for figure in (lower, higher):
        figures[place] = figure
        totals.append(ranking(FIVE_RATES, [unit(list(figures))])[0].total)
    assert totals[0] <= totals[1]


def test_half_is_rounded_up_in_cells(tmp_path: Path) -> None:
    """30 × 98.75 % is 29.625: the cell says 29.63, which no binary fraction would."""
    [row] = scored(tmp_path, five_rates(XIANGXIANG.replace("99.60", "98.75%")))
    assert row["scores"]["orders"]["contacted"] == 29.63


def test_the_shipped_scheme_gives_100_for_everything_full() -> None:
    """Weights and points of the five rates leave nothing out."""
    assert ranking(FIVE_RATES, [unit([Decimal(100)] * 14)])[0].total == 100
    assert isinstance(FIVE_RATES, Scheme)
