"""The one cache root."""

from pathlib import Path

import pytest

from datagen.core.folders import cache_root


def test_the_program_s_own_variable_comes_first_then_the_user_s_then_the_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("DATAGEN_CACHE", str(tmp_path / "own"))
    assert cache_root() == tmp_path / "own"
    monkeypatch.delenv("DATAGEN_CACHE")
    assert cache_root() == tmp_path / "xdg" / "datagen"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    assert cache_root() == tmp_path / ".cache" / "datagen"
