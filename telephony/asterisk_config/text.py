"""Writing values into Asterisk's configuration files without letting them be anything but values.

Asterisk's reader (main/config.c, process_text_line) ends a value at ``;`` unless a backslash stands before
it, strips blanks at both ends, and knows nothing of quotes. A line break would start a directive of its own,
so a value that holds one is refused rather than repaired.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import time

from hotline.core.errors import UsageError

HEADER = """\
; {name}: made by the 12345 hotline from its site file.
; Do not edit: it is written anew at every start and by `hotline asterisk config`. Change the site file.
; {purpose}
"""
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_DIGITS = re.compile(r"[0-9]{1,20}")
MAX_VALUE_BYTES = 1024  # Asterisk reads lines of at most 8191 bytes


def value(text: str, what: str) -> str:
    """``text`` as the right-hand side of an option.

    Args:
        text: any text from the site file, the environment or a secret file.
        what: what it is, for the message: ``asterisk.ami.secret``.

    Raises:
        UsageError: it cannot be written so that Asterisk reads the same text back.
    """
    if _CONTROL.search(text):
        raise UsageError(f"{what} holds a line break or control character", hint="write it on one line")
    if text != text.strip() or not text:
        raise UsageError(f"{what} is empty or begins or ends with a blank", hint="Asterisk would strip it")
    if len(text.encode()) > MAX_VALUE_BYTES:
        raise UsageError(f"{what} is longer than {MAX_VALUE_BYTES} bytes", hint="shorten it")
    if text.startswith(">"):
        raise UsageError(f"{what} begins with >", hint="Asterisk reads = > as an arrow; begin it otherwise")
    return text.replace(";", "\\;")


def word(text: str, what: str) -> str:
    """``text`` as a section, queue, endpoint or context name: letters, digits, ``_`` and ``-``.

    The site file's types promise this already; it is checked again because these names enter the dialplan.

    Raises:
        UsageError: it is none.
    """
    if not _WORD.fullmatch(text):
        raise UsageError(f"{what} {text!r} is not a name", hint="use letters, digits, _ and -")
    return text


def digits(text: str, what: str) -> str:
    """``text`` as a dialled number. Raises UsageError if it is none."""
    if not _DIGITS.fullmatch(text):
        raise UsageError(f"{what} {text!r} is not a number", hint="use digits only")
    return text


def section(name: str, options: Iterable[tuple[str, str | int]]) -> str:
    """One ``[name]`` with its options, each already made safe by ``value``, ``word`` or ``digits``."""
    return "\n".join([f"[{name}]", *(f"{key} = {text}" for key, text in options), ""])


def document(name: str, purpose: str, *parts: str) -> str:
    """A whole file: the header that says how it came about, then its parts."""
    return "\n".join(
        [HEADER.format(name=name, purpose=purpose), *(part.rstrip("\n") + "\n" for part in parts)]
    )


def clock(moment: time) -> str:
    """``HH:MM`` as GotoIfTime wants it."""
    return f"{moment.hour:02d}:{moment.minute:02d}"
