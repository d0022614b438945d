"""Lists of callers: whose number is on which, what is wrong with them, and what a call keeps."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from hotline.config.caller_lists import CallerList, CallerLists
from hotline.config.loading import check_site
from hotline.queue.calls.table import CallTable
from hotline.queue.facts import Announced
from hotline.queue.routing import Routing

SITE = """
lines: [{id: "12345", name: 热线, number: "12345", dids: ["12345"]}]
queues: [{name: "12345", title: 综合}]
caller_lists:
"""


def lists(folder: Path) -> CallerLists:
    """Deputies by number, enterprises by the beginning of it, more of both in a file."""
    (folder / "more.txt").write_text("\ufeff# 企业\n0757-8888 0001\n\n8666*   # 园区\n一号\n", "utf-8")
    return CallerLists.of_site(
        (
            CallerList(name="deputies", title="人大代表", numbers=("13800000001", "075788880001")),
            CallerList(name="enterprises", title="企业", numbers=("8777*",), file=folder / "more.txt"),
        )
    )


@pytest.mark.parametrize(
    ("number", "found"),
    [
        ("13800000001", ("deputies",)),
        ("013800000001", ("deputies",)),
        ("+8613800000001", ("deputies",)),
        ("008613800000001", ("deputies",)),
        ("13800000002", ()),
        ("075788880001", ("deputies", "enterprises")),
        ("87770000", ("enterprises",)),
        ("8666", ("enterprises",)),
        ("877", ()),
        ("anonymous", ()),
        ("", ()),
    ],
)
def test_a_number_is_on_every_list_that_names_it(tmp_path: Path, number: str, found: tuple[str, ...]) -> None:
    """Whatever the trunk writes before it; by its beginning, too; a hidden one is on none."""
    assert lists(tmp_path).of(number) == found


@pytest.mark.parametrize(
    ("written", "line", "says"),
    [
        ("  - {name: deputies, title: 代表}", 5, "without numbers"),
        ("  - {name: Deputies, title: 代表, numbers: ['13800000001']}", 5, "caller_lists[0].name"),
        ("  - {name: a, title: 代表, numbers: [abc]}", 5, "caller_lists[0].numbers[0]"),
        (
            "  - {name: a, title: 甲, numbers: ['138']}\n  - {name: a, title: 乙, numbers: ['139']}",
            6,
            "twice",
        ),
    ],
)
def test_a_list_that_makes_no_sense_is_refused_with_its_place(
    tmp_path: Path, written: str, line: int, says: str
) -> None:
    """File, line and remedy, as of every section."""
    file = tmp_path / "site.yaml"
    file.write_text(f"{SITE.lstrip()}{written}\n", "utf-8")
    problems = check_site(file, {}).errors
    assert [problem.line for problem in problems] == [line - 1]
    assert says in str(problems[0])


def test_a_bad_line_of_a_file_of_numbers_costs_that_line(tmp_path: Path) -> None:
    """It is named without being printed; a file that is not there leaves its list empty; the site runs."""
    file = tmp_path / "site.yaml"
    rows = "".join(f"  - {{name: {name}, title: 名单, file: {name}.txt}}\n" for name in ("deputies", "gone"))
    file.write_text(SITE + rows, "utf-8")
    (tmp_path / "deputies.txt").write_bytes("13800000001 # 张\nsecret\n".encode("gb18030"))
    checked = check_site(file, {})
    assert checked.site is not None
    told = [str(problem) for problem in checked.problems]
    assert any("deputies.txt:2" in one and "secret" not in one for one in told), told
    assert any("gone.txt cannot be read" in one for one in told), told
    assert CallerLists.of_site(checked.site.caller_lists).of("13800000001") == ("deputies",)


def test_a_call_keeps_the_lists_of_its_time(tmp_path: Path) -> None:
    """In its row and on the agent's page; a later list does not change a row that an earlier run wrote."""
    routing = Routing(lambda queue: queue, lambda token: (), caller_lists=lists(tmp_path))
    table = CallTable("n", routing, 5)
    at = datetime(2026, 11, 2, 4, tzinfo=UTC)
    out = table.apply(Announced("u1", at, "u1", "12345", "12345", "075788880001", ""))
    row = out.calls["u1"]
    assert row.caller_lists == "|deputies|enterprises|"
    (view,) = table.live_calls()
    assert view.caller_lists == ("deputies", "enterprises")
    later = CallTable("n", Routing(lambda queue: queue, lambda token: ()), 5)
    later.restore([row], [])
    (restored,) = later.live_calls()
    assert restored.caller_lists == ("deputies", "enterprises")
