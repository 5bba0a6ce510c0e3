"""A server for one dataset: this machine alone, and only for whoever knows the token in its address."""

import json
import secrets
from collections.abc import Callable, Mapping
from functools import lru_cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np

from datagen.core.errors import DatagenError, UsageError
from datagen.kinds.registry import kind_of
from datagen.store.reader import DatasetReader
from datagen.view.index import ORDERS, Index, Wanted
from datagen.view.shown import Shown

PAGE = Path(__file__).parent / "page"
FILES = {
    "": ("index.html", "text/html"),
    "view.js": ("view.js", "text/javascript"),
    "view.css": ("view.css", "text/css"),
}
MOST_ROWS = 500
"""Rows of one answer at most."""
SIZES = (64, 1024)
"""Limits of a small picture's side."""
Answer = tuple[bytes, str]


class Pages:
    """What each address below the token answers. Raises UsageError for one that is none, BrokenFile."""

    def __init__(self, root: Path, scores: Path | None, threshold: float) -> None:
        self.index = Index(root, scores, threshold)
        self._shown = Shown(self.index, kind_of(root), DatasetReader(root))
        self._title = root.resolve().name
        # What scrolling asks for again and again with one set of filters; a few sets of 180,000 numbers are 6 MB.
        self._found: Callable[[str], np.ndarray] = lru_cache(maxsize=4)(self._find)

    def answer(self, path: str, query: Mapping[str, str]) -> Answer:
        """Bytes and their type."""
        if path in FILES:
            name, kind = FILES[path]
            return (PAGE / name).read_bytes(), f"{kind}; charset=utf-8"
        words = path.split("/")
        if words == ["api", "facets"]:
            return _json({"title": self._title, "threshold": self.index.threshold, **self.index.facets()})
        if words == ["api", "rows"]:
            return self._rows(query)
        if len(words) >= 2 and words[1].isdecimal() and int(words[1]) < len(self.index):
            number, size = int(words[1]), _size(query)
            if words[0] == "small":
                return self._shown.thumbnail(number, size, query.get("marked") == "1"), "image/jpeg"
            if words[0] == "whole":
                return self._shown.whole(number), "image/png"
            if words[0] == "detail":
                return _json(self._shown.detail(number))
            if words[0] == "meshes":
                return self._shown.meshes(number).encode(), "text/html; charset=utf-8"
            if words[0] == "reference" and len(words) == 3 and words[2].isdecimal():
                return self._shown.reference(number, int(words[2]), size), "image/jpeg"
        raise UsageError("there is no such page")

    def _rows(self, query: Mapping[str, str]) -> Answer:
        start, count = (int(query.get(key, "0")) for key in ("start", "count"))
        found = self._found(query.get("filter", "{}"))
        rows = self.index.told(found[max(start, 0) :][: min(max(count, 0), MOST_ROWS)].tolist())
        return _json({"total": len(found), "start": start, "rows": rows})

    def _find(self, text: str) -> np.ndarray:
        given = json.loads(text)
        order = given.get("order", "path")
        if order not in ORDERS:
            raise UsageError(f"there is no order {order}")
        words = {str(name): frozenset(map(str, told)) for name, told in given.get("words", {}).items() if told}
        ranges = {name: _range(given.get(name)) for name in ("severity", "score")}
        return self.index.find(Wanted(words, str(given.get("text", "")), order=order, **ranges))


def _range(given: Any) -> tuple[float, float]:
    low, high = given or (None, None)
    return (-np.inf if low is None else float(low)), (np.inf if high is None else float(high))


def _size(query: Mapping[str, str]) -> int:
    text = query.get("size", "")
    return min(max(int(text) if text.isdecimal() else 256, SIZES[0]), SIZES[1])


def _json(value: Any) -> Answer:
    return json.dumps(value, ensure_ascii=False).encode(), "application/json"


def open_server(root: Path, port: int = 0, scores: Path | None = None, threshold: float = 0.5) -> tuple[Any, str]:
    """A server that is ready to serve, and the address of its page, which nobody can guess.

    Raises UsageError where the folder, the scores or the port cannot be used.
    """
    pages = Pages(root, scores, threshold)
    token = secrets.token_urlsafe(16)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            host = (self.headers.get("Host") or "").rsplit(":", 1)[0]
            parts = urlsplit(self.path)
            given, _, path = parts.path.removeprefix("/").partition("/")
            # Another site's page cannot name this machine otherwise, so its name is checked as the token is.
            if host not in ("127.0.0.1", "localhost") or not secrets.compare_digest(given.encode(), token.encode()):
                self._send(HTTPStatus.FORBIDDEN, b"the address lacks its token", "text/plain")
                return
            query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
            try:
                data, kind = pages.answer(unquote(path), query)
                self._send(HTTPStatus.OK, data, kind)
            except UsageError as error:
                self._send(HTTPStatus.NOT_FOUND, str(error).encode(), "text/plain; charset=utf-8")
            except (DatagenError, OSError, ValueError, TypeError, AttributeError) as error:
                self._send(HTTPStatus.BAD_REQUEST, str(error).encode(), "text/plain; charset=utf-8")

        def _send(self, status: HTTPStatus, data: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Cache-Control", "private, max-age=600" if kind.startswith("image/") else "no-store")
            self.send_header("Referrer-Policy", "no-referrer")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header(
                "Content-Security-Policy",
                "default-src 'self'; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'",
            )
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            return

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            return  # the browser went away

    try:
        server = Server(("127.0.0.1", port), Handler)
    except OSError as error:
        raise UsageError(f"--port {port} cannot be used ({error.strerror}); choose another") from error
    return server, f"http://127.0.0.1:{server.server_address[1]}/{token}/"
