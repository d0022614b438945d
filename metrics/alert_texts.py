"""What each alert says: what happened and what to do, in zh-CN and en. Callers are never named."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from hotline.config.schema import Site
from hotline.core.alerts import Alert, AlertKind

TOTAL: Final = "total"
"""The subject of what concerns all lines."""


class Texts(NamedTuple):
    """The same in both languages."""

    zh: str
    en: str


def waiting(queue: str, callers: int, limit: int) -> Texts:
    """Too many wait."""
    return Texts(
        f"“{queue}”有 {callers} 人排队（上限 {limit}）：请增派坐席，或把来电转到其他队列。",
        f"{callers} callers wait for {queue} (limit {limit}): bring in agents or move some.",
    )


def longest_wait(queue: str, seconds: float, limit: int) -> Texts:
    """The first caller waits too long."""
    return Texts(
        f"“{queue}”有人已等候 {seconds:.0f} 秒（上限 {limit} 秒）：请安排坐席接听，或把该来电转到其他队列。",
        f"A caller has waited {seconds:.0f} s for {queue} (limit {limit} s): have it answered or move it.",
    )


def unstaffed(queue: str, callers: int) -> Texts:
    """Nobody is there for them."""
    return Texts(
        f"“{queue}”有 {callers} 人在等，但无人签入：请立即安排坐席签入，或把来电转到其他队列。",
        f"{callers} callers wait for {queue} and nobody is signed in: sign agents in or move them.",
    )


def all_on_break(queue: str, callers: int) -> Texts:
    """They are there, and none takes calls."""
    return Texts(
        f"“{queue}”有 {callers} 人在等，但签入的坐席全部示忙：请安排坐席结束小休，或把来电转到其他队列。",
        f"{callers} callers wait for {queue} and all its agents are on a break: call some back or move them.",
    )


def answer_rate(name: str | None, rate: float, norm: float, offered: int, window_seconds: int) -> Texts:
    """Under the norm. ``name``: of the line; None for all lines."""
    minutes = round(window_seconds / 60)
    return Texts(
        f"{f'“{name}”' if name else '全部线路'}近 {minutes} 分钟接通率 {rate:.1%}"
        f"（{offered} 个来电，标准 {norm:.0%}）：请增派坐席，减少小休。",
        f"{name or 'All lines'}: {rate:.1%} of {offered} callers answered in {minutes} min "
        f"(norm {norm:.0%}): bring in agents, postpone breaks.",
    )


def wrap_up(agent: str, seconds: float, limit: int) -> Texts:
    """Wrap-up does not end."""
    return Texts(
        f"{agent} 话后整理已 {seconds:.0f} 秒（上限 {limit} 秒）：请询问是否需要帮助，或将其置为示闲。",
        f"{agent} has been in wrap-up for {seconds:.0f} s (limit {limit} s): ask, or set the agent ready.",
    )


def no_answer(agent: str, rings: int) -> Texts:
    """Paused by us."""
    return Texts(
        f"{agent} 连续 {rings} 次振铃未接，已自动示忙：请确认人在座位、话机正常，再恢复示闲。",
        f"{agent} let {rings} calls ring and was paused: see to the agent and the phone, then set ready.",
    )


def abusive(agent: str) -> Texts:
    """A flagged caller."""
    return Texts(
        f"{agent} 正遭来电人辱骂或骚扰：请监听，必要时接管或结束通话。",
        f"{agent} is being abused by a caller: listen in; take over or end the call if need be.",
    )


def urgent_words(agent: str, line: str, words: str) -> Texts:
    """A caller tells of danger."""
    return Texts(
        f"{line}来电提到“{words}”，{agent} 正在接听：请监听，必要时转接 110、119 或 120。",
        f"A caller of {line} said “{words}” to {agent}: listen in; see that 110, 119 or 120 is called.",
    )


def abusive_words(agent: str, line: str, words: str) -> Texts:
    """A caller's words are abusive."""
    return Texts(
        f"{line}来电出现不文明用语“{words}”，{agent} 正在接听：请监听，必要时接管。",
        f"A caller of {line} said “{words}” to {agent}: listen in; take over if need be.",
    )


def link() -> Texts:
    """Asterisk's manager is gone."""
    return Texts(
        "与 Asterisk 的管理连接已断：通话照常，但页面不再更新；请检查 Asterisk 是否运行（hotline doctor）。",
        "The link to Asterisk is down: calls go on, pages stand still; see that it runs (hotline doctor).",
    )


