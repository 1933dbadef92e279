"""The two gradients that errors are measured against, on one shared path, in float64.

The continuous reference is the gradient of the continuous-time problem, with an error bar of its own. The discrete
reference is the gradient of the same discrete solve as the case's.
"""

from harness.reference.bars import Reference
from harness.reference.cache import ReferenceCache
from harness.reference.continuous_reference import continuous
from harness.reference.discrete_reference import discrete, largest_state, meets_a_jump

__all__ = ["Reference", "ReferenceCache", "continuous", "discrete", "largest_state", "meets_a_jump"]
