import csv
import io
import json
from functools import partial
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paratype.writing.formats import FORMATS
from paratype.writing.terminal import printable


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    for name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)


def record(**changes):
    return {
        "source": "a.txt",
        "paragraph": 0,
        "start": 0,
        "end": 9,
        "text": "Ten died.",
        "label": "casualty_figure",
        "score": 0.93,
        "labels": ["casualty_figure"],
        "review": False,
        "error": None,
        **changes,
    }


def labelled(records, first=0):
    """Return records in the place of a `paratype.batch.Labelled`."""
    return SimpleNamespace(records=partial(iter, records), first=first)


def written(format, *batches, **options):
    stream = io.StringIO(newline="")
    with FORMATS[format](stream, **options) as writer:
        for records in batches:
            writer.write(labelled(records))
        writer.close()
    return stream.getvalue()


def cells(*records, **options):
    return list(csv.reader(io.StringIO(written("csv", list(records), **options), newline="")))


# JSON lines


def test_json_lines_are_one_object_a_line():
    records = [record(text="One\ntwo\u2028three \u00fc"), record(n=None, tags=["a", 1], flag=True, deep={"x": 1.5})]
    output = written("jsonl", records[:1], [], records[1:])
    assert [json.loads(line) for line in output.split("\n")[:-1]] == records
    assert "\u00fc" in output


def test_json_lines_of_nothing_are_empty():
    assert written("jsonl") == written("jsonl", []) == ""


def test_json_lines_with_lone_surrogates_are_utf_8():
    for changes in ({"text": "a\ud800"}, {"\udfff": 1}, {"text": "ü", "other": ["\ud800"]}):
        output = written("jsonl", [record(**changes)])
        output.encode()
        assert json.loads(output) == record(**changes)


@settings(deadline=None)
@given(st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()))
def test_any_record_survives_json_lines(extra):
    output = written("jsonl", [{**extra, "source": "a"}])
    assert json.loads(output) == {**extra, "source": "a"} and output.count("\n") == 1
    output.encode()


# CSV


def test_csv_has_the_columns_of_all_records_in_order_of_appearance():
    assert cells({"a": 1, "b": "x"}, {"c": 2.5, "a": None}, {"b": "y"}) == [
        ["a", "b", "c"],
        ["1", "x", ""],
        ["", "", "2.5"],
        ["", "y", ""],
    ]


def test_csv_waits_for_the_last_batch():
    assert written("csv", [{"a": 1}], [{"b": 2}]) == "a,b\n1,\n,2\n"


def test_csv_of_nothing_is_empty():
    assert written("csv") == written("csv", []) == ""


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (["a", "b"], "a;b"),
        ([], ""),
        (["=a", "b"], "'=a;b"),
        ([1, "a"], '[1, "a"]'),
        ({"x": [1, None]}, '{"x": [1, null]}'),
        (True, "true"),
        (False, "false"),
        (None, ""),
        (-3, "-3"),
        (-0.5, "-0.5"),
        ('One, "two"\n\nthree\r\n', 'One, "two"\n\nthree\r\n'),
        ("\u00fc\u202e", "\u00fc\u202e"),
    ],
)
def test_csv_cells(value, cell):
    assert cells({"a": value, "b": "last"}) == [["a", "b"], [cell, "last"]]


@pytest.mark.parametrize("text", ["-33.5", "+49", "-1,234.5", "-1e-05"])
def test_numbers_with_a_sign_stay_as_they_are(text):
    assert cells({"a": text}) == [["a"], [text]]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_formulas_are_guarded(start):
    for text in (start, start + "1+1", start + "cmd|'/C calc'!A0"):
        assert cells({"a": text}) == [["a"], ["'" + text]]
    assert cells({"a": "-1+cmd|' /C calc'!A0"}) == [["a"], ["'-1+cmd|' /C calc'!A0"]]
    assert cells({"a": "-1\n=2"}) == [["a"], ["'-1\n=2"]]
    for text in ("a" + start, " " + start, "'" + start):
        assert cells({"a": text}) == [["a"], [text]]


def test_carriage_returns_stay_in_their_cell():
    assert cells({"a": "One\rtwo", "b": "last"}) == [["a", "b"], ["One\rtwo", "last"]]


def test_formulas_in_the_header_are_guarded():
    assert cells({"=1+1": "a"}) == [["'=1+1"], ["a"]]


def test_csv_with_lone_surrogates_is_utf_8():
    for value in ("a\ud800", ["\ud800"], {"\ud800": "\udfff"}):
        written("csv", [{"a": value}]).encode()
    assert cells({"a": "a\ud800"}) == [["a"], ["a?"]]


def test_csv_with_lone_surrogates_in_the_header_is_utf_8():
    written("csv", [{"\ud800": "a"}]).encode()


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@settings(deadline=None, max_examples=50)
@given(rows=st.lists(st.tuples(CELLS, CELLS), min_size=1))
def test_texts_survive_csv(rows):
    header, *lines = cells(*({"a": first, "b": second} for first, second in rows))
    assert header == ["a", "b"]
    for row, line in zip(rows, lines, strict=True):
        assert [cell.removeprefix("'") for cell in line] == [text.removeprefix("'") for text in row]


@pytest.mark.parametrize("format", ["csv", "tsv"])
def test_formulas_are_left_as_they_are_if_wanted_raw(format):
    assert written(format, [{"=a": "=1+1", "b": ["@x", "y"]}], raw=True) in ("=a,b\n=1+1,@x;y\n", "=a\tb\n=1+1\t@x;y\n")


# TSV


def test_tsv_is_csv_with_tabs():
    assert written("tsv", [{"a": 1, "b": ["x", "y"]}], [{"c": "=1, 2"}]) == "a\tb\tc\n1\tx;y\t\n\t\t'=1, 2\n"


