"""The sample sites, the catalogue and the menu path."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from hotline.config import samples
from hotline.config.catalogue import catalogue, known_line
from hotline.config.cli import app
from hotline.config.loading import check_site, load_site
from hotline.config.menu_path import titles, token
from hotline.config.schema import MergeMode

FOSHAN = """12315 12358 12331 12330 12365-1 12333 12329 12328 12312 12369 12320 12336 12313 12350 12318 12316
            12385 trading talent investment""".split()
DEMO = load_site(samples.path("demo"), {})


@pytest.mark.parametrize("name", samples.NAMES)
def test_the_samples_load_without_a_word(name: str) -> None:
    """The sites that people copy have neither errors nor warnings."""
    checked = check_site(samples.path(name), {})
    assert [str(problem) for problem in checked.problems] == []
    assert checked.site is not None


def test_there_is_no_other_sample() -> None:
    """Asking for an unknown sample is a KeyError."""
    with pytest.raises(KeyError):
        samples.path("../secrets")


def test_the_demo_has_menus_of_every_depth_it_shows() -> None:
    """12345 has two levels, 12315 one, 12333 none; every queue has agents."""
    site = load_site(samples.path("demo"), {})
    by_did = {did: site.line_of_did(did) for did in ("12345", "12315", "12333")}
    assert [line.menu if line else "-" for line in by_did.values()] == ["main", "consumer", None]
    assert any(choice.menu == "consumer" for choice in site.menu("main").choices)
    served = {queue for agent in site.agents for queue in agent.skills}
    assert served == {queue.name for queue in site.queues} == {"12345", "12315", "12333"}


def test_the_full_site_has_every_line_of_the_published_table() -> None:
    """Every line is there, merged in all three ways, as a tree under 12345."""
    site = load_site(samples.path("full"), {})
    labels = {line.label for line in site.lines} | {line.id for line in site.lines}
    assert set(FOSHAN) <= labels
    assert {line.merge for line in site.lines} == set(MergeMode)
    under_market = {line.label for line in site.lines if line.parent == "market"}
    assert under_market == {"12315", "12358", "12331", "12330", "12365-1"}
    assert all(line.parent for line in site.lines if line.id != "12345")


def test_the_catalogue_knows_every_line_of_the_table() -> None:
    """Numbers, suffix and the lines without a number are in the catalogue; emergencies are marked."""
    labels = {line.label for line in catalogue()}
    assert {label for label in FOSHAN if label[0] == "1"} <= labels
    assert {"公共资源交易咨询", "人才服务", "企业投资服务专线", "12348", "12345"} <= labels
    assert {line.number for line in catalogue() if line.never_merged} == {"110", "119", "120", "122"}
    parts = {line.label for line in catalogue() if line.part_of == "12315"}
    assert parts == {"12358", "12331", "12330", "12365-1"}
    assert known_line("99999") is None


def test_a_path_becomes_titles() -> None:
    """The word in the channel variable is turned back into what the menu called each choice."""
    site = load_site(samples.path("demo"), {})
    assert token("main", ["1", "2"]) == "main.1.2"
    assert titles(site, "main.1.2") == ("消费投诉", "价格收费")
    assert titles(site, token("consumer", ["*"])) == ("返回",)
    assert titles(site, "main.3.2") == ("进度查询", "社保劳动")  # an announcement stays in its menu
    full = load_site(samples.path("full"), {})
    assert titles(full, "market.0") == ("人工服务",)  # not listed there


@pytest.mark.parametrize(
    "word", ["", "main", "gone.1.2", "main.1.7.2", "main.12", "a|b.1", "main..1", "主.1", "main.1\n"]
)
def test_a_path_of_another_time_or_shape_has_the_titles_that_are_left(word: str) -> None:
    """What the site no longer knows is left out, and nothing crashes."""
    site = load_site(samples.path("demo"), {})
    assert titles(site, word) == (("消费投诉",) if word == "main.1.7.2" else ())


@given(st.lists(st.sampled_from("0123456789*#"), max_size=8))
def test_a_token_is_safe_for_asterisk(keys: list[str]) -> None:
    """No key makes a character that a dialplan or queue_log would read as something else."""
    assert set(token("main", keys)) <= set("main.0123456789sh")


@given(st.text(max_size=40))
def test_no_token_crashes(word: str) -> None:
    """Whatever comes back from Asterisk, titles are a tuple."""
    assert isinstance(titles(DEMO, word), tuple)


def test_check_says_ok_and_counts(tmp_path: Path) -> None:
    """`hotline check` on a sound site ends with 0 and ok."""
    result = CliRunner().invoke(app, [str(samples.path("full"))])
    assert result.exit_code == 0
    assert result.stdout.strip().endswith("full.yaml: ok")


def test_check_lists_every_problem_with_line_and_hint(tmp_path: Path) -> None:
    """Problems go to stdout one a line, the count to stderr, and the exit code is 1."""
    file = tmp_path / "site.yaml"
    file.write_text("lines: [{id: '1', name: 线, dids: [1]}]\nweb: {prot: 1}\nqueues: []\n", encoding="utf-8")
    result = CliRunner().invoke(app, [str(file)])
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        f'{file}:1: lines[0]: line "1" has no queue: there is none named "1" — '
        "add a queue of that name, or say which: queue: ...",
        f'{file}:2: web.prot: unknown key "prot" — did you mean "port"?',
    ]
    assert len(result.stderr.splitlines()) == 1


def test_warnings_do_not_fail_a_check(tmp_path: Path) -> None:
    """A site that can run is ok, with its warnings told."""
    file = tmp_path / "site.yaml"
    file.write_text(
        "lines: [{id: '1', name: 线, dids: [1]}]\nqueues: [{name: '1', title: 队}]\n"
        "prompts: [{name: a, text: 喂}]\n",
        encoding="utf-8",
    )
    result = CliRunner().invoke(app, [str(file)])
    assert result.exit_code == 0
    assert f'warning: {file}:3: prompts[0]: prompt "a" is never played' in result.stdout
    assert "ok, 1 warning" in result.stdout


def test_check_in_json(tmp_path: Path) -> None:
    """Programs get the same problems as rows."""
    file = tmp_path / "site.yaml"
    file.write_text("lines: []\n", encoding="utf-8")
    result = CliRunner().invoke(app, [str(file), "--format", "json"])
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert told["ok"] is False
    assert {"file", "line", "key", "message", "hint", "severity"} == set(told["problems"][0])
    assert [problem["key"] for problem in told["problems"]] == ["lines", "queues"]


def test_check_of_a_missing_file_is_one_problem(tmp_path: Path) -> None:
    """A path that leads nowhere is told like any other problem."""
    result = CliRunner().invoke(app, [str(tmp_path / "none.yaml")])
    assert result.exit_code == 1
    assert "there is no such file" in result.stdout
