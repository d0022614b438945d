"""Punctuation of an utterance: by question words and particles, conjunctions, and the pauses of its speaker.

An utterance ends where its speaker stopped, so it always gets an end mark; inside it there are commas, and a
question mark where 吗 is followed by a pause.
"""

from __future__ import annotations

import re
from typing import Final

from hotline.asr.text import UNCLEAR
from hotline.asr.written.spoken import Spoken

PAUSE_SECONDS: Final = 0.3  # ends a clause, however short; 0.5 s ends the utterance
BREATH_SECONDS: Final = 0.1
"""Ends a clause that is long enough. The package's model finds 0.12 to 0.24 s at the commas of synthetic
speech and none elsewhere; people hesitate, which is why few characters do not make a clause."""
_SHORTEST_CLAUSE: Final = 4  # characters that a conjunction or a breath ends

_MARKED: Final = re.compile("[，。？！；、]")
_CHINESE: Final = re.compile("[\u4e00-\u9fff]")
_OPENING: Final = re.compile(
    "(?:喂|嗯+|哦|您好|你好|好的|是的|对的|不客气|没关系|不好意思)(?=..)(?![像不多几话时吗呀啊吧呢的了嘛]|们)"
)
_CONJUNCTION: Final = re.compile(
    "但是|可是|(?<![好说只])不过(?![去来是])|(?<!之)所以(?!然)|然后|而且|并且|另外|因此|于是|(?<![是就正都])因为|如果|虽然|否则|请问"
)
_CLOSING: Final = re.compile("(?<![说道想要])(?:请讲|请稍等|请放心|再见|谢谢[您你]?)(?=$|请|再见|谢谢)")
_UNFINISHED: Final = frozenset("的地得和跟与在是把被给对从向到那这我你您他她就想要会能很也都还不没再又才")
"""After these a pause is hesitation, not the end of a clause."""

_WHETHER: Final = re.compile("吗$|(?<![什怎那这要多])么$")
_ASKING: Final = re.compile(
    "怎么|怎样|什么|多少|几[点号天个年月时岁次位]|哪[里儿个些家]|为何|如何|谁|多久|多长|多远|多大|是不是|能不能|可不可以|可以不可以|有没有"
    "|要不要|会不会|行不行|对不对|好不好|用不用|该不该|是否|能否|可否|啥|贵姓"
)
_NOT_ASKING: Final = re.compile(
    "没什么|没有什么|不怎么|没怎么|不知道|不清楚|不晓得|不明白|忘了|什么的$|什么都|谁都|怎么都|哪里都|哪儿都|什么也|怎么也"
    "|谁也|多少有|无论|不管|不论|怎么说呢|好几[天个年月]|十几[点号天个年月]|几[天个年月]了|想什么|有什么|这么|告诉我"
)
_ASKED_AFTER_ALL: Final = re.compile("有什么(?:可以|能|需要|办法|问题|要求|事|好)")
_IS: Final = re.compile("(?<!还)是")


def wants_marks(text: str) -> bool:
    """Whether a text as heard is Chinese speech without marks of its own."""
    return not _MARKED.search(text) and _CHINESE.search(text.replace(UNCLEAR, "")) is not None


def punctuated(spoken: Spoken) -> str:
    """The text with its marks."""
    text = spoken.text
    cuts = _cuts(spoken)
    parts: list[str] = []
    for first, last in zip([0, *cuts], [*cuts, len(text)], strict=True):
        clause = text[first:last].strip(" ")
        end_mark = "？" if _is_question(clause) else "。"
        parts.append(clause + (end_mark if last == len(text) else "？" if _WHETHER.search(clause) else "，"))
    return "".join(parts)


def _cuts(spoken: Spoken) -> list[int]:
    """The places inside the text where a clause ends, in order."""
    text = spoken.text
    pauses = {
        place: seconds
        for place, seconds in spoken.pauses.items()
        if seconds >= BREATH_SECONDS and 0 < place < len(text) and text[place - 1] not in _UNFINISHED
    }
    wanted = {place for place, seconds in pauses.items() if seconds >= PAUSE_SECONDS}
    if (opening := _OPENING.match(text)) is not None:
        wanted.add(opening.end())
    wanted |= {match.start() for match in _CLOSING.finditer(text) if match.start()}
    possible = {match.start() for match in _CONJUNCTION.finditer(text)} | pauses.keys()
    cuts: list[int] = []
    for place in sorted(wanted | possible):
        before = place - (cuts[-1] if cuts else 0)
        if before >= (1 if place in wanted else _SHORTEST_CLAUSE):
            cuts.append(place)
    return cuts


def _is_question(clause: str) -> bool:
    if _WHETHER.search(clause):
        return True
    if clause.endswith("呢") and len(clause) <= 5 and not _NOT_ASKING.search(clause):
        return not clause.endswith(("着呢", "在呢"))
    if not _ASKING.search(clause) and not _is_choice(clause):
        return False
    return not _NOT_ASKING.search(clause) or _ASKED_AFTER_ALL.search(clause) is not None


def _is_choice(clause: str) -> bool:
    """是在店里买的还是网上买的: one or the other."""
    first = _IS.search(clause)
    return first is not None and "还是" in clause[first.end() :]
