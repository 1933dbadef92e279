"""Where the harness keeps what takes long to make and can be made again."""

from __future__ import annotations

import os
from pathlib import Path


def default_cache_folder() -> Path:
    """$GRADIENT_HARNESS_CACHE, else the user's cache folder (XDG)."""
    own = os.environ.get("GRADIENT_HARNESS_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(own) if own else Path(base) / "gradient-harness" / "references"
