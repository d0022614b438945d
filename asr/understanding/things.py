"""Names, places, companies, amounts and dates in one utterance, by the words around them.

Chinese has no spaces: where a name begins is found by going left from what it ends with (路, 公司) to the
first character that hardly occurs in names, where it ends by going right to such a one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from typing import Final

from hotline.asr.understanding.matching import PhraseBook
from hotline.asr.understanding.numbers import numbers_in
from hotline.asr.understanding.thing import Thing
from hotline.config.understanding import ThingWords
from hotline.core.understanding import PointKind

_NO_NAME: Final = frozenset(
    "我你您他她它们的在是到去从往这那哪个了着跟叫给对把被就都还又也很说问请住于为但想要让啊呢吗吧哦嗯呀喂哎"
    "没不会能可条几每某各整全有买卖完跑"
)
_STRIP: Final = re.compile(
    "^(?:路上|街上|附近|旁边|对面|门口|楼下|隔壁|前面|后面|外面|里面|这边|那边|家里|反映|投诉|举报|咨询|关于|地址|地点|具体|位置|看到"
    "|发现|经过|路过|走|家住|靠近|沿着|离|今天|昨天|前天|早上|晚上|下午|上午|现在|刚才|最近|市民|先生|女士|一下|单位|通过"
    "|应该|因为|然后|自己|小区|号楼|[一二三两几]?家(?=.{4})|进了?|找|办)+"
)
_N: Final = "(?:[0-9]+|[零〇一二三四五六七八九十百]+)"
_HOUSE: Final = re.compile(f"(?:{_N}(?:号楼|号院|号|弄|栋|幢|座|单元|楼|室|层|组|队|期|街坊|巷))+(?:{_N})?")
_HEAD_CHARACTERS: Final = 10
_AMOUNT: Final = re.compile(
    "(?:[0-9][0-9,]*(?:\\.[0-9]+)?|[零一二两三四五六七八九十百千万]+(?:点[零一二三四五六七八九]+)?)"
    "[多来几]?[百千万亿]*多?(?:块钱|块|元钱|元|毛钱)(?:[五六七八九一二三四]毛?)?"
)
_PART: Final = "(?:凌晨|早上|上午|中午|下午|傍晚|晚上|夜里|半夜)"
_CLOCK: Final = f"(?:{_PART}?{_N}点(?:半|{_N}分?)?|{_PART}?[0-9]{{1,2}}:[0-9]{{2}})"
_DAY: Final = f"(?:{_N}月(?:份|{_N}[号日])?)"
_DATE: Final = re.compile(
    f"(?:(?:[0-9]{{4}}|[零〇一二三四五六七八九]{{4}})年{_DAY}?|(?:去年|前年|今年){_DAY}|{_DAY}"
    "|大前天|昨天|前天|昨晚|今早|上上周|上周|上个?星期[一二三四五六日天]?"
    "|这?周[一二三四五六日天](?!边)|星期[一二三四五六日天]|上个月|前年|去年|今天(?=凌晨|早上|上午|中午|下午|晚上))"
    f"(?:[一二三四五六日天](?={_PART}|,|。|$))?{_PART}?{_CLOCK}?|{_PART}{_CLOCK}"
)
_SELF: Final = "我叫|我的名字叫|名字叫|名字是|姓名是|姓名叫|姓名|联系人是|联系人|我是"
_TITLES: Final = "先生|女士|小姐|师傅|老师|经理|主任|阿姨|大爷|同志|医生|老板"
_AFTER_NAME: Final = frozenset(
    "电话 手机 家住 家在 今年 身份 号码 现在 来自 反映 咨询 投诉 联系 工作 住在 是个 地址 一个".split()
)


class Things:
    """Finds named things. ``words``: of the rules."""

    def __init__(self, words: ThingWords) -> None:
        longest = sorted(words.surnames, key=len, reverse=True)
        surname = "|".join(map(re.escape, longest))
        self._named = re.compile(f"(?:{_SELF})({surname})")
        self._surname = re.compile(f"(?:我|免贵|贵|^)姓({surname})")
        self._titled = re.compile(f"({surname})([\u4e00-\u9fff]{{0,2}}?)({_TITLES})")
        self._not_names = frozenset(words.not_names)
        self._places = _ends(words.place_ends)
        self._not_places = frozenset(words.not_places)
        self._companies = _ends(words.company_ends)
        self._not_companies = frozenset(words.not_companies)
        self._known = PhraseBook((*words.companies, *words.platforms))
        self._platforms = frozenset(words.platforms)

    def find(self, text: str, asked: str = "") -> list[Thing]:
        """The things of a plain text; ``asked`` is what the other side said just before, plain too."""
        kinds: tuple[Callable[[str], Iterator[Thing]], ...] = (
            self._names, self._place_names, self._company_names, _amounts, _dates,
        )  # fmt: skip
        return [*numbers_in(text, asked), *(thing for kind in kinds for thing in kind(text))]

    def is_platform(self, value: str) -> bool:
        """Whether a company is a platform that things are bought on."""
        return value in self._platforms

    def _names(self, text: str) -> Iterator[Thing]:
        for hit in self._named.finditer(text):
            name = hit[1] + _given(text, hit.end())
            sure = not hit[0].startswith("我是")
            if len(name) > len(hit[1]) and self._is_name(text, hit.start(1)):
                yield Thing(PointKind.NAME, name, 0.9 if sure else 0.7, "name:said", hit.start(1))
        for hit in self._surname.finditer(text):
            yield Thing(PointKind.NAME, hit[1], 0.6, "name:surname", hit.start(1))
        for hit in self._titled.finditer(text):
            before = text[hit.start() - 1 : hit.start()]
            apart = not before or before in _NO_NAME or not "\u4e00" <= before <= "\u9fff"
            if (apart or not hit[2]) and before != "姓" and self._is_name(text, hit.start()):
                yield Thing(PointKind.NAME, hit[0], 0.8 if apart else 0.6, "name:title", hit.start())

    def _is_name(self, text: str, start: int) -> bool:
        return text[start : start + 2] not in self._not_names

    def _place_names(self, text: str) -> Iterator[Thing]:
        for start, end in _widest(_ending(text, self._places, self._not_places)):
            house = _HOUSE.match(text, end)
            value, rule = text[start : house.end() if house else end], "place:house" if house else "place:end"
            yield Thing(PointKind.PLACE, value, 0.9 if house else 0.6, rule, start)

    def _company_names(self, text: str) -> Iterator[Thing]:
        spans = _widest(_ending(text, self._companies, self._not_companies))
        for start, end in spans:
            yield Thing(PointKind.COMPANY, text[start:end], 0.7, "company:end", start)
        for match in self._known.find(text):
            if not any(start <= match.start < end for start, end in spans):
                yield Thing(PointKind.COMPANY, match.phrase, 0.9, "company:known", match.start)


def _amounts(text: str) -> Iterator[Thing]:
    for hit in _AMOUNT.finditer(text):
        if hit[0] not in ("一块", "一块一") and not text.startswith("块", hit.end()):
            yield Thing(PointKind.AMOUNT, hit[0], 0.9, "amount", hit.start())


def _dates(text: str) -> Iterator[Thing]:
    for hit in _DATE.finditer(text):
        yield Thing(PointKind.DATE, hit[0], 0.85, "date", hit.start())


def _given(text: str, start: int) -> str:
    """One or two characters of a given name from ``start`` on."""
    end = start
    while end < min(start + 2, len(text)) and "\u4e00" <= text[end] <= "\u9fff":
        if text[end] in _NO_NAME or text[end : end + 2] in _AFTER_NAME:
            break
        end += 1
    return text[start:end]


def _ends(words: Collection[str]) -> re.Pattern[str]:
    """Finds each of the words wherever it begins, the longest that does, as group 1."""
    return re.compile(f"(?=({'|'.join(map(re.escape, sorted(words, key=len, reverse=True)))}))")


def _ending(text: str, ends: re.Pattern[str], unwanted: frozenset[str]) -> Iterator[tuple[int, int]]:
    """Where names lie that end with one of ``ends``."""
    for hit in ends.finditer(text):
        start = hit.start(1)
        floor = max(0, start - _HEAD_CHARACTERS)
        while start > floor and _in_name(text[start - 1]):
            start -= 1
        if (stripped := _STRIP.match(text[start : hit.start(1)])) is not None:
            start += stripped.end()
        if hit.start(1) - start >= 2 and not _is_common(text[start : hit.end(1)], unwanted):
            yield start, hit.end(1)


def _in_name(character: str) -> bool:
    return character not in _NO_NAME and ("\u4e00" <= character <= "\u9fff" or character.isalnum())


def _is_common(name: str, unwanted: frozenset[str]) -> bool:
    """Whether it is no name but a common word, perhaps with one character before it."""
    return any(name[skip:] in unwanted for skip in (0, 1))


def _widest(spans: Iterator[tuple[int, int]]) -> list[tuple[int, int]]:
    """Without those that lie in another; overlapping ones become one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
