"""The virtual Brownian tree: a path that is a function of its seed and of time, O(log N) a query.

Li, Wong, Chen & Duvenaud, "Scalable gradients for stochastic differential equations", AISTATS 2020, section 4 and
algorithm 3. The interval is cut in two again and again; every cut has a place in a stream of random numbers of its
own, so that whoever walks down to a time meets the same numbers, whatever was asked before and in whichever order.

The tree is cut at ticks, the ends of its cells: at the middle tick where a cell's number of ticks is a power of two,
else at the tick that leaves such a cell, as near to the middle as there is. So every tick is a node, and nothing is
interpolated, which would take variance from the increments; the walk has about log2(ticks) levels. The cuts of a
grid with twice as many ticks are the same ones and a level more: such grids see the same sample.

The cut at a fraction r of a stretch of length h that holds the increment W, with s = 1 − r: the left part has
W_l = r W + √(r s h) Z, a Brownian bridge. With the space–time Lévy area H, of which `harness.brownian.path` has the
definition, W = W_l + W_r and

    H = (s/2) W_l − (r/2) W_r + r H_l + s H_r.

W and H are independent, with variances h and h/12. So what is drawn for the parts without regard to (W, H), and has
the sums (w, η), becomes a sample given (W, H) by the linear regression on them (Matheron's rule), E = H − η:

    W_l += r (W − w) + 6 r s E,    W_r += s (W − w) − 6 r s E,    H_l += r² E,    H_r += s² E.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

from harness.arrays import A, Scalar

if TYPE_CHECKING:
    from jaxtyping import Float


def levels(ticks: int) -> int:
    """How deep the deepest of so many cells lies."""
    odd = odd_part(ticks)
    return (odd - 1).bit_length() + (ticks // odd).bit_length() - 1


def odd_part(ticks: int) -> int:
    """The largest odd divisor."""
    return ticks // (ticks & -ticks)


def root(h: float, normals: Float[A, "rows ..."]) -> tuple[Float[A, ...], Float[A, ...] | None]:
    """W and H of the whole interval, of length h, from one row of standard normals or two. No H where there is one."""
    W = h**0.5 * normals[0]
    return W, (h / 12) ** 0.5 * normals[1] if normals.shape[0] > 1 else None


@overload
def cut(W: A, H: A, h: Scalar, r: Scalar, normals: Float[A, "rows ..."]) -> tuple[tuple[A, A], tuple[A, A]]: ...
@overload
def cut(
    W: A, H: A | None, h: Scalar, r: Scalar, normals: Float[A, "rows ..."]
) -> tuple[tuple[A, A | None], tuple[A, A | None]]: ...
def cut(
    W: A, H: A | None, h: Scalar, r: Scalar, normals: Float[A, "rows ..."]
) -> tuple[tuple[A, A | None], tuple[A, A | None]]:
    """(W, H) of the parts left and right of the cut, from rows of standard normals: one, or four where H isn't None.

    W, H and each row have the same shape. h is the length of the cell, r the part of it that is left of the cut; both
    are numbers, or one for each of several cells in a shape that broadcasts.
    """
    s = 1 - r
    if H is None:
        left = r * W + (r * s * h) ** 0.5 * normals[0]
        return (left, None), (W - left, None)
    W_l, W_r = (r * h) ** 0.5 * normals[0], (s * h) ** 0.5 * normals[1]
    H_l, H_r = (r * h / 12) ** 0.5 * normals[2], (s * h / 12) ** 0.5 * normals[3]
    D = W - W_l - W_r
    E = H - ((s / 2) * W_l - (r / 2) * W_r + r * H_l + s * H_r)
    left = (W_l + r * D + 6 * r * s * E, H_l + r * r * E)
    return left, (W_r + s * D - 6 * r * s * E, H_r + s * s * E)
