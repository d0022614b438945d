"""What pydantic finds, said to the person who wrote the site file."""

from __future__ import annotations

import types
import typing
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from hotline.config.problems import KeyPath, Problem, did_you_mean, dotted
from hotline.config.schema import Site
from hotline.config.section import Section
from hotline.config.wording import SPOKEN
from hotline.config.yaml_text import Document

_PATTERNS = {
    r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$": (
        "is not a name",
        "use 1 to 40 letters, digits, - and _, beginning with a letter or digit",
    ),
    r"^[0-9]{1,20}$": ("is not a number to dial", "use 1 to 20 digits"),
    r"^[A-Za-z]+/[A-Za-z0-9_.@:/-]*\{number\}[A-Za-z0-9_.@:/-]*$": (
        "is not a way to dial",
        "write it with {number} once, like PJSIP/trunk/sip:{number}@10.1.2.3:5060",
    ),
    r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$": (
        "is not a language",
        "write it as in BCP 47: zh-CN, yue, en",
    ),
    r"^[^\s\x00-\x1f…]+(…[^\s\x00-\x1f…]+)*$": (
        "is not a phrase",
        "write 2 to 30 characters without spaces; … between two parts stands for others",
    ),
    r"^[\w·-]{1,20}$": ("is not a word as it is spoken", "at most 20 characters, without spaces"),
    r"^[0-9*#]$": ("is not a key of a telephone", "use one of 0 to 9, * and #"),
    SPOKEN: ("is not as it is heard", "write the words alone, without marks"),
    r"^[^\x00-\x1f\x7f\x85\u2028\u2029]+$": ("holds a control character", "keep it on one line"),
}  # fmt: skip

_OTHER_WORDS = {  # what people write for what the schema calls otherwise
    "password": "secret",
    "tel": "number",
    "phone": "number",
    "skill": "skills",
    "title": "name",
    "timeout": "timeout_seconds",
    "wrapup": "wrap_up_seconds",
    "widen": "widen_after_seconds",
    "autopause": "no_answer_pause_after",
    "timeouts": "timeout_seconds",
    "did": "dids",
    "zone": "timezone",
    "tz": "timezone",
}

_MERGE_WORDS = {
    "absorbed": "整体并入",
    "parallel": "双号并行",
    "sub-centre": "设分中心",
    "sub_centre": "设分中心",
}


def schema_problems(
    document: Document, error: ValidationError, root: type[Section] = Site, at: KeyPath = ()
) -> list[Problem]:
    """Return every error of validating ``root``, which stands at ``at``, with its line, key and a hint."""
    return [_problem(document, details, root, at) for details in error.errors(include_url=False)]


def _problem(document: Document, details: ErrorDetails, root: type[Section], at: KeyPath) -> Problem:
    within: KeyPath = tuple(step for step in details["loc"] if step != "[key]")
    message, hint = _say(within, details, root)
    path = (*at, *within)
    return Problem(document.file, document.line_of(path), dotted(path), message, hint)


def _say(path: KeyPath, details: ErrorDetails, root: type[Section]) -> tuple[str, str]:
    kind, context = details["type"], details.get("ctx", {})
    given = details["input"]
    if kind == "extra_forbidden":
        return _unknown_key(path, root)
    if kind == "missing":
        return f'"{path[-1]}" is missing', "every " + _kind_of_entry(path[:-1], root) + " needs it"
    if given is None:
        return "nothing is given here", "give a value or delete the line"
    if kind == "string_pattern_mismatch":
        said, hint = _PATTERNS.get(str(context.get("pattern")), ("is not allowed here", ""))
        return f"{_shown(given)} {said}", hint
    if kind in ("enum", "literal_error"):
        return f"{_shown(given)} is not one of {context.get('expected')}", _close_word(given, context)
    if kind == "value_error":
        return str(context.get("error", details["msg"])), ""
    return _say_kind(kind, given, context, details["msg"])


def _say_kind(kind: str, given: Any, context: dict[str, Any], message: str) -> tuple[str, str]:
    shown = _shown(given)
    if kind in ("tuple_type", "list_type"):
        return f"a list is wanted here, not {shown}", "write it as [a, b] or as lines that begin with -"
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        return f"a section with keys is wanted here, not {shown}", "write key: value lines under it"
    if kind.startswith(("int_", "float_", "decimal_")):
        return f"{shown} is not a whole number" if kind.startswith("int_") else f"{shown} is not a number", ""
    if kind.startswith("bool_"):
        return f"{shown} is neither true nor false", "write true or false"
    if kind.startswith("time_"):
        return f"{shown} is not a time of day", 'write it as "08:30"; the end of the day is "23:59:59"'
    if kind == "string_type":
        return f"a text is wanted here, not {shown}", ""
    bounds = {
        "greater_than": "must be more than {gt}",
        "greater_than_equal": "must be at least {ge}",
        "less_than": "must be less than {lt}",
        "less_than_equal": "must be at most {le}",
        "string_too_short": "must have at least {min_length} characters",
        "string_too_long": "must have at most {max_length} characters",
    }
    if kind in bounds:
        return f"{shown} {bounds[kind].format(**context)}", ""
    return f"{shown}: {message[:1].lower()}{message[1:]}", ""


def _unknown_key(path: KeyPath, root: type[Section]) -> tuple[str, str]:
    word = str(path[-1])
    section = section_at(path[:-1], root)
    known = list(section.model_fields) if section else []
    other = _OTHER_WORDS.get(word.casefold())
    hint = f'did you mean "{other}"?' if other in known else did_you_mean(word, known)
    return f'unknown key "{word}"', hint or f"known here: {', '.join(known)}"


def _close_word(given: object, context: dict[str, Any]) -> str:
    word = str(given)
    if word.casefold() in _MERGE_WORDS:
        return f'write "{_MERGE_WORDS[word.casefold()]}"'
    expected = str(context.get("expected", "")).replace(" or ", ", ").split(", ")
    return did_you_mean(word, [choice.strip("'") for choice in expected])


def _shown(given: object) -> str:
    if isinstance(given, dict):
        return "a section"
    if isinstance(given, (list, tuple)):
        return "a list"
    text = str(given)
    return f'"{text[:40]}…"' if len(text) > 40 else f'"{text}"'


def _kind_of_entry(path: KeyPath, root: type[Section]) -> str:
    section = section_at(path, root)
    return (
        section.__name__.removesuffix("Section").lower() if section and section is not Site else "site file"
    )


def section_at(path: KeyPath, root: type[Section] = Site) -> type[Section] | None:
    """Return the section of the schema that ``path`` leads to from ``root``, or None where there is none."""
    kind: Any = root
    for step in path:
        section = _section_in(kind)
        if isinstance(step, int):
            continue  # the list's items are what _section_in finds
        if section is None or step not in section.model_fields:
            return None
        kind = section.model_fields[step].annotation
    return _section_in(kind)


def _section_in(kind: Any) -> type[Section] | None:
    """Return the section inside ``Section``, ``Section | None`` or ``tuple[Section, ...]``."""
    if isinstance(kind, type) and issubclass(kind, Section):
        return kind
    if typing.get_origin(kind) in (tuple, typing.Union, types.UnionType):
        for part in typing.get_args(kind):
            found = _section_in(part)
            if found is not None:
                return found
    return None
