"""``hotline report`` on a real database: figures of the ledger, data files, drafts, bulletins, errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from typer.testing import CliRunner, Result

from hotline.config.problems import ConfigError
from hotline.core.errors import SetupError, UsageError
from hotline.metrics.report.cli import report_commands
from tests.fixtures.report_ledger import fill, open_site
from tests.fixtures.report_month import SAMPLE


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data_dir with the calls of some months."""
    made = tmp_path_factory.mktemp("data")
    fill(made)
    return made


def run(folder: Path, *words: str) -> Result:
    commands = report_commands(lambda _: open_site(folder))
    result = CliRunner().invoke(commands, list(words))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def month(folder: Path, out: Path, *words: str) -> dict[str, Any]:
    run(folder, "month", "2026-10", "--site", "site.yaml", "--out", str(out), *words)
    found: dict[str, Any] = json.loads(out.read_text())
    return found


def texts(report: dict[str, Any]) -> str:
    return "\n".join(block.get("text", "") for block in report["document"]["blocks"])


def cells(report: dict[str, Any], table: str) -> list[list[Any]]:
    found = next(block for block in report["document"]["blocks"] if block["id"] == table)
    return [row["cells"] for row in found["rows"]]


def test_a_month_of_the_ledger(folder: Path, tmp_path: Path) -> None:
    """Counts, rates with their counts, changes against the month before and the year ago."""
    report = month(folder, tmp_path / "m.json")
    total = report["data"]["phone"]["total"]
    assert (total["answered"], total["offered"], total["within"]) == (8, 10, 6)
    figures = {one["id"]: (one["numerator"], one["denominator"], one["value"]) for one in report["figures"]}
    assert figures["answer_rate"] == (8, 10, 80.0) and figures["within_rate"] == (6, 10, 60.0)
    assert figures["asa_seconds"] == (90.0, 8, 11.25)
    said = texts(report)
    assert "人工接听来电8个，环比上升100.00%，同比上升300.00%，进入排队10个" in said
    assert "接通率80.00%，环比持平" in said
    assert report["disagreements"] == []
    assert {"phone": "ledger", "types": "points"}.items() <= report["data"]["sources"].items()


def test_lines_sum_to_their_parents(folder: Path, tmp_path: Path) -> None:
    """A parent's own calls are a row of their own, so that the rows under it make the sum."""
    rows = {row[0]: row[1] for row in cells(month(folder, tmp_path / "m.json"), "t.lines")}
    assert rows["合计"] == 8
    market = [count for name, count in rows.items() if name.startswith("12315")]
    assert market == [3, 2]  # with the one of 12358 beside them


def test_types_and_topics_of_what_was_understood(folder: Path, tmp_path: Path) -> None:
    """What was not recognised is counted as that, and earlier topics are compared."""
    report = month(folder, tmp_path / "m.json")
    types = {row[0]: row[1] for row in cells(report, "t.types")}
    assert types == {"咨询": 1, "求助": 3, "投诉": 2, "未识别": 2, "合计": 8}
    assert [row[:2] for row in cells(report, "t.topics")] == [["供水", 3], ["消费维权", 2], ["社会保险", 2]]
    assert "消费维权、社会保险为新增热点。环比降幅最大的为供水，下降25.00%。" in texts(report)


def test_a_data_file_adds_what_the_ledger_does_not_know(folder: Path, tmp_path: Path) -> None:
    """And takes the place of what it does; each table says where it comes from. Slips are told on stderr."""
    data = tmp_path / "data.yaml"
    data.write_text(
        SAMPLE.read_text().replace("period: 2020-03", "period: 2026-10").replace("count: 167", "count: 168")
    )
    out = tmp_path / "m.json"
    result = run(folder, "month", "2026-10", "--site", "s", "--out", str(out), "--data", str(data))
    assert result.stdout == f"written: {out}\n"
    assert result.stderr == "does not add up: 受理渠道：合计为27,776，各项相加为27,777，相差1\n"
    report = json.loads(out.read_text())
    assert report["data"]["sources"]["phone"] == "imported"
    assert ["合计", 94_075] in [row[:2] for row in cells(report, "t.lines")]
    with pytest.raises(UsageError, match="the data file is for 2020-03, not 2026-10"):
        month(folder, out, "--data", str(SAMPLE))


