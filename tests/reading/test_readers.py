import csv
import io
import json
import os
import sys
from itertools import islice
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paratype.reading import SUFFIXES, Failure, Row, find_files, read_rows

BOM = b"\xef\xbb\xbf"


@pytest.fixture
def read(tmp_path):
    """Write a file and read its rows."""

    def read(name, data, **options):
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return list(read_rows(str(path), **options))

    return read


def texts(rows):
    return [row.text for row in rows]


def errors(rows):
    return [row.error for row in rows]


def columns(rows):
    return [row.columns for row in rows]


# Finding files


@pytest.fixture
def tree(tmp_path):
    names = "b.txt a.md sub/c.jsonl sub/deep/d.csv sub/e.TSV f.ndjson .hidden.txt .git/g.txt sub/.h/i.txt x.pdf y"
    for name in names.split():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("text")
    (tmp_path / "folder.txt").mkdir()
    return tmp_path


def found(tree, *inputs):
    return [os.path.relpath(name, tree) for name in find_files(map(str, inputs))]


def test_folders_are_searched_in_order_and_hidden_files_left_out(tree):
    assert found(tree, tree) == ["a.md", "b.txt", "f.ndjson", "sub/c.jsonl", "sub/deep/d.csv", "sub/e.TSV"]


def test_a_hidden_folder_that_is_named_is_searched(tree):
    assert found(tree, tree / ".git") == [".git/g.txt"]


def test_each_file_is_found_once_in_the_order_of_the_inputs(tree):
    inputs = (tree / "sub" / "e.TSV", tree, tree / "a.md", tree / "sub")
    assert found(tree, *inputs) == ["sub/e.TSV", "a.md", "b.txt", "f.ndjson", "sub/c.jsonl", "sub/deep/d.csv"]


def test_a_file_named_in_two_ways_is_found_once(tree, monkeypatch):
    monkeypatch.chdir(tree)
    assert len(list(find_files(["b.txt", "./b.txt", str(tree / "b.txt")]))) == 1


@pytest.mark.parametrize("name", ["x.pdf", "y", ".hidden.txt", "missing.txt"])
def test_a_file_that_is_named_is_taken_whatever_it_is(tree, name):
    assert found(tree, tree / name) == [name]


def test_standard_input_is_taken_as_it_is_and_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-").mkdir()
    assert list(find_files(["-", "-"])) == ["-"]


def test_an_empty_folder_has_no_files(tmp_path):
    assert list(find_files([str(tmp_path)])) == []


def test_a_link_to_a_file_is_that_file(tree):
    (tree / "link.txt").symlink_to(tree / "b.txt")
    assert found(tree, tree / "link.txt", tree / "b.txt") == ["link.txt"]


def test_a_link_to_itself_is_taken_as_it_is(tree):
    (tree / "loop.txt").symlink_to(tree / "loop.txt")
    assert found(tree, tree / "loop.txt") == ["loop.txt"]
    with pytest.raises(Failure, match=r"loop\.txt: Too many levels of symbolic links"):
        list(read_rows(str(tree / "loop.txt")))


def test_a_name_too_long_for_a_file_is_taken_as_it_is(tree):
    assert list(find_files(["a text, not a file. " * 20])) == ["a text, not a file. " * 20]


# Documents


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.TXT"])
def test_documents_are_cut_into_paragraphs_with_offsets(read, name, tmp_path):
    document = "One  two.\n\n Three\u2019s.\n"
    rows = read(name, document)
    assert texts(rows) == ["One two.", "Three\u2019s."]
    assert [document[row.start : row.end] for row in rows] == ["One  two.", "Three\u2019s."]
    assert [row.paragraph for row in rows] == [0, 1]
    assert {row.source for row in rows} == {str(tmp_path / name)}
    assert columns(rows) == [{}, {}] and errors(rows) == [None, None]


@pytest.mark.parametrize("data", [b"", b"\n \n", BOM])
def test_documents_without_text_have_no_rows(read, data):
    assert read("a.txt", data) == []


def test_a_byte_order_mark_does_not_count(read):
    (row,) = read("a.txt", BOM + b"One.")
    assert (row.text, row.start, row.end) == ("One.", 0, 4)


def test_line_ends_of_windows_and_old_macs_part_lines(read):
    assert texts(read("a.txt", b"One.\r\n\r\nTwo.\r\rThree.")) == ["One.", "Two.", "Three."]


