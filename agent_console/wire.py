"""From our dataclasses to the JSON that browsers get: masked, with UTC moments, never failing on odd text.

Caller numbers leave the server only through ``reveal``; everything else passes through here and is masked.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache, lru_cache
from typing import Any, Final

from hotline.core.events import Envelope

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None

_AS_THEY_ARE = frozenset({str, int, bool, type(None)})  # most of a long answer: asked first
_LONG_DIGITS = re.compile(r"\d[\d -]{5,}\d")
_WORD_START = re.compile(r"(?<!^)(?=[A-Z])")


def mask_number(number: str) -> str:
    """Hide the middle of a caller's number: ``13812341234`` becomes ``138****1234``.

    Short numbers keep less, so that at least half of the characters are hidden; an empty one stays empty.
    """
    size = len(number)
    if size >= 11:
        head, tail = size - 8, 4  # 11 digits: 3 + 4 shown; an area code or +86 in front is no secret
    elif size >= 7:
        head, tail = 1, 2
    else:
        head, tail = 0, 1 if size > 2 else 0
    return number[:head] + "*" * (size - head - tail) + number[size - tail :] if size else ""


def mask_name(name: str) -> str:
    """Mask every run of seven or more digits in a display name; other names stay."""
    return _LONG_DIGITS.sub(lambda match: mask_number(match.group()), name)


_MASKS: Final[dict[str, Callable[[str], str]]] = {
    "caller_number": mask_number,
    "caller_name": mask_name,  # phones often send the number as the name
}
_WHOLE: Final = Decimal(1)


def to_json(value: object) -> Any:
    """A JSON value for ``value``: dataclasses become objects by field name, masked.

    Enums give their value, moments ISO 8601 in UTC ending in ``Z``, tuples lists; numbers that JSON cannot
    say (NaN, infinities) become null.

    Raises:
        TypeError: a type that has no form on the wire.
        ValueError: a naive datetime.
    """
    kind: Any = type(value)
    if kind in _AS_THEY_ARE:
        return value
    if named := _named(kind):
        found: dict[str, Any] = {}
        for name, mask in named:  # what is as it is costs no call: a chart has a hundred thousand of them
            one = getattr(value, name)
            if mask is not None and isinstance(one, str):
                one = mask(one)
            elif type(one) not in _AS_THEY_ARE:
                one = to_json(one)
            found[name] = one
        return found
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, Enum):
        return to_json(value.value)
    if isinstance(value, Decimal):
        # few digits, which are printed as they are
        return int(value) if value.same_quantum(_WHOLE) else float(value)
    if isinstance(value, tuple | list):
        return [to_json(item) for item in value]
    if isinstance(value, Mapping):
        return {str(to_json(key)): to_json(item) for key, item in value.items()}
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str | int):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return {}  # it has no fields
    raise TypeError(f"no wire form for {kind.__name__}")


@cache
def _named(kind: type) -> tuple[tuple[str, Callable[[str], str] | None], ...]:
    """The fields of a dataclass, and how their texts are masked; none of any other class."""
    return tuple((field.name, _MASKS.get(field.name)) for field in fields(kind)) if is_dataclass(kind) else ()


@lru_cache(maxsize=5_000)  # the points of a chart have the same moments in every series
def moment(value: datetime) -> str:
    """ISO 8601 in UTC, milliseconds at most when there are any, ``Z`` at the end."""
    if value.tzinfo is None:
        raise ValueError("a moment on the wire must be aware")
    utc = value.astimezone(UTC)
    return utc.isoformat(timespec="milliseconds" if utc.microsecond else "seconds").replace("+00:00", "Z")


def dump(value: Any) -> str:
    """JSON text of ``value``, always valid UTF-8: a lone surrogate is escaped instead of failing later."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text


@cache
def event_name(class_name: str) -> str:
    """The wire name of an event class: ``TranscriptSegment`` is ``transcript_segment``."""
    return _WORD_START.sub("_", class_name).lower()


def event_frame(envelope: Envelope) -> str:
    """The socket frame of one event."""
    event = envelope.event
    name = event_name(type(event).__name__)
    return dump({"type": "event", "seq": envelope.seq, "name": name, "data": to_json(event)})
