"""The rooms' own numbers, as the metrics room wants them: name, help, whether it only grows, value."""

from __future__ import annotations

from collections.abc import Iterable

from hotline.asr.hearing import Hearing
from hotline.core.bus import MemoryBus
from hotline.ivr.service import MenuService
from hotline.metrics.prometheus import Number, Numbers
from hotline.queue.drift import Kind
from hotline.queue.exchange import Exchange
from hotline.queue.recording.desk import LiveRecordings
from hotline.queue.recording.keeper import RecordingKeeper
from hotline.telephony.ami.client import AmiClient


def room_numbers(
    ami: AmiClient,
    exchange: Exchange,
    menus: MenuService,
    hearing: Hearing,
    keeper: RecordingKeeper,
    live: LiveRecordings,
    bus: MemoryBus,
) -> list[Numbers]:
    """Readers of each room's counters."""

    def of_queue() -> Iterable[Number]:
        writer, queue_log = exchange.writer, exchange.queue_log
        yield "ledger_rows_waiting", "Rows not yet in the database.", False, writer.waiting
        yield (
            "ledger_save_failures",
            "Saves the database refused; they are tried again.",
            True,
            writer.failures,
        )
        yield "ledger_rows_dropped", "Rows given up; queue_log brings them back.", True, writer.dropped
        yield "ledger_rows_refused", "Rows the database never takes; set aside.", True, writer.refused
        yield "ledger_recovered", "Rows closed by what queue_log told.", True, queue_log.recovered.total()
        yield (
            "queue_log_malformed_lines",
            "Lines of queue_log that are none.",
            True,
            queue_log.malformed,
        )
        yield "illegal_facts", "Facts that did not fit a call's state.", True, exchange.table.illegal.total()
        yield "illegal_agent_cues", "Events that did not fit an agent's state.", True, exchange.agents.illegal
        yield (
            "agent_orders_failed",
            "Pauses that Asterisk did not carry out; they are asked for again.",
            True,
            exchange.seats.failed_orders,
        )
        yield "event_faults", "Events that our own fault kept from being taken in.", True, exchange.faults

        drift = exchange.drift
        yield "drift_checks", "Comparisons of the live picture with the exchange.", True, drift.checks
        yield "drift_unmended", "Differences that believing the exchange left.", True, drift.unmended
        for kind in Kind:
            text = f"Differences in {kind.replace('_', ' ')} from the exchange, mended."
            yield f"drift_{kind}_mended", text, True, drift.mended[kind]

    def of_ami() -> Iterable[Number]:
        counters = ami.counters
        yield "ami_connections", "Connections to Asterisk's manager made.", True, counters.connections
        yield "ami_failed_attempts", "Connections that did not come about.", True, counters.failed_attempts
        yield "ami_events", "Events read from Asterisk.", True, counters.events
        yield "ami_malformed_events", "Events that made no sense.", True, counters.malformed_events
        yield "ami_overflows", "Connections given up because events piled up.", True, counters.overflows

    def of_menus() -> Iterable[Number]:
        counters = menus.counters
        yield "agi_sessions", "Callers led through a menu.", True, counters.sessions
        yield "agi_failures", "Menu visits that failed; the dialplan took over.", True, counters.failures
        yield "agi_turned_away", "Callers sent on because too many were in menus.", True, counters.turned_away
        yield "agi_strangers", "Connections to the menu port that were no call.", True, counters.no_calls

    def of_recordings() -> Iterable[Number]:
        counters = keeper.counters
        yield "recordings_kept", "Calls whose recording was kept.", True, counters.kept
        failures = counters.failures + counters.short + live.unwritten
        yield "recording_failures", "Recordings not written, not whole or not kept yet.", True, failures
        yield "recordings_waiting", "Ended calls whose recording is to be kept yet.", False, counters.waiting

    def of_bus() -> Iterable[Number]:
        yield "bus_events", "Events published since the start.", True, bus.last_seq
        yield "bus_slow_readers", "Readers cut off because they fell behind.", True, bus.cut_off

    return [of_queue, of_ami, of_menus, of_recordings, of_bus, hearing.stats.numbers]
