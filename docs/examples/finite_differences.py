"""A third-party gradient method: central finite differences with common noise, in numpy."""

import numpy as np

from harness import AbstractGradientMethod, Gradient, Terms
from harness.initial import initial_values

EPS = 1e-5


class FiniteDifferences(AbstractGradientMethod):
    name = "example/finite-differences"
    framework = "numpy"
    summary = "central differences, the same noise on both sides"

    def unsupported(self, case):
        if case.dtype != "float64":
            return "differences of float32 losses are mostly rounding"
        return None if case.brownian == "shared" or case.noise == "none" else "it has no sampler of its own"

    def build(self, problem, scheme, case, path):
        y0, theta = initial_values(problem, case.batch, case.seed)
        dW = [None] * case.steps if path is None else path.increments(case.steps)[0]
        dt = (problem.t1 - problem.t0) / case.steps

        def loss(y0, theta):
            terms = Terms(np, problem, theta)
            state, ys = scheme.init(terms, problem.t0, y0), []
            for n in range(case.steps):
                state = scheme.step(terms, problem.t0 + n * dt, dt, state, dW[n])
                if (n + 1) % (case.steps // case.observations) == 0:
                    ys.append(state[0])
            return problem.loss(np, np.stack(ys))

        def slope(index, value, rebuild):
            ends = []
            for sign in (1, -1):
                moved = value.copy()
                moved[index] += sign * EPS
                ends.append(loss(*rebuild(moved)))
            return (ends[0] - ends[1]) / (2 * EPS)

        def differences(value, rebuild):
            return np.array([slope(i, value, rebuild) for i in np.ndindex(value.shape)]).reshape(value.shape)

        def run():
            bars = {k: differences(v, lambda x, k=k: (y0, {**theta, k: x})) for k, v in theta.items()}
            return Gradient(loss(y0, theta), bars, differences(y0, lambda x: (x, theta)))

        return run
