"""How the steps of a solve are chosen: a fixed grid, or an adaptive controller with an estimate of the error.

Over an array namespace: no framework is imported here.
"""

from harness.stepping.adaptive import Adaptive
from harness.stepping.choice import Asked, Stepping, adaptive_refusal, by_stepping, stepping_of

__all__ = ["Adaptive", "Asked", "Stepping", "adaptive_refusal", "by_stepping", "stepping_of"]
