"""Rößler's stochastic Runge–Kutta schemes of order 3/2."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.arithmetic import combine
from harness.arrays import A, Scalar
from harness.scheme import AbstractScheme, Noise, Orders, State
from harness.schemes._stochastic_runge_kutta import AbstractStochasticRungeKutta, Stage
from harness.terms import Terms

if TYPE_CHECKING:
    from jaxtyping import Float


class _SRA1(AbstractStochasticRungeKutta):
    """SRA1, for additive noise, its ∫W ds written as h (W/2 + H)."""

    noises = ("additive",)
    needs_levy_area = True
    stages = (
        Stage("g", 1.0),
        Stage("g", 0.0),
        Stage("f"),
        Stage("f", 0.75, a=(0.75,), w=(0.75,), h=(1.5,)),
    )
    b = (1 / 3, 2 / 3)
    b_w = (0.5, 0.5)
    b_h = (-1.0, 1.0)


_ADDITIVE = _SRA1()


class SRK(AbstractScheme):
    """Order 1½ for Itô SDEs with additive, scalar or diagonal noise, where g_i depends on y_i alone; else order ½.

    Rößler, "Runge–Kutta methods for the strong approximation of solutions of stochastic differential equations", SIAM
    J. Numer. Anal. 48 (2010), section 6: SRA1 for additive noise, SRI2 otherwise. torchsde's `srk` is the same, with
    the coefficients of its files sra1 and srid2; there a stage is evaluated again wherever it is used, here once.
    """

    name = "srk"
    calculi = ("ito",)
    noises = ("additive", "scalar", "diagonal")
    needs_levy_area = True
    evaluations = 3
    evaluations_of_g = 4
    orders = Orders(additive=1.5, commutative=1.5, general=0.5)
    summary = "Rößler's SRA1 and SRI2: order 3/2 for additive, scalar and commutative diagonal noise, Itô"

    def work(self, noise: str) -> tuple[int, int]:
        """SRA1 needs two evaluations of each."""
        return (2, 2) if noise == "additive" else super().work(noise)

    def init(self, terms: Terms, t0: Scalar, y0: Float[A, "batch dim"]) -> State[A]:
        """y alone."""
        del terms, t0
        return (y0,)

    def step(self, terms: Terms, t0: Scalar, dt: Scalar, state: State[A], dW: Noise[A]) -> State[A]:
        """SRI2: g_k is taken at points that the fixed √dt shifts, and weighed by iterated integrals over the step."""
        if terms.problem.noise in ("additive", "general"):  # general noise has to be additive
            return _ADDITIVE.step(terms, t0, dt, state, dW)
        (y0,) = state
        assert isinstance(dW, tuple)  # it needs the Lévy area
        W, H = dW
        root = dt**0.5
        I_1 = W
        I_11 = (W * W - dt) * (0.5 / root)  # I_(1,1) / √dt
        I_10 = 0.5 * W + H  # I_(1,0) / dt, which is ∫W ds / dt
        I_111 = W * (W * W - 3 * dt) * (1 / (6 * dt))  # I_(1,1,1) / dt

        def f_dt(c: float, y: Float[A, "batch dim"]) -> Float[A, "batch dim"]:
            return terms.f(t0 + c * dt, y) * dt

        def g(c: float, y: Float[A, "batch dim"]) -> Float[A, "rows ..."]:
            found = terms.g(t0 + c * dt, y)
            assert found is not None
            return found

        product = terms.noise_product
        f0, g0 = f_dt(0.0, y0), g(0.0, y0)
        g0_root = product(g0, root)
        f1 = f_dt(1.0, y0 + f0)
        g1 = g(0.25, y0 + 0.25 * f0 - 0.5 * g0_root)
        f2 = f_dt(0.5, y0 + 0.25 * (f0 + f1) + product(g0 + 0.5 * g1, I_10))
        g2 = g(1.0, y0 + f0 + g0_root)
        g3 = g(0.25, y0 + 0.25 * f2 + product(2 * g0 - g1 + 0.5 * g2, root))
        noise = (
            product(g0, -I_1 + I_11 + 2 * I_10 - 2 * I_111)
            + product(g1, (4 / 3) * (I_1 - I_11 - I_10) + (5 / 3) * I_111)
            + product(g2, (2 / 3) * (I_1 - I_10 - I_111) + (1 / 3) * I_11)
            + product(g3, I_111)
        )
        return (y0 + combine((1 / 6, 1 / 6, 2 / 3), (f0, f1, f2)) + noise,)
