"""A wrong gradient costs its own case, with a reason that says what is wrong; the others are measured."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import command
from faults.toys import newest, write_suite

WRONG = {
    "size": ("return Gradient(1.0, theta, np.ones(3, 'f'))", "shape (3,)"),
    "one-entry": ("return Gradient(1.0, {k: np.ones(1, 'f') for k in theta}, y0)", "shape (1,)"),
    "scalar": ("return Gradient(1.0, theta, 1.0)", "shape ()"),
    "a-list": ("return Gradient(1.0, theta, y0.tolist())", "list"),
    "ragged": ("return Gradient(1.0, theta, [[1.0], [1.0, 2.0]])", "can't be read as an array"),
    "missing": ("return Gradient(1.0, {}, y0)", "parameters none"),
    "extra": ("return Gradient(1.0, {**theta, 'z': y0}, y0)", "parameters A, z"),
    "odd-keys": ("return Gradient(1.0, {1: y0, 'A': y0}, y0)", "parameters 1, A"),
    "no-mapping": ("return Gradient(1.0, y0, y0)", "ndarray for theta"),
    "dtype": ("return Gradient(1.0, theta, y0.astype('d'))", "float64 in a case of float32"),
    "complex": ("return Gradient(1.0, theta, y0.astype('F'))", "complex64"),
    "complex-loss": ("return Gradient(1j, theta, y0)", "complex"),
    "object": ("return Gradient(1.0, theta, y0.astype(object))", "object"),
    "text": ("return Gradient('1.0', theta, y0)", "str"),
    "boolean": ("return Gradient(True, theta, y0)", "bool"),
    "nothing": ("return None", "NoneType"),
    "tuple": ("return 1.0, theta, y0", "tuple"),
    "evaluations": ("return Gradient(1.0, theta, y0, evaluations='many')", "evaluations"),
    "unprintable": (
        "raise type('Odd', (Exception,), {'__str__': lambda self: 1 / 0})()",
        "Odd: reading its message raises",
    ),
    "long": ("raise ValueError('x' * 10**7)", "ValueError: xxx"),
    "ends": ("sys.exit(0)", "SystemExit"),
    "ends-at-once": ("os._exit(0)", "exit code 0"),
    "closes": ("os.closerange(3, 100)", "exit code"),
}
NOT_FINITE = {"nan": "return Gradient(1.0, theta, y0 * np.nan)", "infinite": "return Gradient(np.inf, theta, y0)"}


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """The records of one run of all, by method; errors are measured too."""
    folder: Path = tmp_path_factory.mktemp("wrong")
    write_suite(
        folder,
        {name: body for name, (body, _) in WRONG.items()} | NOT_FINITE,
        measure="[time, error]",
    )
    done = command(folder, "run", "toy.yaml")
    assert done.returncode == 1, done.stderr
    return newest(folder)


@pytest.mark.parametrize("name", WRONG)
def test_the_case_fails_and_says_why(records, name):
    assert records[name]["status"] == "failed"
    assert WRONG[name][1] in records[name]["reason"]
    assert len(records[name]["reason"]) <= 500


@pytest.mark.parametrize("name", NOT_FINITE)
def test_what_is_not_finite_has_diverged(records, name):
    assert records[name]["status"] == "diverged"


def test_a_good_method_beside_them_is_measured(records):
    assert records["good"]["status"] == "ok"
    assert len(records["good"]["seconds"]) == 2
    assert len(records["good"]["gradient_error_theta"]) == 1
