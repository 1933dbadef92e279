"""Where and when the suite was executed, and the suite itself."""

from __future__ import annotations

from markupsafe import Markup

from harness.report.tables import scrolling
from harness.report.trust import told
from harness.section import AbstractSection, Measurements
from harness.store import About


class Environment(AbstractSection):
    """A table an execution, and the suite's text."""

    name = "environment"
    title = "The environment"
    order = 100

    def html(self, measurements: Measurements) -> str:
        """Tables, and the suite folded away."""
        tables = Markup("").join(_table(execution) for execution in measurements.executions)
        text = measurements.executions[-1]["suite_text"]
        return tables + Markup("<details><summary>The suite</summary><pre>{}</pre></details>").format(text)


def _table(execution: About) -> Markup:
    rows = Markup("").join(
        Markup('<tr><th scope="row">{}</th><td class="wrap">{}</td></tr>\n').format(name, words)
        for name, words in _rows(execution).items()
    )
    table = Markup('<table class="environment"><tbody>\n{}</tbody></table>').format(rows)
    return scrolling(table, f"Table: environment of {execution['time']}")


def _rows(execution: About) -> dict[str, str]:
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
        "time": execution["time"],
        "machine": "; ".join(machine),
        "versions": ", ".join([f"Python {execution['python']}", *versions]),
        "settings": ", ".join([f"seed {execution['seed']}", *variables]),
        "warnings": told(execution),
        "revision": execution["git_revision"] or "not in a git checkout",
    }
