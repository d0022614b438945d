"""Where spoken numbers stand in a text, and how each is written.

A run of numerals is written in digits as a whole or not at all, by what stands around it: so 三四百, 万一 and
一会儿 stay. After GB/T 15835-2011: digits for what is dialled, measured, paid, dated or found by a number;
words for approximate numbers, for idioms, and for counts below ten of everyday things (三个人, 两天).
"""

from __future__ import annotations

import re
from typing import Final

from hotline.asr.written.numerals import (
    DIGITS,
    NUMERALS,
    QUANTITY,
    UNITS,
    decimal_as_written,
    digits_of,
    quantity_as_written,
    shortened_value_of,
    value_of,
)
from hotline.asr.written.spoken import Span

_NEAR: Final = 12  # characters on each side that may decide
_SAYINGS: Final = (
    "十年如一日|十年树木|十年寒窗|一千零一夜|三百六十行|八月十五|十万火急|十万八千里|十天半个?月|三天打鱼|三天两头"
    "|一百个不|一万个不|一百八十度|三元里|三元桥|二百五(?![十元块])|一步一步"
)
_FOUND: Final = re.compile(
    rf"(?P<saying>{_SAYINGS})"
    rf"|(?P<identity>(?<![{NUMERALS}])[{DIGITS}]{{17}}\s?(?:[xX](?![A-Za-z])|叉))"
    rf"|(?P<plate>[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]\s?[A-Za-z]"
    rf"(?:\s?[A-Za-z0-9{DIGITS}]){{5,6}}(?![A-Za-z0-9{NUMERALS}]))"
    rf"|(?P<part>百分之|千分之)(?P<of>百|{QUANTITY}(?:点[{DIGITS}]+)?)(?![{NUMERALS}点])"
    rf"|(?P<run>[{NUMERALS}]+)(?:点(?P<second>[{NUMERALS}]+))?"
)

_MEASURE: Final = re.compile(
    "公里|千米|厘米|毫米|平方|平米|米|公斤|千克|克|斤|吨|毫升|升(?!级)|亩|公顷|立方|千瓦|兆|度电"
    "|小时|分钟|秒|周?岁|元(?![里桥旦宵街路村区素])|块钱|毛钱|角钱|个小时|个半小时|个月|个半月|个工作日|个百分点"
)
_COUNTED: Final = re.compile(  # in digits from ten on
    "[个天年周次人户名位家条件台辆张份页层套间平度块本箱瓶袋棵盏处项所级倍折毛角站]|星期|分(?![之钟享明开])|路(?:车|公交)"
)
_ORDERED: Final = re.compile("[条届期批页款项名号位次天章]|季度")
_PLACE: Final = re.compile("号|幢|栋(?![楼房])|单元|楼|号楼|层楼")
_DAYS: Final = re.compile("日(?:内|之内|以内|前|之前|以前|后|之后|以后|起)")
_MONTH: Final = re.compile(f"月(?:[{NUMERALS}]{{1,3}}[日号]|(?![{NUMERALS}饼球亮]))")
_HOUR: Final = re.compile(
    "点(?:钟|半|整|[一三]刻|左右|多|到|至|前|后|以前|以后|之前|之后|开门|关门|上班|下班|开始)"
)
_EXACT_HOUR: Final = re.compile("点(?:钟|半|整|[一三]刻|左右|多钟)")
_AFTER_ONE: Final = re.compile("点(?:$|[钟半整多到至左前后])")  # 晚上一点声音 is no time
_PART_OF_DAY: Final = re.compile(
    "(?:上午|下午|早上|早晨|晚上|凌晨|中午|傍晚|夜里|半夜|今晚|明晚|昨晚|今早|明早|明天|昨天|今天|后天|[号日])$"
)
_AFTER_COINS: Final = re.compile(f"[{NUMERALS}]([块元])$")
_UP_TO: Final = re.compile(f"[到至]({QUANTITY})(?![{NUMERALS}])")
_FROM_PART: Final = re.compile(f"[百千]分之[{NUMERALS}点]+[到至]$")
_POINTS: Final = re.compile("点(?:意见|建议|要求|内容|问题|理由|希望|诉求)")
_NUMBERED: Final = re.compile("(?:工号|尾号|分机|编号|号码|单号|验证码|密码|后四位|后三位)(?:是|为)?$")


def spans_of(text: str) -> list[Span]:
    """Every number in ``text`` that is written otherwise than heard, in order."""
    found: list[Span] = []
    for match in _FOUND.finditer(text):
        if match["saying"]:
            continue
        if match["identity"]:
            found.append(Span(*match.span(), f"{digits_of(match['identity'][:17])}X"))
        elif match["plate"]:
            found.append(Span(*match.span(), _plate(match["plate"])))
        elif match["part"]:
            found.append(Span(*match.span(), _part(match["part"], match["of"])))
        else:
            found += _in_run(match)
    return [span for span in found if span.written != text[span.start : span.end]]


def _plate(said: str) -> str:
    return "".join(digits_of(one) or one.upper() for one in said if not one.isspace())


def _part(part: str, of: str) -> str:
    sign = "%" if part == "百分之" else "‰"
    if of == "百":
        return "100" + sign
    whole, point, fraction = of.partition("点")
    number = decimal_as_written(whole, fraction) if point else quantity_as_written(whole)
    return f"{number}{sign}" if number is not None else part + of


