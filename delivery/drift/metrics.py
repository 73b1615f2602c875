"""A drift report as numbers, for node-exporter's textfile collector."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from delivery.drift.report import Report, Status


def write_metrics(file: Path, report: Report) -> None:
    """Put them into a file by a rename: a collector must never see half of it."""
    registry, of, labels = CollectorRegistry(), (report.stack, report.site), ("stack", "site")
    resources = Gauge(
        "hypercompose_drift_resources",
        "Resources of the stack by what is known of them",
        (*labels, "status"),
        registry=registry,
    )
    verdict = Gauge(
        "hypercompose_drift_verdict",
        "1 for what the last report says of the stack",
        (*labels, "verdict"),
        registry=registry,
    )
    for status in Status:
        resources.labels(*of, status).set(report.count(status))
        verdict.labels(*of, status).set(report.verdict is status)
    for name, text, value in (
        ("changes", "Properties that are not as recorded", report.changes),
        ("pending", "Resources of which the settings want something else than what was applied", len(report.pending)),
        ("last_run_timestamp_seconds", "When the last report was made", datetime.fromisoformat(report.at).timestamp()),
    ):
        Gauge(f"hypercompose_drift_{name}", text, labels, registry=registry).labels(*of).set(value)
    write_to_textfile(str(file), registry)
