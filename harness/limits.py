"""The largest values that a suite may ask for. What is larger is refused, with the range in the message."""

from __future__ import annotations

LARGEST_COUNT = 2**26
"""For steps, dimensions, batches and all other counts. An adaptive solve cuts the interval into up to 2 × steps ticks,
the tree numbers up to 4 nodes a tick, and the samplers have room for node numbers below 2³⁰."""
LARGEST_SEED = 2**32 - 1
"""JAX reads 32 bits of a seed unless float64 is enabled: seeds that differ by 2³² would give the same noise."""
LARGEST_SECONDS = 1e9
LARGEST_TOLERANCE = 1e9
SMALLEST_MEMORY = 2**20
"""A suite that asks for less most likely lacks the unit, as `memory: 8` for 8GiB does."""
LARGEST_MEMORY = 2**60

MOST_CASES = 100_000
"""Of a suite, counted before equal cases are merged. They are planned within about 10 seconds."""
MOST_TIMES = 10_000
"""Of one list of observation times."""
LONGEST_NAME = 100
"""Characters of a suite's name, which names a folder and a file."""
LARGEST_STORED = 2**63 - 1
"""Integers in a run's files. Those of NumPy and Parquet have 64 bits."""
