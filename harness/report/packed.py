"""Text packed into a page. `assets/unpack.js` unpacks it in the browser."""

from __future__ import annotations

import base64
import gzip


def packed(text: str) -> str:
    """The text, compressed by gzip, in base64: nothing in it can end a script element. The same text gives the same."""
    return base64.b64encode(gzip.compress(text.encode("utf-8"), 6, mtime=0)).decode("ascii")
