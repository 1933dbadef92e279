"""ODEs whose gradients are known to more digits than float64 has, many of them at rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from harness.gradient_arrays import GradientArrays
from harness.problem import AbstractProblem

STEP = np.longdouble(1e-40)


@dataclass(frozen=True, kw_only=True)
class AbstractKnown(AbstractProblem):
    """A seed draws θ and y0. `flow` is the solution, or what it is to first order in θ and y0 about those values."""

    draw: int = 0

    t1: float = 3.0

    @classmethod
    def unsupported(cls, noise: str, calculus: str) -> str | None:
        return None if noise == "none" else "an ODE"

    @property
    def rng(self) -> np.random.Generator:
        return np.random.default_rng([self.draw, len(self.name)])

    def __hash__(self) -> int:
        """One compiled solve serves all draws of a class: they differ in their arrays alone."""
        return hash(type(self))

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def diffusion(self, xp: Any, t: Any, y: Any, theta: Any) -> Any:
        raise NotImplementedError

    def loss(self, xp: Any, ys: Any) -> Any:
        return ((ys[:, :, 0] + 0.5 * ys[:, :, -1]).sum(0)).mean()

    def flow(self, t: Any, y0: Any, theta: Any) -> Any:
        raise NotImplementedError

    def truth(self, observations: int) -> GradientArrays:
        """By complex steps in extended precision: no difference is taken, so that nothing cancels."""
        theta = {k: np.asarray(v).astype(np.clongdouble) for k, v in self.parameters(None).items()}  # type: ignore
        y0 = self.initial(None, 1).astype(np.clongdouble)  # type: ignore
        span = np.longdouble(self.t1) - np.longdouble(self.t0)
        ts = [np.longdouble(self.t0) + span * (k + 1) / observations for k in range(observations)]

        def loss(y0: Any, theta: Any) -> Any:
            return self.loss(np, np.stack([self.flow(t, y0, theta) for t in ts]))

        def derivative(array: np.ndarray) -> np.ndarray:
            found = np.zeros(array.shape)
            for place in np.ndindex(array.shape):
                kept = array[place]
                array[place] = kept + 1j * STEP
                found[place] = float(loss(y0, theta).imag / STEP)
                array[place] = kept
            return found

        thetas = {name: derivative(value) for name, value in theta.items()}
        return GradientArrays.of(float(loss(y0, theta).real), thetas, derivative(y0))


@dataclass(frozen=True, kw_only=True, eq=False)
class Spectrum(AbstractKnown):
    """y' = P B P⁻¹ y: B has a random pair of eigenvalues a ± ib, P is fixed."""

    name = "spectrum"
    P: ClassVar = np.array([[1.0, 0.5], [-0.25, 1.0]])

    def initial(self, normals: Any, batch: int) -> np.ndarray:
        return self.rng.normal(size=(batch, 2))

    def parameters(self, normals: Any) -> dict[str, np.ndarray]:
        return {"a": self.rng.uniform(-4, 1, ()), "b": np.array(self.rng.uniform(0, 20))}

    def drift(self, xp: Any, t: Any, y: Any, theta: Any) -> Any:
        x = y @ xp.asarray(np.linalg.inv(self.P).T)
        a, b = theta["a"], theta["b"]
        return xp.stack([a * x[:, 0] - b * x[:, 1], b * x[:, 0] + a * x[:, 1]], 1) @ xp.asarray(self.P.T)

    def flow(self, t: Any, y0: Any, theta: Any) -> Any:
        P = self.P.astype(np.longdouble)
        inverse = np.array([[P[1, 1], -P[0, 1]], [-P[1, 0], P[0, 0]]]) / (P[0, 0] * P[1, 1] - P[0, 1] * P[1, 0])
        x, grown = y0 @ inverse.T, np.exp(theta["a"] * t)
        c, s = np.cos(theta["b"] * t), np.sin(theta["b"] * t)
        return grown * np.stack([c * x[:, 0] - s * x[:, 1], s * x[:, 0] + c * x[:, 1]], 1) @ P.T


