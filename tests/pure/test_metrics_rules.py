"""The rules for Prometheus: each says how grave it is and what to do. promtool checks them further."""

from __future__ import annotations

from importlib.resources import files

import yaml

from hotline.core.alerts import Severity


def test_every_rule_says_how_grave_it_is_and_what_to_do() -> None:
    """Severity as the product knows it, a text in both languages, and a name of its own."""
    text = files("hotline.metrics").joinpath("rules/hotline.rules.yaml").read_text(encoding="utf-8")
    rules = [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
    names = [rule["alert"] for rule in rules]
    assert len(names) == len(set(names)) > 10
    for rule in rules:
        assert rule["labels"]["severity"] in set(Severity), rule
        assert rule["annotations"]["summary"] and rule["annotations"]["summary_en"], rule


def test_recording_rules_say_their_level_metric_and_operation() -> None:
    """Prometheus's own convention; the level is what the sum leaves."""
    text = files("hotline.metrics").joinpath("rules/hotline.recording.yaml").read_text(encoding="utf-8")
    rules = [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
    names = [rule["record"] for rule in rules]
    assert len(names) == len(set(names)) > 20
    for rule in rules:
        level, metric, operation = rule["record"].split(":")
        assert level in ("line", "queue", "job") and metric.startswith("hotline_") and operation, rule
        own = f"by ({level}" in rule["expr"] or f"{level}:hotline_" in rule["expr"]
        assert own, rule
