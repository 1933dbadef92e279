"""Draws the figures of the README and of the documentation from the published runs: python docs/images/draw.py"""

from __future__ import annotations

from pathlib import Path

import harness
from harness.grouping import gradients

HERE = Path(__file__).parent
RUNS = HERE.parents[1] / "results" / "published"
OPTIONS = {"bbox_inches": "tight", "metadata": {"Date": None}}


def draw() -> None:
    """Each figure as an SVG with a white background, so that it can be read on a dark page, too."""
    memory = harness.load(RUNS / "memory")
    memory = gradients(memory)
    heun = memory[(memory["scheme"] == "heun") | (memory["approach"] == "reversible")]
    heun = heun[heun["backend"].isin(["torch", "jax", "torchsde"])]
    harness.figures.scaling(heun, y="peak_bytes").savefig(HERE / "memory.svg", **OPTIONS)
    harness.figures.pareto(memory, where={"steps": 2048}).savefig(HERE / "pareto.svg", **OPTIONS)


if __name__ == "__main__":
    draw()
