"""The ``survey`` section: callers are asked after the talk how satisfied they are (满意度)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from hotline.config.checker import Checker, names
from hotline.config.section import Name, Section

KEYS = "54321"
"""From very satisfied to very dissatisfied, as the national scale (好差评) has them."""

Words = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f\x85\u2028\u2029]+$")]


class SurveySection(Section):
    """Who is asked, in which words, and how patiently.

    Prompts named ``survey`` and ``survey-thanks``, recordings perhaps, take the place of the words.
    """

    lines: tuple[Name, ...] = ()  # these and the lines under them; none: every line
    prompt: Words = (
        "请对本次服务作出评价：非常满意请按5，满意请按4，基本满意请按3，不满意请按2，非常不满意请按1。"
    )
    thanks: Words = "感谢您的来电，再见。"
    wait_seconds: Annotated[int, Field(ge=2, le=30)] = 5  # for a key, after the last word
    tries_after_wrong_key: Annotated[int, Field(ge=0, le=3)] = 1


def check_survey(checker: Checker) -> None:
    """Its lines exist, and its words name every key."""
    survey = checker.site.section("survey")
    for path, line in survey.texts("lines"):
        checker.refer_name(path, line, names(checker.lines, "id"), "line")
    checker.given_once("line", survey.texts("lines"), "delete one")
    prompt = survey.text("prompt")
    if prompt is not None and (missing := [key for key in KEYS if key not in prompt]):
        checker.warn(
            (*survey.path, "prompt"),
            f"does not say what these keys are for: {', '.join(missing)}",
            "5 is very satisfied, 4 satisfied, 3 fairly, 2 dissatisfied, 1 very dissatisfied",
        )
