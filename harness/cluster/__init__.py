"""Blocks measured by the workers of a Dask cluster. `docs/cluster.md` says how to start one.

`connect.py` and `dask_cluster.py` talk to the cluster, `task.py` is what runs in a worker, and `executor.py` decides
which worker measures what. Only the middle two know Dask.
"""