def workers(ready: int, wanted: int) -> Texts:
    """Recognisers are missing."""
    return Texts(
        f"语音识别进程只有 {ready}/{wanted} 个在工作：部分通话没有文字；请查看日志和模型（hotline doctor）。",
        f"{ready} of {wanted} recognisers work: some calls get no text; see the log and hotline doctor.",
    )


def capacity() -> Texts:
    """More calls than recognisers can hear."""
    return Texts(
        "语音识别已满，部分通话没有文字：通话照常；请增加 asr.workers（处理器有余时）或换更快的机器。",
        "Recognition is full, some calls get no text: calls go on; raise asr.workers.",
    )


def recording(waiting: int) -> Texts:
    """Recordings cannot be kept. ``waiting``: calls whose recording waits for the next attempt."""
    return Texts(
        f"录音保存失败，{waiting} 个通话的录音在等待重试：通话照常；请检查磁盘空间、目录权限和数据库。",
        f"Recordings cannot be kept, {waiting} wait to be tried again: see to disk, rights and database.",
    )


def disk(free_gib: float, free_share: float) -> Texts:
    """Nearly full."""
    return Texts(
        f"数据目录所在磁盘只剩 {free_gib:.1f} GiB（{free_share:.0%}）：请立即清理或扩容，否则数据无法保存。",
        f"{free_gib:.1f} GiB ({free_share:.0%}) left on data_dir's disk: free some, or nothing is kept.",
    )


NAMES: Final[Mapping[AlertKind, Texts]] = {
    AlertKind.WAITING: Texts("“{}”排队人数过多", "Too many callers for {}"),
    AlertKind.LONGEST_WAIT: Texts("“{}”等候过久", "Long wait for {}"),
    AlertKind.UNSTAFFED: Texts("“{}”无人接听", "Nobody at work for {}"),
    AlertKind.ANSWER_RATE: Texts("{}接通率偏低", "Answer rate of {} under the norm"),
    AlertKind.WRAP_UP: Texts("{} 话后整理过久", "Long wrap-up of {}"),
    AlertKind.NO_ANSWER: Texts("{} 因无应答被示忙", "{} paused for not answering"),
    AlertKind.ABUSIVE: Texts("来电人辱骂或骚扰坐席", "Abusive caller"),
    AlertKind.URGENT_WORDS: Texts("来电提到紧急情况", "A caller tells of danger"),
    AlertKind.ABUSIVE_WORDS: Texts("来电出现不文明用语", "Abusive words of a caller"),
    AlertKind.LINK: Texts("与 Asterisk 的管理连接中断", "Link to Asterisk down"),
    AlertKind.RECOGNISER: Texts("语音识别能力不足", "Recognition short of workers"),
    AlertKind.RECORDING: Texts("录音保存失败", "Recordings not kept"),
    AlertKind.DISK: Texts("磁盘空间不足", "Disk nearly full"),
}
"""What each kind is called once it is over; ``{}`` is its subject."""

OF_QUEUES: Final = frozenset({AlertKind.WAITING, AlertKind.LONGEST_WAIT, AlertKind.UNSTAFFED})


def over(alert: Alert, at: datetime, site: Site) -> Texts:
    """It is well again at ``at``: what was wrong, and for how long."""
    name, subject = NAMES[alert.kind], Texts(alert.subject, alert.subject)
    if alert.kind in OF_QUEUES:
        subject = _named(subject, {queue.name: queue.title for queue in site.queues})
    elif alert.kind is AlertKind.ANSWER_RATE:
        lines = {line.id: f"“{line.name}”" for line in site.lines}
        subject = Texts("全部线路", "all lines") if alert.subject == TOTAL else _named(subject, lines)
    else:
        subject = _named(subject, {agent.id: f"{agent.name}（{agent.id}）" for agent in site.agents})
    lasted = _span(round((at - alert.since).total_seconds()))
    return Texts(
        f"{name.zh.format(subject.zh)}：已恢复正常，持续 {lasted.zh}。",
        f"{name.en.format(subject.en)}: over after {lasted.en}.",
    )


def _span(seconds: int) -> Texts:
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return Texts(f"{hours} 小时 {minutes} 分", f"{hours} h {minutes} min")
    if minutes:
        return Texts(f"{minutes} 分 {seconds} 秒", f"{minutes} min {seconds} s")
    return Texts(f"{seconds} 秒", f"{seconds} s")


def _named(subject: Texts, names: Mapping[str, str]) -> Texts:
    found = names.get(subject.zh, subject.zh)
    return Texts(found, found)
