"""The site file's sections, typed and strict: unknown keys are refused, every default is written here.

Nothing here reads a file or the environment; ``config.loading`` does. Times are seconds, ports are TCP unless
said otherwise, and every default address is loopback.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from hotline.config.alerting import AlertsSection
from hotline.config.caller_lists import MAX_LISTS, CallerList
from hotline.config.dialling import DiallingSection
from hotline.config.engines import EngineSection, HotWord
from hotline.config.menus import Menu, Prompt
from hotline.config.reporting import ReportsSection
from hotline.config.scoring import ScoringSection
from hotline.config.section import DialString, Digits, Key, LanguageTag, Name, Port, SecretRef, Section, Text
from hotline.config.shifts import ClockTime, Shift
from hotline.config.survey import SurveySection
from hotline.config.understanding import UnderstandingSection
from hotline.config.wording import Corrections, Keywords
from hotline.core.drafts import OrderField


class MergeMode(StrEnum):
    """How a special line was merged into 12345."""

    ABSORBED = "整体并入"
    PARALLEL = "双号并行"
    SUB_CENTRE = "设分中心"


class SiteSection(Section):
    """Who we are."""

    name: Text = "12345政务服务便民热线"
    node: Name = "node1"  # becomes Asterisk's systemname: identifiers stay unique across nodes
    timezone: str = "Asia/Shanghai"
    language: Literal["zh-CN", "en"] = "zh-CN"

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"no such time zone: {value}; use a name like Asia/Shanghai") from error
        return value


class AmiSection(Section):
    """Asterisk's manager interface."""

    host: str = "127.0.0.1"
    port: Port = 5038
    user: Name = "hotline"
    secret: SecretRef = SecretRef()


class TrunkSection(Section):
    """The SIP peer that calls come from. ``match`` lists its addresses or networks."""

    match: tuple[str, ...] = ("127.0.0.1",)


class AsteriskSection(Section):
    """The exchange: one we start ourselves (``managed: true``) or one that runs already."""

    managed: bool = True
    program: Path | None = None  # an asterisk binary or an unpacked root; found by itself when absent
    host: str = "127.0.0.1"  # where its SIP, AMI and HTTP listen
    sip_port: Port = 5060
    http_port: Port = 8088
    rtp_first_port: Port = 10000
    rtp_last_port: Port = 10999
    ami: AmiSection = AmiSection()
    trunk: TrunkSection = TrunkSection()
    queue_log: Path | None = None  # of an Asterisk that runs already; a managed one keeps it in data_dir
    sounds_dir: Path | None = None  # likewise: where prompts are written


class FastAgiSection(Section):
    """The menu server that Asterisk calls."""

    host: str = "127.0.0.1"
    port: Port = 4573
    max_sessions: Annotated[int, Field(ge=1, le=2000)] = 300
    absolute_timeout_seconds: Annotated[int, Field(ge=20, le=600)] = 90  # longer than the longest honest menu


class AudioSocketSection(Section):
    """Where Asterisk sends the tapped audio."""

    host: str = "127.0.0.1"
    port: Port = 9092


class WhenFull(StrEnum):
    """Whom to hear when the recognisers can hear no more."""

    WAIT = "wait"  # whoever is heard stays heard; others wait for room
    CALLERS_FIRST = "callers first"  # agents' voices give way to callers'


class SecondPassSection(Section):
    """Recordings decoded anew with a larger model, one at a time, while the machine has little else to do."""

    model: Path  # a Vosk model folder
    starts: ClockTime = time(0, 0)  # in the site's zone
    ends: ClockTime = time(0, 0)  # at or before starts: on the next day; the same: all day
    max_calls: Annotated[int, Field(ge=0, le=10_000)] = 0  # with more calls than these it stops at once
    load_limit: Annotated[float, Field(gt=0, le=10)] = 0.7  # of a processor, 1 min; its own work counts too
    days: Annotated[int, Field(ge=1, le=3650)] = 7  # older recordings are left as they are


