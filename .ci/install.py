"""Runs pip in a new environment and says how far it is: `python .ci/install.py VENV ARGUMENT...`.

On a terminal one line moves, elsewhere there is a line every ten seconds. What pip said is shown where it fails.
"""

import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import IO

EVERY_S = {True: 0.5, False: 10.0}
"""Between two lines: on a terminal, and elsewhere."""
BEGUN = ("Collecting ", "Processing ", "Obtaining file:", "Requirement already satisfied: ")
"""How pip's lines about one more package begin: from the network, from a folder, and those that are there."""


class Progress:
    """What pip has said so far, and what lies in the environment."""

    def __init__(self, venv: Path, requirements: list[Path]) -> None:
        lines = [line for path in requirements for line in path.read_text(encoding="utf-8").splitlines()]
        self._wanted = sum(bool(line.strip()) and not line.startswith(("#", "-")) for line in lines)
        self._venv, self._start, self._fetched = venv, time.monotonic(), 0
        self.said: list[str] = []

    def listen(self, stream: IO[str]) -> None:
        """Take in pip's lines until it ends."""
        for line in stream:
            self.said.append(line)
            self._fetched += line.startswith(BEGUN)

    def told(self) -> str:
        """One line."""
        folders = list(self._venv.glob("lib/python*/site-packages"))
        there = sum(1 for folder in folders for _ in folder.glob("*.dist-info"))
        of = f" of {self._wanted}" if 0 < self._fetched <= self._wanted else ""
        seconds = time.monotonic() - self._start
        return f"{self._venv}: {self._fetched}{of} packages fetched, {there} installed, {seconds:.0f} s"


def main(venv: Path, arguments: list[str]) -> int:
    """Returns pip's exit code."""
    command = [str(venv / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check", *arguments]
    files = [Path(after) for word, after in pairwise(arguments) if word == "-r"]
    progress, moves = Progress(venv, files), sys.stderr.isatty()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip:
        assert pip.stdout is not None
        listener = threading.Thread(target=progress.listen, args=(pip.stdout,))
        listener.start()
        works = True
        while works:
            listener.join(EVERY_S[moves])
            works = listener.is_alive()
            # Also of a pip that ended before it was looked at.
            sys.stderr.write(f"\r\033[K{progress.told()}" if moves else f"{progress.told()}\n")
            sys.stderr.flush()
    if moves:
        sys.stderr.write("\n")
    if pip.returncode:
        sys.stderr.writelines(progress.said)
    return pip.returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
