"""What ``asr.engines`` cannot know by themselves: models on the disk, words that none takes, open ways."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from hotline.config.alert_checks import LOOPBACK
from hotline.config.checker import Checker, Item
from hotline.config.problems import KeyPath

_HOT_WORD_KINDS = ("funasr", "sherpa")
_GRAPHS_FOR_GRAMMARS = ("graph/Gr.fst", "Gr.fst")


def check_engines(checker: Checker) -> None:
    """Engines are there, and what is asked of them can be done."""
    asr = checker.site.section("asr")
    engines = asr.items("engines")
    if engines and asr.text("model") is not None:
        checker.error(("asr", "model"), "asr.engines say which models", "move it to an engine of kind vosk")
    for engine in [*engines, asr, asr.section("second_pass")]:
        _model(checker, engine)
    for engine in engines:
        url = engine.text("url") or ""
        if url.startswith("ws://") and _host(url) not in LOOPBACK:
            hint = "use wss://, or a tunnel"
            checker.warn((*engine.path, "url"), "what callers say can be heard on the way", hint)
    kinds = [engine.text("kind") for engine in engines] or ["vosk"]
    can_hot_words = any(kind in _HOT_WORD_KINDS for kind in kinds)
    can_grammar = "vosk-server" in kinds or any(_takes_grammar(checker, one) for one in engines or [asr])
    for item in [asr, *checker.lines]:
        _words(
            checker,
            (*item.path, "hot_words"),
            item,
            can_hot_words,
            "hot words",
            "funasr and sherpa take them",
        )
        _words(
            checker, (*item.path, "grammar"), item, can_grammar, "a grammar",
            "vosk takes one with a model that has graph/Gr.fst and graph/HCLr.fst",
        )  # fmt: skip


def _model(checker: Checker, engine: Item) -> None:
    model = engine.text("model")
    if model is not None and not (checker.folder / Path(model).expanduser()).is_dir():
        hint = "get one: hotline asr pull NAME, see hotline asr models"
        checker.error((*engine.path, "model"), f"there is no model folder {model}", hint)


def _takes_grammar(checker: Checker, engine: Item) -> bool:
    model = engine.text("model")
    if model is None or engine.text("kind") == "sherpa":
        return False
    folder = checker.folder / Path(model).expanduser()
    return any((folder / name).is_file() for name in _GRAPHS_FOR_GRAMMARS)


def _words(checker: Checker, path: KeyPath, item: Item, can: bool, what: str, hint: str) -> None:
    if not can and any(True for _ in item.texts(str(path[-1]))):
        checker.warn(path, f"ignored: no engine of this site takes {what}", hint)


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:  # the schema says what is wrong with it
        return None
