"""Where the cache is."""

from __future__ import annotations

from pathlib import Path

from harness.cache_folder import default_cache_folder


def test_the_folder_is_the_user_s(monkeypatch, tmp_path):
    for name in ("GRADIENT_HARNESS_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert default_cache_folder() == tmp_path / ".cache" / "gradient-harness" / "references"
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert default_cache_folder() == Path("/xdg/gradient-harness/references")
    monkeypatch.setenv("GRADIENT_HARNESS_CACHE", "/own")
    assert default_cache_folder() == Path("/own")
