"""The process that works for another machine, and what it finds out about its own."""

from __future__ import annotations

import pickle
import signal
from pathlib import Path

import psutil
import pytest
from faults.toys import write_suite

from harness import session
from harness.cluster.task import Keeper
from harness.errors import InputError
from harness.machines import facts
from harness.runner.request import Refused, Survey
from harness.site import Site
from harness.survey import survey


def test_a_survey_plans_as_a_local_run_does(tmp_path: Path):
    """And finds the same files. The site can be sent."""
    source = session.read(write_suite(tmp_path))
    here = session.plan(session.resolve(source))
    site: Site = pickle.loads(pickle.dumps(survey(source.suite, source.path)))
    assert site.plan == here.plan
    assert site.plugins == here.resolved.identity.plugins
    assert site.cases == frozenset(here.plan.cases)
    assert isinstance(site.environment["warnings"], list)
    assert facts(site.environment, site.host)["processor"] == site.environment["processor"]


@pytest.mark.parametrize("missing", ["toys.py", "mine.py"])
def test_files_that_another_machine_lacks_are_named(tmp_path: Path, missing):
    path = write_suite(tmp_path)
    path.write_text(path.read_text().replace("problem: linear", 'problem: [linear, "mine.py:thing(width=2)"]'))
    suite = session.read(path).suite
    (tmp_path / "mine.py").touch()
    (tmp_path / missing).unlink()
    with pytest.raises(InputError, match=rf"{missing}: there is no such file on this machine; needed: the same path"):
        survey(suite, path)


def test_a_worker_keeps_its_process_for_the_next_request_of_a_program(tmp_path: Path):
    """It has a new one for another program, and after one was cancelled or killed."""
    source = session.read(write_suite(tmp_path))
    survey = pickle.dumps(Survey(source.suite, source.path))
    keeper = Keeper()
    seen: list[int] = []
    answers: list[object] = []

    def processes() -> list[psutil.Process]:
        return [one for one in psutil.Process().children() if "harness.runner.remote" in one.cmdline()]

    def heard(answer: bytes) -> None:
        (process,) = processes()
        seen.append(process.pid)
        answers.append(pickle.loads(answer))

    def killing() -> bool:
        for process in processes():
            process.send_signal(signal.SIGKILL)
        return True

    try:
        assert keeper.do("one", survey, heard, lambda: True) == ""
        (tmp_path / "toys.py").unlink()
        assert keeper.do("one", survey, heard, lambda: True) == ""
        assert keeper.do("two", survey, heard, lambda: True) == ""
        assert keeper.do("two", survey, heard, lambda: False) == "it was cancelled"
        assert processes() == []
        assert keeper.do("two", survey, heard, killing) == "the process was ended by SIGKILL"
        assert processes() == []
    finally:
        keeper.close()
    first, second, third = seen
    assert first == second != third
    assert isinstance(answers[0], Site)
    assert all(isinstance(answer, Refused) and "toys.py" in answer.message for answer in answers[1:])


def test_what_a_request_raises_is_an_answer():
    """A defect costs the request, not the process."""
    keeper = Keeper()
    answers: list[object] = []

    def heard(answer: bytes) -> None:
        answers.append(pickle.loads(answer))

    try:
        for _ in range(2):
            assert keeper.do("one", pickle.dumps("no request"), heard, lambda: True) == ""
    finally:
        keeper.close()
    assert [type(answer) for answer in answers] == [Refused, Refused]