# JSON lines


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson"])
def test_json_lines_keep_their_columns(read, name):
    rows = read(name, '{"id": 1, "text": "One.", "tags": ["a", null], "n": {"x": 1.5}}\n{"text": "Two."}\n')
    assert texts(rows) == ["One.", "Two."]
    assert columns(rows) == [{"id": 1, "text": "One.", "tags": ["a", None], "n": {"x": 1.5}}, {"text": "Two."}]
    assert all((row.paragraph, row.start, row.end, row.error) == (None,) * 4 for row in rows)


def test_blank_lines_are_passed_over_and_counted(read):
    rows = read("a.jsonl", '\n{"text": "One."}\r\n  \n\n{"text": tw')
    assert texts(rows) == ["One.", ""]
    assert errors(rows)[1].startswith("line 5: not JSON: ")


@pytest.mark.parametrize("line", ['{"text": "One', '{"text": "One."} x', "text", "{'text': 'One.'}", "[" * 100_000])
def test_a_torn_line_is_named_and_the_others_are_read(read, line):
    rows = read("a.jsonl", f'{{"text": "A."}}\n{line}\n{{"text": "B."}}')
    assert texts(rows) == ["A.", "", "B."]
    assert errors(rows)[1].startswith("line 2: not JSON: ")
    assert errors(rows)[0] is errors(rows)[2] is None


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_a_number_that_json_does_not_have_is_named(read, number):
    rows = read("a.jsonl", f'{{"text": "A.", "x": [{number}]}}\n{{"text": "B."}}')
    assert errors(rows) == [f"line 1: not JSON: {number} is no JSON number", None]


@pytest.mark.parametrize(("line", "kind"), [("[1]", "list"), ('"a"', "str"), ("3", "int"), ("null", "NoneType")])
def test_a_line_that_is_no_object_is_named(read, line, kind):
    assert errors(read("a.jsonl", line)) == [f"line 1: expected an object, got {kind}"]


def test_a_line_without_the_column_is_named_with_those_it_has(read):
    rows = read("a.jsonl", '{"body": "One.", "id": 7}\n{"text": "Two."}\n{}')
    assert errors(rows) == [
        "line 1: no column 'text'; columns: body, id; name one with --text-column",
        None,
        "line 3: no column 'text'; columns: none; name one with --text-column",
    ]
    assert columns(rows)[0] == {"body": "One.", "id": 7}


def test_a_text_that_is_null_is_blank(read):
    (row,) = read("a.jsonl", '{"text": null}')
    assert (row.text, row.error, row.columns) == ("", None, {"text": None})


@pytest.mark.parametrize(
    ("value", "kind"), [("1", "int"), ("1.5", "float"), ("true", "bool"), ("[]", "list"), ('{"a": 1}', "dict")]
)
def test_a_text_that_is_none_is_named(read, value, kind):
    (row,) = read("a.jsonl", f'{{"text": {value}, "id": 7}}')
    assert row.error == f"line 1: expected text, got {kind}"
    assert row.text == "" and row.columns["id"] == 7


def test_json_lines_with_a_byte_order_mark(read):
    assert texts(read("a.jsonl", BOM + b'{"text": "One."}\n{"text": "Two."}')) == ["One.", "Two."]


def test_separators_of_unicode_do_not_part_json_lines(read):
    text = "One\u2028two\u0085three"
    assert texts(read("a.jsonl", f'{{"text": "{text}"}}')) == [text]


def test_lone_surrogates_in_json_are_read(read):
    assert texts(read("a.jsonl", '{"text": "\\ud800"}')) == ["\ud800"]


def test_another_text_column(read):
    assert texts(read("a.jsonl", '{"text": "no", "body": "yes"}', text_column="body")) == ["yes"]
    assert texts(read("a.csv", "text,body\nno,yes\n", text_column="body")) == ["yes"]


# Tables


@pytest.mark.parametrize(("name", "comma"), [("a.csv", ","), ("a.tsv", "\t"), ("A.CSV", ",")])
def test_tables_keep_their_columns(read, name, comma):
    rows = read(name, f"id{comma}text\n1{comma}One.\n2{comma}\n".encode())
    assert columns(rows) == [{"id": "1", "text": "One."}, {"id": "2", "text": ""}]
    assert texts(rows) == ["One.", ""] and errors(rows) == [None, None]


