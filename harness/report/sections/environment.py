"""Where and when the suite was executed, and the suite itself."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from harness.report.format import listing
from harness.report.tables import scrolling
from harness.report.templating import render
from harness.report.trust import told
from harness.section import AbstractSection, Measurements
from harness.store import About


class Environment(AbstractSection):
    """A table an execution, the suite's text, and how it was measured. Workers that are alike share a table."""

    name = "environment"
    title = "The environment"
    order = 100

    def html(self, measurements: Measurements) -> str:
        """Tables; the suite and the methodology are folded away."""
        tables = Markup("").join(map(_table, _alike(measurements.executions)))
        text = measurements.executions[-1]["suite_text"]
        suite = Markup("<details><summary>The suite</summary><pre>{}</pre></details>\n").format(text)
        return tables + suite + Markup(render("methodology.html"))


def _alike(executions: Sequence[About]) -> list[list[About]]:
    """The executions, those together that have the same rows and are of workers of a cluster."""
    found: dict[object, list[About]] = {}
    for number, execution in enumerate(executions):
        key = tuple(_same(execution).items()) if "worker" in execution else number
        found.setdefault(key, []).append(execution)
    return list(found.values())


def _table(executions: Sequence[About]) -> Markup:
    rows = Markup("").join(
        Markup('<tr><th scope="row">{}</th><td class="wrap">{}</td></tr>\n').format(name, words)
        for name, words in _rows(executions).items()
    )
    table = Markup('<table class="environment"><tbody>\n{}</tbody></table>').format(rows)
    return scrolling(table, f"Table: environment of {executions[0]['time']}")


def _rows(executions: Sequence[About]) -> dict[str, str]:
    first, *others = executions
    if "worker" not in first:
        return {"time": first["time"], **_same(first), "warnings": told(first)}
    warnings = [f"{one['worker']}: {told(one)}" for one in executions if one.get("warnings")]
    return {
        "time": f"{first['time']} to {others[-1]['time']}" if others else first["time"],
        "workers": listing([f"{one['worker']} on {one['host']}" for one in executions]),
        **_same(first),
        "warnings": "; ".join(warnings) or "none",
    }


def _same(execution: About) -> dict[str, str]:
    """What workers that share a table have in common."""
    versions = (f"{name} {version}" for name, version in execution["packages"].items() if version)
    variables = (f"{name}={value}" for name, value in execution["variables"].items() if value is not None)
    machine = [
        execution["processor"],
        f"{execution['usable_cores']} usable cores of {execution['logical_cores']}",
        f"{execution['memory_bytes'] / 2**30:.1f} GiB",
        execution["platform"],
        *(f"{name} ({framework})" for framework, name in execution["cuda_devices"].items()),
    ]
    return {
        "machine": "; ".join(machine),
        "versions": ", ".join([f"Python {execution['python']}", *versions]),
        "settings": ", ".join([f"seed {execution['seed']}", *variables]),
        "revision": execution["git_revision"] or "not in a git checkout",
    }
