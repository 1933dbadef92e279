"""A scheme of my own: two thirds of Heun. `python -m harness run my_thing.yaml`."""

from harness import AbstractScheme
from harness.scheme import Orders


class MyThing(AbstractScheme):
    """Ralston's choice of nodes: a predictor at two thirds of the step, the slopes weighted ¼ and ¾."""

    name = "my-thing"
    calculi = ("stratonovich",)  # the solution that it converges to
    evaluations = 2  # of f in a step
    orders = Orders(none=2, additive=1, commutative=1, general=0.5)
    summary = "two stages, the second at two thirds of the step"

    def init(self, terms, t0, y0):
        """The state is a tuple whose first array is y."""
        return (y0,)

    def step(self, terms, t0, dt, state, dW):
        """The state at t0 + dt. `terms.increment(t, y, dt, dW)` is f dt + g dW."""
        (y,) = state
        first = terms.increment(t0, y, dt, dW)
        second = terms.increment(t0 + 2 / 3 * dt, y + 2 / 3 * first, dt, dW)
        return (y + 0.25 * first + 0.75 * second,)
