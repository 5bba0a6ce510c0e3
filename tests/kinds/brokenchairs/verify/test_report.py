"""The report: one file, no request, no console error; filters, keys and the mesh pair work."""

import re

import pytest

from datagen.kinds.brokenchairs.verify.evidence import ChairEvidence
from datagen.kinds.brokenchairs.verify.examination import CHAIRS
from datagen.kinds.registry import open_tree
from datagen.verify.document import examine
from tests.kinds.brokenchairs.verify.browser import Browser, find_browser

LEFT, RIGHT = "\ue012", "\ue014"


@pytest.fixture(scope="module")
def page(fake_dataset, tmp_path_factory):
    document = examine(CHAIRS, ChairEvidence(open_tree(fake_dataset)))
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(document.page(), encoding="utf-8")
    return path, document


def test_page_is_whole(page):
    text = page[0].read_text()
    assert text.count("<h2>") >= 8 and page[1].ok and "✓" in text
    # Everything is inside: the only addresses are those of SVG-free markup and data URLs.
    assert not re.search(r"(?:src|href)=\"(?!data:|#)", text)
    assert not re.search(r"https?://", text)
    assert page[0].stat().st_size < 25_000_000
    for result in page[1].results:
        assert result.name.replace("_", " ") in text


@pytest.fixture
def browser(tmp_path):
    find_browser()
    with Browser(tmp_path / "profile") as browser:
        yield browser


def test_filters_and_keys(page, browser, tmp_path):
    browser.size(1200, 900)
    browser.open(page[0])
    everything = visible(browser)
    assert everything > 10
    browser.click('[data-filter="kind"][data-value="broken"]')
    broken = visible(browser)
    assert 0 < broken < everything
    assert browser.run("return document.getElementById('shown').textContent") == f"{broken} shown"
    browser.click('[data-filter="split"][data-value="train"]')
    assert visible(browser) <= broken
    browser.screenshot(tmp_path / "filtered.png")
    assert (tmp_path / "filtered.png").stat().st_size > 20_000
    browser.click('[data-filter="split"][data-value=""]')
    browser.click('[data-filter="kind"][data-value=""]')
    browser.click(".sheet .tile")
    assert browser.run("return document.getElementById('zoom').open")
    first = browser.run("return document.querySelector('#zoomed code').textContent")
    browser.keys(RIGHT)
    assert browser.run("return document.querySelector('#zoomed code').textContent") != first
    browser.keys("\ue00c")
    assert not browser.run("return document.getElementById('zoom').open")
    browser.click('[data-checks="pass"]')
    assert browser.run("return document.querySelectorAll('.checks > li:not([hidden]) .state').length") > 20
    assert quiet(browser)


def test_pair_turns(page, browser):
    browser.open(page[0])
    browser.run("document.querySelector('canvas').scrollIntoView({behavior: 'instant'})")
    before = drawn(browser)
    assert before[0] > 2000, "nothing was drawn"
    browser.run("document.querySelector('canvas').focus()")
    browser.keys(LEFT * 4)
    after = drawn(browser)
    assert after[1] != before[1]
    assert quiet(browser)


@pytest.mark.parametrize("dark,width", [(False, 1200), (True, 1200), (False, 390), (True, 390)])
def test_fits_its_screen(page, tmp_path, dark, width):
    find_browser()
    with Browser(tmp_path / "profile", dark=dark) as browser:
        browser.size(width, 844, phone=width < 500)
        browser.open(page[0])
        assert browser.run("return document.documentElement.scrollWidth") <= width
        shade = browser.run("return getComputedStyle(document.body).backgroundColor")
        level = sum(map(int, re.findall(r"\d+", shade)[:3]))
        assert (level < 200) == dark
        browser.screenshot(tmp_path / "page.png")
        assert quiet(browser)


def visible(browser):
    return browser.run("return document.querySelectorAll('.sheet > li:not([hidden])').length")


def drawn(browser):
    """(pixels drawn, a digest of them) of the first canvas, once the next frame is through."""
    return browser.do(
        "/execute/async",
        {
            "script": "const done = arguments[arguments.length - 1];"
            "requestAnimationFrame(() => requestAnimationFrame(() => {"
            "const c = document.querySelector('canvas');"
            "const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
            "let n = 0, h = 0; for (let k = 3; k < d.length; k += 4) { n += d[k] > 0; h = (h * 31 + d[k - 1]) | 0; }"
            "done([n, h]); }));",
            "args": [],
        },
    )


def quiet(browser):
    """No request left the page and nothing was complained about."""
    assert browser.requests() == []
    complaints = [entry for entry in browser.logs("browser") if entry["level"] in ("SEVERE", "WARNING")]
    assert complaints == []
    return True