def _in_run(match: re.Match[str]) -> list[Span]:
    """A run, or two with 点 between them: a time, a decimal, or two numbers that meet by chance."""
    text, (start, end) = match.string, match.span()
    run, second = match["run"], match["second"]
    if text[start - 1 : start].isascii() and text[start - 1 : start].isalnum():
        return []  # part of a name with letters, or of a number that the engine has written
    if second is None:
        written = _run(run, text[max(0, start - _NEAR) : start], text[end : end + _NEAR])
        return [] if written is None else [Span(start, end, written)]
    before, after = text[max(0, start - _NEAR) : start], text[end : end + _NEAR]
    if (both := _clock(run, second, before, after) or _decimal(run, second, after)) is not None:
        return [Span(start, end, both)]
    cut = start + len(run)
    found = [
        (start, cut, _run(run, before, text[cut : cut + _NEAR])),
        (cut + 1, end, _run(second, text[max(0, cut + 1 - _NEAR) : cut + 1], after)),
    ]
    return [Span(first, last, written) for first, last, written in found if written is not None]


def _clock(hour: str, minute: str, before: str, after: str) -> str | None:
    day, hour = _weekday(hour, before)
    hours, minutes = value_of(hour), value_of(minute.removeprefix("零"))
    if hours is None or hours > 24 or minutes is None or minutes > 59:
        return None
    if after.startswith("刻") and minute in ("一", "三"):
        return f"{day}{hours}点{minute}"
    if minute == "零" or not (after.startswith("分") or "十" in minute or minute.startswith("零")):
        return None
    if _COUNTED.match(after.removeprefix("分")) or _MEASURE.match(after):
        return None
    return f"{day}{hours}点{'0' if minute.startswith('零') else ''}{minutes}"


def _decimal(whole: str, fraction: str, after: str) -> str | None:
    if fraction[-1] not in "万亿" and not _MEASURE.match(after) and not _COUNTED.match(after):
        return None
    return decimal_as_written(whole, fraction)


def _weekday(run: str, before: str) -> tuple[str, str]:
    """周三十点 is 周三 and 十点: the numeral that names the day, and the rest."""
    if before.endswith(("周", "星期", "礼拜")) and len(run) > 1 and run[0] in "一二三四五六":
        return run[0], run[1:]
    return "", run


def _run(run: str, before: str, after: str) -> str | None:
    """One run as written; None when it stays."""
    if before.endswith("几") or after.startswith("几"):
        return None
    if before.endswith(("周", "星期", "礼拜")):
        day, rest = _weekday(run, before)
        if not day:
            return None if len(run) == 1 else _run(run, "", after)
        if after.startswith("点") or value_of(run) is None:
            written = _run(rest, "", after)
            return None if written is None else day + written
    digits = digits_of(run)
    if digits is not None and len(digits) > 1:
        return digits if _is_dialled(run, before, after) else None
    if before.endswith("第"):
        return quantity_as_written(run) if "十" in run and _ORDERED.match(after) else None
    if value_of(run) is None:
        value = shortened_value_of(run) if after[:1] in ("元", "块") else None
        return None if value is None else str(value)
    if run == "两" and _PLACE.match(after):
        return None
    return quantity_as_written(run) if _is_measured(run, before, after) else None


def _is_dialled(run: str, before: str, after: str) -> bool:
    """Whether numerals without units are a number said digit by digit, rather than 三五年 or 七七八八."""
    telephone = any(one in "幺零〇" for one in run)
    if len(run) >= 5 or _NUMBERED.search(before):
        return True
    if len(run) == 4:
        return telephone or (after.startswith("年") and run[0] in "一二")
    if len(run) == 3:
        door = after.startswith(("室", "房", "号", "幢", "栋", "弄", "路车", "路公交"))
        return telephone or door or run == "一一九"
    year = after.startswith("年") and (run[0] in "零〇" or (run[0] in "八九" and run != "八九"))
    return year or (after.startswith("后") and run in ("零零", "九零", "八零", "七零", "六零", "五零"))


def _is_measured(run: str, before: str, after: str) -> bool:
    """Whether a quantity stands where digits are written. The first of 三到五个月 goes with the second."""
    if (up_to := _UP_TO.match(after)) is not None and _is_measured(up_to[1], "", after[up_to.end() :]):
        return True
    if _FROM_PART.search(before):
        return True
    value = value_of(run) or 0
    many = not UNITS.isdisjoint(run)
    if after.startswith("点"):
        return _is_hour(run, value, before, after)
    if after.startswith("月"):
        return run != "两" and 1 <= value <= 12 and _MONTH.match(after) is not None
    if after.startswith("日"):
        return before.endswith("月") or value >= 10 or _DAYS.match(after) is not None
    if (after_unit := _AFTER_COINS.search(before)) is not None:
        return after.startswith(("毛", "角")) or (after_unit[1] == "块" and not _COUNTED.match(after))
    if after[:1] in ("多", "余", "来") and many:
        after = after[1:]
        if after[:1] in ("万", "亿"):
            return True
    if run == "十" and after.startswith("分") and not after.startswith("分钟"):
        return False  # 十分感谢
    if _MEASURE.match(after) or _PLACE.match(after) or (many and _COUNTED.match(after)):
        return True
    if after.startswith("室"):
        return value >= 100 or before.endswith(("栋", "幢", "楼", "单元", "号"))
    if after.startswith("块"):
        return after[1:2] not in ("", *"儿去来地") and after[1:2] in NUMERALS
    if after.startswith("组"):
        return before.endswith(("村", "社区", "队"))
    return (run[-1] in "万亿" and len(run) > 1) or (value >= 100 and len(run) >= 4)


def _is_hour(run: str, value: int, before: str, after: str) -> bool:
    if value > 24 or _POINTS.match(after):
        return False
    of_day = _PART_OF_DAY.search(before) is not None
    if run == "一":
        return _EXACT_HOUR.match(after) is not None or (of_day and _AFTER_ONE.match(after) is not None)
    return of_day or value >= 10 or _HOUR.match(after) is not None or before.endswith(("到", "至"))
