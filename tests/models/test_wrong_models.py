"""Mistakes in a model and on the command line: one clear line each, and the lines of the author's own file."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from commands import Done, command

from harness.errors import InputError
from harness.models.choice import Asked, choose
from harness.models.facts import ModelFacts
from harness.registry import Registry
from harness.runner.model_probe import ModelProbe, Refused
from harness.trial import prepare

HEAD = """
import torch, harness
from torch import nn

class SDE(nn.Module):
    noise_type, sde_type = "diagonal", "ito"
    def __init__(self):
        super().__init__()
        self.net = nn.Linear(2, 2)
    def f(self, t, y):
        return self.net(y)
    def g(self, t, y):
        return 0.1 * y
    def h(self, t, y):
        return -y

ts = torch.linspace(0, 1, 3)
y0 = torch.ones(3, 2)
"""


def sde(
    body: str = "pass",
    *,
    solve: str = "solve.sdeint(sde, y0, ts)",
    loss: str = "ys.square().mean()",
    params: str = "sde.parameters()",
    before: str = "pass",
) -> str:
    """A file with a model of an SDE: its own class's body, its call of solve, its loss and parameters."""
    lines = "\n    ".join(body.split("\n"))
    return f"""{HEAD}
class Own(SDE):
    {lines}

@harness.torch.model
def model(solve, *, size=3, rate=0.5, name="a"):
    sde = Own()
    {before}
    def loss():
        ys = {solve}
        return {loss}
    return loss, {params}
"""


def ode(f: str = "net(y)", y0: str = "y0", how: str = "", loss: str = "ys.square().mean()") -> str:
    """A file with a model of an ODE."""
    return f"""{HEAD}
@harness.torch.model
def model(solve):
    net = nn.Linear(2, 2)
    def f(t, y):
        return {f}
    def loss():
        ys = solve.odeint(f, {y0}, ts{how})
        return {loss}
    return loss, net.parameters()
"""


def function(signature: str, body: str = "pass") -> str:
    """A file with a function of one's own."""
    return f"{HEAD}\n@harness.torch.model\ndef model({signature}):\n    {body}\n"


@dataclass(frozen=True)
class Wrong:
    """A file, words of the message that it brings about, and words of the author's lines beneath it."""

    text: str
    words: tuple[str, ...]
    lines: str = ""


