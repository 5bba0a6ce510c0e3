"""Commands in processes of their own without Python's start-up: a template that has imported everything forks them.

A forked command is a process like any other: own session, environment, folder, streams and limits, and it may be
killed. What it has in common with its siblings is what importing left: modules and the seed of string hashes. Tests
that compare builds make the one that they compare with in a started process, whose hashes differ.
"""

import atexit
import contextlib
import importlib
import json
import os
import resource
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAIN = "datagen.cli.main:main"
BUILD = ("datagen.cli.build", "datagen.pipeline.build", "datagen.pipeline.run_serial", "datagen.render.fake")
BUILD += ("datagen.geometry.rays", "datagen.cli.verify", "datagen.verify.document", "datagen.kinds.registry")
TRAIN = (
    "datagen.cli.train",
    "datagen.cli.predict",
    "datagen.train.loop",
    "datagen.train.predict",
    "datagen.train.evaluate",
)
TRAIN += (
    "datagen.train.page",
    "datagen.train.tasks.matching.pictures",
    "datagen.verify.document",
    "datagen.shapes.collections",
)
TRAIN += ("tests.train.worker", "tests.train.agree", "kornia", "torch._dynamo", "torch.distributed")


class Forked:
    """A command that runs or ran: what a test needs of `subprocess.Popen`."""

    def __init__(self, pid: int, status: Path) -> None:
        self.pid, self._status = pid, status

    def poll(self) -> int | None:
        """The exit code, -N for a death by signal N; None while it runs."""
        try:
            return int(self._status.read_text())
        except OSError:
            return None

    def wait(self, timeout: float = 600) -> int:
        """The exit code. Raises subprocess.TimeoutExpired."""
        end = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            time.sleep(0.01)
        return code

    def send_signal(self, number: int) -> None:
        """To the command alone."""
        os.kill(self.pid, number)


class Template:
    """A process with `modules` imported that forks commands until this process ends."""

    def __init__(self, modules: Sequence[str]) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="datagen-forks-"))
        line = [sys.executable, "-m", "tests.helpers.forked_commands", str(self.folder), *modules]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
        self._process = subprocess.Popen(
            line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment
        )
        assert self._process.stdout is not None and self._process.stdout.readline() == "ready\n"

    def fork(self, request: Mapping[str, object]) -> Forked:
        """Start a command, see `_become` for what it may say."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        pid = int(self._process.stdout.readline())
        return Forked(pid, self.folder / str(pid))


@lru_cache(maxsize=2)
def template(modules: tuple[str, ...]) -> Template:
    """The one of this process, started when it is first asked for."""
    return Template(modules)


def fork(
    arguments: Sequence[object],
    environment: Mapping[str, str] | None = None,
    *,
    cwd: Path = ROOT,
    target: str = MAIN,
    modules: tuple[str, ...] = BUILD,
    stdout: Path | None = None,
    stderr: Path | None = None,
    largest_file: int | None = None,
) -> Forked:
    """Start `target` with these arguments; streams go to files, or nowhere."""
    return template(modules).fork(
        {
            "target": target,
            "argv": ["datagen", *map(str, arguments)],
            "environment": {**os.environ, **(environment or {})},
            "cwd": str(cwd),
            "streams": [str(stdout or os.devnull), str(stderr or os.devnull)],
            "largest_file": largest_file,
        }
    )


def run_forked(
    arguments: Sequence[object], environment: Mapping[str, str] | None = None, timeout: float = 300, **how: object
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end: exit code and what it said, as `subprocess.run` tells them."""
    with tempfile.TemporaryDirectory(prefix="datagen-said-") as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        code = fork(arguments, environment, stdout=out, stderr=err, **how).wait(timeout)  # type: ignore[arg-type]
        return subprocess.CompletedProcess(list(arguments), code, out.read_text(), err.read_text())


def _become(request: Mapping[str, object]) -> int:
    """In the child: be a fresh process that runs `target`; its exit code."""
    os.setsid()
    for number in (signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    for descriptor, path in enumerate((os.devnull, *request["streams"])):  # type: ignore[misc]
        opened = os.open(path, os.O_RDWR | os.O_CREAT)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.environ.clear()
    os.environ.update(request["environment"])  # type: ignore[arg-type]
    os.chdir(str(request["cwd"]))
    sys.argv = list(request["argv"])  # type: ignore[call-overload]
    if request["largest_file"]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (request["largest_file"],) * 2)  # type: ignore[arg-type]
    module, name = str(request["target"]).split(":")
    code: object = 0
    try:
        getattr(importlib.import_module(module), name)()
    except SystemExit as stop:
        code = stop.code
    except BaseException:
        traceback.print_exc()
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    return code if isinstance(code, int) else int(code is not None)


def _serve(folder: Path) -> None:
    """Read requests, one JSON line each, answer with the child's pid, and note how each child ended."""
    reader, writer = os.pipe()
    for end in (reader, writer):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(writer)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        ready = select.select([sys.stdin, reader], [], [])[0]
        if reader in ready:
            os.read(reader, 4096)
            _reap(folder)
        if sys.stdin in ready:
            line = sys.stdin.readline()
            if not line:
                return
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                for end in (reader, writer):
                    os.close(end)
                os._exit(_become(json.loads(line)) & 0xFF)
            print(pid, flush=True)


def _reap(folder: Path) -> None:
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            code = os.waitstatus_to_exitcode(ended[1])
            part = folder / f".{ended[0]}"
            part.write_text(str(code))
            part.rename(folder / str(ended[0]))


def main() -> None:
    """python -m tests.helpers.forked_commands FOLDER MODULE..."""
    for name in sys.argv[2:]:
        importlib.import_module(name)
    print("ready", flush=True)
    _serve(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
