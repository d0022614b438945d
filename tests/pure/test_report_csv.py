"""CSV files of other systems: what they hold, and every mistake by its line, its column and its remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from hotline.config.problems import ConfigError
from hotline.core.errors import UsageError
from hotline.metrics.report.data import FileSection
from hotline.metrics.report.imported import read_data, read_periods

UNITS = """\
期间,承办单位,有效工单,按时办结,按时办结率
2026-10,市水务局,"1,200",1194,99.50%
2026-10,市城管局,300,240,80%
2026-10,合计,"1,500",1434,95.6
"""


def file(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    written = folder / "f.csv"
    written.write_bytes(text.encode(encoding))
    return written


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_units_with_their_total_as_printed(tmp_path: Path, encoding: str) -> None:
    """As systems write them and as Excel saves them in China; commas and percents count as they are shown."""
    found = read_data(file(tmp_path, UNITS, encoding))
    assert found.period == "2026-10" and found.units is not None and found.units.total is not None
    assert [(one.name, one.orders, one.on_time, one.on_time_percent) for one in found.units.rows] == [
        ("市水务局", 1200, 1194, 99.5),
        ("市城管局", 300, 240, 80.0),
    ]
    assert (found.units.total.orders, found.units.total.on_time_percent) == (1500, 95.6)


def test_one_file_of_many_days(tmp_path: Path) -> None:
    """Each day by itself, as Excel rewrites days too; a report takes a file of one period only."""
    text = "受理量,转派,期间\n10,2,2026-10-01\n12,3,2026/10/2\n11,,2026年10月3日\n"
    found = read_periods(file(tmp_path, text))
    assert [one.period for one in found] == ["2026-10-01", "2026-10-02", "2026-10-03"]
    assert [(one.accepted.total, one.accepted.dispatched) for one in found if one.accepted] == [
        (10, 2),
        (12, 3),
        (11, None),
    ]
    with pytest.raises(UsageError, match="is of 3 periods, a report of one — hotline figures import"):
        read_data(tmp_path / "f.csv")


@pytest.mark.parametrize(
    ("head", "row", "section"),
    [
        ("渠道,数量,上期", "微信,3,2", "channels"),
        ("类型,数量", "咨询,3", "types"),
        ("热点,数量", "供水,3", "topics"),
        ("席位,数量", "企业专席,3", "seats"),
        ("专线,名称,接听量", "12315,市场监管,3", "phone"),
        ("拨测对象,拨测次数,接通", "甲市,3,2", "test_calls"),
        ("查询,答复", "3,2", "knowledge"),
    ],
)
def test_what_a_table_is_about_its_heading_says(tmp_path: Path, head: str, row: str, section: str) -> None:
    """Every kind that there is but units and requests, which have tests of their own."""
    text = f"期间,{head}\n2026-10,{row}\n"
    if section == "phone":
        text += "2026-10,合计,,3\n"
    found = read_data(file(tmp_path, text))
    given = {name for name in FileSection.model_fields if getattr(found, name) not in (None, ())}
    assert given == {"period", section}


ONE = "期间,承办单位,有效工单\n2026-10,甲,1\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "there is nothing in it — headings first, 期间 among them"),
        ("承办单位,有效工单\n甲,1\n", "line 1: there is no column 期间 — say in each row of which period"),
        (
            "期间,单位\n2026-10,甲\n",
            'line 1: no column says what the rows are about — did you mean "承办单位"',
        ),
        ("期间,承办单位,渠道\n2026-10,甲,1\n", "both 承办单位 and 渠道 say what the rows are about — have"),
        (ONE.replace("工", "公"), "line 1: there is no column 有效工单 — add it; headings here: 期间"),
        ("期间,受理量,转牌\n2026-10,1,2\n", "line 1, column 转牌: unknown heading 转牌 — known here: 受"),
        ("期间,承办单位,,有效工单\n2026-10,甲,,1\n", "line 1: column 3 has no heading"),
        (f"{ONE}\n2026-10,乙,1,234\n", "line 4: 4 cells under 3 headings — put a cell"),
        (f"{ONE}2026-13,乙,1\n", "line 3, column 期间: not a period: 2026-13 — write it"),
        (f"{ONE},乙,1\n", "line 3, column 期间: nothing is given here — write it like 2026-10"),
        (
            f"{ONE}2026-10,乙,many\n",
            "f.csv: line 3, column 有效工单: .many. is not a whole number — write it",
        ),
        (f"{ONE}2026-10,乙,\n", "line 3, column 有效工单: it is empty — write 0 where there was nothing"),
        (f"{ONE}2026-10,,3\n", "line 3, column 承办单位: it is empty — .*no row without its name"),
        ("期间,承办单位,按时办结\n2026-10,甲,1\n", "line 1: there is no column 有效工单 — add it"),
        ("期间,渠道\n2026-10,微信\n", "line 1: there is no column 数量 — add it"),
        (f"{ONE}2026-11,乙,95%\n", "line 3, column 有效工单: .*95%. is not a whole number"),
        (f"{ONE}2026-10,甲,1\n", "line 3, column 承办单位: .*given twice — keep one"),
        (f'{ONE}2026-10,"甲"乙,1\n', "line 3: .* — see to the quotes in it"),
        ("期间,受理量\n2026-10,1\n2026-10,2\n", "line 3: 2026-10 is given twice — keep one of the rows"),
    ],
)
def test_mistakes_are_told_by_line_and_column(tmp_path: Path, text: str, told: str) -> None:
    """Each with what to do about it."""
    with pytest.raises(ConfigError, match=told):
        read_periods(file(tmp_path, text))


def test_what_is_no_csv(tmp_path: Path) -> None:
    """A file that is not there, one that is no text, and one that is no data file by its name."""
    with pytest.raises(ConfigError, match=r"none\.csv cannot be read: No such file"):
        read_periods(tmp_path / "none.csv")
    (tmp_path / "b.csv").write_bytes(b"\xff\xff\xff\x80")
    with pytest.raises(ConfigError, match="this is no text — save it as CSV"):
        read_periods(tmp_path / "b.csv")
    with pytest.raises(UsageError, match=r"a data file is \.yaml, \.xlsx or \.csv"):
        read_periods(tmp_path / "f.txt")