class AsrSection(Section):
    """Recognition. How many a worker hears is measured; ``legs_per_worker`` is what it hears at most."""

    enabled: bool = True
    engine: Literal["vosk"] = "vosk"
    model: Path | None = None  # a Vosk model folder; the small one in the package when absent
    engines: Annotated[tuple[EngineSection, ...], Field(max_length=8)] = ()  # in place of model: see there
    hot_words: Annotated[tuple[HotWord, ...], Field(max_length=500)] = ()  # heard more readily, on all lines
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    legs_per_worker: Annotated[int, Field(ge=1, le=1000)] = 200
    when_full: WhenFull = WhenFull.WAIT
    chunk_milliseconds: Annotated[int, Field(ge=20, le=400)] = 60
    audiosocket: AudioSocketSection = AudioSocketSection()
    corrections: Corrections = ()  # of what is heard wrongly on any line; a line's own count before these
    keywords: Keywords = ()  # marked on the pages, whichever the line
    second_pass: SecondPassSection | None = None


class WebSection(Section):
    """The agents' and supervisors' pages and API."""

    host: str = "127.0.0.1"
    port: Port = 8080
    session_hours: Annotated[int, Field(ge=1, le=48)] = 12
    secure_cookies: bool = False  # true behind TLS
    allowed_origins: tuple[str, ...] = ()  # further origins for the WebSocket; its own is always allowed


class MetricsSection(Section):
    """Prometheus."""

    host: str = "127.0.0.1"
    port: Port = 9345


class DatabaseSection(Section):
    """``url`` as SQLAlchemy writes it; a SQLite file in data_dir when absent. The password is a secret."""

    url: str | None = None
    password: SecretRef | None = None


class Recorded(StrEnum):
    """Whether a line's calls are recorded."""

    ON = "on"
    OFF = "off"
    BY_NOTICE = "by notice"  # only a call whose caller has heard the site's notice


class RecordingSection(Section):
    """What is recorded, how it is kept and for how long. Lines may say otherwise."""

    lines: Recorded = Recorded.OFF
    keep_days: Annotated[int, Field(ge=1, le=36_500)] = 180
    encrypt: bool = False
    key: SecretRef = SecretRef()  # of encrypted recordings: lose it and they are lost
    old_keys: Annotated[
        tuple[SecretRef, ...], Field(max_length=20)
    ] = ()  # of earlier ones: they are still read
    agents_listen: bool = False  # agents may listen to their own calls; supervisors may to all
    pause_max_seconds: Annotated[int, Field(ge=5, le=600)] = 60  # then a paused recording goes on by itself
    pause_hides_text: bool = True  # what is said during a pause is not written down either
    raw_dir: Path | None = None  # of an Asterisk that runs already: its spool folder's monitor/hotline

    @field_validator("old_keys")
    @classmethod
    def _kept_somewhere(cls, value: tuple[SecretRef, ...]) -> tuple[SecretRef, ...]:
        if not all(ref.env or ref.file for ref in value):
            raise ValueError("say where each old key is kept: file or env")
        return value


class FiguresSection(Section):
    """The site's choices where cities differ."""

    answer_within_seconds: Annotated[int, Field(ge=1, le=600)] = 15
    short_abandon_seconds: Annotated[int, Field(ge=0, le=60)] = 5
    exclude_short_abandons: bool = False
    within_over: Literal["offered", "answered"] = "offered"
    answer_rate_norm: Annotated[float, Field(gt=0, le=1)] = 0.95
    count_seconds: Annotated[float, Field(ge=1, le=600)] = (
        20  # of an answer; then it is given up. Reports may take longer
    )
    zero_over_zero: Literal["dash", "zero"] = "dash"  # how nothing over nothing is printed: —, or 0.00 %


class Hours(Section):
    """Opening hours in the site's zone. Without any, a line is open day and night."""

    days: tuple[Annotated[int, Field(ge=1, le=7)], ...] = (1, 2, 3, 4, 5, 6, 7)  # ISO: 1 is Monday
    opens: time = time(0, 0)
    closes: time = time(23, 59, 59)  # earlier than opens: past midnight

    @field_validator("opens", "closes", mode="before")
    @classmethod
    def _as_clocks_are_written(cls, value: object) -> object:
        if value in ("24:00", "24:00:00"):
            return time(23, 59, 59)
        return f"0{value}" if isinstance(value, str) and value[1:2] == ":" else value