@settings(deadline=None, max_examples=50)
@given(rows=st.lists(st.tuples(CELLS, CELLS), min_size=1))
def test_texts_survive_tsv(rows):
    output = written("tsv", [{"a": first, "b": second} for first, second in rows], raw=True)
    assert [*csv.reader(io.StringIO(output, newline=""), delimiter="\t")] == [["a", "b"], *map(list, rows)]


# Writers that go on with what another has taken


@pytest.mark.parametrize("format", ["jsonl", "csv", "tsv", "table"])
@pytest.mark.parametrize("cut", [0, 1, 2, 3])
def test_another_writer_goes_on_with_the_same_files(tmp_path, format, cut):
    batches = [[record(), record(n=1)], [record(m="x", text="\ud800")], [record(n=2)]]
    with (tmp_path / "out").open("a", encoding="utf-8", newline="") as stream:
        for some in (batches[:cut], batches[cut:]):
            with FORMATS[format](stream, tmp_path) as writer:
                for records in some:
                    writer.write(labelled(records))
                writer.flush()
        with FORMATS[format](stream, tmp_path) as writer:
            writer.close()
    assert (tmp_path / "out").read_bytes().decode() == written(format, *batches)


# Tables


def test_a_table_shows_what_matters():
    records = [
        record(labels=["attack_report", "casualty_figure"], score=0.934, review=True),
        record(paragraph=1, label="none", labels=[], text="The team won."),
        record(paragraph=2, label=None, score=None, labels=None, review=None, text="", error="line 3: not JSON"),
    ]
    output = written("table", records)
    lines = output.splitlines()
    first, second, third = (line for line in lines if line.strip()[:1].isdigit())
    assert "a.txt" in lines[0]
    assert first.split() == ["0", "casualty_figure", "0.93", "Ten", "died."]
    under = lines.index(first) + 1
    assert [line.split() for line in lines[under : under + 2]] == [["+", "attack_report"], ["?", "for", "review"]]
    assert second.split() == ["1", "none", "0.93", "The", "team", "won."]
    assert third.split() == ["2", "error", "line", "3:", "not", "JSON"]


def test_a_table_for_each_file():
    output = written(
        "table", [record(), record(source="b.txt", paragraph=None), record(source="b.txt", paragraph=None)]
    )
    assert output.index("a.txt") < output.index("b.txt") and output.count("b.txt") == 1
    assert [line.split()[0] for line in output.splitlines() if "Ten died" in line] == ["0", "0", "1"]


def test_a_table_goes_on_over_batches():
    rows = [record(paragraph=None, text=f"Row {n}.") for n in range(6)]
    whole = written("table", rows)
    stream = io.StringIO(newline="")
    with FORMATS["table"](stream) as writer:
        for first, end in ((0, 1), (1, 4), (4, 6)):
            writer.write(labelled(rows[first:end], first=first))
    assert stream.getvalue() == whole
    assert [line.split()[0] for line in whole.splitlines() if "Row" in line] == list("012345")


def test_rows_of_a_table_are_numbered_from_the_first_on():
    rows = [record(source=name, paragraph=None) for name in ("b.csv", "b.csv", "c.csv")]
    stream = io.StringIO(newline="")
    FORMATS["table"](stream).write(labelled(rows, first=7))
    assert [line.split()[0] for line in stream.getvalue().splitlines() if "Ten died" in line] == ["7", "8", "0"]


def test_a_table_of_nothing_is_empty():
    assert written("table") == written("table", []) == ""


def test_a_table_without_texts():
    without = {name: value for name, value in record().items() if name != "text"}
    assert "casualty_figure" in written("table", [without])


def test_a_table_shows_the_text_column():
    stream = io.StringIO(newline="")
    records = [record(body="Twenty fled."), record(source="b.csv", body="Twenty fled.")]
    del records[1]["text"]
    with FORMATS["table"](stream, text_column="body") as writer:
        writer.write(labelled(records))
    assert (stream.getvalue().count("Ten died."), stream.getvalue().count("Twenty fled.")) == (1, 1)


def test_printable():
    assert printable("a\x1b[1m\u202eb\r\n\tü\ud800") == "a [1m b   ü "


def test_a_table_in_a_pipe_has_no_escape_codes_and_a_fixed_width():
    output = written(
        "table", [record(label=label, text="word " * 200) for label in ("analysis", "none", "attack_report")]
    )
    assert "\x1b" not in output
    assert max(map(len, output.splitlines())) <= 120
    assert output.count("word") < 3 * 100 and "…" in output


STEERING = ["\x1b[31m", "\x1b]0;title\x07", "\x9b2J", "\u202e", "\u2066", "\u200f", "\x00", "\x08", "\r", "\x7f"]


@pytest.mark.parametrize("mark", STEERING, ids=ascii)
@pytest.mark.parametrize("column", ["source", "text", "error"])
def test_a_table_cannot_be_steered_by_what_it_shows(column, mark):
    output = written("table", [record(**{column: f"before{mark}after"})])
    for char in mark:
        assert char.isprintable() or char not in output.replace("\n", "")
    assert "before" in output and "after" in output


@pytest.mark.parametrize("changes", [{"label": "x\x1b[31mred"}, {"labels": ["x\x1b[31mred"]}], ids=["label", "labels"])
def test_a_table_cannot_be_steered_by_the_names_of_labels(changes):
    assert "\x1b" not in written("table", [record(**changes)])


def test_markup_in_a_text_is_text():
    assert "[red]Ten[/red] :smile: [/]" in written("table", [record(text="[red]Ten[/red] :smile: [/]")])
