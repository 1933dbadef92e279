"""The models of docs/examples, by their library: what the harness adds to a script that calls the library itself."""

from __future__ import annotations

import jax
import jax_examples
import jax_probed
import pytest
import torch
from model_examples import EXAMPLES, case_of, found, path_for, script, values_of

from harness.models.facts import ModelFacts
from harness.models.jax.instance import Instance
from harness.models.jax.subject import JaxModelSubject
from harness.models.torch.subject import TorchModelSubject
from harness.registry import Registry

STEPS = {"latent_sde": 64, "cnf": 16, "cnf-hutchinson": 16, "conv_ode": 16, "generator": 64, "neural_cde": 19}
JAX_STEPS = {"generator.py:generator": 64, "latent_sde_jax.py:latent_sde": 66}


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


@pytest.mark.parametrize("by", ["harness", "script"])
@pytest.mark.parametrize("spec", jax_examples.CASES)
def test_time_of_a_jax_example(benchmark, spec, by):
    """A gradient by diffrax in float32."""
    facts = jax_examples.found(spec, {})
    scheme, steps = jax_examples.CASES[spec][2], JAX_STEPS[spec]
    case = jax_probed.case_of(facts, "diffrax/recursive-checkpoint", scheme, steps)
    if by == "harness":
        instance = Instance(facts.source.model(), dict(facts.settings), 0)
        compiled = JaxModelSubject(case, Registry.load(), instance.values(), facts).build(jax_probed.path_for(facts))

        def gradient() -> object:
            return jax.block_until_ready(compiled().theta)
    else:
        gradient = jax_examples.script(facts, steps)
    gradient()
    benchmark.group = f"{spec}, diffrax"
    benchmark(gradient)
