"""The native PyTorch methods as solvers to train with: torchsde's `sdeint` and torchdiffeq's `odeint`, but faster.

`model` declares a model of one's own, for `harness try`.

ys = harness.torch.sdeint(sde, y0, ts, method="reversible", steps=128)
loss(ys).backward()
"""

from harness.torch._model import model
from harness.torch._solvers import odeint, sdeint

__all__ = ["model", "odeint", "sdeint"]
