"""`harness export`: every number of a run arrives in the file."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pandas as pd
import pytest
from commands import command
from many_records import run_of

from harness.frames import load


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Of a run of twelve records."""
    return run_of(tmp_path_factory.mktemp("run"), 12).folder


def test_csv_has_lists_as_json(folder, tmp_path):
    done = command(tmp_path, "export", str(folder))
    assert done.returncode == 0
    found, frame = pd.read_csv(io.StringIO(done.stdout)), load(folder)
    assert found["seconds_median"].tolist() == pytest.approx(frame["seconds_median"].tolist())
    assert [json.loads(text) for text in found["seconds"]] == frame["seconds"].tolist()


def test_parquet_has_lists_as_lists(folder, tmp_path):
    done = command(tmp_path, "export", str(folder), "--format", "parquet", "--to", "records.parquet")
    assert (done.returncode, done.stdout) == (0, "")
    found, frame = pd.read_parquet(tmp_path / "records.parquet"), load(folder)
    assert [list(samples) for samples in found["seconds"]] == frame["seconds"].tolist()
    assert found["peak_bytes"].tolist() == frame["peak_bytes"].tolist()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--format", "xlsx"), "csv"),
        (("--format", "parquet"), "--to records.parquet"),
        (("--to", "no/such/folder.csv"), "can't be written"),
    ],
)
def test_wrong_options_are_refused(folder, tmp_path, options, said):
    done = command(tmp_path, "export", str(folder), *options)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