class Line(Section):
    """A special line: what callers dial, or a heading that sums its children.

    ``number`` plus ``suffix`` (12365-1) is how reports print it; a line without a number is known by ``id``.
    """

    id: Name
    name: Text
    number: Digits | None = None
    suffix: Digits | None = None
    parent: Name | None = None
    merge: MergeMode = MergeMode.ABSORBED
    unit: Text | None = None  # the bureau it belonged to
    dids: tuple[Digits, ...] = ()
    queue: Name | None = None  # absent: a queue named after the line
    menu: Name | None = None  # absent: straight to the queue (depth 0)
    priority: Annotated[int, Field(ge=0, le=100)] = 0
    hours: tuple[Hours, ...] = ()
    closed_to: Name | None = (
        None  # the line that takes its calls outside its hours; absent: its own queue anyway
    )
    recording: Recorded | None = None  # absent: as recording.lines says
    keep_days: Annotated[int, Field(ge=1, le=36_500)] | None = None  # of its recordings; absent: the site's
    language: LanguageTag | None = None  # of its callers; absent: the site's
    order_fields: tuple[OrderField, ...] | None = None  # of its orders; absent: catalogue's or parent's
    corrections: Corrections = ()  # of what is heard wrongly on it and on the lines under it
    keywords: Keywords = ()  # marked in its texts, and in those of the lines under it
    hot_words: Annotated[tuple[HotWord, ...], Field(max_length=500)] = ()  # beside those of asr.hot_words
    grammar: Annotated[tuple[HotWord, ...], Field(max_length=5_000)] = ()  # the only words to expect here

    @property
    def label(self) -> str:
        """As reports print it: 12365-1, 12315, or the id where it has no number."""
        number = self.number or self.id
        return f"{number}-{self.suffix}" if self.suffix else number

    @property
    def queue_name(self) -> str:
        """The Asterisk queue its callers wait in."""
        return self.queue or self.id


class QueueKey(Section):
    """What a key does for a caller who waits: exactly one of callback and queue.

    ``callback``: the caller hangs up and is called back later; ``queue``: waits there instead.
    """

    key: Key
    callback: bool = False
    queue: Name | None = None

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if self.callback == bool(self.queue):
            raise ValueError("a key does exactly one of: callback, queue")
        return self


