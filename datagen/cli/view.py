"""`datagen view`: a page on this machine that shows every picture of a dataset."""

import contextlib
import sys
from pathlib import Path

from datagen.cli.console import console as open_console
from datagen.view.server import open_server


def run_view(folder: Path, scores: Path | None, threshold: float, port: int) -> None:
    """Serve until Ctrl-C; the address is the one line on stdout. Raises UsageError."""
    server, address = open_server(folder, port, scores, threshold)
    sys.stdout.write(f"{address}\n")
    sys.stdout.flush()
    open_console().print("open this address in a browser; Ctrl-C ends it", soft_wrap=True)
    with server, contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()
