"""The composition root: every room made, plugged together, started and stopped, in one place.

Start: database, prompts and exchange first; then who serves callers (menus), then who listens (hearing),
then who looks (console, metrics). Stop is the same backwards, each step with a deadline. No step of either
touches a call: Asterisk carries those, and goes on when this process ends in any way.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncEngine

from hotline.agent_console.accounts import Accounts
from hotline.agent_console.deps import ConsoleDeps
from hotline.agent_console.server import ConsoleServer
from hotline.asr.hearing import Hearing
from hotline.asr.second_pass import Idleness, SecondPass, processor_load
from hotline.asr.text_indexing import TextIndexing
from hotline.asr.understanding.ear import Ear
from hotline.asr.understanding.listening import CallListener
from hotline.asr.understanding.model import model_of
from hotline.asr.written.lines import LineWriters
from hotline.config.own_words import own_words
from hotline.config.schema import Site
from hotline.config.secrets import Secrets
from hotline.config.understanding import rules_of
from hotline.core.bus import MemoryBus
from hotline.core.clock import Clock, SystemClock
from hotline.core.errors import HotlineError, SetupError
from hotline.ivr.prompts import PromptFiles
from hotline.ivr.service import MenuService
from hotline.metrics.dialling.desk import TrialDesk
from hotline.metrics.figures import LedgerFigures
from hotline.metrics.measures.answering import Answers
from hotline.metrics.measures.summing import calendar_of, counting_of
from hotline.metrics.prometheus import Exporter, MetricsServer
from hotline.metrics.report.desk import ReportDesk
from hotline.metrics.report.maker import ReportMaker
from hotline.metrics.rolling import Rolling
from hotline.metrics.staffing.planner import StaffingPlanner
from hotline.metrics.watch import AlertWatch
from hotline.metrics.webhook import Webhooks
from hotline.queue.agents.desk import Desk
from hotline.queue.agents.shifts import ShiftBook
from hotline.queue.control.acting import Acting
from hotline.queue.control.call_control import Control
from hotline.queue.control.live_talks import LiveTalks
from hotline.queue.control.supervision import Supervisor
from hotline.queue.exchange import Exchange
from hotline.queue.recording.desk import LiveRecordings, RecordedPicture
from hotline.queue.recording.keeper import RecordingKeeper
from hotline.queue.recording.retention import Retention
from hotline.server.numbers import room_numbers
from hotline.server.paths import database_url, recording_key, sealing_keys
from hotline.server.transcribing import FileTranscriber
from hotline.store.accounts import AccountStore
from hotline.store.audit import AuditLog
from hotline.store.callbacks import Callbacks
from hotline.store.database import open_engine, sessions_of
from hotline.store.drafts import DraftStore
from hotline.store.figure_views import FigureViews
from hotline.store.history import StoredHistory
from hotline.store.ledger import Ledger
from hotline.store.marks import Marks
from hotline.store.migrate import upgrade
from hotline.store.points import PointStore
from hotline.store.recording_archive import RecordingArchive
from hotline.store.recordings import RecordingStore
from hotline.store.rollups import Rollups
from hotline.store.search_words import SearchWordsOnDemand
from hotline.store.second_texts import SecondTextStore
from hotline.store.text_index import TextIndex
from hotline.store.text_search import StoredTextSearch
from hotline.store.transcripts import TranscriptStore
from hotline.store.trials import TrialStore
from hotline.telephony.ami.client import AmiClient, AmiSettings
from hotline.telephony.asterisk_config.places import queue_log_of, raw_recordings_of, sounds_dir_of
from hotline.telephony.asterisk_config.secrets import secrets_of
from hotline.telephony.local_asterisk import LocalAsterisk

log = logging.getLogger(__name__)

RESTART_ASTERISK_SECONDS = 2.0


class HotlineServer:
    """The whole server for one site.

    Args:
        site: a checked site.
        clock: the present.
        keep_asterisk: leave a managed Asterisk running at the stop; None: only while there are calls in it.
    """

    def __init__(self, site: Site, clock: Clock | None = None, *, keep_asterisk: bool | None = False) -> None:
        self.site = site
        self.clock = clock or SystemClock()
        self.secrets = Secrets(site.data_dir)
        self.bus = MemoryBus()
        self.failure: BaseException | None = None
        self._keep_asterisk = keep_asterisk
        self._stack = AsyncExitStack()
        self._stop = asyncio.Event()
        self.accounts: Accounts
        self.console: ConsoleServer
        self.exchange: Exchange
        self.asterisk: LocalAsterisk | None = None

    async def start(self) -> None:
        """Have everything running when this returns.

        Raises:
            SetupError: something the machine must provide is missing; nothing is left running.
        """
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise

    async def _start(self) -> None:
        site, bus, clock = self.site, self.bus, self.clock
        _make_data_dir(site)
        prompts = PromptFiles(site, sounds_dir_of(site))
        engine = await self._stack.enter_async_context(_database(database_url(site, self.secrets)))
        sessions = sessions_of(engine)
        ami = AmiClient(self._ami_settings(), clock)
        self.exchange = Exchange(site, ami, bus, Ledger(sessions), clock, queue_log_of(site))
        await self.exchange.restore()
        transcripts = TranscriptStore(sessions)
        search_words = SearchWordsOnDemand(own_words(site))
        hearing = Hearing(site, ami, bus, transcripts, clock)
        ear = Ear(rules_of(site.understanding))
        model = model_of(site, self.secrets, ear)
        points = CallListener(site, bus, hearing.transcripts, PointStore(sessions), clock, ear, model)
        figures = LedgerFigures(site, sessions, clock)
        audit = AuditLog(sessions, clock)
        marks = Marks(sessions, clock)
        await marks.load()
        recordings = RecordingStore(sessions)
        live_recordings = LiveRecordings(site, raw_recordings_of(site), ami, bus, recordings, audit, clock)
        picture = RecordedPicture(self.exchange, live_recordings)
        talks = LiveTalks(site, ami, picture, bus, marks, clock)
        acting = Acting(site, ami, talks, clock)
        control = Control(acting)
        supervisor = Supervisor(acting, ami, bus, audit)
        self.accounts = Accounts(AccountStore(sessions), audit, clock, session_hours=site.web.session_hours)
        self._stack.callback(self.accounts.close)
        keeper = RecordingKeeper(
            raw_recordings_of(site),
            site.data_dir,
            recording_key(site, self.secrets),
            ami,
            bus,
            recordings,
            Retention(site, recordings, audit, clock),
            clock,
        )
        archive = RecordingArchive(recordings, site.data_dir, lambda: sealing_keys(site, self.secrets))
        await _tell_lost_keys(archive)
        second_texts = SecondTextStore(sessions)
        menus = MenuService(site, bus, prompts, clock)
        numbers = room_numbers(ami, self.exchange, menus, hearing, keeper, live_recordings, bus)
        numbers += [points.numbers, *([model.numbers] if model else [])]
        watch = AlertWatch(site, bus, talks, figures, numbers, clock)
        watch.restore()
        trials = TrialDesk(site, TrialStore(sessions), clock, FileTranscriber(site))
        reports = ReportDesk(site, database_url(site, self.secrets), clock)
        webhooks = Webhooks(site, bus, self.secrets, clock, watch.active())
        numbers_told = [*numbers, watch.numbers, webhooks.numbers, trials.numbers]
        exporter = Exporter(site, bus, self.exchange, numbers_told, watch.active())
        self.exchange.writer.known = exporter.rows.count
        self.exchange.writer.surveyed = exporter.rows.count_survey

        await self._run("metrics", exporter.run())
        await self._run("exchange", self.exchange.run())
        await self._run("talks", talks.run())
        await self._run("supervision", supervisor.run())
        self._stack.push_async_callback(control.aclose)
        await self._run("recordings", keeper.run())
        await self._run("live recordings", live_recordings.run())
        if model is not None:
            self._stack.push_async_callback(model.aclose)
        if site.understanding.enabled:
            await self._run("understanding", points.run())
        menus.start()
        self._stack.push_async_callback(menus.stop)
        async with asyncio.TaskGroup() as together:
            together.create_task(self._start_asterisk(prompts))
            together.create_task(hearing.start())
        self._stack.push_async_callback(hearing.aclose)
        await self._run("ami", ami.run())
        if site.alerts.webhooks:
            await self._run("webhooks", webhooks.run())
        await self._run("alerts", watch.run())
        metrics = MetricsServer(exporter, site.metrics)
        metrics.start()
        self._stack.callback(metrics.close)
        self.console = ConsoleServer(
            ConsoleDeps(
                site=site,
                bus=bus,
                picture=talks,
                desk=Desk(site, ami, self.exchange, clock),
                control=control,
                supervision=supervisor,
                marks=marks,
                callbacks=Callbacks(sessions, clock),
                drafts=DraftStore(sessions, clock),
                transcripts=hearing.transcripts,
                points=points,
                search=StoredTextSearch(sessions, search_words, clock),
                second_texts=second_texts,
                history=StoredHistory(sessions),
                figures=figures,
                measures=Answers(site, counting_of(site, sessions, limited=True), clock),
                figure_views=FigureViews(sessions, clock),
                alerts=watch,
                staffing=StaffingPlanner(site, sessions, clock),
                shifts=ShiftBook(site, Ledger(sessions), clock),
                recordings=archive,
                recording_desk=live_recordings,
                accounts=self.accounts,
                audit=audit,
                clock=clock,
                reports=reports,
                trials=trials,
            )
        )
        await self.console.start()
        self._stack.push_async_callback(self.console.aclose)
        await self._run("test calls", trials.run())
        await self._run("reports by hand", reports.run())
        # what nobody waits for comes last: the words of the index take a moment to read
        await self._run("rollups", Rolling(Rollups(sessions, calendar_of(site)), clock).run())
        if site.asr.second_pass is not None:
            idleness = Idleness(site.asr.second_pass, ZoneInfo(site.site.timezone), processor_load)
            second = SecondPass(
                site.asr.second_pass, idleness, talks, second_texts, archive, clock, LineWriters(site)
            )  # fmt: skip
            await self._run("second pass", second.run())
        if site.reports.schedule:
            maker = ReportMaker(site, database_url(site, self.secrets), self.secrets, clock)
            await self._run("reports", maker.run())
        await self._run("text index", TextIndexing(TextIndex(sessions), search_words, clock).run())

    def _ami_settings(self) -> AmiSettings:
        ami = self.site.asterisk.ami
        secret = secrets_of(self.site)("ami")
        return AmiSettings(username=ami.user, secret=secret, host=ami.host, port=ami.port)

    async def _start_asterisk(self, prompts: PromptFiles) -> None:
        """Prompts before Asterisk needs them; a managed Asterisk is started, and again when it dies."""
        try:
            await prompts.prepare_off_loop()
        except SetupError as error:  # callers then hear fewer words, but they are served
            log.error("prompts could not be made: %s", error)
        if not self.site.asterisk.managed:
            return
        asterisk = LocalAsterisk.of_site(self.site, secrets_of(self.site))
        await asterisk.start()
        self.asterisk = asterisk
        self._stack.push_async_callback(self._end_asterisk, asterisk)
        if not asterisk.adopted:
            await self._run("asterisk", _revive(asterisk))

    async def _end_asterisk(self, asterisk: LocalAsterisk) -> None:
        calls = len(self.exchange.table.live_calls())
        if self._keep_asterisk or (calls and self._keep_asterisk is None):
            log.info("Asterisk runs on with %d calls; the next start finds it", calls)
            await asterisk.leave()
        else:
            await asterisk.stop()

    async def _run(self, name: str, work: Coroutine[None, None, None]) -> None:
        """Run ``work`` until the stop. If it ends before, the server stops: the supervisor starts it anew."""

        async def watched() -> None:
            try:
                await work
            except asyncio.CancelledError:
                raise
            except BaseException as error:
                log.exception("%s failed; the server stops, calls go on", name)
                self.failure = error
            self._stop.set()

        task = asyncio.create_task(watched(), name=name)

        async def end() -> None:
            task.cancel()
            await asyncio.wait({task}, timeout=10)

        self._stack.push_async_callback(end)

    def request_stop(self) -> None:
        """Make ``wait`` return."""
        self._stop.set()

    async def wait(self) -> None:
        """Wait for the stop to be asked for, or for a part to fail (then ``failure`` says why)."""
        await self._stop.wait()

    async def aclose(self) -> None:
        """Stop everything, in the reverse order of the start; idempotent."""
        await self._stack.aclose()


def _make_data_dir(site: Site) -> None:
    try:
        site.data_dir.mkdir(parents=True, exist_ok=True, mode=0o750)
    except OSError as error:
        raise SetupError(
            f"data_dir {site.data_dir} cannot be made: {error.strerror}",
            hint="set data_dir in the site file, or HOTLINE_DATA_DIR",
        ) from error


async def _tell_lost_keys(archive: RecordingArchive) -> None:
    """Say so when kept recordings cannot be opened; it holds up nothing."""
    try:
        if lost := await archive.unreadable():
            log.error("%s", lost)
    except HotlineError as error:
        log.error("sealed recordings cannot be opened: %s", error)


@asynccontextmanager
async def _database(url: str) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(url)
    try:
        await upgrade(engine)
        yield engine
    finally:
        await engine.dispose()


async def _revive(asterisk: LocalAsterisk) -> None:
    """Start the exchange again whenever it ends by itself."""
    while True:
        code = await asterisk.wait_ended()
        log.error("asterisk ended with code %d; it is started again", code)
        await asyncio.sleep(RESTART_ASTERISK_SECONDS)
        try:
            await asterisk.start()
        except SetupError as error:
            log.error("asterisk does not start: %s", error)
