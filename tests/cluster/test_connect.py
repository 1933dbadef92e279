"""How a cluster is named on the command line, and what is said if there is none."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from commands import command
from faults.toys import write_suite

from harness.cluster import dask_cluster
from harness.cluster.rules import check_scheduler
from harness.errors import InputError


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--executor", "dusk"], "--executor: given 'dusk'; did you mean 'dask'? allowed: dask, local"),
        (["--executor", "dask"], "--executor: dask needs a scheduler"),
        (["--scheduler", "tcp://here:1"], "--scheduler: works only together with --executor dask"),
        (["--executor", "dask", "--scheduler", "here"], "--scheduler: given 'here'; needed: an address such as tcp://"),
        (["--executor", "dask", "--scheduler", "no.json"], "--scheduler: no.json is no scheduler file"),
        (["--executor", "dask", "--scheduler", "{}.json"], "--scheduler: {}.json is no scheduler file"),
        (
            ["--executor", "dask", "--scheduler", "tcp://127.0.0.1:1"],
            "no Dask scheduler can be reached at tcp://127.0.",
        ),
    ],
)
def test_wrong_options_are_refused_in_a_line(tmp_path: Path, monkeypatch, options, message):
    monkeypatch.setattr(dask_cluster, "CONNECT_SECONDS", 0.3)
    write_suite(tmp_path)
    (tmp_path / "{}.json").write_text("{}")
    done = command(tmp_path, "run", "toy.yaml", *options)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "results").exists()


def test_without_the_package_it_is_said_what_to_install(tmp_path: Path, monkeypatch):
    write_suite(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "distributed"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.setattr(dask_cluster, "distributed", dask_cluster.lazily("distributed")[0])
    done = command(tmp_path, "run", "toy.yaml", "--executor", "dask", "--scheduler", "tcp://127.0.0.1:1")
    assert done.returncode == 2
    assert "pip install gradient-harness[cluster]" in done.stderr


@pytest.mark.parametrize("version", [None, "0.0.1"])
def test_a_scheduler_needs_the_same_version(version):
    with pytest.raises(InputError, match="the scheduler: "):
        check_scheduler(version)
