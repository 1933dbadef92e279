"""The page of a run or of several, one file that needs no network, and the index of all pages."""

from __future__ import annotations

import html
import json
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from markupsafe import Markup

from harness.errors import described
from harness.report.answer.regimes import words_of
from harness.report.read import read
from harness.report.templating import render, script
from harness.report.trust import machine, unfinished
from harness.report.visible import visible
from harness.section import AbstractSection, Measurements
from harness.store import About, Run
from harness.written import write_text


@dataclass(frozen=True)
class Part:
    """A section as the page shows it: its HTML, or why there is none."""

    name: str
    title: str
    html: str
    fault: str


def write_report(runs: Run | Sequence[Run], folder: Path, *, plugins: bool = False) -> Path:
    """Write `folder/<suite>.html` and `folder/index.html`; return the page's path.

    `plugins` imports those of the suite, whose sections and theory the page then has; else the page says that they are
    missing.
    Several runs have a page of their own, `<suite>.merged.html`, as has a run of a part of the suite (`--only`),
    `<suite>.only.html`: that of a whole run stays. Raises InputError where the runs are of several suites.
    """
    runs = [runs] if isinstance(runs, Run) else sorted(runs, key=lambda run: run.id)
    part = sorted({text for run in runs for text in only(run.about())}) if all(only(r.about()) for r in runs) else []
    measurements, missing = read(runs, plugins=plugins)
    suite, machines = measurements.suite, measurements.machines
    commands = dict.fromkeys(command(execution) for run in runs for execution in run.about()["executions"])
    made = [_part(section, measurements) for section in measurements.registry.sections()]
    counts = Counter(measurements.frame["status"])
    of_runs = f"{len(runs)} runs" if len(runs) > 1 else ""
    name = ", ".join(filter(None, [suite.name, of_runs, "a part" if part else ""]))
    page = render(
        "page.html",
        suite=suite,
        runs=[run.id for run in runs],
        execution=measurements.executions[-1],
        machines=machines,
        shared=shared(measurements.frame),
        commands=[words for words in commands if words],
        only=part,
        trust=machine(measurements),
        unfinished=unfinished(measurements) if len(runs) == 1 else "",
        counts=sorted(counts.items()),
        missing=missing,
        parts=[part for part in made if part.html or part.fault],
        meta=json.dumps(
            {
                "name": name,
                "title": suite.title,
                "run": ", ".join(run.id for run in runs),
                "cases": counts.total(),
                "machine": "; ".join(machines) or measurements.executions[-1]["processor"],
            }
        ),
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{suite.name}{'.merged' if of_runs else ''}{'.only' if part else ''}.html"
    write_text(path, visible(page))
    write_index(folder)
    return path


def _part(section: AbstractSection, measurements: Measurements) -> Part:
    """A section may be somebody else's code: whatever it raises costs no more than itself."""
    try:
        return Part(section.name, section.title, Markup(section.html(measurements)), "")
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return Part(section.name, section.title, "", described(error))


PLACES = ("--results", "--report", "--executor", "--scheduler")
GOES_ON = ("--resume", "--retry-failed")
"""The options that say where a run is measured and where its results are written."""


def command(execution: About) -> str:
    """The command that measured the run, "" where it was measured from Python.

    Where it measured and wrote is left out, and that it went on with a run: whoever repeats it has other folders and
    machines, and begins.
    """
    program, *given = execution.get("arguments") or [""]
    arguments = [
        word
        for before, word in zip(["", *given], given, strict=False)
        if before not in PLACES and word.partition("=")[0] not in (*PLACES, *GOES_ON)
    ]
    name = Path(program).name
    if name == "__main__.py":
        return shlex.join(["python", "-m", "harness", *arguments])
    return shlex.join([name, *arguments]) if name == "gradient-harness" else ""


def only(about: About) -> list[str]:
    """What a run was restricted to, where it never was executed as a whole."""
    parts = [execution.get("only", []) for execution in about["executions"]]  # runs of earlier versions don't say
    return [] if [] in parts else sorted({text for part in parts for text in part})


TOLD = ("problem", "noise", "calculus", "scheme", "dim", "batch", "steps", "dtype", "device")
"""The axes that say what was solved, in the order in which a person would."""


def shared(frame: pd.DataFrame) -> str:
    """What all cases have in common, in words: neural, diagonal noise, dim 10. "" where there is nothing."""
    same = {axis: frame[axis].iloc[0] for axis in TOLD if len(frame) and frame[axis].nunique(dropna=False) == 1}
    return ", ".join(words_of(same, list(same)))


def write_index(folder: Path) -> None:
    """List the pages in a folder. Each page carries what the index says of it, in a meta element.

    Pages of earlier versions don't name their machine. Files that aren't pages of the harness are left out.
    """
    entries = []
    for path in sorted(folder.glob("*.html")):
        said = {} if path.name == "index.html" else _said_of(path)
        if said:
            entries.append({"file": path.name, "machine": "", **said})
    index = render("index.html", entries=entries, script=script("index.js"))
    write_text(folder / "index.html", visible(index))


def _said_of(path: Path) -> Mapping[str, str | int]:
    """What a page says of itself; empty where the file is none, or can't be read."""
    try:
        if not path.is_file():  # a pipe would never end
            return {}
        with path.open(encoding="utf-8", errors="replace") as file:
            head = file.read(4000)
        mark = '<meta name="gradient-harness" content="'
        said = json.loads(html.unescape(head.partition(mark)[2].partition('"')[0]))
    except (OSError, ValueError, RecursionError):
        return {}
    whole = isinstance(said, dict) and all(isinstance(said.get(key), str) for key in ("name", "title", "run"))
    return said if whole and isinstance(said.get("cases"), int) else {}