def test_the_ranking_comes_from_what_score_printed(folder: Path, tmp_path: Path) -> None:
    """Its groups by their Chinese names; a file that is none is refused with its place."""
    file = tmp_path / "scores.json"
    groups = {"orders": 7.05, "rates": 52.92, "test_calls": 27.30}
    row = {
        "name": "湘乡市",
        "rank": 1,
        "scores": {"orders": {"on_time": 30.0}},
        "groups": groups,
        "total": 87.27,
    }
    file.write_text(json.dumps([row]))
    report = month(folder, tmp_path / "m.json", "--scores", str(file))
    assert cells(report, "t.scores") == [[1, "湘乡市", 7.05, 52.92, 27.3, 87.27]]
    file.write_text(json.dumps([row | {"total": "many"}]))
    with pytest.raises(ConfigError, match=r"scores\.json: \[0\]\.total: "):
        month(folder, tmp_path / "m.json", "--scores", str(file))


def test_a_data_file_is_checked_by_itself(tmp_path: Path) -> None:
    """No site, no database: what does not add up is printed, as JSON too, and the exit code says so."""
    sound, wrong = tmp_path / "a.yaml", tmp_path / "b.yaml"
    sound.write_text(SAMPLE.read_text())
    wrong.write_text(SAMPLE.read_text().replace("count: 167", "count: 168"))
    assert run(tmp_path, "check", str(sound)).stdout == f"{sound}: all of it adds up\n"
    found = run(tmp_path, "check", str(wrong), "--format", "json")
    slip = "受理渠道：合计为27,776，各项相加为27,777，相差1"
    assert (found.exit_code, found.stderr) == (1, f"does not add up: {slip}\n")
    assert json.loads(found.stdout) == {"period": "2020-03", "files": [], "disagreements": [slip]}


def test_a_month_that_has_not_begun_says_so(folder: Path, tmp_path: Path) -> None:
    """There is nothing in it, nor to compare it with."""
    out = tmp_path / "m.json"
    run(folder, "month", "2999-01", "--site", "s", "--out", str(out))
    assert "本期尚未开始" in texts(json.loads(out.read_text()))


def test_bulletins_of_a_week_and_a_day(folder: Path, tmp_path: Path) -> None:
    """Their own names, periods and trends."""
    week, day = tmp_path / "w.json", tmp_path / "d.json"
    run(folder, "week", "2026-W41", "--site", "s", "--out", str(week))
    run(folder, "day", "2026-10-05", "--site", "s", "--out", str(day))
    found = json.loads(week.read_text())
    assert found["document"]["title"].endswith("运行情况周报")
    assert found["document"]["period"] == "2026年第41周（10月5日至10月11日）"
    assert found["data"]["phone"]["total"]["answered"] == 6
    assert json.loads(day.read_text())["document"]["period"] == "2026年10月5日"


def test_a_draft_is_edited_and_rendered(folder: Path, tmp_path: Path) -> None:
    """The edited sentence stands in the workbook; made final, the draft says so and cannot be changed."""
    draft, out = tmp_path / "draft.json", tmp_path / "final.xlsx"
    report = month(folder, draft)
    first = next(block for block in report["document"]["blocks"] if block["id"] == "p.phone")
    first["text"] = "十月运行平稳。"
    draft.write_text(json.dumps(report, ensure_ascii=False))
    run(folder, "render", str(draft), "--out", str(out), "--final", "--by", "张三")
    words = [row[0].value for row in openpyxl.load_workbook(out)["文字"].iter_rows()]
    assert "十月运行平稳。" in words and "张三" in str(words[1])
    assert json.loads(draft.read_text())["final"]["by"] == "张三"
    draft.write_text(draft.read_text().replace("十月运行平稳", "十月运行不平稳"))
    with pytest.raises(ConfigError, match="changed after it became final"):
        run(folder, "render", str(draft), "--out", str(out))


def test_a_month_without_calls_invents_nothing(folder: Path, tmp_path: Path) -> None:
    """No table of noughts: there is nothing to report."""
    out = tmp_path / "m.json"
    run(folder, "month", "2020-01", "--site", "s", "--out", str(out))
    assert json.loads(out.read_text())["data"]["phone"] is None
    assert "人工接听" not in texts(json.loads(out.read_text()))


def test_errors_come_before_any_work(folder: Path, tmp_path: Path) -> None:
    """A format that is none, a folder that is not there, no such month, a name without the mark."""
    words = ("month", "2026-10", "--site", "s", "--out")
    with pytest.raises(UsageError, match=r"no report is written as m\.doc — end it with \.html, \.docx"):
        run(folder, *words, str(tmp_path / "m.doc"))
    with pytest.raises(SetupError, match="there is no folder"):
        run(folder, *words, str(tmp_path / "no" / "m.json"))
    with pytest.raises(UsageError, match="not a month: 2026-13"):
        run(folder, "month", "2026-13", "--site", "s", "--out", str(tmp_path / "m.json"))
    with pytest.raises(UsageError, match="give --final and --by NAME together"):
        run(folder, "render", "d.json", "--out", str(tmp_path / "m.json"), "--final")
