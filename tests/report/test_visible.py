"""Characters that can't be seen are written as escapes; all others stay."""

from __future__ import annotations

import pandas as pd
import pytest

from harness.report.visible import visible, visible_frame


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("nul\0", r"nul\x00"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\u202eb\u2066c\u200f", r"a\u202eb\u2066c\u200f"),
        ("\ud800", r"\ud800"),
        ("θ, ½ × 5 µs – “日本” 🙂\n\tend", "θ, ½ × 5 µs – “日本” 🙂\n\tend"),
    ],
)
def test_texts(text, shown):
    assert visible(text) == shown


def test_frames_keep_numbers_and_lists():
    frame = pd.DataFrame({"text": ["a\0", None], "number": [1.5, 2.5], "list": [[1.0], []]})
    found = visible_frame(frame)
    assert found["text"].iloc[0] == r"a\x00"
    assert found["text"].isna().tolist() == [False, True]
    assert found["list"].tolist() == [[1.0], []]
    assert [str(dtype) for dtype in found.dtypes] == ["object", "float64", "object"]
