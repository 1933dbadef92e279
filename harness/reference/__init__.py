"""The reference: the gradients that errors are measured against, float64, the true one with its own error bar.

Two of them, on one shared path. `continuous` is the gradient of the problem itself; `discrete` that of the very solve
that a case asks for.
"""

from harness.reference.bars import Reference
from harness.reference.cache import ReferenceCache
from harness.reference.discrete_solve import discrete, largest_state, meets_a_jump
from harness.reference.truth import continuous

__all__ = ["Reference", "ReferenceCache", "continuous", "discrete", "largest_state", "meets_a_jump"]
