"""A suite as a person would write it: what is at its default is left out."""

from __future__ import annotations

import yaml

from harness.models.choice import with_problem
from harness.suite import Suite


def written(suite: Suite, problem: str) -> str:
    """The YAML text of a suite for a model, which is named as seen from the suite's folder."""
    data = with_problem(suite, problem).model_dump(mode="json", exclude_defaults=True)
    for grid in data["grid"]:
        grid.pop("noise", None)  # the model's own
        for axis, values in grid.items():
            grid[axis] = values[0] if len(values) == 1 else values
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100)