@dataclass(frozen=True, kw_only=True, eq=False)
class Equilibrium(AbstractKnown):
    """Lotka–Volterra, u' = a u − u v, v' = −a v + u v, at (a, a): the solution stands still."""

    name = "equilibrium"
    t1 = 10.0

    @property
    def a(self) -> float:
        return float(self.rng.uniform(0.5, 2))

    def initial(self, normals: Any, batch: int) -> np.ndarray:
        return np.full((batch, 2), self.a)

    def parameters(self, normals: Any) -> dict[str, np.ndarray]:
        return {"a": np.array(self.a)}

    def drift(self, xp: Any, t: Any, y: Any, theta: Any) -> Any:
        u, v = y[:, 0], y[:, 1]
        return xp.stack([theta["a"] * u - u * v, -theta["a"] * v + u * v], 1)

    def flow(self, t: Any, y0: Any, theta: Any) -> Any:
        a = np.longdouble(self.a)
        x = y0 - theta["a"]  # to first order x' = a (−x_v, x_u), whatever a is
        c, s = np.cos(a * t), np.sin(a * t)
        return theta["a"] + np.stack([c * x[:, 0] - s * x[:, 1], s * x[:, 0] + c * x[:, 1]], 1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Logistic(AbstractKnown):
    """y' = r y (1 − y/K) at its carrying capacity K."""

    name = "logistic"

    def initial(self, normals: Any, batch: int) -> np.ndarray:
        return np.tile(self.parameters(normals)["K"], (batch, 1))

    def parameters(self, normals: Any) -> dict[str, np.ndarray]:
        return {"r": np.exp(self.rng.uniform(-1, 3, 2)), "K": self.rng.uniform(0.5, 3, 2)}

    def drift(self, xp: Any, t: Any, y: Any, theta: Any) -> Any:
        return theta["r"] * y * (1 - y / theta["K"])

    def flow(self, t: Any, y0: Any, theta: Any) -> Any:
        r = theta["r"].real
        return theta["K"] + np.exp(-r * t) * (y0 - theta["K"])


@dataclass(frozen=True, kw_only=True, eq=False)
class Pendulum(AbstractKnown):
    """φ'' = −w² sin φ + τ with τ = 0: at rest below for even draws, at its unstable top for odd ones."""

    name = "pendulum"

    def initial(self, normals: Any, batch: int) -> np.ndarray:
        return np.tile([np.pi * (self.draw % 2), 0.0], (batch, 1))

    def parameters(self, normals: Any) -> dict[str, np.ndarray]:
        return {"w": np.array(self.rng.uniform(0.5, 3)), "torque": np.array(0.0)}

    def drift(self, xp: Any, t: Any, y: Any, theta: Any) -> Any:
        return xp.stack([y[:, 1], theta["torque"] - theta["w"] ** 2 * xp.sin(y[:, 0])], 1)

    def flow(self, t: Any, y0: Any, theta: Any) -> Any:
        w = theta["w"].real
        rest = np.pi * (self.draw % 2)
        sign = -1 if self.draw % 2 else 1
        c, s = (np.cosh(w * t), np.sinh(w * t)) if self.draw % 2 else (np.cos(w * t), np.sin(w * t))
        shift = sign * theta["torque"] / w**2
        x, v = y0[:, 0] - rest - shift, y0[:, 1]
        return np.stack([rest + shift + c * x + s * v / w, c * v - sign * w * s * x], 1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Late(AbstractKnown):
    """y' = −k y + a max(t − s, 0)³ from y0 = 0: nothing happens before s, which is late."""

    name = "late"

    def initial(self, normals: Any, batch: int) -> np.ndarray:
        return np.zeros((batch, 2))

    def parameters(self, normals: Any) -> dict[str, np.ndarray]:
        return {"k": self.rng.uniform(2, 5, 2), "a": self.rng.normal(size=2), "s": self.rng.uniform(1.5, 2.8, 2)}

    def drift(self, xp: Any, t: Any, y: Any, theta: Any) -> Any:
        late = t - theta["s"]
        return -theta["k"] * y + theta["a"] * xp.where(late > 0, late, 0.0) ** 3

    def flow(self, t: Any, y0: Any, theta: Any) -> Any:
        k, x = theta["k"], t - theta["s"]
        forced = x**3 / k - 3 * x**2 / k**2 + 6 * x / k**3 - 6 / k**4 + 6 * np.exp(-k * x) / k**4
        return y0 * np.exp(-k * t) + theta["a"] * np.where(x.real > 0, forced, 0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Stiff(AbstractKnown):
    """y' = −k (y − m t), k up to 1000: a fast decay to a line."""

    name = "stiff"

    def initial(self, normals: Any, batch: int) -> np.ndarray:
        return self.rng.normal(size=(batch, 2))

    def parameters(self, normals: Any) -> dict[str, np.ndarray]:
        return {"k": 10 ** self.rng.uniform(0, 3, 2), "m": self.rng.normal(size=2)}

    def drift(self, xp: Any, t: Any, y: Any, theta: Any) -> Any:
        return -theta["k"] * (y - theta["m"] * t)

    def flow(self, t: Any, y0: Any, theta: Any) -> Any:
        k, m = theta["k"], theta["m"]
        return m * (t - 1 / k) + np.exp(-k * t) * (y0 + m / k)


KNOWN = (Spectrum, Equilibrium, Logistic, Pendulum, Late, Stiff)