def test_cells_hold_newlines_quotes_and_commas(read):
    (first, second) = read("a.csv", 'text,id\n"One, ""two""\n\nthree",1\r\nFour,2\r\n')
    assert (first.text, first.columns["id"]) == ('One, "two"\n\nthree', "1")
    assert (second.text, second.columns["id"]) == ("Four", "2")


def test_tables_with_a_byte_order_mark(read):
    assert columns(read("a.csv", BOM + b"text,id\nOne.,1\n")) == [{"text": "One.", "id": "1"}]
    assert columns(read("a.csv", BOM + b'"text",id\nOne.,1\n')) == [{"text": "One.", "id": "1"}]


def test_ragged_rows_are_named_and_the_others_are_read(read):
    rows = read("a.csv", 'text,id\nOne.,1\n"Two\n."\nThree.,3,more\nFour.,4\n')
    assert texts(rows) == ["One.", "", "", "Four."]
    assert errors(rows) == [None, "row 3: expected 2 cells, got 1", "row 4: expected 2 cells, got 3", None]
    assert columns(rows)[1] == {"text": "Two\n."}


def test_blank_lines_of_a_table_are_passed_over(read):
    assert texts(read("a.csv", "text,id\n\nOne.,1\n\n\nTwo.,2\n\n")) == ["One.", "Two."]


def test_blank_lines_before_the_header_are_passed_over(read):
    rows = read("a.csv", "\n\ntext,id\nOne.\n")
    assert errors(rows) == ["row 4: expected 2 cells, got 1"]


@pytest.mark.parametrize(
    ("header", "names"), [("id,text,id", "'id'"), ("text,text", "'text'"), ("b,a,text,,a,b,", "'b', 'a', ''")]
)
def test_a_table_with_two_columns_of_one_name_is_refused(read, header, names):
    with pytest.raises(Failure, match=rf"a\.csv: more than one column is called {names}; rename or drop them"):
        read("a.csv", header + "\nOne.\n")


@pytest.mark.parametrize(("name", "header"), [("a.csv", "id,body"), ("a.tsv", "id\tbody")])
def test_a_table_without_the_column_is_refused_with_those_it_has(read, name, header):
    with pytest.raises(Failure, match=f"{name}: no column 'text'; columns: id, body; name one with --text-column"):
        read(name, header + "\n1,2\n")


def test_a_table_with_a_header_alone_has_no_rows(read):
    assert read("a.csv", "id,text\n") == []
    assert read("a.csv", "id,text") == []


@pytest.mark.parametrize("data", [b"", BOM])
def test_an_empty_table_has_no_rows(read, data):
    assert read("a.csv", data) == []


@pytest.mark.parametrize("data", [b"text\rOne.\r", b"text,id\nOne\rtwo,1\n"], ids=["old Mac", "inside a cell"])
def test_a_lone_carriage_return_in_a_table_is_named(read, data):
    with pytest.raises(Failure, match=r"a\.csv: row \d is not CSV: [\w -]*; put cells that hold line ends in quotes"):
        read("a.csv", data)


def test_rows_before_a_torn_one_are_read(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"text,id\nOne.,1\nTwo\r.,2\n")
    rows = read_rows(str(path))
    assert next(rows).text == "One."
    with pytest.raises(Failure, match=r"a\.csv: row 3 is not CSV"):
        next(rows)


def test_a_carriage_return_in_quotes_stays_in_its_cell(read):
    assert texts(read("a.csv", b'text,id\n"One\rtwo",1\n"a\r\nb",2\n')) == ["One\rtwo", "a\r\nb"]


def test_a_cell_may_be_longer_than_csv_allows_by_itself(read):
    assert len(read("a.csv", "text\n" + "a" * 200_000)[0].text) == 200_000


def test_a_quote_that_is_never_closed_takes_the_rest(read):
    assert texts(read("a.csv", 'text\nOne.\n"Two.\nThree.\n')) == ["One.", "Two.\nThree.\n"]


# Encodings


