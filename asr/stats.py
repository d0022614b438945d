"""What the hearing counts, for the metrics and the doctor: plain numbers, read at any time on the loop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from hotline.asr.reasons import Reason
from hotline.core.events import Side


@dataclass(slots=True)
class AsrStats:
    """Numbers since the server started, and of the present.

    Attributes:
        legs_live: sides of calls being heard now.
        legs_tapped: taps that were connected.
        legs_lost: live sides no longer heard, by `Reason`.
        tap_failures: attempts to tap that failed, by `Reason`.
        workers_ready: recogniser processes at work.
        worker_restarts: processes that were started again.
        workers_frozen: of them, processes that no longer answered.
        worker_memory_megabytes: the largest of them.
        legs_room: how many more sides could be heard, as far as was measured.
        leg_price: what a side costs, as a share of a worker's thread.
        backlog_seconds: audio that waits for recognition, all workers.
        busy_seconds: time the workers' recognition took.
        counts: what workers count: unknown_uuid, duplicate_uuid, no_identity, garbage, floods, idle,
            dropped_audio_ms, filled_audio_ms, audio_ms, engine_failures, partials_skipped, handovers,
            answers_late.
        partials, finals: texts told.
        segments_waiting: final texts not yet in the database.
        segments_dropped: final texts that never got there.
        save_failures: attempts to save that failed.
    """

    legs_live: dict[Side, int] = field(default_factory=lambda: dict.fromkeys(Side, 0))
    legs_tapped: int = 0
    legs_lost: Counter[str] = field(default_factory=Counter)
    tap_failures: Counter[str] = field(default_factory=Counter)
    workers_ready: int = 0
    worker_restarts: int = 0
    workers_frozen: int = 0
    worker_memory_megabytes: float = 0.0
    legs_room: int = 0
    leg_price: float = 0.0
    backlog_seconds: float = 0.0
    busy_seconds: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    partials: int = 0
    finals: int = 0
    segments_waiting: int = 0
    segments_dropped: int = 0
    save_failures: int = 0

    def numbers(self) -> Iterator[tuple[str, str, bool, float]]:
        """Name, help, whether it only grows, value: the form that a metrics exporter takes."""
        yield "asr_workers_ready", "Recogniser processes at work.", False, self.workers_ready
        yield "asr_worker_restarts", "Recogniser processes started again.", True, self.worker_restarts
        yield "asr_workers_frozen", "Recogniser processes that froze.", True, self.workers_frozen
        yield (
            "asr_worker_memory_bytes",
            "Memory of the largest recogniser process.",
            False,
            self.worker_memory_megabytes * 1e6,
        )
        yield "asr_legs_room", "Sides of calls that could be heard besides.", False, self.legs_room
        yield "asr_leg_price_ratio", "A side's share of a recogniser's thread.", False, self.leg_price
        yield "asr_backlog_seconds", "Audio that waits for recognition.", False, self.backlog_seconds
        yield "asr_busy_seconds", "Time that recognition took.", True, self.busy_seconds
        yield "asr_tap_failures", "Attempts to tap that failed.", True, self.tap_failures.total()
        without_room = self.tap_failures[Reason.NO_CAPACITY.value]
        yield "asr_taps_without_room", "Of them, because every recogniser was full.", True, without_room
        audio = "Audio heard, thrown away, or filled with silence."
        yield "asr_audio_seconds", audio, True, self.counts["audio_ms"] / 1000
        yield "asr_dropped_audio_seconds", audio, True, self.counts["dropped_audio_ms"] / 1000
        yield "asr_filled_audio_seconds", audio, True, self.counts["filled_audio_ms"] / 1000
        refused = "Audio connections turned away or cut off."
        for name in ("unknown_uuid", "duplicate_uuid", "no_identity", "garbage", "floods", "idle"):
            yield f"asr_{name}", refused, True, self.counts[name]
        yield "asr_engine_failures", "Streams the engine gave up.", True, self.counts["engine_failures"]
        handed = "Legs that another engine took over."
        yield "asr_engine_handovers", handed, True, self.counts["handovers"]
        late = "Last texts of a leg that an engine did not tell in time."
        yield "asr_answers_late", late, True, self.counts["answers_late"]
        yield "transcript_rows_waiting", "Final texts not yet saved.", False, self.segments_waiting
        yield "transcript_rows_dropped", "Final texts given up unsaved.", True, self.segments_dropped
        yield "transcript_save_failures", "Saves that failed; tried again.", True, self.save_failures
