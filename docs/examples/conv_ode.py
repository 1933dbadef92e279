"""An ODE-Net in PyTorch, written for torchdiffeq: a classifier of images whose residual blocks are one ODE.

The state is a batch of feature maps, (batch, channels, height, width). Chen et al. 2018, "Neural ordinary differential
equations", section 3.

    python -m harness try docs/examples/conv_ode.py:conv_ode
"""

import torch
from torch import nn

import harness

CLASSES = 10


class ConvField(nn.Module):
    """Two convolutions, each of which also sees the time as one more channel."""

    def __init__(self, channels):
        super().__init__()
        groups = min(8, channels)
        self.norms = nn.ModuleList(nn.GroupNorm(groups, channels) for _ in range(3))
        self.convolutions = nn.ModuleList(nn.Conv2d(channels + 1, channels, 3, padding=1) for _ in range(2))

    def forward(self, t, y):
        time = t.expand(len(y), 1, *y.shape[2:])
        for norm, convolution in zip(self.norms, self.convolutions, strict=False):
            y = convolution(torch.cat([norm(y).relu(), time], 1))
        return self.norms[-1](y)


class ODENet(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.downsampling = nn.Sequential(
            nn.Conv2d(1, channels, 3), nn.BatchNorm2d(channels), nn.ReLU(), nn.Conv2d(channels, channels, 4, 2, 1)
        )
        self.field = ConvField(channels)
        self.head = nn.Sequential(nn.GroupNorm(1, channels), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.logits = nn.Linear(channels, CLASSES)

    def forward(self, images, odeint):
        """Logits, (batch, CLASSES)."""
        ys = odeint(self.field, self.downsampling(images), torch.tensor([0.0, 1.0]), rtol=1e-3, atol=1e-3)
        return self.logits(self.head(ys[-1]))


def data(batch, size):
    """A pattern for each class, with noise: images (batch, 1, size, size) and their labels."""
    rng = torch.Generator().manual_seed(0)
    patterns = torch.randn(CLASSES, 1, size, size, generator=rng)
    labels = torch.randint(CLASSES, (batch,), generator=rng)
    return patterns[labels] + torch.randn(batch, 1, size, size, generator=rng), labels


@harness.torch.model
def conv_ode(solve, *, batch=32, channels=16, size=16):
    images, labels = data(batch, size)
    net = ODENet(channels)

    def loss():
        return nn.functional.cross_entropy(net(images, solve.odeint), labels)

    return loss, net.parameters()
