"""Menus without a telephone: walking, reviewing and drawing them."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from hotline.config import samples
from hotline.config.loading import check_site, load_site
from hotline.core.errors import UsageError
from hotline.core.events import MenuOutcome
from hotline.ivr.cli import app
from hotline.ivr.drawing import draw
from hotline.ivr.review import review
from hotline.ivr.walk import parse_keys, walk

DEMO_FILE = str(samples.path("demo"))
DEMO = load_site(DEMO_FILE, {})
FULL = load_site(samples.path("full"), {})


def try_json(*arguments: str) -> dict[str, object]:
    result = CliRunner().invoke(app, ["try", "--site", DEMO_FILE, "--format", "json", *arguments])
    assert result.exit_code == 0, result.stderr
    told: dict[str, object] = json.loads(result.stdout)
    return told


def test_a_walk_tells_each_step_and_where_it_led() -> None:
    """Prompts, their words and the keys in order; then line, queue, outcome, path and titles."""
    told = try_json("--did", "12345", "--keys", "1,2")
    assert told["steps"] == [
        {"menu": "main", "prompts": ["main"], "texts": [words("main")], "key": "1"},
        {"menu": "consumer", "prompts": ["consumer"], "texts": [words("consumer")], "key": "2"},
    ]
    assert (told["outcome"], told["line"], told["queue"]) == ("queue", "12358", "12315")
    assert (told["path"], told["titles"]) == ("main.1.2", ["消费投诉", "价格收费"])


def test_a_walk_tells_the_language_that_was_chosen() -> None:
    """English, press 8; whoever chooses nothing speaks what the site does."""
    assert (walk(FULL, "12345", ["8"]).language, walk(FULL, "12345", ["8"]).queue) == ("en", "english")
    assert (walk(FULL, "12345", ["1", "2"]).language, walk(FULL, "12333", []).language) == ("zh-CN", "zh-CN")
    assert "语言 en" in draw(FULL)


def words(prompt: str) -> str:
    return next(item.text for item in DEMO.prompts if item.name == prompt)


def test_keys_after_the_end_are_told_as_unused() -> None:
    """12315's key 1 chooses a line at once: what follows was pressed in vain."""
    told = try_json("--did", "12315", "--keys", "1,0")
    assert (told["line"], told["queue"], told["outcome"]) == ("12315", "12315", "queue")
    assert told["unused_keys"] == ["0"]


def test_a_line_without_a_menu_goes_straight_through() -> None:
    """Depth 0: no steps, and the line's own queue."""
    told = try_json("--did", "12333", "--keys", "")
    assert (told["menu"], told["steps"], told["path"]) == (None, [], "")
    assert (told["line"], told["queue"], told["outcome"]) == ("12333", "12333", "queue")


@pytest.mark.parametrize("keys", ["-,-", ",", "", "-,8", "8,8"])
def test_silence_and_wrong_keys_reach_a_person(keys: str) -> None:
    """Written as - or as nothing, silence counts; so does the end of the keys."""
    walked = walk(DEMO, "12345", parse_keys(keys))
    assert (walked.outcome, walked.queue) == (MenuOutcome.OPERATOR, "12345")
    assert walked.farewell == ("请稍候，为您转人工服务。",)


def test_an_announcement_may_be_heard_out_or_cut_short() -> None:
    """A silence hears it to its end; a key cuts it short; hanging up afterwards is self-service."""
    assert walk(DEMO, "12345", ["3", "-", "2"]).line == "12333"
    assert walk(DEMO, "12345", ["3", "2"]).line == "12333"
    assert walk(DEMO, "12345", ["3", "-", "h"]).outcome is MenuOutcome.SELF_SERVICE
    assert walk(DEMO, "12345", ["3", "h"]).outcome is MenuOutcome.HANGUP


