"""The page where it is read: in a browser, with and without scripts, by eye, ear and keyboard, and on paper."""

import time
from functools import partial
from types import SimpleNamespace

import pytest
from page_texts import HOSTILE, record

from eval.browser import find_chromium, open_browser
from paratype.writing.page import PageWriter
from paratype.writing.page_rows import clean

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_chromium() is None, reason="no Chromium here (apt-get install chromium)"),
]
SHOWN = "[...document.querySelectorAll('.row')].filter((row) => row.offsetParent).map((row) => row.id).join(' ')"
FOCUS = "document.activeElement.id"
LABELS = ["attack_report", "analysis", "none", "casualty_figure"]


@pytest.fixture(scope="module")
def browser():
    with open_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def read_aloud():
    with open_browser(aloud=True) as browser:
        yield browser


@pytest.fixture
def opened(browser, tmp_path):
    """Open a page of some records."""

    def opened(records, browser=browser):
        path = tmp_path / "page.html"
        with path.open("w", encoding="utf-8", newline="") as stream, PageWriter(stream) as writer:
            writer.write(SimpleNamespace(records=partial(iter, records)))
            writer.close()
        browser.open(path)
        return browser

    yield opened
    browser.prefer("light")
    browser.resize(1100, 900)
    browser.call("Emulation.setScriptExecutionDisabled", value=False)


def some(count, **changes):
    """Return rows of four types in turn, every third of them for review."""
    return [
        record(paragraph=n, label=LABELS[n % 4], text=f"Text {n}. " * 20, review=n % 3 == 0, **changes)
        for n in range(count)
    ]


def complaints(browser):
    methods = ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")
    return [event for event in browser.events if event["method"] in methods]


def requests(browser):
    return {
        event["params"]["request"]["url"].split(":")[0]
        for event in browser.events
        if event["method"] == "Network.requestWillBeSent"
    }


def heard(browser):
    """Return the role and name of all that a screen reader is told of, in order."""
    browser.run("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 100)))")
    nodes = {node["nodeId"]: node for node in browser.call("Accessibility.getFullAXTree")["nodes"]}
    found, waiting = [], [next(iter(nodes.values()))]
    while waiting:
        node = waiting.pop()
        if not node["ignored"]:
            found.append((node["role"]["value"], node.get("name", {}).get("value", "")))
        waiting += [nodes[child] for child in reversed(node.get("childIds", ())) if child in nodes]
    return found


def test_nothing_that_a_text_says_runs(opened):
    rows = [
        record(source=f"{n} {text}", text=text, error=text, label=text, labels=["x" + text], review=True)
        for n, text in enumerate(HOSTILE)
    ]
    browser = opened([{text: text, **row} for text, row in zip(HOSTILE, rows, strict=True)])
    browser.run("new Promise((done) => setTimeout(done, 300))")
    assert "ran" not in browser.run("document.title").split()
    assert browser.run("document.querySelectorAll('.row').length") == len(HOSTILE)
    seen = browser.run("[...document.querySelectorAll('.text')].map((text) => text.textContent)")
    assert seen == [clean(text) for text in HOSTILE]
    assert browser.run("document.querySelectorAll('main img, main svg [onload], main script, main iframe').length") == 0
    assert complaints(browser) == [] and requests(browser) <= {"file"}


def test_what_gets_into_a_page_all_the_same_does_not_run(opened, tmp_path):
    opened(some(1))
    page = (tmp_path / "page.html").read_text("utf-8")
    forged = tmp_path / "forged.html"
    forged.write_text(page.replace("<footer", "".join(HOSTILE[:3]).replace("\\", "") + "<footer"), "utf-8")
    browser = opened([])
    browser.open(forged)
    browser.run("new Promise((done) => setTimeout(done, 300))")
    assert "ran" not in browser.run("document.title").split()
    assert any("Content Security Policy" in str(event) for event in complaints(browser))


def test_types_are_shown_and_hidden(opened):
    browser = opened(some(8))
    for box, rows in (("f0", "p2 p3 r2 p6 r3 p8"), ("f3", "p3 r2 r3 p8")):
        browser.run(f"document.getElementById('{box}').click()")
        assert browser.run(SHOWN) == rows
    browser.run("document.getElementById('only').click()")
    assert browser.run(SHOWN) == "r2 r3"


