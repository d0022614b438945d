"""The rooms' own numbers, as the metrics room wants them: name, help, whether it only grows, value."""

from __future__ import annotations

from collections.abc import Iterable

from hotline.asr.hearing import Hearing
from hotline.core.bus import MemoryBus
from hotline.ivr.service import MenuService
from hotline.metrics.prometheus import Numbers
from hotline.queue.exchange import Exchange
from hotline.telephony.ami.client import AmiClient


def room_numbers(
    ami: AmiClient, exchange: Exchange, menus: MenuService, hearing: Hearing, bus: MemoryBus
) -> list[Numbers]:
    """Readers of each room's counters."""

    def of_queue() -> Iterable[tuple[str, str, bool, float]]:
        yield "ledger_rows_waiting", "Rows not yet in the database.", False, exchange.writer.waiting
        yield (
            "ledger_save_failures",
            "Saves the database refused; they are tried again.",
            True,
            (exchange.writer.failures),
        )
        yield (
            "ledger_rows_dropped",
            "Rows given up; queue_log brings them back.",
            True,
            exchange.writer.dropped,
        )
        yield "ledger_recovered", "Rows closed by what queue_log told.", True, exchange.recovered.total()
        yield "queue_log_malformed_lines", "Lines of queue_log that are none.", True, exchange.malformed_lines
        yield "illegal_facts", "Facts that did not fit a call's state.", True, exchange.table.illegal.total()
        yield "event_faults", "Events that our own fault kept from being taken in.", True, exchange.faults

    def of_bus() -> Iterable[tuple[str, str, bool, float]]:
        yield "bus_events", "Events published since the start.", True, bus.last_seq
        yield "bus_slow_readers", "Readers cut off because they fell behind.", True, bus.cut_off

    return [of_queue, of_bus]
