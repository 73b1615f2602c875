"""What a report leaves: the record for `make stacks`, the numbers for a metrics collector."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from delivery.drift.metrics import write_metrics
from delivery.drift.record import write_record
from delivery.drift.report import Report, Status
from tests.delivery.drift.recorded import report

HOSTILE = 'a"b\\c\n{x="y"} ünï'


def test_the_record_is_the_report_readable_by_its_owner_only(tmp_path: Path) -> None:
    file = write_record(tmp_path, report("stopped"))
    assert file == tmp_path / "drift" / "apps.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert json.loads(file.read_text()) == report("stopped").document()
    assert list(file.parent.iterdir()) == [file]


def test_a_record_that_cannot_be_written_leaves_the_old_one_and_no_litter(tmp_path: Path) -> None:
    file = write_record(tmp_path, report("clean"))
    before = file.read_bytes()
    broken = replace(report("clean"), site=object())  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        write_record(tmp_path, broken)
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_the_record_says_what_was_agreed() -> None:
    found = report("stopped").document()
    assert (found["stack"], found["site"], found["verdict"], found["unknown"]) == ("apps", "lab-e2e", "drifted", 4)
    assert found["changes"] == 2
    assert set(found["resources"][0]) >= {"urn", "component", "kind", "host", "status", "reason", "changes"}
    (change,) = next(one["changes"] for one in found["resources"] if one["changes"])
    assert set(change) == {"property", "recorded", "found"}


def samples(file: Path) -> dict[tuple[str, str], float]:
    return {
        (sample.name, sample.labels.get("status") or sample.labels.get("verdict", "")): sample.value
        for family in text_string_to_metric_families(file.read_text())
        for sample in family.samples
    }


def test_the_numbers_are_what_a_collector_reads(tmp_path: Path) -> None:
    file = tmp_path / "drift.prom"
    write_metrics(file, report("stopped"))
    found = samples(file)
    assert {status: found["hypercompose_drift_resources", status] for status in Status} == {
        "clean": 15,
        "drifted": 2,
        "unknown": 4,
    }
    assert [found["hypercompose_drift_verdict", status] for status in Status] == [0, 1, 0]
    assert found["hypercompose_drift_last_run_timestamp_seconds", ""] == 1795626000
    assert found["hypercompose_drift_changes", ""] == 2
    assert list(tmp_path.iterdir()) == [file]


def test_names_are_escaped(tmp_path: Path) -> None:
    file = tmp_path / "drift.prom"
    write_metrics(file, replace(report("clean"), stack=HOSTILE, site=HOSTILE))
    labels = [s.labels for family in text_string_to_metric_families(file.read_text()) for s in family.samples]
    assert labels
    assert all((label["stack"], label["site"]) == (HOSTILE, HOSTILE) for label in labels)


@pytest.mark.parametrize(
    ("name", "verdict", "code"), [("clean", "clean", 0), ("stopped", "drifted", 2), ("vm-595", "drifted", 2)]
)
def test_a_verdict_has_its_exit_code(name: str, verdict: str, code: int) -> None:
    assert (report(name).verdict, report(name).exit_code) == (verdict, code)


def test_unknown_alone_is_its_own_exit_code() -> None:
    found = report("stopped")
    left = tuple(one for one in found.resources if one.status is not Status.DRIFTED)
    only: Report = replace(found, resources=left)
    assert (only.verdict, only.exit_code) == ("unknown", 3)
