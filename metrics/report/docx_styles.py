"""The styles of a report in Word, after GB/T 9704-2012 (the layout of official documents).

Every style names its Chinese font (``w:eastAsia``), so that Word sets 仿宋, 黑体, 楷体 and 宋体 where it
has them; the font table names what to take instead where it has not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from docx.document import Document as Paper

FANGSONG: Final = "仿宋"
HEITI: Final = "黑体"
KAITI: Final = "楷体"
SONG: Final = "宋体"
WESTERN: Final = "Times New Roman"
RED: Final = "CC0000"
TEXT_WIDTH_POINTS: Final = 442.0  # 210 mm less 28 and 26

_INSTEAD: Final = {
    FANGSONG: "FangSong,仿宋_GB2312,STFangsong,华文仿宋,Noto Serif CJK SC",
    HEITI: "SimHei,STHeiti,华文黑体,Noto Sans CJK SC",
    KAITI: "KaiTi,楷体_GB2312,STKaiti,华文楷体,Noto Serif CJK SC",
    SONG: "SimSun,STSong,华文宋体,Noto Serif CJK SC",
}
"""Names to look for where a font is not there: of other systems, and of older ones."""


@dataclass(frozen=True, slots=True)
class Style:
    """A paragraph style.

    Attributes:
        points: the size of its characters.
        line: the exact distance of its lines in points; None: as the characters need.
        chars: how far the first line is set in, in characters.
        keep: stays on the page of what follows.
    """

    name: str
    font: str
    points: float
    bold: bool = False
    align: Literal["justify", "center", "right", "left"] = "justify"
    colour: str = "000000"
    line: float | None = 28.0  # 22 lines a page
    chars: int = 0
    before: float = 0.0
    after: float = 0.0
    keep: bool = False


TEXT: Final = Style("Normal", FANGSONG, 16.0)  # 三号
BODY: Final = Style("正文缩进", FANGSONG, 16.0, chars=2)
HEAD: Final = Style("Title", SONG, 26.0, bold=True, align="center", colour=RED, line=None, after=10.0)
NUMBER: Final = Style("期号", FANGSONG, 16.0, align="center", after=4.0)
MASTHEAD: Final = Style("报头", FANGSONG, 14.0, align="left", line=None)
PERIOD: Final = Style("期间", SONG, 18.0, bold=True, align="center", line=None, before=14.0, after=8.0)
CHAPTER: Final = Style("Heading 1", HEITI, 16.0, chars=2, keep=True)
SECTION: Final = Style("Heading 2", KAITI, 16.0, chars=2, keep=True)
TABLE_CAPTION: Final = Style(
    "Caption", HEITI, 12.0, align="center", line=None, before=8.0, after=4.0, keep=True
)
CHART_CAPTION: Final = Style("图题", HEITI, 12.0, align="center", line=None, before=2.0, after=8.0)
PICTURE: Final = Style("图", FANGSONG, 10.5, align="center", line=None, before=8.0, keep=True)
CELL: Final = Style("表格文字", FANGSONG, 10.5, align="left", line=None, before=1.5, after=1.5)  # 五号
SOURCE: Final = Style("来源", FANGSONG, 9.0, align="right", line=None, before=2.0, after=8.0)
SMALL: Final = Style("说明", FANGSONG, 10.5, line=18.0)
WARNING: Final = Style("提示", FANGSONG, 12.0, bold=True, line=20.0)

STYLES: Final = (
    TEXT, BODY, HEAD, NUMBER, MASTHEAD, PERIOD, CHAPTER, SECTION, TABLE_CAPTION, CHART_CAPTION, PICTURE, CELL,
    SOURCE, SMALL, WARNING,
)  # fmt: skip


def define(paper: Paper) -> None:
    """Write the styles and the font table into a document made from python-docx's template."""
    from docx.enum.style import WD_STYLE_TYPE

    known = {style.name for style in paper.styles}
    for style in STYLES:
        if style.name not in known:
            paper.styles.add_style(style.name, WD_STYLE_TYPE.PARAGRAPH).base_style = paper.styles["Normal"]
        _write(paper.styles[style.name], style)
    _defaults(paper)
    _name_fonts(paper)


def _write(found: Any, style: Style) -> None:
    from docx.enum.text import WD_PARAGRAPH_ALIGNMENT
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    font, form = found.font, found.paragraph_format
    font.size, font.bold, font.italic = Pt(style.points), style.bold, False
    font.color.rgb = RGBColor.from_string(style.colour)
    font.name = WESTERN
    fonts = found.element.rPr.rFonts
    for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):  # they would win over the names
        fonts.attrib.pop(qn(f"w:{theme}"), None)
    for script, name in (("ascii", WESTERN), ("hAnsi", WESTERN), ("cs", WESTERN), ("eastAsia", style.font)):
        fonts.set(qn(f"w:{script}"), name)
    for spacing in found.element.rPr.findall(qn("w:spacing")):  # the template's title is spread out
        found.element.rPr.remove(spacing)
    for border in found.element.get_or_add_pPr().findall(qn("w:pBdr")):
        found.element.pPr.remove(border)
    form.alignment = WD_PARAGRAPH_ALIGNMENT[style.align.upper()]
    form.space_before, form.space_after = Pt(style.before), Pt(style.after)
    form.line_spacing = 1.0 if style.line is None else Pt(style.line)
    form.keep_with_next, form.keep_together = style.keep, style.keep
    form.first_line_indent = Pt(style.chars * style.points)
    if style.chars:
        found.element.pPr.ind.set(qn("w:firstLineChars"), str(100 * style.chars))


def _defaults(paper: Paper) -> None:
    """The document's language is Chinese: lines are broken, and marks squeezed, by its rules."""
    from docx.oxml.ns import qn

    run = paper.styles.element.find(f"{qn('w:docDefaults')}/{qn('w:rPrDefault')}/{qn('w:rPr')}")
    fonts, language = run.find(qn("w:rFonts")), run.find(qn("w:lang"))
    fonts.attrib.clear()
    for script, name in (("ascii", WESTERN), ("hAnsi", WESTERN), ("cs", WESTERN), ("eastAsia", FANGSONG)):
        fonts.set(qn(f"w:{script}"), name)
    language.set(qn("w:eastAsia"), "zh-CN")
    theme = paper.settings.element.find(qn("w:themeFontLang"))
    if theme is not None:
        theme.set(qn("w:eastAsia"), "zh-CN")


def _name_fonts(paper: Paper) -> None:
    entries = "".join(
        f'<w:font w:name="{name}"><w:altName w:val="{instead}"/><w:charset w:val="86"/>'
        f'<w:family w:val="auto"/><w:pitch w:val="variable"/></w:font>'
        for name, instead in _INSTEAD.items()
    )
    for part in paper.part.package.iter_parts():
        if part.partname == "/word/fontTable.xml":  # to python-docx a part like any other: bytes
            part._blob = part.blob.replace(b"</w:fonts>", f"{entries}</w:fonts>".encode())