def test_keys_and_links_lead_through_what_is_for_review(opened):
    browser = opened(some(40))
    browser.press("n")
    assert browser.run(FOCUS) == ""  # a key alone does nothing until the reader is there
    browser.run("document.querySelector('.steps a:last-child').click()")
    assert (
        browser.run(FOCUS) == "r1"
        and browser.run("document.getElementById('status').textContent") == "1 of 14 for review"
    )
    for key, place in zip("nnpp", ("r2", "r3", "r2", "r1"), strict=True):
        browser.press(key)
        assert browser.run(FOCUS) == place
    browser.press("p")
    assert browser.run(FOCUS) == "r14" and browser.run("scrollY") > 1000
    browser.run("document.querySelector('#r13 .next').click()")
    assert browser.run(FOCUS) == "r14"
    top, bar = browser.run(
        "[document.activeElement.getBoundingClientRect().top, document.querySelector('.bar').offsetHeight]"
    )
    assert top >= bar - 1 or browser.run("scrollY + innerHeight >= document.body.offsetHeight - 1")


def test_what_is_hidden_is_passed_over(opened):
    browser = opened(some(40))
    browser.run("document.getElementById('f0').click()")  # attack_report: r1, r5, r9, r13
    browser.run("document.querySelector('.steps a:last-child').click()")
    seen = [browser.run(FOCUS)]
    for _ in range(4):
        browser.press("n")
        seen.append(browser.run(FOCUS))
    assert seen == ["r2", "r3", "r4", "r6", "r7"]
    for box in ("f2", "f3", "f4"):
        browser.run(f"document.getElementById('{box}').click()")
    browser.run("document.querySelector('.steps a:last-child').click()")
    assert browser.run("document.getElementById('status').textContent") == "No paragraph for review is shown."


def test_it_works_without_scripts(opened):
    opened([]).call("Emulation.setScriptExecutionDisabled", value=True)
    browser = opened(some(40))
    assert browser.run("document.querySelector('.first').textContent") == "first"
    browser.run("document.getElementById('f0').click()")
    assert "r1" not in browser.run(SHOWN).split()
    browser.run("document.getElementById('f0').click()")
    browser.run("document.querySelector('#r13 .next').click()")
    assert browser.run("location.hash") == "#r14"
    until = time.monotonic() + 20
    while browser.run("scrollY") < 1000:
        assert time.monotonic() < until
        time.sleep(0.05)


def test_five_thousand_paragraphs(opened):
    browser = opened(some(5000))
    browser.run("document.querySelector('.steps a:last-child').click()")
    assert browser.run(FOCUS) == "r1"
    assert browser.run("getComputedStyle(document.querySelector('.row')).contentVisibility") == "auto"
    row = browser.call("Runtime.evaluate", expression="document.querySelector('main')")["result"]["objectId"]
    assert browser.call("DOMDebugger.getEventListeners", objectId=row, depth=-1)["listeners"] == []


def test_a_screen_reader_finds_its_way(opened, read_aloud):
    browser = opened([*some(4), record(source="b.txt", labels=["analysis", "casualty_figure"])], read_aloud)
    found = heard(browser)
    roles = [role for role, _ in found]
    for landmark in ("banner", "navigation", "main", "contentinfo", "form"):
        assert roles.count(landmark) == 1, landmark
    assert [name for role, name in found if role == "heading"] == ["2 documents", "Documents", "a.txt", "b.txt"]
    assert [name for role, name in found if role == "region"] == ["a.txt", "b.txt"]
    boxes = ["attack report 1", "casualty figure 2", "analysis 1", "none 1", "for review only"]
    assert [name for role, name in found if role == "checkbox"] == boxes
    assert all(name for role, name in found if role in ("link", "checkbox"))
    spoken = " ".join(name.strip() for role, name in found if role == "StaticText")
    assert "casualty figure 0 score 0.93 also states + analysis Ten died." in spoken
    assert browser.run("document.documentElement.lang") == "en"


def test_a_screen_reader_finds_what_is_out_of_sight(opened, read_aloud):
    found = heard(opened(some(200), read_aloud))
    assert sum(role == "listitem" for role, _ in found) == 200
    assert sum(role == "StaticText" and name.startswith("Text 199.") for role, name in found) == 1


@pytest.mark.parametrize("width", [320, 700, 1600])
def test_it_fits_the_window(opened, width):
    browser = opened([*some(6), record(source="long" * 50, text="long" * 500, label="a_type_of_ones_own" * 3)])
    browser.resize(width, 800)
    assert browser.run("document.scrollingElement.scrollWidth") <= width
    assert browser.run("Math.max(...[...document.querySelectorAll('.text')].map((text) => text.offsetWidth))") < 760


def test_it_is_dark_for_those_who_like_it_so_and_light_on_paper(opened):
    browser = opened(some(3))
    back = "getComputedStyle(document.body).backgroundColor"
    browser.prefer("dark")
    assert browser.run(back) == "rgb(23, 25, 28)"
    browser.prefer("dark", media="print")
    assert browser.run(back) == "rgb(253, 252, 250)"
    assert browser.run("getComputedStyle(document.querySelector('.row')).contentVisibility") == "visible"
    assert browser.run("getComputedStyle(document.querySelector('.steps')).display") == "none"
