"""The explicit midpoint scheme, coupled to be reversible."""

from __future__ import annotations

from harness.scheme import Orders
from harness.schemes._coupled import AbstractCoupled
from harness.schemes.midpoint import Midpoint


class CoupledMidpoint(AbstractCoupled):
    """The midpoint's orders: 1 for Stratonovich SDEs with commutative noise, ½ otherwise; 2 for ODEs.

    The coupling of McCallum & Foster 2024 (arXiv 2410.11648).
    """

    name = "coupled-midpoint"
    calculi = ("stratonovich",)
    evaluations = 4
    orders = Orders(none=2, additive=1, commutative=1, general=0.5)
    summary = (
        "coupled midpoint (λ = 0.999): order 1 for commutative noise, else 1/2, Stratonovich; 2 for ODEs; reversible"
    )
    base = Midpoint()
