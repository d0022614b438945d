"""Corrections and keywords are given once in each list."""

from __future__ import annotations

from hotline.config.checker import Checker


def check_wording(checker: Checker) -> None:
    """What is heard has one meaning for a line, and one for the whole site."""
    for item in (checker.site.section("asr"), *checker.lines):
        heard = [((*one.path, "heard"), one.text("heard")) for one in item.items("corrections")]
        checker.given_once("what is heard,", heard, "delete one")
        checker.given_once("keyword", item.texts("keywords"), "delete one")
