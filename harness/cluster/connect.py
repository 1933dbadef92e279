"""The executor for a Dask cluster, by the address of its scheduler."""

from __future__ import annotations

import json
import re
from pathlib import Path

from harness.cluster.dask_cluster import DaskCluster
from harness.cluster.executor import ClusterExecutor
from harness.cluster.rules import check_scheduler
from harness.errors import InputError


def dask_executor(address: str) -> ClusterExecutor:
    """An executor that measures on the workers of a Dask cluster, for `harness.measure(…, executor=…)`.

    `address` is the scheduler's, such as `tcp://10.0.0.1:8786`, or the path of a scheduler file (`*.json`). Use it in a
    `with` statement, which leaves the cluster at the end. Raises InputError if the scheduler can't be reached, or if it
    has another version of the harness.
    """
    cluster = DaskCluster(_address(address))
    try:
        check_scheduler(cluster.scheduler_version())
    except BaseException:
        cluster.close()
        raise
    return ClusterExecutor(cluster)


ALLOWED = "needed: an address such as tcp://10.0.0.1:8786, or the path of a scheduler file (*.json)"


def _address(given: str) -> str:
    """The address itself, or the one in a scheduler file. Raises InputError."""
    address = given
    if given.endswith(".json"):
        try:
            address = str(json.loads(Path(given).read_text(encoding="utf-8"))["address"])
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise InputError("--scheduler", "", f"{given} is no scheduler file ({error})", ALLOWED) from error
    if re.fullmatch(r"([a-z]+://)?[^/\s]+:\d+(/\S*)?", address) is None:
        raise InputError("--scheduler", "", f"given {address!r}", ALLOWED)
    return address