class Queue(Section):
    """An app_queue queue. Lines name it; agents serve it by skill.

    ``widen_after_seconds``: agents of level 2 are asked only once a caller has waited for the first number of
    seconds, those of level 3 for the second, and so on; the last lets all further levels in. Without it every
    level is asked at once, the best that is free first.
    """

    name: Name
    title: Text
    strategy: Literal["rrmemory", "leastrecent", "fewestcalls", "random", "ringall", "linear"] = "leastrecent"
    ring_seconds: Annotated[int, Field(ge=5, le=120)] = 20
    retry_seconds: Annotated[int, Field(ge=1, le=60)] = 1
    max_wait_seconds: Annotated[int, Field(ge=0, le=7200)] = 0  # 0: for as long as the caller stays
    max_waiting: Annotated[int, Field(ge=0, le=10000)] = 0  # 0: no bound
    wrap_up_seconds: Annotated[int, Field(ge=0, le=600)] = 5
    wrap_up_max_seconds: Annotated[int, Field(ge=0, le=3600)] = 300  # as far as an agent may extend it
    no_answer_pause_after: Annotated[int, Field(ge=0, le=20)] = 3  # calls left ringing in a row; 0: never
    widen_after_seconds: tuple[Annotated[int, Field(ge=1, le=3600)], ...] = ()
    announce_position: bool = False
    overflow: Name | None = None  # the queue that takes the caller after max_wait or when full
    keys: tuple[QueueKey, ...] = ()  # told to callers while they wait

    @field_validator("widen_after_seconds")
    @classmethod
    def _later_and_later(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if any(later <= earlier for earlier, later in pairwise(value)):
            raise ValueError("each level joins later than the one before: write rising numbers, as [20, 40]")
        return value

    @property
    def wrap_up_cap_seconds(self) -> int:
        """How long a wrap-up may get at the most."""
        return max(self.wrap_up_max_seconds, self.wrap_up_seconds)


class OutsideNumber(Section):
    """A party outside that a call may be handed to: a district's desk, or an emergency service."""

    name: Text
    number: Digits  # as the trunk dials it
    emergency: bool = False
    service: Digits | None = (
        None  # 110, 119, 120, 122: what the emergency key asks for; the number when absent
    )

    @model_validator(mode="after")
    def _service_of_an_emergency(self) -> Self:
        if self.service and not self.emergency:
            raise ValueError("a service without emergency: true; say emergency: true or delete the service")
        return self

    @property
    def emergency_service(self) -> str | None:
        """Which service answers, for an emergency number."""
        return (self.service or self.number) if self.emergency else None


class TransferSection(Section):
    """Where agents may hand calls to outside; other agents and queues need no mention.

    ``trunk`` is the dial string, ``{number}`` standing for the number: ``PJSIP/trunk/sip:{number}@10.1.2.3``.
    """

    trunk: DialString | None = None
    numbers: tuple[OutsideNumber, ...] = ()

    @model_validator(mode="after")
    def _dialled_somehow(self) -> Self:
        if self.numbers and self.trunk is None:
            raise ValueError("numbers to dial but no trunk; add trunk: PJSIP/trunk/sip:{number}@ADDRESS")
        return self


class Agent(Section):
    """A seat: who signs in, at which extension, for which queues. ``skills``: queue -> level, 1 best."""

    id: Name
    name: Text
    extension: Digits
    role: Literal["agent", "supervisor"] = "agent"
    skills: dict[Name, Annotated[int, Field(ge=1, le=10)]] = Field(default_factory=dict)
    remote_control: Literal["none", "notify"] = (
        "none"  # notify: the phone answers, holds and resumes on NOTIFY (talk, hold), as desk phones do
    )
    sip_secret: SecretRef = SecretRef()


class Site(Section):
    """A whole site file."""

    site: SiteSection = SiteSection()
    data_dir: Path = Path("data")
    asterisk: AsteriskSection = AsteriskSection()
    fastagi: FastAgiSection = FastAgiSection()
    asr: AsrSection = AsrSection()
    web: WebSection = WebSection()
    metrics: MetricsSection = MetricsSection()
    database: DatabaseSection = DatabaseSection()
    figures: FiguresSection = FiguresSection()
    transfer: TransferSection = TransferSection()
    alerts: AlertsSection = AlertsSection()
    scoring: ScoringSection = ScoringSection()
    recording: RecordingSection = RecordingSection()
    understanding: UnderstandingSection = UnderstandingSection()
    reports: ReportsSection = ReportsSection()
    survey: SurveySection | None = None  # absent: nobody is asked after the talk
    notice: Name | None = None  # the prompt every caller hears before a person answers (recording notice)
    lines: tuple[Line, ...]
    queues: tuple[Queue, ...]
    caller_lists: Annotated[tuple[CallerList, ...], Field(max_length=MAX_LISTS)] = ()
    agents: tuple[Agent, ...] = ()
    menus: tuple[Menu, ...] = ()
    prompts: tuple[Prompt, ...] = ()
    shifts: tuple[Shift, ...] = ()
    test_dialling: DiallingSection = DiallingSection()
    roster: Path | None = None  # a CSV table of the days that differ from the shifts: see config/shifts.py

    def line(self, line_id: str) -> Line:
        """The line with this id; KeyError if there is none."""
        for line in self.lines:
            if line.id == line_id:
                return line
        raise KeyError(line_id)

    def upward(self, line: Line) -> Iterator[Line]:
        """A line and its ancestors; ``hotline check`` has refused circles."""
        yield line
        while line.parent is not None:
            line = self.line(line.parent)
            yield line

    def menu(self, name: str) -> Menu:
        """The menu of this name; KeyError if there is none."""
        for menu in self.menus:
            if menu.name == name:
                return menu
        raise KeyError(name)

    def line_of_did(self, did: str) -> Line | None:
        """The line whose callers dialled ``did``."""
        for line in self.lines:
            if did in line.dids:
                return line
        return None

    def language_of(self, line: Line) -> str:
        """What callers of ``line`` speak, unless they choose otherwise in a menu."""
        return line.language or self.site.language

    def recorded(self, line: Line) -> Recorded:
        """Whether calls of ``line`` are recorded."""
        return line.recording or self.recording.lines

    @property
    def records(self) -> bool:
        """Whether any line is recorded."""
        return any(self.recorded(line) is not Recorded.OFF for line in self.lines)

    def asks(self, line: Line) -> bool:
        """Whether callers of ``line`` are asked after the talk how satisfied they are."""
        if self.survey is None:
            return False
        return not self.survey.lines or any(one.id in self.survey.lines for one in self.upward(line))

    @property
    def zone(self) -> ZoneInfo:
        """The site's time zone: used only at the edges."""
        return ZoneInfo(self.site.timezone)
