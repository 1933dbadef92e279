"""When general noise commutes, and how that is found without a matrix of derivatives.

Let L^j = Σ_l g_lj ∂/∂y_l. Milstein's scheme has the double sum Σ_jk L^j g_k I_(j,k), where I_(j,k) is the iterated
integral of W_j and W_k. For j ≠ k it needs the Lévy area. The sum I_(j,k) + I_(k,j) = dW_j dW_k does not. So the
increments are enough where

    L^j g_k = L^k g_j,   that is   Σ_l (∂g_ik/∂y_l) g_lj = Σ_l (∂g_ij/∂y_l) g_lk   for all i, j and k.

Such noise is called commutative (Kloeden & Platen 1992, section 10.3). Multiply both sides by w_i u_k v_j and sum: they
become S(u, v) and S(v, u) with

    S(u, v) = ∇_y (wᵀ g(y) u) · g(y) v.

The difference is linear in w, and bilinear and antisymmetric in u and v. For random u, v and w it is zero with
probability zero, unless it is zero for all. S takes one vector–Jacobian product, whatever the size of g.
"""

from __future__ import annotations

from dataclasses import dataclass

STATES = 3
"""Random states at which g is differentiated, beside the initial one."""
ROUNDING = 100.0
"""Two numbers count as equal up to so many units of rounding, relative to the terms that they are sums of."""


@dataclass
class Symmetry:
    """Whether S(u, v) = S(v, u) at all states seen so far. Zero at all of them shows nothing."""

    eps: float
    broken: bool = False
    shown: bool = False

    def see(self, difference: float, size: float) -> None:
        """The largest |S(u, v) − S(v, u)| of a batch of states, and the largest sum of the absolute terms of S."""
        self.broken = self.broken or not difference <= ROUNDING * self.eps * size
        self.shown = self.shown or size > 0

    @property
    def holds(self) -> bool:
        """Whether the noise is found to commute."""
        return self.shown and not self.broken


def declared(owner: object) -> bool | None:
    """What an SDE or a diffusion says of itself by its attribute `commutes`. Raises ValueError where it is no bool."""
    found = getattr(owner, "commutes", None)
    if found is None or isinstance(found, bool):
        return found
    raise ValueError(f"the attribute commutes is {found!r}; needed: True or False")


def commuting_note(noise: str, commutes: bool, says: bool | None, who: str) -> list[str]:
    """A sentence on noise that reads the state and commutes, or that is declared not to; `who` declared it."""
    if commutes and says:
        return [f"the {noise} noise commutes, as {who} says"]
    if says is False and noise in ("diagonal", "general"):
        return [f"the {noise} noise is taken not to commute, as {who} says"]
    if not commutes:
        return []
    why = "g_i reads y_i alone" if noise == "diagonal" else "its columns commute at random states"
    return [f"the {noise} noise commutes: {why}"]