@pytest.mark.parametrize("site", [DEMO, FULL], ids=["demo", "full"])
@given(keys=st.lists(st.sampled_from([*"0123456789*#", "-", "h"]), max_size=30))
def test_every_walk_from_every_number_ends(site: object, keys: list[str]) -> None:
    """Any keys on any line of the samples end in a queue of the site, or by the caller's own hanging up."""
    assert site in (DEMO, FULL)
    chosen = DEMO if site is DEMO else FULL
    queues = {queue.name for queue in chosen.queues}
    for did in (did for line in chosen.lines for did in line.dids):
        walked = walk(chosen, did, keys)
        assert walked.queue in queues or (walked.queue is None and "h" in keys)


def test_wrong_usage_is_told_in_one_line() -> None:
    """An unknown number, an impossible key and a missing file: one line on stderr and the right exit code."""
    runner = CliRunner()
    cases = {
        ("--site", DEMO_FILE, "--did", "12351", "--keys", "1"): (2, "no line is reached by dialling 12351"),
        ("--site", DEMO_FILE, "--did", "12345", "--keys", "1,x"): (2, '"x" is no key'),
        ("--site", DEMO_FILE, "--did", "12345", "--format", "json"): (2, "add --keys"),
        ("--site", "none.yaml", "--did", "12345", "--keys", "1"): (1, "no such file"),
    }
    for arguments, (code, words) in cases.items():
        result = runner.invoke(app, ["try", *arguments])
        assert result.exit_code == code
        assert words in result.stderr
        assert len(result.stderr.splitlines()) == 1
    with pytest.raises(UsageError):
        parse_keys("1;2")


def test_a_menu_can_be_walked_key_by_key() -> None:
    """Without keys the words are shown and keys read from the keyboard; a slip is asked again."""
    result = CliRunner().invoke(app, ["try", "--site", DEMO_FILE, "--did", "12345"], input="1\nx\n2\n")
    assert result.exit_code == 0
    assert words("main") in result.stdout and words("consumer") in result.stdout
    assert '"x" is no key' in result.stderr
    assert "queue: line 12358, queue 12315, path main.1.2 消费投诉 > 价格收费" in result.stdout


def test_the_end_of_the_keyboards_input_is_hanging_up() -> None:
    """An interactive walk never waits for ever."""
    result = CliRunner().invoke(app, ["try", "--site", DEMO_FILE, "--did", "12345"], input="1\n")
    assert result.exit_code == 0
    assert "hangup: line 12345, no queue" in result.stdout


def test_a_walk_as_text() -> None:
    """People read the same steps as lines."""
    result = CliRunner().invoke(app, ["try", "--site", DEMO_FILE, "--did", "12345", "--keys", "1,-,0"])
    assert "(silence)" in result.stdout
    assert result.stdout.splitlines()[-1] == (
        "operator: line 12345, queue 12345, path main.1.0 消费投诉 > 人工服务 (language zh-CN)"
    )


def test_mazes_and_long_speeches_are_warned_of(tmp_path: Path) -> None:
    """Too much to say, too many choices, keys not offered, more time than a menu has: each at its line."""
    file = tmp_path / "site.yaml"
    choices = "\n".join(f"      - {{key: {n}, title: 事项, line: '1'}}" for n in range(1, 8))
    file.write_text(
        f"""fastagi: {{absolute_timeout_seconds: 20}}
lines:
  - {{id: "1", name: 线, dids: [1], menu: m}}
queues: [{{name: "1", title: 队}}]
menus:
  - name: m
    prompt: p
    choices:
{choices}
prompts: [{{name: p, text: {"请按1请按2请按3请按4请按5请按6" * 5}}}]
""",
        encoding="utf-8",
    )
    told = {(p.line, p.key): p.message for p in review(load_site(file, {}), file)}
    assert "42 seconds" in told[7, "menus[0].prompt"]
    assert "7 choices" in told[8, "menus[0].choices"]
    assert "does not offer key 7" in told[15, "menus[0].choices[6]"]
    assert "takes 47 seconds" in told[3, "lines[0].menu"]
    assert len(told) == 4
    result = CliRunner().invoke(app, ["check", str(file)])
    assert result.exit_code == 0
    assert result.stdout.count("warning: ") == 4


