"""How large pages are. How long they take is measured by tests/benchmarks/pages.py."""

from __future__ import annotations

from many_records import SUITE, run_of

from harness.figure import Scaling
from harness.frames import load
from harness.record import Measured, Record
from harness.report.figures import MOST_MARKS, draw
from harness.report.page import write_report
from harness.store import new_run


def test_a_page_of_a_thousand_records(tmp_path):
    run = run_of(tmp_path / "results", 1000, only_figures(SUITE, "peak_bytes", "speedups"))
    page = write_report(run, tmp_path / "report")
    assert page.stat().st_size < 3_000_000


def only_figures(suite: str, *words: str) -> str:
    """The suite with the figures that have one of these words. Each takes a second to draw."""
    lines = [line for line in suite.splitlines() if "figure:" not in line or any(word in line for word in words)]
    return "\n".join(lines)


def test_a_panel_of_many_marks_is_one_picture(tmp_path, make_case):
    """The same points twice: few of them as vectors, many as pixels; texts stay texts."""
    run = new_run(tmp_path, "tiny")
    run.add_execution("tiny", {})
    count = MOST_MARKS // 6
    for steps in range(1, count + 1):
        record = Record(
            run=run.id, suite="tiny", case=make_case(steps=steps), status="ok", measured=Measured(peak_bytes=steps)
        )
        run.append(record)
    frame = load(run.folder)
    figure = Scaling(figure="scaling", y="peak_bytes")
    few = draw(figure, frame)
    many = draw(figure, frame.loc[frame.index.repeat(7)].assign(dim=[k % 7 for k in range(7 * count)]))
    assert few
    assert many
    assert few.svg.count("<image") == 0
    assert many.svg.count("<image") == 1
    assert few.svg.count("<use") >= count > many.svg.count("<use")
    assert ">steps</text>" in many.svg
