"""The Grafana dashboard as code: what a chief on duty and whoever keeps the server want to see.

    python -m hotline.metrics.grafana.dashboard > metrics/grafana/hotline.json

Grafana's import and its provisioning take the JSON as it is; a variable names the Prometheus to read from.
Rates are those of ``rules/hotline.recording.yaml``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

COLUMNS: Final = 24  # of Grafana's grid
HEIGHTS: Final = {"stat": 4, "timeseries": 8, "bargauge": 8, "row": 1}
SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
LINE: Final = '{line=~"$line"}'
QUEUE: Final = '{queue=~"$queue"}'


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel.

    Attributes:
        title: zh-CN, the words of the trade.
        kind: Grafana's panel type.
        unit: Grafana's name of it: ``percentunit``, ``s``, ``short``, ``bytes``.
        targets: expressions, each with its legend.
        width: of 24 columns.
        orange_below, orange_above: where it turns orange.
    """

    title: str
    kind: str
    unit: str
    targets: tuple[tuple[str, str], ...]
    width: int = 8
    orange_below: float | None = None
    orange_above: float | None = None


def panels() -> Iterator[Panel]:
    """All panels, in reading order; a ``row`` is a heading."""
    yield Panel("此刻", "row", "", ())
    yield _now("排队人数", "short", "sum(hotline_callers_waiting)", orange_above=10)
    yield _now("最长等待", "s", "max(hotline_longest_wait_seconds)", orange_above=60)
    yield _now("接通率（5 分钟）", "percentunit", "job:hotline_answered:ratio_rate5m", orange_below=0.95)
    yield _now(
        "15 秒接通率（5 分钟）",
        "percentunit",
        "job:hotline_answered_within_norm:ratio_rate5m",
        orange_below=0.9,
    )
    yield _now("签入坐席", "short", "job:hotline_agents_signed_in:sum")
    yield _now("坐席利用率", "percentunit", "job:hotline_agents_occupied:ratio_avg5m", orange_above=0.9)
    yield Panel("来电与接通", "row", "", ())
    yield Panel(
        "呼入与接听（每分钟）", "timeseries", "short",
        (
            (f'sum(rate(hotline_offered_total{{source="live",{LINE[1:-1]}}}[5m])) * 60', "呼入"),
            (f'sum(rate(hotline_answered_total{{source="live",{LINE[1:-1]}}}[5m])) * 60', "接听"),
        ),
    )  # fmt: skip
    yield Panel(
        "各线路接通率（1 小时）", "timeseries", "percentunit",
        ((f"line:hotline_answered:ratio_rate1h{LINE}", "{{line}}"),),
    )  # fmt: skip
    yield Panel(
        "各线路 15 秒接通率（1 小时）", "timeseries", "percentunit",
        ((f"line:hotline_answered_within_norm:ratio_rate1h{LINE}", "{{line}}"),),
    )  # fmt: skip
    yield Panel(
        "结果分布（24 小时）", "bargauge", "short",
        ((f"sum by (outcome) (increase(hotline_entries_closed_total{LINE}[1d]))", "{{outcome}}"),),
    )  # fmt: skip
    yield Panel(
        "等待时长（中位数与九成）", "timeseries", "s",
        (
            ("job:hotline_wait_seconds:p50_rate5m", "中位数"),
            ("job:hotline_wait_seconds:p90_rate5m", "九成以内"),
            ("job:hotline_wait_seconds:mean_rate5m", "平均（ASA）"),
        ),
    )  # fmt: skip
    yield Panel(
        "放弃者等待时长（九成）", "timeseries", "s",
        (
            (
                "histogram_quantile(0.9, sum by (le) "
                '(rate(hotline_wait_seconds_bucket{outcome="abandoned"}[1h])))',
                "九成以内",
            ),
        ),
    )  # fmt: skip
    yield Panel("队列与坐席", "row", "", ())
    yield Panel("各队列排队人数", "timeseries", "short", ((f"hotline_callers_waiting{QUEUE}", "{{queue}}"),))
    yield Panel("各队列最长等待", "timeseries", "s", ((f"hotline_longest_wait_seconds{QUEUE}", "{{queue}}"),))
    yield Panel("坐席状态", "timeseries", "short", (("sum by (state) (hotline_agents)", "{{state}}"),))
    yield Panel(
        "各队列坐席利用率", "timeseries", "percentunit",
        ((f"queue:hotline_agents_occupied:ratio{QUEUE}", "{{queue}}"),),
    )  # fmt: skip
    yield Panel(
        "振铃未接（每小时）", "timeseries", "short",
        ((f"sum by (queue) (increase(hotline_ring_no_answers_total{QUEUE}[1h]))", "{{queue}}"),),
    )  # fmt: skip
    yield Panel(
        "处理时长（平均）",
        "timeseries",
        "s",
        ((f"line:hotline_handling_seconds:mean_rate1h{LINE}", "{{line}}"),),
    )
    yield Panel(
        "通话种类（每小时）", "timeseries", "short",
        (
            ("sum by (kind) (increase(hotline_talks_total[1h]))", "{{kind}}"),
            ("sum(increase(hotline_callbacks_total[1h]))", "回拨外呼"),
        ),
    )  # fmt: skip
    yield Panel(
        "菜单时长（平均）", "timeseries", "s",
        (
            (
                "sum by (outcome) (rate(hotline_menu_seconds_sum[1h]))"
                " / (sum by (outcome) (rate(hotline_menu_seconds_count[1h])) > 0)",
                "{{outcome}}",
            ),
        ),
    )  # fmt: skip
    yield Panel(
        "热点诉求（24 小时）", "bargauge", "short",
        (("topk(10, sum by (topic) (increase(hotline_calls_understood_total[1d])))", "{{topic}}"),),
    )  # fmt: skip
    yield Panel("系统", "row", "", ())
    yield Panel("告警", "timeseries", "short", (("sum by (kind) (hotline_alerts)", "{{kind}}"),))
    yield Panel(
        "离线期间补记的通话（每小时）", "timeseries", "short",
        (
            (
                "sum by (outcome) "
                '(increase(hotline_entries_closed_total{source="queue_log"}[1h]))',
                "{{outcome}}",
            ),
        ),
    )  # fmt: skip
    yield Panel(
        "文字延迟（九成）", "timeseries", "s",
        (
            (
                "histogram_quantile(0.9, sum by (kind, le)"
                " (rate(hotline_transcript_latency_seconds_bucket[5m])))",
                "{{kind}}",
            ),
        ),
    )  # fmt: skip
    yield Panel(
        "连接与待存", "timeseries", "short",
        (
            ("hotline_ami_connected", "Asterisk 连接"),
            ("hotline_ledger_rows_waiting", "待存台账行"),
            ("hotline_recordings_waiting", "待归档录音"),
        ),
    )  # fmt: skip
    yield Panel(
        "磁盘剩余", "timeseries", "percentunit",
        (("hotline_data_dir_free_bytes / hotline_data_dir_size_bytes", "数据目录"),),
    )  # fmt: skip
    yield Panel("内存", "timeseries", "bytes", (('process_resident_memory_bytes{job="hotline"}', "服务器"),))


