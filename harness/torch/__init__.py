"""The native PyTorch methods as solvers to train with: `sdeint` for torchsde's SDEs, `odeint` for torchdiffeq's ODEs.

ys = harness.torch.sdeint(sde, y0, ts, method="reversible", steps=128)
loss(ys).backward()

`model` declares a model of your own, for `harness try`.
"""

from harness.torch._model import model
from harness.torch._solvers import odeint, sdeint

__all__ = ["model", "odeint", "sdeint"]
