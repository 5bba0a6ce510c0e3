"""The set-up of `make` says what it does while pip works, and what pip said where it fails."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT

PIP = """#!/bin/sh
echo "Collecting numpy==1.26.4"
mkdir -p {venv}/lib/python3.11/site-packages/numpy-1.26.4.dist-info
echo "Processing /wheels/scipy-1.17.0.whl (from -r lock (line 4))"
echo "the end of pip $*"
exit {code}
"""


@pytest.mark.parametrize("code", [0, 7])
def test_progress_is_told_and_failures_are_shown(tmp_path, code):
    python = tmp_path / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(PIP.format(venv=tmp_path / "venv", code=code))
    python.chmod(0o755)
    (tmp_path / "lock").write_text("# two\nnumpy==1.26.4\n\nscipy==1.17.0\n")
    command = [sys.executable, ".ci/install.py", tmp_path / "venv", "-r", tmp_path / "lock"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == code and done.stdout == ""
    assert "2 of 2 packages fetched, 1 installed" in done.stderr
    assert ("the end of pip -m pip install --disable-pip-version-check -r" in done.stderr) == bool(code)


def test_every_environment_of_the_makefile_is_made_with_it():
    lines = (ROOT / "Makefile").read_text().splitlines()
    assert not [line for line in lines if "pip install" in line]
    assert sum(".ci/install.py" in line for line in lines) >= 5
