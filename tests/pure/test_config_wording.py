"""Corrections and keywords in the site file."""

from __future__ import annotations

from pathlib import Path

import pytest

from hotline.config.line_wording import corrections_of, keywords_of
from hotline.config.loading import load_site
from hotline.config.problems import SiteProblems

SITE = """\
lines:
  - {id: "12345", name: 热线, dids: [12345], corrections: [{heard: 五冻, meant: 五栋}], keywords: [停水]}
  - id: "12315"
    name: 市场
    parent: "12345"
    dids: [12315]
    corrections:
      - {heard: 社宝卡, meant: 社宝消费卡店}
    keywords: [退款, 停水]
queues:
  - {name: "12345", title: 综合}
  - {name: "12315", title: 市场}
asr:
  corrections: [{heard: 社宝卡, meant: 社保卡}]
  keywords: [自杀]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "site.yaml"


def test_a_lines_own_words_come_with_those_above_it(file: Path) -> None:
    """Its parent's and the site's; the nearest entry for what is heard holds."""
    file.write_text(SITE, "utf-8")
    site = load_site(file, {})
    assert corrections_of(site, site.line("12315")) == {"社宝卡": "社宝消费卡店", "五冻": "五栋"}
    assert corrections_of(site, site.line("12345")) == {"社宝卡": "社保卡", "五冻": "五栋"}
    assert corrections_of(site, None) == {"社宝卡": "社保卡"}
    assert keywords_of(site, site.line("12315")) == ["自杀", "退款", "停水"]


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("{heard: 社, meant: 社保}", 'lines[0].corrections[0].heard: "社" must have at least 2 characters'),
        ("{heard: 社保, meant: 社保卡}", "heard rightly it would be made wrong"),
        ("{heard: 甲，乙, meant: 甲乙}", "is not as it is heard — write the words alone, without marks"),
        ("{heard: 甲乙, maent: 丙}", 'unknown key "maent" — did you mean "meant"?'),
        ("{heard: 甲乙}", '"meant" is missing — every correction needs it'),
        (
            "{heard: 甲乙, meant: 丙}, {heard: 甲乙, meant: 丁}",
            'heard, "甲乙" is given twice (first on line 2)',
        ),
    ],
)
def test_a_bad_entry_is_refused_with_its_line(file: Path, entry: str, told: str) -> None:
    """File and line, what is wrong, and what to do."""
    text = SITE.replace("{heard: 五冻, meant: 五栋}", entry)
    file.write_text(text, "utf-8")
    with pytest.raises(SiteProblems) as refused:
        load_site(file, {})
    problems = [str(problem) for problem in refused.value.errors]
    assert any(one.startswith(f"{file}:2:") and told in one for one in problems), problems


def test_a_keyword_given_twice_is_told(file: Path) -> None:
    """In one list; a line may say again what the site says."""
    file.write_text(SITE.replace("[退款, 停水]", "[退款, 退款]"), "utf-8")
    with pytest.raises(SiteProblems, match='keyword "退款" is given twice'):
        load_site(file, {})
