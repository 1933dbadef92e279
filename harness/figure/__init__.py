"""What a suite can ask to see: the kinds of figures, a file each, with the options of each kind.

`harness/report/drawings` has a file of the same name that draws it.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from harness.figure.bias import Bias
from harness.figure.box import Box
from harness.figure.coverage import Coverage
from harness.figure.pareto import Pareto
from harness.figure.points import Points
from harness.figure.samples import Samples
from harness.figure.scaling import Scaling
from harness.figure.speedups import Speedups

Figure = Annotated[
    Scaling | Points | Box | Speedups | Pareto | Bias | Coverage | Samples, Field(discriminator="figure")
]
KINDS = {
    "scaling": Scaling,
    "points": Points,
    "box": Box,
    "speedups": Speedups,
    "pareto": Pareto,
    "bias": Bias,
    "coverage": Coverage,
    "samples": Samples,
}
"""By the value of `figure:`."""
