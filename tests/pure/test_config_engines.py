"""``asr.engines`` of a site file: what is refused, what is warned of, and what comes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hotline.asr.engines import LineWords, orders_of, words_by_line
from hotline.asr.models import SMALL_MODEL
from hotline.config.loading import check_site, load_site

SMALL = """\
lines: [{id: "12345", name: 热线, dids: ["12345"], hot_words: [社保卡]}]
queues: [{name: "12345", title: 综合}]
asr:
"""
CITY = "{name: city, kind: funasr, url: 'wss://asr.example:10095'}"


def written(folder: Path, asr: str) -> Path:
    file = folder / "site.yaml"
    file.write_text(f"{SMALL}  {asr}\n", "utf-8")
    return file


@pytest.mark.parametrize(
    ("engine", "message"),
    [
        ("{name: a, kind: kaldi}", "is not one of"),
        ("{name: a, kind: funasr}", "needs a url"),
        ("{name: a, kind: vosk-server, url: 'http://h'}", "no address of a recogniser"),
        ("{name: a, kind: vosk-server, url: 'ws://u:geheim@127.0.0.1'}", "holds no password"),
        ("{name: a, kind: vosk, url: 'ws://127.0.0.1'}", "a vosk engine takes no url"),
        ("{name: a, kind: funasr, url: 'ws://127.0.0.1', model: x}", "a funasr engine takes no model"),
        ("{name: a, kind: funasr, url: 'ws://127.0.0.1', key: {}}", "where the key is kept"),
        ("{name: a, kind: sherpa}", "needs a model"),
        ("{name: a, kind: vosk, model: nowhere}", "no model folder"),
        ("{name: a, kind: vosk, slow_seconds: 30}", "at most 14"),
        ("{name: a, kind: vosk, sped: 1}", 'unknown key "sped"'),
    ],
)
def test_what_an_engine_cannot_be_is_told_at_its_place(tmp_path: Path, engine: str, message: str) -> None:
    """In plain words, and never with what an address holds."""
    problems = check_site(written(tmp_path, f"engines: [{engine}]")).errors
    told = [problem for problem in problems if message in problem.message]
    assert told, problems
    assert told[0].key.startswith("asr.engines[0]")
    assert not any("geheim" in f"{problem.message}{problem.hint}" for problem in problems)


def test_names_are_given_once_and_models_in_one_place(tmp_path: Path) -> None:
    """Two engines of one name, and a model beside engines, are errors."""
    file = written(tmp_path, f"{{model: ., engines: [{CITY}, {CITY}]}}")
    messages = [problem.message for problem in check_site(file).errors]
    assert any('engine "city" is given twice' in message for message in messages)
    assert any("asr.engines say which models" in message for message in messages)


@pytest.mark.parametrize(
    ("asr", "warned"),
    [
        (f"engines: [{CITY}]", []),
        ("engines: [{name: a, kind: vosk}]", ["no engine of this site takes hot words"]),
        ("{enabled: true}", ["no engine of this site takes hot words"]),
        ("engines: [{name: a, kind: funasr, url: 'ws://asr.example'}]", ["can be heard on the way"]),
        ("engines: [{name: a, kind: funasr, url: 'ws://127.0.0.1:1'}]", []),
    ],
)
def test_what_a_site_hardly_means_is_warned_of_in_one_line(
    tmp_path: Path, asr: str, warned: list[str]
) -> None:
    """Words that nothing takes, and voices that travel in the open."""
    checked = check_site(written(tmp_path, asr))
    assert checked.site is not None, checked.problems
    assert len(checked.problems) == len(warned)
    assert all(part in problem.message for part, problem in zip(warned, checked.problems, strict=True))


@pytest.mark.parametrize("kind", ["vosk", "sherpa"])
def test_a_grammar_needs_a_model_that_can(tmp_path: Path, kind: str) -> None:
    """A Vosk model with a fixed graph ignores one; so does any sherpa model."""
    (tmp_path / "model/graph").mkdir(parents=True)
    file = written(tmp_path, f"engines: [{{name: a, kind: {kind}, model: model}}]")
    file.write_text(file.read_text("utf-8").replace("hot_words:", "grammar:"), "utf-8")
    assert ["takes a grammar" in problem.message for problem in check_site(file).problems] == [True]
    (tmp_path / "model/graph/Gr.fst").touch()
    assert len(check_site(file).problems) == (kind == "sherpa")


def test_a_site_without_engines_is_heard_by_its_model(tmp_path: Path) -> None:
    """As before: Vosk, with the package's model unless the site names one."""
    (order,) = orders_of(load_site(written(tmp_path, "{workers: 2}")))
    assert (order.kind, order.name, order.model) == ("vosk", "", str(SMALL_MODEL.resolve()))


def test_engines_become_orders_in_the_files_order(tmp_path: Path) -> None:
    """With the site's limits, and the words of each line."""
    city = f"{CITY[:-1]}, legs: 40, slow_seconds: 3}}"
    engines = f"[{city}, {{name: here, kind: vosk}}]"
    site = load_site(written(tmp_path, f"{{hot_words: [公积金], engines: {engines}}}"))
    first, second = orders_of(site)
    assert (first.kind, first.url, first.legs_max, first.slow_seconds) == (
        "funasr", "wss://asr.example:10095", 40, 3.0,
    )  # fmt: skip
    assert (second.name, second.kind, second.url) == ("here", "vosk", "")
    assert words_by_line(site) == {
        "": LineWords(("公积金",)),
        "12345": LineWords(("公积金", "社保卡")),
    }
