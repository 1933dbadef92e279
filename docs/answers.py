"""What the published runs answer: a page of the site, made from their records."""

from __future__ import annotations

from pathlib import Path

from harness.report.answer.sentences import answer
from harness.report.read import read
from harness.section import Measurements
from harness.store import open_run

ROOT = Path(__file__).parent.parent
RUNS = sorted(path for path in (ROOT / "results/published").glob("*/*") if path.is_dir())
BEGIN = """# What the suites found

For each published run: the question of its suite, and the answer that its page gives. All sentences are made from the
records, and the whole page of a run is one click away. [What was measured](results.md) explains some of the runs.

"""


def answers() -> str:
    """A section for each published run."""
    return BEGIN + "\n".join(_section(folder) for folder in RUNS)


def _section(folder: Path) -> str:
    measurements, _ = read([open_run(folder)], plugins=False)
    suite = measurements.suite
    picture = f"![The first screen of the page of {suite.name}](images/page-{suite.name}.png)"
    where = f"`results/published/{suite.name}/{folder.name}`, {_machine(measurements)}."
    lines = [f"## {suite.title}\n", f"Suite `{suite.name}`, run {where} [Open its page](pages/{suite.name}.html).\n"]
    return "\n".join([*lines, *(f"- {sentence}" for sentence in answer(measurements)), "", picture, ""])


def _machine(measurements: Measurements) -> str:
    newest = measurements.executions[-1]
    devices = dict.fromkeys([*measurements.machines, *newest["cuda_devices"].values()])
    return f"measured on {' with '.join(devices)}"