def test_a_wrong_encoding_names_the_byte_and_the_remedy(read):
    with pytest.raises(Failure, match=r"a\.txt: byte 7 is not utf-8; save the file as UTF-8, or name its encoding"):
        read("a.txt", b"One\n\nTw\xf6.", encoding="utf-8")


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
def test_rows_before_a_wrong_byte_are_read(tmp_path, name):
    path = tmp_path / name
    path.write_bytes({"a.jsonl": b'{"text": "One."}\n{"text": "\xf6"}', "a.csv": b"text\nOne.\n\xf6\n"}[name])
    rows = read_rows(str(path), encoding="utf-8")
    assert next(rows).text == "One."
    with pytest.raises(
        Failure, match=f"{name}: byte {path.read_bytes().index(0xF6)} is not utf-8; .*--encoding cp1252"
    ):
        next(rows)


def test_a_character_torn_off_at_the_end_names_its_byte(read):
    with pytest.raises(Failure, match=r"a\.txt: byte 3 is not utf-8"):
        read("a.txt", "abc€".encode()[:-1])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32-le", "gb18030", "shift_jis"])
@pytest.mark.parametrize("rows", [0, 10_000])
def test_the_byte_that_is_named_is_the_wrong_one(read, encoding, rows):
    # A lone surrogate, a code point beyond the last, a byte that begins nothing: wrong wherever it stands.
    wrong = {"utf-16": b"\x00\xdc", "utf-16-be": b"\xdc\x00", "utf-32-le": b"\xff" * 4}.get(encoding, b"\xff")
    before = ("text\n" + "語\n" * rows).encode(encoding)
    with pytest.raises(Failure, match=rf"a\.csv: byte {len(before)} is not {encoding}; "):
        read("a.csv", before + wrong + "\nOne.\n".encode(encoding.removesuffix("-sig")), encoding=encoding)


def test_all_rows_before_a_wrong_byte_are_read(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(("text\n" + "語\n" * 50_000).encode() + b"\xff\n")
    rows = []
    with pytest.raises(Failure):
        rows.extend(read_rows(str(path)))
    assert texts(rows) == ["語"] * 50_000


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_a_missing_byte_order_mark_is_named(read, encoding):
    with pytest.raises(Failure, match=rf"a\.txt: .*not {encoding}.*; save the file as UTF-8, or name its encoding"):
        read("a.txt", "One.".encode(f"{encoding}-le"), encoding=encoding)


ROWS = {"a.txt": "Öl.\n\nĊ ਊ.", "a.jsonl": '{"text": "Öl."}\n\n{"text": "b."}', "a.csv": 'text,id\n"Öl\n.",1\nb.,2\n'}


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
def test_one_byte_encodings(read, name, encoding):
    document = ROWS[name].replace("Ċ ਊ", "c")
    assert texts(read(name, document.encode(encoding), encoding=encoding)) == texts(read("b" + name, document))


WIDE = [(name, encoding) for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32") for name in ROWS]


@pytest.mark.parametrize(("name", "encoding"), WIDE)
def test_wide_encodings(read, name, encoding):
    assert texts(read(name, ROWS[name].encode(encoding), encoding=encoding)) == texts(read("b" + name, ROWS[name]))


def test_wide_characters_with_the_byte_of_a_line_end(read):
    line = '{"text": "Ċ ਊ"}\n'
    assert texts(read("a.jsonl", line.encode("utf-16"), encoding="utf-16")) == ["Ċ ਊ"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_byte_order_mark_of_a_named_order_does_not_count(read, encoding):
    (row,) = read("a.txt", "\ufeffOne.".encode(encoding), encoding=encoding)
    assert (row.text, row.start) == ("One.", 0)


def test_a_mark_inside_the_text_is_kept(read):
    (row,) = read("a.txt", "One\ufefftwo.")
    assert row.text == "One\ufefftwo."


def test_a_table_is_read_as_its_rows_are_taken(tmp_path):
    for name, line in (("a.csv", "One.\n"), ("a.jsonl", '{"text": "One."}\n')):
        path = tmp_path / name
        path.write_text("text\n" + line * 200_000)
        counts = []
        next(read_rows(str(path), on_bytes=counts.append))
        assert sum(counts) < path.stat().st_size / 5


# Files that cannot be read


def test_an_unknown_suffix_is_refused_with_those_known(read):
    with pytest.raises(Failure, match=rf"unknown kind of file '\.pdf'; expected {', '.join(SUFFIXES)}"):
        read("a.pdf", b"%PDF")
    with pytest.raises(Failure, match="unknown kind of file 'without a suffix'"):
        read("a", b"text")


def test_a_file_of_an_unknown_kind_is_not_decoded(read):
    with pytest.raises(Failure, match=r"unknown kind of file '\.png'"):
        read("a.png", b"\x89PNG\xff")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(Failure, match=r"missing\.txt: No such file or directory"):
        list(read_rows(str(tmp_path / "missing.txt")))


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / "folder.txt").mkdir()
    with pytest.raises(Failure, match=r"folder\.txt: Is a directory"):
        list(read_rows(str(tmp_path / "folder.txt")))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("One.")
    (tmp_path / "a.txt").chmod(0)
    with pytest.raises(Failure, match=r"a\.txt: Permission denied"):
        list(read_rows(str(tmp_path / "a.txt")))


# Standard input and progress


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"One.\n\nTwo.", ["One.", "Two."]),
        (b'{"text": "One."}\n{"text": "Two."}', ["One.", "Two."]),
        (b'\n {"text": "One."}', ["One."]),
        (b"{braces} are text", ["{braces} are text"]),
        (b"", []),
    ],
)
def test_standard_input_is_text_or_json_lines(monkeypatch, data, expected):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BufferedReader(io.BytesIO(data))))
    rows = list(read_rows("-"))
    assert texts(rows) == expected
    assert {row.source for row in rows} <= {"-"}


