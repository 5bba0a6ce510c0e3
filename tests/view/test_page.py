"""The page in a headless Chromium, on a manifest of 180,000 rows; and who is not answered."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from datagen.core.errors import UsageError
from datagen.view.server import open_server
from tests.conftest import ROOT
from tests.kinds.brokenchairs.verify.browser import Browser, find_browser

ROWS, REAL = 180_000, 400


@pytest.fixture
def serve():
    """Opens a server that ends with the test; returns its address."""
    opened = []

    def start(root, **options):
        server, address = open_server(root, **options)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        opened.append((server, thread))
        return address

    yield start
    for server, thread in opened:
        server.shutdown()
        server.server_close()
        thread.join(5)


def get(address, **headers):
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=10) as answer:
        return answer.read(), answer.headers


@pytest.fixture(scope="module")
def large(fake_dataset, tmp_path_factory):
    """180,000 rows of names; the first pictures are there."""
    root = tmp_path_factory.mktemp("large") / "dataset"
    root.mkdir()
    table = pq.read_table(fake_dataset / "manifest.parquet")
    table = table.filter(pc.equal(table["row_type"], "sample"))
    pictures = [fake_dataset / path for path in table["query_path"].to_pylist()]
    table = table.take(pa.array(np.arange(ROWS) % len(table)))
    names = pa.array([f"images/{k:06d}/render_{k}.png" for k in range(ROWS)])
    table = table.set_column(table.schema.get_field_index("query_path"), "query_path", names)
    pq.write_table(table, root / "manifest.parquet", compression="zstd", row_group_size=65536)
    for k in (*range(REAL), *range(ROWS - REAL, ROWS)):
        target = root / f"images/{k:06d}/render_{k}.png"
        target.parent.mkdir(parents=True)
        target.hardlink_to(pictures[k % len(pictures)])
    return root


def until(browser, script, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = browser.run(f"return {script}")
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"never true: {script}")


LOADED = "[...document.querySelectorAll('.tile img')].filter((i) => i.complete && i.naturalWidth).length"


def test_180_000_pictures_scroll_and_filter_in_a_browser(large, serve, tmp_path):
    find_browser()
    start = time.monotonic()
    address = serve(large)
    with Browser(tmp_path / "profile") as browser:
        browser.size(1400, 900)
        browser.do("/url", {"url": address})
        until(browser, f"{LOADED} > 10")
        assert time.monotonic() - start < 30
        assert browser.run("return document.getElementById('count').textContent") == "180,000 of 180,000 pictures"
        assert browser.run("return document.querySelectorAll('.tile').length") < 100
        browser.run("const s = document.getElementById('scroller'); s.scrollTop = s.scrollHeight")
        last = f"[...document.querySelectorAll('.tile')].some((t) => t.title.includes('render_{ROWS - 1}.png'))"
        until(browser, last)
        until(browser, f"{LOADED} > 10")
        assert browser.run("return document.querySelectorAll('.tile').length") < 100
        browser.run("document.querySelector('input[value=broken]').click()")
        until(browser, "!document.getElementById('count').textContent.startsWith('180,000 of')")
        until(browser, "document.querySelectorAll('.tile').length > 10")
        kinds = browser.run("return [...document.querySelectorAll('.tile img')].map((i) => i.alt)")
        assert set(kinds) == {"broken"}
        faults = [entry for entry in browser.logs("browser") if "favicon" not in entry["message"]]
        assert not faults
        assert all(url.startswith(address) for url in browser.requests() if "favicon" not in url)


def test_a_picture_opens_with_its_references_masks_and_meshes(fake_dataset, serve, tmp_path):
    find_browser()
    address = serve(fake_dataset)
    with Browser(tmp_path / "profile") as browser:
        browser.size(1400, 1000)
        browser.do("/url", {"url": address})
        until(browser, f"{LOADED} > 10")
        browser.run("document.querySelector('.tile.odd').click()")
        until(browser, "document.querySelectorAll('#views img').length >= 20")
        until(browser, "[...document.querySelectorAll('#pair img')].every((i) => i.naturalWidth >= 200)")
        browser.run("document.getElementById('turn').click()")
        until(browser, "document.querySelector('iframe')?.contentDocument?.querySelectorAll('canvas').length === 2", 60)
        drawn = (
            "[...document.querySelector('iframe').contentDocument.querySelectorAll('canvas')].every((c) => "
            "c.width > 0 && c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((v) => v))"
        )
        until(browser, drawn)
        red = (
            "(() => { const c = [...document.querySelector('iframe').contentDocument.querySelectorAll('canvas')][1];"
            "const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; let n = 0;"
            "for (let k = 0; k < d.length; k += 4) n += d[k] > d[k + 1] + 60; return n; })()"
        )
        assert until(browser, red) > 20, "what is anomalous is in colour"


def test_nobody_without_the_token_is_answered(fake_dataset, serve):
    address = serve(fake_dataset)
    assert address.startswith("http://127.0.0.1:")
    assert get(address)[0].startswith(b"<!doctype html>")
    port_only = address.rsplit("/", 2)[0]
    for other in (port_only + "/", port_only + "/x/", address.replace(address.split("/")[3], "A" * 22)):
        with pytest.raises(urllib.error.HTTPError, match="403"):
            get(other)
    with pytest.raises(urllib.error.HTTPError, match="403"):
        get(address, Host="example.org")
    for path in ("../../etc/passwd", "whole/99999999", "small/x", "view.py"):
        with pytest.raises(urllib.error.HTTPError, match=r"40[04]"):
            get(address + path)


def test_tiles_marks_and_details_are_the_datasets(fake_dataset, serve):
    address = serve(fake_dataset)
    rows = json.loads(get(address + "api/rows?start=0&count=5")[0])
    row = next(row for row in rows["rows"] if row["label"])
    assert get(address + f"whole/{row['number']}")[0] == (fake_dataset / row["path"]).read_bytes()
    plain, marked = (get(address + f"small/{row['number']}?size=128&marked={k}")[0] for k in (0, 1))
    assert plain != marked and plain.startswith(b"\xff\xd8")
    detail = json.loads(get(address + f"detail/{row['number']}")[0])
    assert detail["references"] >= 20 and detail["instances"][0]["kind"] == row["kind"]
    assert get(address + f"reference/{row['number']}/3?size=64")[0].startswith(b"\xff\xd8")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(address + f"reference/{row['number']}/900")


def test_a_port_that_is_taken_is_told(fake_dataset, serve):
    port = int(serve(fake_dataset).split(":")[2].split("/")[0])
    with pytest.raises(UsageError, match=f"--port {port} cannot be used"):
        open_server(fake_dataset, port)


def test_the_command_prints_its_address_and_ends_with_ctrl_c(fake_dataset):
    command = [sys.executable, "-m", "datagen.cli.main", "view", str(fake_dataset)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    # A shell without job control starts what is in the background deaf to Ctrl-C, and that is inherited.
    heard = partial(signal.signal, signal.SIGINT, signal.default_int_handler)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, env=environment, preexec_fn=heard, **pipes)
    try:
        address = process.stdout.readline().strip()
        assert json.loads(get(address + "api/facets")[0])["total"] > 0
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
        assert process.returncode == 0 and said.strip() == "open this address in a browser; Ctrl-C ends it"
    finally:
        process.kill()