def _now(
    title: str, unit: str, expr: str, *, orange_below: float | None = None, orange_above: float | None = None
) -> Panel:
    return Panel(title, "stat", unit, ((expr, ""),), 4, orange_below, orange_above)


def dashboard() -> dict[str, Any]:
    """Grafana's JSON model of it."""
    return {
        "uid": "hotline12345",
        "title": "12345 热线运行",
        "tags": ["hotline"],
        "timezone": "browser",
        "schemaVersion": 38,
        "version": 1,
        "refresh": "15s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {
            "list": [
                {"name": "datasource", "label": "数据源", "type": "datasource", "query": "prometheus"},
                _choice("line", "线路", "label_values(hotline_offered_total, line)"),
                _choice("queue", "队列", "label_values(hotline_callers_waiting, queue)"),
            ]
        },
        "panels": list(_placed()),
    }


def _choice(name: str, label: str, query: str) -> dict[str, Any]:
    """A variable that a reader chooses from: all, or some."""
    return {
        "name": name, "label": label, "type": "query", "datasource": SOURCE,
        "query": {"query": query, "refId": name}, "refresh": 2, "multi": True, "includeAll": True,
        "allValue": ".*", "current": {"text": "All", "value": "$__all"},
    }  # fmt: skip


def _placed() -> Iterator[dict[str, Any]]:
    """The panels as Grafana wants them, from left to right and downwards."""
    x = y = tallest = 0
    for number, panel in enumerate(panels(), start=1):
        width = COLUMNS if panel.kind == "row" else panel.width
        if x + width > COLUMNS or panel.kind == "row":
            x, y, tallest = 0, y + tallest, 0
        height = HEIGHTS[panel.kind]
        place = {"x": x, "y": y, "w": width, "h": height}
        yield {"id": number, "title": panel.title, "type": panel.kind, "gridPos": place} | _content(panel)
        x, tallest = x + width, max(tallest, height)


def _content(panel: Panel) -> dict[str, Any]:
    if panel.kind == "row":
        return {"collapsed": False, "panels": []}
    return {
        "datasource": SOURCE,
        "targets": [
            {"refId": chr(ord("A") + number), "datasource": SOURCE, "expr": expr, "legendFormat": legend,
             "instant": panel.kind != "timeseries", "range": panel.kind == "timeseries"}
            for number, (expr, legend) in enumerate(panel.targets)
        ],
        "fieldConfig": {
            "defaults": {"unit": panel.unit, "min": 0, "thresholds": _thresholds(panel)},
            "overrides": [],
        },
    }  # fmt: skip


def _thresholds(panel: Panel) -> dict[str, Any]:
    """Blue is well and orange is not: a pair that the colour-blind can tell apart."""
    well, ill = "blue", "orange"
    steps: list[dict[str, Any]] = [{"color": ill if panel.orange_below is not None else well, "value": None}]
    if panel.orange_below is not None:
        steps.append({"color": well, "value": panel.orange_below})
    if panel.orange_above is not None:
        steps.append({"color": ill, "value": panel.orange_above})
    return {"mode": "absolute", "steps": steps}


def as_json() -> str:
    """The file ``hotline.json``."""
    return json.dumps(dashboard(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    sys.stdout.write(as_json())
