import base64
import hashlib
import io
import re
from collections import Counter
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from page_texts import HOSTILE, record

from paratype.writing import page
from paratype.writing.page import PageWriter
from paratype.writing.page_rows import clean

STYLE = (Path(page.__file__).parent / "page.css").read_text("utf-8")
VOID = {"meta", "input", "img", "br", "rect"}
TAGS = set(
    "html head title style script body meta a header p h1 h2 svg rect form fieldset legend span input label details "
    "summary dl dt dd div nav ol li main section strong mark em footer".split()
)


class Parsed(HTMLParser):
    """A page taken apart: how often each tag comes, all attributes, and the texts by the class they stand in."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.texts, self._open = Counter(), [], [], []
        self.feed(text)
        self.close()
        assert not self._open, "all that is opened is closed"

    def handle_starttag(self, tag, attributes):
        self.tags[tag] += 1
        self.attributes += [(tag, name, value) for name, value in attributes]
        if tag not in VOID:
            self._open.append((tag, dict(attributes).get("class") or ""))

    def handle_startendtag(self, tag, attributes):
        self.tags[tag] += 1

    def handle_endtag(self, tag):
        assert self._open.pop()[0] == tag

    def handle_data(self, data):
        self.texts.append(
            (
                data,
                [name for _, names in self._open for name in names.split()],
                self._open[-1][0] if self._open else None,
            )
        )

    def of(self, name):
        """Return the texts in elements of a class, joined where they touch."""
        return [data for data, names, _ in self.texts if name in names and data.strip()]

    def values(self, attribute):
        return [value for _, name, value in self.attributes if name == attribute]


def written(*batches, **options):
    stream = io.StringIO(newline="")
    with PageWriter(stream, **options) as writer:
        for records in batches:
            writer.write(SimpleNamespace(records=partial(iter, records)))
        writer.close()
    return stream.getvalue()


def parsed(*records, **options):
    return Parsed(written(list(records), **options))


# What stands on a page


def test_a_row_shows_type_score_further_types_and_text():
    shown = parsed(record(labels=["attack_report", "casualty_figure"], score=0.987))
    assert shown.of("margin") == ["casualty figure", "0", "score ", "0.99", "also states ", "+ attack report"]
    assert shown.of("text") == ["Ten died."]


def test_paragraphs_stand_in_order_with_their_numbers():
    shown = parsed(*(record(paragraph=n, text=f"Text {n}.") for n in range(7)))
    assert shown.of("text") == [f"Text {n}." for n in range(7)]
    assert shown.of("number") == [str(n) for n in range(7)]


def test_rows_of_tables_show_the_text_column_and_short_columns():
    row = {"id": 7, "body": "Ten died.", "note": "x" * 99, "tags": ["a"], "empty": "", **record(paragraph=None)}
    del row["text"]
    shown = parsed(row, {**row, "id": 8}, text_column="body")
    assert shown.of("text") == ["Ten died."] * 2 and shown.of("number") == ["0", "1"]
    assert shown.of("columns") == ["id", "7", "id", "8"]


def test_rows_without_text_and_rows_that_failed():
    without = record()
    del without["text"]
    failed = record(
        label=None, score=None, labels=None, review=None, text="", error="line 3: not JSON", **{"p_none": None}
    )
    shown = parsed(without, failed)
    assert shown.of("text") == [] and shown.of("error") == ["line 3: not JSON"]
    assert shown.of("row")[-3:] == ["error", "0", "line 3: not JSON"]


def test_evidence_is_marked():
    text = "It began <there>. Ten died. More later."
    shown = parsed(record(text=text, evidence={"text": "Ten died.", "start": 18, "end": 27}))
    assert shown.of("text") == ["It began <there>. ", "Ten died.", " More later."]
    assert [data for data, _, tag in shown.texts if tag == "mark" and data != "marked"] == ["Ten died."]


@pytest.mark.parametrize(
    "evidence",
    [None, {}, {"text": None, "start": None, "end": None}, {"start": 5, "end": 99}, {"start": 3, "end": 3}],
    ids=str,
)
def test_evidence_that_is_none_marks_nothing(evidence):
    shown = parsed(record(evidence=evidence))
    assert shown.tags["mark"] == 1 and shown.of("text") == ["Ten died."]  # the one in the legend


def test_what_is_for_review_is_flagged_and_leads_to_the_next():
    flagged = record(review=True, score=0.5, p_attack_report=0.41)
    shown = parsed(record(), flagged, record(), flagged)
    assert shown.of("second") == ["or attack report 0.41"] * 2
    ids = [value for tag, name, value in shown.attributes if tag == "li" and name == "id"]
    assert ids == ["p1", "r1", "p3", "r2"]
    assert [value for value in shown.values("href") if value.startswith("#r")] == ["#r1", "#r1", "#r1", "#r2", "#r2"]
    assert "for review" not in "".join(parsed(record()).of("bar"))


def test_the_head_counts_types():
    shown = parsed(record(), record(label="none"), record(review=True), record(label=None, error="no"))
    assert shown.of("filter") == ["casualty figure ", "2", "none ", "1", "error ", "1"]
    assert shown.of("sum") == ["4 paragraphs, 1 for review"]


def test_several_documents_have_an_index():
    rows = [record(source=name) for name in ("a.txt", "a.txt", "b <i>.txt", "c.csv")]
    shown = Parsed(written(rows[:1], rows[1:2], rows[2:]))
    links = [value for value in shown.values("href") if value.startswith("#d")]
    assert links == ["#d1", "#d2", "#d3"] and set(links) <= {f"#{value}" for value in shown.values("id")}
    assert shown.of("sum")[1:] == [f"{count}, none for review" for count in ("2 paragraphs", *["1 paragraph"] * 2)]
    assert shown.tags["nav"] == 1 and parsed(record()).tags["nav"] == 0


def test_other_types_have_a_name_a_colour_and_a_filter():
    labels = [f"type_{n}" for n in range(9)]
    shown = parsed(*(record(label=label, labels=[label], review=True) for label in labels))
    assert shown.of("filter")[::2] == [f"type {n} " for n in range(9)]
    colours = [name for value in shown.values("class") for name in (value or "").split() if re.fullmatch(r"c\d+", name)]
    assert {f"c{n}" for n in range(6, 10)} == set(colours)
    for number in range(15):
        assert f"body:has(#f{number}:not(:checked)) .k{number} {{" in written([record(label=n) for n in labels])


def test_a_page_of_nothing():
    assert "There was nothing to label." in written() == written([])


def test_a_long_text_is_cut():
    shown = parsed(record(text="x" * 30_000))
    assert shown.of("text") == ["x" * 20_000 + "… ", "10,000 more characters"]


def test_strips_of_many_parts_are_sorted():
    rows = [record(label=label) for label in ("none", "analysis") * 200]
    assert written(rows).count("<rect") == 2 and written(rows[:9]).count("<rect") == 9


@pytest.mark.parametrize("cut", [0, 1, 2])
def test_another_writer_goes_on_with_the_same_files(tmp_path, cut):
    batches = [[record(), record(source="b")], [record(source="b", text="\ud800")]]
    with (tmp_path / "out").open("a", encoding="utf-8", newline="") as stream:
        for some in (batches[:cut], batches[cut:]):
            with PageWriter(stream, tmp_path) as writer:
                for records in some:
                    writer.write(SimpleNamespace(records=partial(iter, records)))
                writer.flush()
        with PageWriter(stream, tmp_path) as writer:
            writer.close()
    assert (tmp_path / "out").read_text("utf-8") == written(*batches)


# That nothing in it can run


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("column", ["text", "source", "error", "label", "labels", "own", "evidence", "name"])
def test_texts_stay_texts(column, text):
    changes = {
        "own": {},
        "name": {},
        "labels": {"labels": [text]},
        "evidence": {"text": text, "evidence": {"text": text, "start": 0, "end": len(text)}},
    }.get(column, {column: text})
    own = {"own": {"own": text[:50]}, "name": {text[:50]: "x"}}.get(column, {})
    out = written([{**own, **record(review=True, **changes)}, record(source="b")])
    out.encode()
    shown = Parsed(out)
    assert set(shown.tags) <= TAGS and shown.tags["script"] == shown.tags["style"] == 1
    assert not [name for _, name, _ in shown.attributes if name.startswith("on") or name in ("src", "style", "srcdoc")]
    assert all(re.fullmatch(r"#(r\d+|p\d+|d\d+|paragraphs)", value) for value in shown.values("href"))
    wanted = clean(text[:50] if column in ("own", "name") else text)
    seen = "".join(data for data, _, _ in shown.texts)
    assert (wanted.replace("_", " ") if column in ("label", "labels") else wanted) in seen


@settings(deadline=None, max_examples=50)
@given(st.text(), st.text(min_size=1), st.text(st.characters(), min_size=1))
def test_any_text_survives(text, source, label):
    out = written([record(text=text, source=source, label=label, review=True)])
    out.encode()
    assert "\x00" not in out
    texts = Parsed(out.replace("\r", "")).of("text")
    assert texts == [clean(text)] * bool(clean(text).strip())


def test_the_policy_allows_this_script_and_this_style_alone():
    out = written([record(label="other")])
    (policy,) = (value for value in Parsed(out).values("content") if "default-src" in value)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    for tag, rule in (("script", "script-src"), ("style", "style-src")):
        (inside,) = re.findall(f"<{tag}>(.*?)</{tag}>", out, re.DOTALL)
        assert rules[rule] == f"'sha256-{base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()}'"
    assert set(rules) == {"default-src", "style-src", "script-src", "base-uri", "form-action"}


def test_the_page_asks_for_nothing_from_elsewhere():
    out = written([record(), record(source="b")])
    assert not re.search(r"https?:|url\(|@import|src=|<link|fetch\(|XMLHttp|innerHTML|eval\(", out)


# Colours


def schemes():
    light = dict(re.findall(r"--(\w+): (#\w{6})", STYLE.split("@media")[0]))
    dark = dict(re.findall(r"--(\w+): (#\w{6})", STYLE.split("@media")[1]))
    assert light.keys() == dark.keys() and len(light) == 28
    return {"light": light, "dark": dark}


def linear(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def contrast(first, second):
    """The contrast ratio of WCAG 2.2."""
    low, high = sorted(
        sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear(c), strict=True)) for c in (first, second)
    )
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_what_is_behind_them(scheme):
    colours = schemes()[scheme]
    behind = [(f"t{n}", f"c{n}") for n in range(10)]
    behind += [(word, back) for word in ("ink", "quiet", "link", "flag") for back in ("page", "raised")]
    behind += [("ink", "mark"), ("t5", "page")]
    poor = {pair: contrast(*map(colours.get, pair)) for pair in behind if contrast(*map(colours.get, pair)) < 4.5}
    assert poor == {}


# Machado, Oliveira and Fernandes 2009, in full strength: what is left of linear red, green and blue.
SIGHTS = {
    "all colours": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "no red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no green": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "no blue": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    "grey": [[0.2126, 0.7152, 0.0722]] * 3,
}


def lab(colour, sight):
    seen = [min(1, max(0, sum(w * p for w, p in zip(row, linear(colour), strict=True)))) for row in sight]
    to_xyz = [[0.4339, 0.3762, 0.1899], [0.2126, 0.7152, 0.0722], [0.0178, 0.1098, 0.8724]]
    x, y, z = (sum(w * p for w, p in zip(row, seen, strict=True)) for row in to_xyz)
    x, y, z = (value ** (1 / 3) if value > 0.008856 else 7.787 * value + 16 / 116 for value in (x, y, z))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_types_differ_for_the_colour_blind(scheme, sight):
    colours = schemes()[scheme]
    seen = [lab(colours[f"c{n}"], SIGHTS[sight]) for n in range(5)]
    apart = [
        sum((a - b) ** 2 for a, b in zip(seen[i], seen[j], strict=True)) ** 0.5 for i in range(5) for j in range(i)
    ]
    assert min(apart) > (5 if sight == "grey" else 15)