@pytest.mark.parametrize("data", [b'{ "text": "One."}', BOM + b'{"text": "One."}'], ids=["space", "byte-order mark"])
def test_json_lines_on_standard_input_may_begin_otherwise(monkeypatch, data):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BufferedReader(io.BytesIO(data))))
    assert texts(read_rows("-")) == ["One."]


@pytest.mark.parametrize("data", [b'{"text": "One.", "x": NaN}', b'\n\n{"text": 1}\n', b'{"body": "One."}'])
def test_json_lines_on_standard_input_are_told_even_if_they_cannot_be_read(monkeypatch, data):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BufferedReader(io.BytesIO(data))))
    assert [row.error is None for row in read_rows("-")] == [False]


@pytest.mark.parametrize("data", [b'{\n"text": "One."\n}', b'[{"text": "One."}]', b'{"text": "One', b"3"])
def test_other_json_on_standard_input_is_text(monkeypatch, data):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BufferedReader(io.BytesIO(data))))
    rows = list(read_rows("-"))
    assert " ".join(texts(rows)).split() == data.decode().split() and rows[0].paragraph == 0


class Trickle(io.RawIOBase):
    """Gives one byte at a time, as a slow pipe may."""

    def __init__(self, data):
        self.bytes = iter(data)

    def readable(self):
        return True

    def readinto(self, buffer):
        piece = bytes(islice(self.bytes, 1))
        buffer[: len(piece)] = piece
        return len(piece)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "utf-8"])
def test_a_slow_pipe(monkeypatch, encoding):
    data = '\ufeff{"text": "Ċ€"}\n\n{"text": "Two."}'.encode(encoding)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BufferedReader(Trickle(data))))
    rows = list(read_rows("-", encoding=encoding))
    assert (texts(rows), errors(rows)) == (["Ċ€", "Two."], [None, None])


def test_all_bytes_are_counted(read):
    for name, document in ROWS.items():
        counts = []
        read(name, document, on_bytes=counts.append)
        assert sum(counts) == len(document.encode())


# Round trips

CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(CELLS, CELLS), max_size=5), delimiter=st.sampled_from([",", "\t"]))
def test_rows_survive_csv(tmp_path, rows, delimiter):
    path = tmp_path / ("a.csv" if delimiter == "," else "a.tsv")
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, delimiter=delimiter).writerows([("text", "id"), *rows])
    expected = [Row(str(path), text, {"text": text, "id": other}) for text, other in rows]
    assert list(read_rows(str(path))) == expected


VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.lists(st.text(max_size=3))
)


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.fixed_dictionaries({"text": st.text()}, optional={"id": VALUES, "": VALUES, "ü": VALUES}), max_size=5
    )
)
def test_rows_survive_json_lines(tmp_path, rows):
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert list(read_rows(str(path))) == [Row(str(path), row["text"], row) for row in rows]
