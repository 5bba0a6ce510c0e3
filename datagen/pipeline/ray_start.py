"""Starting Ray, or joining a cluster: what can go wrong there is told in one line with the next step."""

import logging
import os
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import grpc
import ray

from datagen.core.errors import MissingDependency, StoppedEarly
from datagen.store.log import process_runs

SESSIONS = "dg-ray-"
SOCKET_PATH_BYTES = 16
"""Longest temporary folder: a socket's path has 107 bytes, and Ray's names in it some 90."""
CONNECT_S = 5
STARTS, PAUSE_S = 2, 20.0
"""How often Ray is started, and the pause in which a busy machine may calm down."""
WAITED = {"RAY_gcs_server_port_wait_time_s": "120"}
"""How long Ray waits for its own server to come up, in seconds, instead of 30."""


def join_cluster(address: str) -> None:
    """Join the cluster at `address`. Raises MissingDependency where there is none."""
    check_address(address)
    try:
        ray.init(address="auto", log_to_driver=False)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise _no_cluster(address, str(error).splitlines()[0]) from error


def start_here(cpus: int) -> str:
    """Start a private instance on this machine. Returns its temporary folder, which the caller removes.

    On a busy machine Ray gives up waiting for its own processes: it is started once more. Raises StoppedEarly where
    that fails too, MissingDependency where no folder is short enough for its sockets.
    """
    for name, seconds in WAITED.items():
        os.environ.setdefault(name, seconds)
    began, why = time.monotonic(), ""
    for start in range(STARTS):
        time.sleep(PAUSE_S if start else 0)
        folder = _session_folder()
        why = _start(cpus, folder)
        if not why:
            return folder
        shutil.rmtree(folder, ignore_errors=True)
    raise StoppedEarly(
        f"Ray did not start here in {STARTS} tries and {time.monotonic() - began:.0f} s ({why}); the machine is most "
        "likely too busy: run the same command again later, with fewer --workers, or with --executor serial"
    )


def _start(cpus: int, folder: str) -> str:
    """Start Ray with its sockets and logs in `folder`. Returns why it did not come up, or nothing."""
    try:
        ray.init(
            address="local",
            num_cpus=cpus,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            _temp_dir=folder,
        )
    except Exception as error:  # a bare Exception is what Ray raises where its processes are late
        ray.shutdown()
        _end_processes(folder)
        return " ".join(str(error).split())[:200] or type(error).__name__
    return ""


def _end_processes(folder: str) -> None:
    """End the processes of Ray that work in `folder` (Linux): they would make a busy machine busier."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if int(path.parent.name) != os.getpid() and os.fsencode(folder) in path.read_bytes():
                os.kill(int(path.parent.name), signal.SIGKILL)


def check_address(address: str) -> None:
    """Raise MissingDependency in seconds where no cluster answers: Ray itself would try for a quarter of an hour."""
    if address == "auto":
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        raise _no_cluster(address, "it is no host:port")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_S).close()
        # A port that something else has taken answers too; Ray's own speak gRPC.
        with grpc.insecure_channel(f"{host}:{port}") as channel:
            grpc.channel_ready_future(channel).result(timeout=CONNECT_S)
    except grpc.FutureTimeoutError as error:
        raise _no_cluster(address, "what answers there is no Ray cluster") from error
    except (OSError, OverflowError) as error:
        raise _no_cluster(address, str(error).splitlines()[0] if str(error) else "it does not answer") from error


def _no_cluster(address: str, why: str) -> MissingDependency:
    return MissingDependency(
        f"RAY_ADDRESS={address}: no Ray cluster can be joined there ({why}); start one, or unset RAY_ADDRESS to use "
        "this machine alone"
    )


@contextmanager
def own_sigterm() -> Iterator[None]:
    """Ray takes SIGTERM for itself and exits on it; a build ends its jobs first (pipeline/drain.py)."""
    handler = signal.getsignal(signal.SIGTERM)
    yield
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handler)


def _short_temp_dir() -> Path:
    """The temporary folder, or another whose path is short enough for Ray's sockets. Raises MissingDependency."""
    for folder in (tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm"):
        if len(os.fsencode(folder)) <= SOCKET_PATH_BYTES and os.access(folder, os.W_OK | os.X_OK):
            return Path(folder)
    raise MissingDependency(
        f"no temporary folder is both writable and short: {tempfile.gettempdir()} leaves no room for the socket names "
        f"of Ray, which may have 107 bytes in all; set TMPDIR to a path of at most {SOCKET_PATH_BYTES} bytes, or use "
        "--executor serial"
    )


def _session_folder() -> str:
    """A folder for a private instance's sockets and logs; those of drivers that were killed go."""
    temporary = _short_temp_dir()
    for old in temporary.glob(f"{SESSIONS}*"):
        pid = old.name.removeprefix(SESSIONS).split("-")[0]
        if pid.isdigit() and not process_runs(int(pid)):
            shutil.rmtree(old, ignore_errors=True)
    return tempfile.mkdtemp(prefix=f"{SESSIONS}{os.getpid()}-", dir=temporary)
