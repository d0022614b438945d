"""The menus of a site as one SVG picture: dialled numbers on the left, people on the right."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from hotline.config.menus import Choice
from hotline.config.schema import Line, Site
from hotline.ivr.walk import texts_of

FONT_SIZE = 14
LINE_HEIGHT = 20
PADDING = 10
COLUMN_GAP = 70
ROW_GAP = 12
MARGIN = 24
MAX_TEXT_WIDTH = 240  # longer texts are broken over several rows
MAX_MENUS = 100  # of one line; callers of such a line are past helping

_STYLES = {
    "dial": ("#0b5394", "#ffffff"),
    "menu": ("#e8f0fb", "#17324d"),
    "person": ("#e3f3e6", "#1e4b28"),
    "say": ("#fdf2d8", "#5a4510"),
    "turn": ("#f1f1f1", "#444444"),
}


@dataclass(slots=True)
class Node:
    """A box of the picture, with the key that leads to it and where it lies."""

    kind: str
    texts: list[str]
    key: str = ""
    children: list[Node] = field(default_factory=list)
    x: float = 0.0
    y: float = 0.0

    @property
    def width(self) -> float:
        """In pixels, padding included."""
        return max(text_width(text) for text in self.texts) + 2 * PADDING

    @property
    def height(self) -> float:
        """In pixels, padding included."""
        return len(self.texts) * LINE_HEIGHT + PADDING


def draw(site: Site) -> str:
    """Return an SVG document of every dialled number's way to a person."""
    roots = [_dialled(site, line) for line in site.lines if line.dids]
    bottom = float(MARGIN + LINE_HEIGHT + 2 * ROW_GAP)
    columns = _columns(roots)
    for root in roots:
        bottom = _place(root, 0, bottom, columns) + 2 * ROW_GAP
    width = columns[-1] if columns else 400
    height = bottom + MARGIN
    body = "\n".join(part for root in roots for part in _render(root))
    title = escape(site.site.name)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" \
viewBox="0 0 {width:.0f} {height:.0f}" font-size="{FONT_SIZE}" \
font-family="'Noto Sans CJK SC','Source Han Sans SC','Microsoft YaHei','PingFang SC',sans-serif">
<title>{title}</title>
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="{MARGIN}" y="{MARGIN + FONT_SIZE}" font-size="18" font-weight="bold" fill="#17324d">{title}</text>
{body}
</svg>
"""


def text_width(text: str) -> float:
    """Return about how wide a text is in pixels: a Chinese character is as wide as it is high."""
    wide = sum(unicodedata.east_asian_width(character) in "WFA" for character in text)
    return FONT_SIZE * (wide + 0.58 * (len(text) - wide))


def _dialled(site: Site, line: Line) -> Node:
    node = Node("dial", ["、".join(line.dids), line.name])
    node.children = [_menu(site, line, line.menu, "", set()) if line.menu else _person(site, line)]
    return node


def _menu(site: Site, line: Line, name: str, key: str, drawn: set[str]) -> Node:
    """Draw a menu with all that is below it, the first time it is met on this line."""
    menu = site.menu(name)
    node = Node("menu", [*_broken("".join(texts_of(site, [menu.prompt])))], key)
    if name in drawn or len(drawn) >= MAX_MENUS:
        return Node("turn", [f"同菜单 {name}"], key)
    drawn.add(name)
    node.children = [_choice(site, line, choice, drawn) for choice in menu.choices]
    if all(choice.key != "0" for choice in menu.choices):
        node.children.append(_person(site, line, "0"))
    return node


def _choice(site: Site, line: Line, choice: Choice, drawn: set[str]) -> Node:
    if choice.menu:
        return _menu(site, line, choice.menu, choice.key, drawn)
    spoken = [f"语言 {choice.language}"] if choice.language else []
    if choice.line:
        return _person(site, site.line(choice.line), choice.key, choice.title, spoken)
    if choice.queue:
        return Node("person", [choice.title, f"坐席队列 {choice.queue}", *spoken], choice.key)
    if choice.operator:
        return _person(site, line, choice.key, choice.title, spoken)
    if choice.say:
        return Node("say", [choice.title, *_broken("".join(texts_of(site, [choice.say])))], choice.key)
    return Node("turn", [choice.title], choice.key)


def _person(site: Site, line: Line, key: str = "", title: str = "人工服务", more: Iterable[str] = ()) -> Node:
    return Node("person", [title, f"{line.label} {line.name} · 坐席队列 {line.queue_name}", *more], key)


def _broken(text: str) -> list[str]:
    """Break a text into rows that fit a box."""
    rows, row = [], ""
    for character in text:
        if row and text_width(row + character) > MAX_TEXT_WIDTH and character not in "，。、；：？！":
            rows.append(row)
            row = ""
        row += character
    return [*rows, row or " "]


def _columns(roots: list[Node]) -> list[float]:
    """Return where each column begins; the last entry is where the picture ends."""
    widths: list[float] = []
    level = roots
    while level:
        widths.append(max(node.width for node in level))
        level = [child for node in level for child in node.children]
    starts = [float(MARGIN)]
    for width in widths:
        starts.append(starts[-1] + width + COLUMN_GAP)
    if widths:
        starts[-1] += MARGIN - COLUMN_GAP
    return starts


def _place(node: Node, column: int, top: float, columns: list[float]) -> float:
    """Lay out a node with all that hangs on it below ``top``; return the bottom of what was laid."""
    node.x = columns[column]
    if not node.children:
        node.y = top
        return top + node.height + ROW_GAP
    bottom = top
    for child in node.children:
        bottom = _place(child, column + 1, bottom, columns)
    first, last = node.children[0], node.children[-1]
    middle = (first.y + last.y + last.height) / 2
    node.y = max(top, middle - node.height / 2)
    return max(bottom, node.y + node.height + ROW_GAP)


def _render(node: Node) -> list[str]:
    fill, ink = _STYLES[node.kind]
    parts = []
    for child in node.children:
        parts.append(_link(node, child))
        parts += _render(child)
    parts.append(
        f'<rect x="{node.x:.0f}" y="{node.y:.0f}" width="{node.width:.0f}" height="{node.height:.0f}" '
        f'rx="8" fill="{fill}" stroke="#8aa0b8"/>'
    )
    for row, text in enumerate(node.texts):
        baseline = node.y + PADDING / 2 + row * LINE_HEIGHT + FONT_SIZE + 1
        weight = ' font-weight="bold"' if row == 0 and node.kind != "menu" else ""
        parts.append(
            f'<text x="{node.x + PADDING:.0f}" y="{baseline:.0f}" fill="{ink}"{weight}>{escape(text)}</text>'
        )
    return parts


def _link(node: Node, child: Node) -> str:
    x1, y1 = node.x + node.width, node.y + node.height / 2
    x2, y2 = child.x, child.y + child.height / 2
    bend = x2 - COLUMN_GAP / 2
    path = f'<path d="M{x1:.0f} {y1:.0f} H{bend:.0f} V{y2:.0f} H{x2:.0f}" fill="none" stroke="#8aa0b8"/>'
    if not child.key:
        return path
    x, y = x2 - COLUMN_GAP / 4, y2
    return (
        f'{path}<circle cx="{x:.0f}" cy="{y:.0f}" r="11" fill="#ffffff" stroke="#0b5394"/>'
        f'<text x="{x:.0f}" y="{y + 5:.0f}" text-anchor="middle" fill="#0b5394" font-weight="bold">'
        f"{escape(child.key)}</text>"
    )
