"""A Blender process seen from outside: bpy may die without taking the build along."""

import contextlib
import pickle
import struct
import subprocess
import sys
from collections.abc import Sequence
from typing import IO, Any

import numpy as np

from datagen.core.errors import MissingDependency, RenderError
from datagen.core.scene import Scene


def write_message(stream: IO[bytes], value: Any) -> None:
    """Length-prefixed pickle: both ends are this program."""
    data = pickle.dumps(value, protocol=5)
    stream.write(struct.pack("<Q", len(data)))
    stream.write(data)
    stream.flush()


def read_message(stream: IO[bytes]) -> Any:
    """The next message. Raises EOFError when the other end is gone."""
    header = stream.read(8)
    if len(header) < 8:
        raise EOFError
    (length,) = struct.unpack("<Q", header)
    data = stream.read(length)
    if len(data) < length:
        raise EOFError
    return pickle.loads(data)


class BlenderProcess:
    """Starts on first use, is renewed after `recycle_after` jobs or when it dies."""

    name = "cycles"
    flat = False

    def __init__(self, threads: int = 1, recycle_after: int = 200) -> None:
        self.threads = threads
        self.recycle_after = recycle_after
        self._process: subprocess.Popen[bytes] | None = None
        self._jobs = 0
        self._past_cpu = 0.0
        self._cpu = 0.0
        self._versions: dict[str, str] = {}

    def render(self, scene: Scene) -> list[np.ndarray]:
        """Pictures of every view. Raises RenderError if Blender dies or refuses the scene."""
        if self._jobs >= self.recycle_after:
            self.close()
        self._jobs += 1
        return self._call("render", scene)

    def drop(self, bodies: Sequence[tuple[np.ndarray, np.ndarray]], starts: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Rigid bodies (vertices, faces) let fall on z = 0: their final transforms (4, 4). Raises RenderError."""
        return self._call("drop", (list(bodies), list(starts)))

    def profile(self, scene: Scene) -> dict[str, float]:
        """CPU-seconds of a scene by phase. Raises RenderError."""
        return self._call("profile", scene)

    def versions(self) -> dict[str, str]:
        """Blender's version and build hash."""
        if not self._versions:
            self._versions = self._call("versions", None)
        return self._versions

    def devices(self) -> list[str]:
        """Cycles devices of this machine, such as 'CPU' or 'OPTIX: name'."""
        return self._call("devices", None)

    def cpu_seconds(self) -> float:
        """CPU-seconds of all Blender processes of this renderer."""
        return self._past_cpu + self._cpu

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                if stream:
                    with contextlib.suppress(BrokenPipeError):  # what was not sent to a dead process is lost
                        stream.close()
            self._process = None
        self._past_cpu += self._cpu
        self._cpu, self._jobs = 0.0, 0

    def _call(self, verb: str, argument: Any) -> Any:
        process = self._process or self._start()
        assert process.stdin and process.stdout
        try:
            write_message(process.stdin, (verb, argument))
            status, value, self._cpu = read_message(process.stdout)
        except (EOFError, BrokenPipeError) as error:
            code = process.wait()
            self.close()
            raise RenderError(f"the Blender process ended with status {code}; its log is above") from error
        if status == "missing":
            raise MissingDependency(value)
        if status == "error":
            raise RenderError(value)
        return value

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "datagen.render.blender.server", "--threads", str(self.threads)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self._process