def test_the_samples_are_kind_to_callers() -> None:
    """The menus that people copy are no mazes and fit their time."""
    for name in samples.NAMES:
        file = samples.path(name)
        assert [str(problem) for problem in review(load_site(file, {}), file)] == []


def test_ivr_check_fails_where_check_does(tmp_path: Path) -> None:
    """A site that cannot run has no menus to judge: its problems are told, and the exit code is 1."""
    file = tmp_path / "site.yaml"
    file.write_text("lines: []\nqueues: []\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["check", str(file), "--format", "json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["problems"][0]["key"] == "lines"


@pytest.mark.parametrize("site", [DEMO, FULL], ids=["demo", "full"])
def test_the_picture_shows_every_number_title_and_key(site: object, tmp_path: Path) -> None:
    """The drawing is sound SVG, holds every dialled number and choice, and no box lies upon another."""
    chosen = DEMO if site is DEMO else FULL
    root = ElementTree.fromstring(draw(chosen))  # noqa: S314 - our own text
    svg = "{http://www.w3.org/2000/svg}"
    texts = ["".join(node.itertext()) for node in root.iter(f"{svg}text")]
    for line in chosen.lines:
        if line.dids:
            assert "、".join(line.dids) in texts
            assert line.name in texts
    used = {line.menu for line in chosen.lines} | {c.menu for m in chosen.menus for c in m.choices}
    for menu in chosen.menus:
        assert menu.name in used
        for choice in menu.choices:
            assert choice.menu or choice.title in texts
    boxes = [
        tuple(float(node.attrib[name]) for name in ("x", "y", "width", "height"))
        for node in root.iter(f"{svg}rect")
        if "x" in node.attrib
    ]
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for index, (x, y, w, h) in enumerate(boxes):
        assert 0 <= x and x + w <= width and 0 <= y and y + h <= height
        for x2, y2, w2, h2 in boxes[index + 1 :]:
            assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y


def test_names_cannot_break_the_picture(tmp_path: Path) -> None:
    """Titles with markup in them stay text."""
    file = tmp_path / "site.yaml"
    file.write_text(
        "lines: [{id: '1', name: '<script>&', dids: [1]}]\nqueues: [{name: '1', title: 队}]\n",
        encoding="utf-8",
    )
    out = tmp_path / "menu.svg"
    result = CliRunner().invoke(app, ["draw", str(file), "--out", str(out)])
    assert result.exit_code == 0
    texts = ElementTree.fromstring(out.read_text(encoding="utf-8")).itertext()  # noqa: S314 - our own text
    assert any("<script>&" in text for text in texts)


def test_a_picture_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A folder that does not exist ends in one line."""
    result = CliRunner().invoke(app, ["draw", DEMO_FILE, "--out", str(tmp_path / "none" / "menu.svg")])
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr


def test_a_labyrinth_is_judged_and_drawn_in_no_time(tmp_path: Path) -> None:
    """Three hundred menus, each with nine ways into the next: told, drawn in part, and nothing hangs."""
    menus = "\n".join(
        f"  - {{name: m{n}, prompt: p, choices: ["
        + ", ".join(f"{{key: {key}, title: 去, menu: m{n + 1}}}" for key in range(1, 10))
        + "]}"
        for n in range(300)
    )
    file = tmp_path / "site.yaml"
    file.write_text(
        f"""lines: [{{id: "1", name: 线, dids: [1], menu: m0}}]
queues: [{{name: "1", title: 队}}]
menus:
{menus}
  - {{name: m300, prompt: p, choices: [{{key: 1, title: 去, line: "1"}}]}}
prompts: [{{name: p, text: 请按123456789}}]
""",
        encoding="utf-8",
    )
    checked = check_site(file, {})
    assert checked.site is not None
    assert sum("is level" in problem.message for problem in checked.problems) == 298
    assert any("longest way" in problem.message for problem in review(checked.site, file))
    assert draw(checked.site).count("<rect") < 1100
