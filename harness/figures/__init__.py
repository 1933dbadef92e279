"""What a suite can ask to see: the kinds of figures, a file each, with the options of each kind.

`harness/report/drawings` has a file of the same name that draws it.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from harness.figures.box import Box
from harness.figures.points import Points
from harness.figures.scaling import Scaling
from harness.figures.speedups import Speedups

Figure = Annotated[Scaling | Points | Box | Speedups, Field(discriminator="figure")]
KINDS = {"scaling": Scaling, "points": Points, "box": Box, "speedups": Speedups}
"""By the value of `figure:`."""
