"""The models of docs/examples, by their library: what the harness adds to a script that calls the library itself."""

from __future__ import annotations

import pytest
import torch
from model_examples import EXAMPLES, case_of, found, path_for, script, values_of

from harness.models.facts import ModelFacts
from harness.models.torch.subject import TorchModelSubject
from harness.registry import Registry

STEPS = {"latent_sde": 64, "cnf": 16, "cnf-hutchinson": 16, "conv_ode": 16, "generator": 64, "neural_cde": 19}


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module", params=EXAMPLES)
def example(request) -> tuple[str, ModelFacts]:
    """With the sizes that it has by default."""
    settings = {"trace": "hutchinson"} if request.param == "cnf-hutchinson" else {}
    return request.param, found(EXAMPLES[request.param], settings)


@pytest.mark.parametrize("by", ["harness", "script"])
@pytest.mark.parametrize("approach", ["backprop", "adjoint"])
def test_time(benchmark, example, approach, by):
    """A gradient, forwards and backwards."""
    name, facts = example
    (method,) = (m for m in EXAMPLES[name].methods if m.endswith(approach))
    case = case_of(facts, method, EXAMPLES[name].scheme, STEPS[name])
    path = path_for(facts)
    if by == "harness":
        gradient = TorchModelSubject(case, Registry.load(), values_of(facts), facts).build(path)
    else:
        gradient = script(facts, case, EXAMPLES[name], path)
    benchmark.group = f"{name}, {method}"
    benchmark(gradient)
