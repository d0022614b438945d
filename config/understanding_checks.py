"""What the ``understanding`` section cannot know by itself: lines, shipped rules, the way to a model."""

from __future__ import annotations

from hotline.config.alert_checks import goes_open
from hotline.config.catalogue import catalogue
from hotline.config.checker import Checker, names
from hotline.config.problems import did_you_mean
from hotline.config.understanding import shipped_rules


def check_understanding(checker: Checker) -> None:
    """Weights are for lines that exist; what is unwanted is there; nothing said can be read on the way."""
    section = checker.site.section("understanding")
    here = (*names(checker.lines, "id"), *names(checker.lines, "number"))
    known = [*here, *(line.label for line in catalogue())]
    for topic in section.items("topics"):
        lines = topic.section("lines")
        for line in lines.data:
            checker.refer_name((*lines.path, line), line, known, "line")
    shipped = shipped_rules()
    words = {*shipped.urgent, *shipped.abusive}
    for rule in shipped.topics:
        words |= {rule.name, *rule.phrases, *rule.strong}
    for path, word in section.texts("without"):
        if word not in words:
            hint = did_you_mean(word, sorted(words)) or "delete it"
            checker.warn(path, f'the shipped rules have no "{word}" to leave out', hint)
    model = section.section("model")
    if goes_open(model.text("url") or ""):
        checker.warn((*model.path, "url"), "what callers say can be read on the way", "use https://")