OWN_LOGQP = "solve.sdeint(sde, y0, ts, logqp=True)[0]"
SUMMED = "sum(p.sum() for p in sde.parameters())"
ROOT = "s = nn.Parameter(torch.zeros(2))"
WRONG = {
    # f, g, h
    "f of another shape": Wrong(sde("def f(self, t, y): return y.sum(1)"), ("f must give", "(3, 2)", "(3,)")),
    "f that broadcasts": Wrong(sde("def f(self, t, y): return y[:1]"), ("f must give", "(1, 2)")),
    "f returns nothing": Wrong(sde("def f(self, t, y): self.net(y)"), ("f must give a tensor", "NoneType"), "sdeint"),
    "f returns a number": Wrong(sde("def f(self, t, y): return 0.0"), ("f must give a tensor", "float")),
    "f in float64": Wrong(sde("def f(self, t, y): return y.double()"), ("f must give", "float32", "float64")),
    "f complex": Wrong(sde("def f(self, t, y): return y + 0j"), ("f must give", "float32", "complex64")),
    "f raises": Wrong(
        sde("def f(self, t, y):\n    return y @ torch.ones(7)"), ("RuntimeError", "size"), "return y @ torch.ones(7)"
    ),
    "f raises a ValueError": Wrong(sde("def f(self, t, y):\n    raise ValueError('mine')"), ("mine",), "raise Value"),
    "f calls itself": Wrong(sde("def f(self, t, y): return self.f(t, y)"), ("RecursionError",), "in f"),
    "f without t": Wrong(sde("def f(self, y): return y"), ("TypeError", "positional arguments"), "solve.sdeint"),
    "g of another shape": Wrong(sde("def g(self, t, y): return y[:, :, None]"), ("g of diagonal", "(3, 2, 1)")),
    "g returns nothing": Wrong(sde("def g(self, t, y): pass"), ("g must give a tensor", "NoneType")),
    "g of general noise flat": Wrong(
        sde("noise_type = 'general'\ndef g(self, t, y): return y"), ("g of general", "(3, 2, m)", "(3, 2)")
    ),
    "g of scalar noise with two columns": Wrong(
        sde("noise_type = 'scalar'\ndef g(self, t, y): return torch.ones(3, 2, 2)"), ("(3, 2, 1)", "(3, 2, 2)")
    ),
    "g without columns": Wrong(
        sde("noise_type = 'general'\ndef g(self, t, y): return torch.ones(3, 2, 0)"), ("(3, 2, m)", "(3, 2, 0)")
    ),
    "additive noise that reads the state": Wrong(
        sde("noise_type = 'additive'\ndef g(self, t, y): return y[:, :, None]"), ("additive", "general", "depends")
    ),
    "no g": Wrong(sde("g = None"), ("must have", "g(t, y)"), "solve.sdeint"),
    "no h": Wrong(sde("h = None", solve=OWN_LOGQP), ("logqp", "h(t, y)")),
    "h of another shape": Wrong(sde("def h(self, t, y): return y[0]", solve=OWN_LOGQP), ("h must", "(3, 2)", "(2,)")),
    "h returns a pair": Wrong(sde("def h(self, t, y): return y, y", solve=OWN_LOGQP), ("h must give a tensor",)),
    "f_and_g gives one": Wrong(sde("def f_and_g(self, t, y): return self.net(y)"), ("f_and_g must give a pair",)),
    "f_and_g of another shape": Wrong(
        sde("def f_and_g(self, t, y): return self.net(y), y[:, :, None]"), ("f_and_g must give a pair",)
    ),
    "f_and_g gives another f": Wrong(
        sde("def f_and_g(self, t, y): return 2 * self.net(y), y"), ("f_and_g gives another f",)
    ),
    "no noise_type": Wrong(sde("noise_type = None"), ("noise_type", "additive, scalar, diagonal, general", "None")),
    "noise_type misspelt": Wrong(sde("noise_type = 'diag'"), ("noise_type", "diagonal", "'diag'")),
    "sde_type misspelt": Wrong(sde("sde_type = 'Ito'"), ("sde_type", "ito, stratonovich", "'Ito'")),
    "a function as an SDE": Wrong(sde(solve="solve.sdeint(lambda t, y: y, y0, ts)"), ("noise_type",)),
    "f of an ODE of another shape": Wrong(ode("y[:, :1]"), ("f must give", "(3, 1)")),
    "f of an ODE gives a pair": Wrong(ode("(y, y)"), ("f must give a tensor", "tuple")),
    "f of a pair gives a tensor": Wrong(ode("y[0]", "(y0, y0)", loss="ys[0].mean()"), ("(3, 2), (3, 2)",)),
    # random numbers and what is kept between calls
    "f draws": Wrong(sde("def f(self, t, y): return self.net(y) + torch.randn(2)"), ("f gives another", "before the")),
    "dropout in f": Wrong(sde("def f(self, t, y): return nn.functional.dropout(self.net(y))"), ("f gives", "dropout")),
    "g draws": Wrong(sde("def g(self, t, y): return torch.rand_like(y)"), ("g gives another value",)),
    "f counts": Wrong(sde("n = 0\ndef f(self, t, y):\n    self.n += 1\n    return self.n * self.net(y)"), ("f gives",)),
    "f changes the state": Wrong(sde("def f(self, t, y): return self.net(y.mul_(0.5))"), ("f changes the state",)),
    "a loss that counts": Wrong(
        sde(before="calls = []", loss="ys.mean() * (calls.append(1) or len(calls))"), ("two evaluations", "differ")
    ),
    "a generator of one's own": Wrong(
        sde(before="rng = torch.Generator()", solve="solve.sdeint(sde, y0 + torch.rand(3, 2, generator=rng), ts)"),
        ("two evaluations", "y0 of the solve is another one"),
    ),
    "data drawn without the seed": Wrong(
        sde(before="import numpy; x = float(numpy.random.default_rng().random())", loss="ys.mean() * x"),
        ("another one when the model is built again", "seeded"),
    ),
    "an optimiser's step in the loss": Wrong(
        sde(before="o = torch.optim.SGD(sde.parameters(), 1)", loss="[x := ys.mean(), x.backward(), o.step()][0]"),
        ("two evaluations", "differ"),
    ),
    # y0 and times
    "y0 of one axis": Wrong(sde(solve="solve.sdeint(sde, y0[0], ts)"), ("y0", "(batch, dim)", "(2,)")),
    "y0 a list": Wrong(sde(solve="solve.sdeint(sde, [1.0, 2.0], ts)"), ("y0", "tensor", "list")),
    "y0 of integers": Wrong(sde(solve="solve.sdeint(sde, y0.long(), ts)"), ("y0", "int64", "float32")),
    "y0 of integers in an ODE": Wrong(ode(y0="y0.long()"), ("y0", "int64", "float32")),
    "half precision": Wrong(sde(solve="solve.sdeint(sde.half(), y0.half(), ts)"), ("y0", "float16", "float32")),
    "bfloat16": Wrong(sde(solve="solve.sdeint(sde.bfloat16(), y0.bfloat16(), ts)"), ("y0", "bfloat16", "float32")),
    "y0 complex": Wrong(ode("y", "y0 + 0j"), ("y0", "complex64", "float32")),
    "no samples": Wrong(sde(solve="solve.sdeint(sde, y0[:0], ts)"), ("y0", "(0, 2)", "at least one")),
    "y0 in float64": Wrong(sde(solve="solve.sdeint(sde, y0.double(), ts)"), ("RuntimeError", "dtype"), "self.net(y)"),
    "y0 of nothing": Wrong(ode(y0="None"), ("y0", "tensor", "NoneType")),
    "parts of two dtypes": Wrong(ode("y", "(y0, y0.double())", loss="ys[0].mean()"), ("y0", "one dtype")),
    "times unsorted": Wrong(sde(solve="solve.sdeint(sde, y0, ts[[0, 2, 1]])"), ("ts", "strictly increasing")),
    "times that decrease in an SDE": Wrong(sde(solve="solve.sdeint(sde, y0, ts.flip(0))"), ("strictly increasing",)),
    "times to and fro": Wrong(ode(how="[[2, 0, 1]]"), ("t is [1.0, 0.0, 0.5]", "all increase or all decrease")),
    "one time": Wrong(sde(solve="solve.sdeint(sde, y0, ts[:1])"), ("ts", "at least two")),
    "a time twice": Wrong(sde(solve="solve.sdeint(sde, y0, [0.0, 1.0, 1.0])"), ("ts", "strictly increasing")),
    "a time that is none": Wrong(sde(solve="solve.sdeint(sde, y0, ts * torch.nan)"), ("ts", "finite")),
    "times of two axes": Wrong(sde(solve="solve.sdeint(sde, y0, ts[None])"), ("ts", "sequence")),
    "no times": Wrong(sde(solve="solve.sdeint(sde, y0)"), ("TypeError", "'ts'"), "solve.sdeint(sde, y0)"),
    "times as parameters": Wrong(
        sde(before="s = nn.Parameter(ts)", solve="solve.sdeint(sde, y0, s)"), ("times require a gradient", "detach")
    ),
    # other arguments of solve
    "bm": Wrong(sde(solve="solve.sdeint(sde, y0, ts, bm=1)"), ("leave out bm",), "bm=1"),
    "event_fn": Wrong(ode(how=", event_fn=lambda t, y: y.sum()"), ("event_fn",)),
    "an argument that torchsde lacks": Wrong(sde(solve="solve.sdeint(sde, y0, ts, steps=3)"), ("argument steps",)),
    "extra": Wrong(sde(solve="solve.sdeint(sde, y0, ts, extra=True)"), ("argument extra",)),
    "dt zero": Wrong(sde(solve="solve.sdeint(sde, y0, ts, dt=0)"), ("dt is 0", "above 0")),
    "dt text": Wrong(sde(solve="solve.sdeint(sde, y0, ts, dt='0.1s')"), ("dt is '0.1s'", "number")),
    "step_size negative": Wrong(ode(how=", options={'step_size': -1}"), ("step_size", "-1", "above 0")),
    "rtol text": Wrong(ode(how=", rtol='small'"), ("rtol is 'small'", "a number")),
    "options a list": Wrong(ode(how=", options=[1]"), ("options is [1]", "dictionary")),
    "method a number": Wrong(ode(how=", method=4"), ("method is 4", "name")),
    "adjoint_params of numbers": Wrong(sde(solve="solve.sdeint(sde, y0, ts, adjoint_params=[1])"), ("tensors",)),
    "unknown names": Wrong(sde(solve="solve.sdeint(sde, y0, ts, names={'dift': 'f'})"), ("'dift'", "drift")),
    "solve.sdeint_adjoint": Wrong(sde(solve="solve.sdeint_adjoint(sde, y0, ts)"), ("solve.sdeint", "solve.odeint")),
    # the loss
    "loss of many entries": Wrong(sde(loss="ys.square()"), ("shape (3, 3, 2)", "scalar")),
    "loss a number": Wrong(sde(loss="ys.mean().item()"), ("needed: a tensor",)),
    "loss nothing": Wrong(sde(loss="None"), ("loss is None", "tensor")),
    "loss nan": Wrong(sde(loss="ys.mean() * float('nan')"), ("loss is nan",)),
    "loss infinite": Wrong(sde(loss="ys.mean() / 0"), ("loss is",)),
    "loss of integers": Wrong(sde(loss="ys.mean().long()"), ("int64", "real")),
    "loss detached": Wrong(sde(loss="ys.detach().mean()"), ("no gradient",)),
    "gradient infinite": Wrong(
        sde(before=ROOT, loss="ys.mean() + s.abs().sqrt().sum()", params="{'s': s, 'w': sde.net.weight}"),
        ("gradient", "isn't finite", "s"),
    ),
    "loss that ignores the states": Wrong(sde(loss=SUMMED), ("doesn't depend on the states",)),
    "states detached": Wrong(sde(loss=f"ys.detach().mean() + {SUMMED}"), ("doesn't depend on the states", "detached")),
    "loss that doesn't solve": Wrong(sde(solve=SUMMED, loss="ys"), ("doesn't call solve", "solve.sdeint")),
    "two solves": Wrong(sde(loss="(ys + solve.sdeint(sde, y0, ts)).mean()"), ("calls solve 2 times", "one call")),
    "solves in a loop": Wrong(
        sde(solve="torch.stack([solve.sdeint(sde, y0, ts) for _ in range(3)])"), ("calls solve 3 times",)
    ),
    "a solve while building": Wrong(sde(before="ys = solve.sdeint(sde, y0, ts)"), ("while it is built", "within")),
    "y0 computed while building": Wrong(
        sde(before="z0 = sde.net(y0)", solve="solve.sdeint(sde, z0, ts)"), ("computed from the parameters outside",)
    ),
    "backward in the loss": Wrong(sde(loss="(lambda x: (x.backward(), x)[1])(ys.mean())"), ("backward",)),
    "loss with an argument": Wrong(function("solve", "return lambda x: x, [nn.Parameter(y0)]"), ("TypeError", "'x'")),
    "a name that isn't there": Wrong(sde(loss="yss.mean()"), ("NameError", "'yss'"), "return yss.mean()"),
    "logqp's pair as one": Wrong(
        sde(solve="solve.sdeint(sde, y0, ts, logqp=True)", loss="ys.mean()"), ("'tuple'", "'mean'"), "ys.mean()"
    ),
    # parameters
    "no parameters": Wrong(sde(params="[]"), ("no parameter", "model.parameters()")),
    "parameters exhausted": Wrong(sde(before="p = sde.parameters(); list(p)", params="p"), ("no parameter",)),
    "parameters none": Wrong(sde(params="None"), ("parameters of model are None", "model.parameters()")),
    "a method as parameters": Wrong(sde(params="sde.parameters"), ("bound method", "model.parameters()")),
    "one tensor as parameters": Wrong(sde(params="sde.net.weight"), ("needed: tensors",)),
    "numbers as parameters": Wrong(sde(params="[1.0, 2.0]"), ("1.0", "tensor")),
    "a computed parameter": Wrong(sde(params="[2 * sde.net.weight]"), ("computed from others", "leaves")),
    "frozen parameters alone": Wrong(sde(params="[p.detach() for p in sde.parameters()]"), ("no parameter",)),
    "a state_dict": Wrong(sde(params="sde.state_dict()"), ("no parameter that requires a gradient",)),
    "complex parameters": Wrong(sde(params="[nn.Parameter(y0 + 0j), *sde.parameters()]"), ("complex64", "real")),
    "a device that isn't there": Wrong(sde(before="sde.to('xpu')"), ("Error",), "sde.to('xpu')"),
    "a device without data": Wrong(sde(solve="solve.sdeint(sde, y0.to('meta'), ts)"), ("meta",), "self.net(y)"),
    # the function
    "returns nothing": Wrong(function("solve"), ("must return a pair", "None")),
    "returns the loss alone": Wrong(function("solve", "return lambda: 1"), ("must return a pair",)),
    "returns three": Wrong(function("solve", "return 1, 2, 3"), ("must return a pair", "(1, 2, 3)")),
    "returns a module": Wrong(function("solve", "return SDE()"), ("must return a pair", "SDE")),
    "returns them swapped": Wrong(function("solve", "return SDE().parameters(), lambda: 1"), ("must return a pair",)),
    "no argument": Wrong(function(""), ("`solve`", "first argument"), "@harness.torch.model"),
    "solve as a keyword": Wrong(function("*, solve"), ("`solve`", "first argument")),
    "a setting without a default": Wrong(function("solve, *, batch"), ("batch needs a default", "batch=32")),
    "a setting that is a list": Wrong(function("solve, *, sizes=[1, 2]"), ("sizes", "[1, 2]", "a number")),
    "a setting that is None": Wrong(function("solve, *, size=None"), ("size is None", "a number")),
    "any settings": Wrong(function("solve, **how"), ("how needs a default",)),
    "a class": Wrong(f"{HEAD}\n@harness.torch.model\nclass model: pass\n", ("decorates a function", "class")),
    "a module": Wrong(f"{HEAD}\nmodel = harness.torch.model(SDE())\n", ("decorates a function", "SDE")),
    "raises": Wrong(sde(before="assert size == 4"), ("AssertionError",), "assert size == 4"),
    "raises a KeyError": Wrong(sde(before="{}['key']"), ("KeyError: 'key'",), "{}['key']"),
    "raises a ValueError": Wrong(sde(before="raise ValueError('mine')"), ("ValueError: mine",), "raise ValueError"),
    "exits": Wrong(sde(before="raise SystemExit(4)"), ("SystemExit: 4",), "raise SystemExit(4)"),
    # the file
    "undecorated": Wrong("def model(solve): pass\n", ("is no model", "@harness.torch.model")),
    "another name": Wrong(f"{HEAD}\n@harness.torch.model\ndef modle(solve): pass\n", ("'model'", "'modle'")),
    "no model": Wrong("import harness\n", ("declares no model", "@harness.torch.model")),
    "syntax": Wrong("def model(solve:\n    pass\n", ("SyntaxError", "never closed"), "def model(solve:"),
    "indentation": Wrong("def model(solve):\npass\n", ("IndentationError", "line 2"), "pass"),
    "an import that isn't there": Wrong("import not_there_at_all\n", ("ModuleNotFoundError",), "import not_there"),
    "raises while imported": Wrong("raise ValueError('no\\ndata')\n", ("ValueError: no data",), "raise ValueError"),
    "exits while imported": Wrong("import sys\nsys.exit(3)\n", ("SystemExit: 3",), "sys.exit(3)"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where the files are."""
    return tmp_path_factory.mktemp("models")


def found(folder: Path, text: str, spec: str = "mine.py:model") -> dict[str, ModelFacts] | Refused:
    """What the harness finds of the model in a file, in this process."""
    (folder / "mine.py").write_text(text)
    out = sys.stdout
    try:
        return ModelProbe().found(spec, folder, 0, "cpu")
    finally:
        sys.stdout = out


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_wrong_model_is_refused_in_a_line(folder, wrong):
    refused = found(folder, wrong.text)
    assert isinstance(refused, Refused)
    assert "\n" not in refused.message
    assert all(word in refused.message for word in wrong.words), refused.message
    assert wrong.lines in refused.lines
    assert not any("/harness/" in line for line in refused.lines.splitlines())


def test_a_model_that_is_right_passes_the_same_checks(folder):
    assert isinstance(found(folder, sde()), dict)
    assert isinstance(found(folder, ode()), dict)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("sise=3", ("'sise'", "did you mean 'size'?", "name, rate, size")),
        ("size=big", ("size", "an integer", "'big'")),
        ("size=1.5", ("size", "an integer", "'1.5'")),
        ("rate=fast", ("rate", "a finite number", "'fast'")),
        ("size=[]", ("size", "[]")),
        ("size=3, size=4", ("size", "twice")),
    ],
)
def test_a_wrong_setting_is_refused(folder, settings, words):
    refused = found(folder, sde(), f"mine.py:model({settings})")
    assert isinstance(refused, Refused)
    assert all(word in refused.message for word in words), refused.message


@pytest.mark.parametrize("spec", ["other.py:model", "not_a_package.there:model", ":model", "mine.py:"])
def test_a_place_that_is_not_there_is_refused(folder, spec):
    assert isinstance(found(folder, sde(), spec), Refused)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("cli.py",), ("cli.py", "FILE.py:NAME")),
        (("cli.py:model", "--set", "size"), ("--set", "size", "NAME=VALUE")),
        (("cli.py:model", "--steps", "0"), ("--steps", "given 0", "at least 1")),
        (("cli.py:model", "--dt", "-1"), ("--dt", "-1", "above 0")),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_built(tmp_path, arguments, words):
    refused(command(tmp_path, "try", *arguments), words)


def refused(done: Done, words: tuple[str, ...]) -> list[str]:
    """The lines on standard error, the first of which has these words."""
    lines = done.stderr.splitlines()
    assert done.returncode == 2, done.stderr
    assert lines[0].startswith("error: ")
    assert all(word in lines[0] for word in words), lines[0]
    assert "Traceback" not in done.stderr
    return lines


CLI = sde("def f(self, t, y):\n    return y @ torch.ones(7)")


@pytest.mark.parametrize(
    ("text", "arguments", "words", "beneath"),
    [
        (CLI, (), ("cli.py:model", "RuntimeError"), "return y @ torch.ones(7)"),
        (sde(before="import os; os._exit(5)"), (), ("cli.py:model", "exit code 5"), ""),
        (sde(), ("--steps", "7"), ("--steps", "given 7", "2 observation times", "a multiple of 2"), ""),
    ],
    ids=["f raises", "dies", "steps"],
)
def test_the_command_says_it_in_a_line(tmp_path, text, arguments, words, beneath):
    (tmp_path / "cli.py").write_text(text)
    lines = refused(command(tmp_path, "try", "cli.py:model", *arguments), words)
    assert beneath in "\n".join(lines[1:])


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"methods": ("torch/no-such",)}, ("--methods", "torch/no-such")),
        ({"methods": ("jax/backprop",)}, ("--methods", "jax/backprop", "torch")),
        ({"steps": (1,)}, ("--steps", "given 1", "a multiple of 2")),
    ],
)
def test_what_does_not_fit_the_model_is_refused(folder, asked, words):
    facts = found(folder, sde())
    assert isinstance(facts, dict)
    with pytest.raises(InputError) as error:
        choose(Asked("model", "mine.py:model", **asked), facts, Registry.load())
    assert all(word in str(error.value) for word in words), str(error.value)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"measure": ("speed",)}, ("--measure", "'speed'", "adjoint_error, error, memory, time")),
        ({"seed": -1}, ("--seed", "-1")),
        ({"minutes": float("nan")}, ("--minutes", "nan", "above 0")),
        ({"device": "tpu"}, ("--device", "'tpu'", "cpu, cuda")),
    ],
)
def test_what_no_model_can_be_asked_is_refused_before_it_is_built(tmp_path, asked, words):
    with pytest.raises(InputError) as error:
        prepare(Asked("model", "not_there.py:model", **asked), tmp_path)
    assert all(word in str(error.value) for word in words), str(error.value)


@pytest.fixture(autouse=True)
def one_thread():
    """The models are tiny."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
