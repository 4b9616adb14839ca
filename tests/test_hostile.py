"""Files that mean harm: models through the guarded loader, inputs through the running command."""

import ast
import bz2
import contextlib
import gzip
import importlib
import io
import json
import lzma
import os
import re
import subprocess
import sys
import time
import tracemalloc
import zipfile
from pathlib import Path

import joblib
import numpy as np
import onnxruntime
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from forge import (
    DIMENSIONS,
    MEAN,
    NODES,
    TOKENIZER,
    elsewhere,
    field,
    graph,
    network,
    node,
    put,
    put_tokenizer,
    save_encoder,
    save_words,
    sign,
    tensor,
    vectors,
)

from paratype import ModelRefused
from paratype.artifact import MANIFEST_FILE, MODEL_FILE, load_folder, save_folder
from paratype.encoder import ENCODER_FILE, TOKENIZER_FILE, Encoder
from paratype.guard import check_network, check_tokenizer, load_plain
from paratype.model import Cascade
from paratype.ngrams import text_array
from paratype.text import paragraph_hash, paragraphs
from paratype.words import split

PACKAGE = Path(__file__).parents[1] / "model" / "paratype"
MEGABYTE = 1024**2


@pytest.fixture
def encoded(tmp_path):
    """A model with an encoder, saved."""
    save_encoder(tmp_path / "encoded")
    return tmp_path / "encoded"


@pytest.fixture
def worded(tmp_path):
    """A word model of a few hundred bytes, saved."""
    save_words(tmp_path / "worded")
    return tmp_path / "worded"


attacks = []  # what was tried, for the figures


@pytest.fixture(autouse=True)
def count_attacks(record_property):
    before = len(attacks)
    yield
    record_property("attacks tried", len(attacks) - before)


def refused(folder, match):
    """Open a folder that must be refused, in little time and memory."""
    attacks.append(folder)
    started = time.monotonic()
    tracemalloc.start()
    try:
        with pytest.raises(ModelRefused, match=match):
            load_folder(folder)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert time.monotonic() - started < 20 and peak < 400 * MEGABYTE


# The model file


class Evil:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


@pytest.mark.parametrize("compress", [("zlib", 3), ("gzip", 3), ("bz2", 3), ("lzma", 3), ("xz", 3)], ids=str)
@pytest.mark.parametrize("place", [lambda evil: evil, lambda evil: np.array([evil], object)], ids=["bare", "array"])
def test_calls_in_a_compressed_file_are_not_run(worded, tmp_path, compress, place):
    joblib.dump({"heads": place(Evil(tmp_path / "marker"))}, worded / MODEL_FILE, compress=compress)
    sign(worded)
    refused(worded, "not a plain joblib file")
    assert not (tmp_path / "marker").exists()
    joblib.load(worded / MODEL_FILE)  # the attack would have worked
    assert (tmp_path / "marker").exists()


def test_calls_beside_an_array_that_may_be_mapped_are_not_run(worded, tmp_path):
    joblib.dump({"a": np.zeros(1000), "heads": Evil(tmp_path / "marker")}, worded / MODEL_FILE)
    sign(worded)
    refused(worded, r"asks for (posix|nt)\.mkdir")
    assert not (tmp_path / "marker").exists()
    joblib.load(worded / MODEL_FILE, mmap_mode="r")
    assert (tmp_path / "marker").exists()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("numpy", "ndarray\u200b"),
        ("nump\u0443", "ndarray"),
        ("NumPy", "ndarray"),
        ("numpy\0", "ndarray"),
        ("numpy", "ndarray.ndarray"),
        ("numpy.dtype", "dtype"),
        ("joblib.numpy_pickle", "NumpyArrayWrapper "),
        ("joblib.numpy_pickle ", "NumpyArrayWrapper"),
        ("joblib", "numpy_pickle.NumpyArrayWrapper"),
        ("joblib.numpy_pickle", "np.load"),
    ],
)
def test_names_that_look_allowed_are_refused(worded, module, name):
    named = b"".join(b"\x8c" + bytes([len(part.encode())]) + part.encode() for part in (module, name)) + b"\x93"
    put(worded, MODEL_FILE, b"\x80\x04" + named + b".")
    refused(worded, "which no Paratype model needs; it was not run")


def zip_bomb():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data", bytes(64 * MEGABYTE))
    return packed.getvalue()


BOMBS = {
    "zip": zip_bomb,
    "zstd": lambda: pa.Codec("zstd").compress(bytes(256 * MEGABYTE), asbytes=True),
    "gzip": lambda: gzip.compress(bytes(64 * MEGABYTE), 1),
    "bz2": lambda: bz2.compress(bytes(64 * MEGABYTE), 1),
    "xz": lambda: lzma.compress(bytes(64 * MEGABYTE), preset=0),
}


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.parametrize("name", [MODEL_FILE, ENCODER_FILE, TOKENIZER_FILE])
def test_bombs_do_not_expand(encoded, bomb, name):
    put(encoded, name, BOMBS[bomb]())
    attacks.append(bomb)
    tracemalloc.start()
    try:
        with pytest.raises(ModelRefused, match=f"{name}: "):
            load_folder(encoded)
        assert tracemalloc.get_traced_memory()[1] < 4 * MEGABYTE
    finally:
        tracemalloc.stop()


def test_a_vocabulary_of_line_ends_is_not_split(worded):
    content = joblib.load(worded / MODEL_FILE)
    content["features"]["vocabulary"] = "\n" * 50_000_000
    joblib.dump(content, worded / MODEL_FILE)
    sign(worded)
    refused(worded, "expected at most 4000000 words")


# Files and folders


@pytest.mark.parametrize("name", [MODEL_FILE, ENCODER_FILE, TOKENIZER_FILE])
def test_files_over_their_limit_are_refused_unread(encoded, name):
    most = {MODEL_FILE: 256, ENCODER_FILE: 512, TOKENIZER_FILE: 64}[name] * MEGABYTE
    with (encoded / name).open("r+b") as stream:
        stream.truncate(2 * 1024**3)  # a hole: no disk is taken
    refused(encoded, f"{name}: expected at most {most} bytes, got 2147483648")
    manifest = json.loads((encoded / MANIFEST_FILE).read_text())
    manifest["files"][name]["size"] = most + 1
    (encoded / MANIFEST_FILE).write_text(json.dumps(manifest))
    refused(encoded, f"{name}: expected at most {most} bytes, got {most + 1}")


@pytest.mark.parametrize("name", [ENCODER_FILE, TOKENIZER_FILE, MODEL_FILE])
def test_a_swapped_file_is_refused(encoded, name):
    data = (encoded / name).read_bytes()
    (encoded / name).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    refused(encoded, f"{name}: the file is not the one in the manifest")


@pytest.mark.parametrize("name", [ENCODER_FILE, TOKENIZER_FILE])
def test_links_are_refused(encoded, tmp_path, name):
    (encoded / name).rename(tmp_path / "target")
    (encoded / name).symlink_to(tmp_path / "target")
    refused(encoded, f"{name}: expected a plain file, found a link")


@pytest.mark.parametrize("name", [MANIFEST_FILE, MODEL_FILE, ENCODER_FILE, TOKENIZER_FILE])
@pytest.mark.parametrize("kind", ["pipe", "device", "endless device", "folder"])
def test_what_is_no_file_is_refused_without_waiting(encoded, name, kind):
    (encoded / name).unlink()
    if kind == "pipe":
        os.mkfifo(encoded / name)
    elif kind == "folder":
        (encoded / name).mkdir()
    else:
        (encoded / name).symlink_to("/dev/tty" if kind == "device" else "/dev/zero")
    refused(encoded, r"expected a (model folder|plain file)")


@pytest.mark.parametrize("put_in_place", [os.mkfifo, lambda path: path.symlink_to(os.devnull)], ids=["pipe", "link"])
def test_a_file_that_changes_after_the_look_is_refused(worded, monkeypatch, put_in_place):
    (worded / MODEL_FILE).unlink()
    put_in_place(worded / MODEL_FILE)
    monkeypatch.setattr(Path, "is_file", lambda path: True)
    monkeypatch.setattr(Path, "is_symlink", lambda path: False)
    refused(worded, r"model\.joblib: (expected a plain file, found none|cannot be read)")


@pytest.fixture
def cascade(tmp_path):
    """A cascade, beside the two models that it is made of."""
    for name in ("quick", "better"):
        save_words(tmp_path / name)
    save_folder(Cascade("", load_folder(tmp_path / "quick"), load_folder(tmp_path / "better"), 0.6), tmp_path / "both")
    return tmp_path / "both"


def change_cascade(folder, **changes):
    content = joblib.load(folder / MODEL_FILE)
    content["cascade"].update(changes)
    joblib.dump(content, folder / MODEL_FILE)
    sign(folder)


@pytest.mark.parametrize("parts", [{"first": "both"}, {"second": "both"}, {"first": "both", "second": "both"}], ids=str)
def test_a_cascade_that_names_itself_is_refused(cascade, parts):
    change_cascade(cascade, **parts)
    refused(cascade, "expected a cascade of two models that are none themselves")


def test_cascades_that_name_each_other_are_refused(cascade):
    save_folder(load_folder(cascade), cascade.parent / "other")
    change_cascade(cascade, first="other")
    change_cascade(cascade.parent / "other", first="both")
    refused(cascade, "expected a cascade of two models that are none themselves")


def test_a_cascade_whose_part_is_a_link_is_refused(cascade, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "quick").rename(tmp_path / "elsewhere" / "quick")
    (tmp_path / "quick").symlink_to(tmp_path / "elsewhere" / "quick")
    refused(cascade, "quick is a link")


# The encoder's network


def run_network(data):
    """Return what onnxruntime makes of a network on its own."""
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    ids = np.array([[4, 5]])
    return session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0]


def test_the_forged_network_works(encoded):
    np.testing.assert_allclose(run_network(network())[0], vectors()[4:6].mean(axis=0), rtol=1e-5)
    assert load_folder(encoded).predict(["ten people"]).shape == (1,)


def test_onnxruntime_alone_reads_other_files(tmp_path, monkeypatch):
    """Why we look ourselves: given bytes, it reads whatever lies in the working directory."""
    monkeypatch.chdir(tmp_path)
    Path("private.bin").write_bytes(vectors().tobytes())
    outside = network(tensors=[tensor(more=elsewhere("private.bin"))])
    np.testing.assert_array_equal(run_network(outside), run_network(network()))


@pytest.mark.parametrize(
    "location", ["private.bin", "./private.bin", "../../etc/passwd", "/etc/passwd", "", "/dev/zero"]
)
def test_numbers_in_other_files_are_refused(encoded, monkeypatch, location):
    monkeypatch.chdir(encoded)
    Path("private.bin").write_bytes(vectors().tobytes())
    put(encoded, ENCODER_FILE, network(tensors=[tensor(more=elsewhere(location))]))
    refused(encoded, r"encoder\.onnx: .* a path to numbers in another file")


EXTERNAL = tensor(more=elsewhere("private.bin"))
CONSTANT = node("Constant", [], ["table"], field(5, field(1, "value") + field(20, 4) + field(5, EXTERNAL)))
LOOP = node("Loop", ["n", "go"], ["out"], field(5, field(1, "body") + field(20, 5) + field(6, graph())))
FOREIGN = field(8, field(1, "evil.domain") + field(2, 1))
NETWORKS = {
    "numbers elsewhere, flag alone": (network(tensors=[tensor() + field(14, 1)]), "numbers of a tensor are in another"),
    "flag beyond 32 bits": (network(tensors=[tensor() + field(14, 2**32)]), "numbers of a tensor are in another file"),
    "numbers elsewhere, in a constant": (network([CONSTANT, *NODES], []), "its tensor has field 13"),
    "numbers elsewhere, in a list": (
        network([node("Constant", [], ["x"], field(5, field(1, "v") + field(10, EXTERNAL))), *NODES]),
        "its attribute has field 10",
    ),
    "numbers elsewhere, sparse": (network(in_graph=field(15, field(1, EXTERNAL))), "its graph has field 15"),
    "numbers elsewhere, second graph": (network(more=field(7, field(5, EXTERNAL))), "its tensor has field 13"),
    "a loop": (network([LOOP]), r"the operator b'Loop'|its attribute has field 6"),
    "a graph in a known operator": (
        network([node("Add", ["a"], ["b"], field(5, field(6, graph())))]),
        "its attribute has field 6",
    ),
    "graphs in a known operator": (
        network([node("Add", ["a"], ["b"], field(5, field(11, graph())))]),
        "its attribute has field 11",
    ),
    "an operator of ours": (network([node("Evil", ["table"], ["out"])]), "the operator b'Evil'"),
    "a known name elsewhere": (
        network([NODES[0], node("ReduceMean", ["found"], ["out"], MEAN + field(7, "evil.domain"))], more=FOREIGN),
        r"operators of b'evil\.domain'",
    ),
    "a name, then another": (network([NODES[0], NODES[1] + field(4, "Evil")]), "the operator b'Evil'"),
    "a name that is a number": (network([NODES[0], NODES[1] + b"\x20\x01"]), "its operator has wire type 0"),
    "a function": (network(more=field(25, field(1, "Add"))), "its model has field 25"),
    "training": (network(more=field(20, field(1, graph()))), "its model has field 20"),
    "an unknown field": (network(more=field(99, "x")), "its model has field 99"),
    "a group": (network(more=b"\x0b\x0c"), "wire type 3"),
    "a tag of five bytes": (network(more=b"\xba\x80\x80\x80\x70\x00"), "no number at byte"),
    "a length beyond the end": (network(more=b"\x12\xff\xff\xff\xff\x0f"), "wire type 2 with"),
    "a length without end": (network(more=b"\x12" + b"\xff" * 20), "no number at byte"),
    "a number without end": (network(more=b"\x08" + b"\xff" * 20), "no number at byte"),
    "cut": (network()[:-3], "not an ONNX file"),
    "onnxruntime's own format": (b"\x12\x40\0\0ORTM" + bytes(60) + network(), "onnxruntime's own format"),
    "too many fields": (network(more=field(1, 8) * 200_001), "more than 200000 fields"),
    "text": (b"{}", "not an ONNX file"),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_that_hold_more_than_an_encoder_are_refused(encoded, name):
    data, match = NETWORKS[name]
    put(encoded, ENCODER_FILE, data)
    refused(encoded, rf"encoder\.onnx: .*{match}")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        network([]),
        network(tensors=[]),
        network(tensors=[tensor("other")]),
        network([NODES[0]]),
        network([LOOP[:0]]),
    ],
    ids=["empty", "no nodes", "no table", "another table", "no end", "no operator"],
)
def test_networks_that_do_not_work_are_refused(encoded, data):
    put(encoded, ENCODER_FILE, data)
    refused(encoded, "does not hold a Paratype model|cannot be scored")


def test_a_network_of_other_width_is_refused(encoded):
    content = joblib.load(encoded / MODEL_FILE)
    content["heads"]["weights"] = np.ones((DIMENSIONS + 1, 9), np.float32)
    joblib.dump(content, encoded / MODEL_FILE)
    sign(encoded)
    refused(encoded, "expected weights of shape")


def test_a_network_of_many_messages_takes_linear_time():
    def nested(levels):
        data = b""
        for _ in range(levels):
            data = field(5, field(1, data))
        return field(7, data)

    for hostile in (nested(2000), field(7, b"\x0a\x00" * 100_000), network(more=field(2, b"\xff" * 50 * MEGABYTE))):
        started = time.monotonic()
        with contextlib.suppress(ModelRefused):
            check_network(hostile)
        assert time.monotonic() - started < 5


@pytest.mark.parametrize("max_tokens", [0, -1, 2, 7, 8193, 10**30, 8.0, True, "16"])
def test_windows_of_no_sensible_length_are_refused(encoded, max_tokens):
    content = joblib.load(encoded / MODEL_FILE)
    content["features"]["max_tokens"] = max_tokens
    joblib.dump(content, encoded / MODEL_FILE)
    sign(encoded)
    refused(encoded, "expected max_tokens from 8 to 8192|not a plain joblib file")


# The tokenizer


def at(*path, value):
    """Return a change of the JSON at a path."""

    def change(content):
        *above, last = path
        for key in above:
            content = content[key]
        content[last] = value

    return change


SPLIT = {"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated", "invert": False}
REPLACE = {"type": "Replace", "pattern": {"Regex": "(a|a)*b"}, "content": "a" * 1000}
CLS = {"SpecialToken": {"id": "[CLS]", "type_id": 0}}
ADDED = {**TOKENIZER["added_tokens"][0]}
TOKENIZERS = {
    "regex in pre-tokenizer": (at("pre_tokenizer", value=SPLIT), r"its pre_tokenizer \(Split\)"),
    "sequence with a regex": (
        at("pre_tokenizer", value={"type": "Sequence", "pretokenizers": [SPLIT]}),
        r"its pre_tokenizer \(Sequence\)",
    ),
    "extra key in pre-tokenizer": (
        at("pre_tokenizer", value={"type": "BertPreTokenizer", "pattern": {"Regex": "(a+)+$"}}),
        r"its pre_tokenizer \(BertPreTokenizer\)",
    ),
    "no pre-tokenizer": (lambda content: content.pop("pre_tokenizer"), r"its pre_tokenizer \(NoneType\)"),
    "regex in normalizer": (at("normalizer", value=REPLACE), r"its normalizer \(Replace\)"),
    "sequence of normalizers": (
        at("normalizer", value={"type": "Sequence", "normalizers": [REPLACE]}),
        r"its normalizer \(Sequence\)",
    ),
    "normalizer that expands": (at("normalizer", value={"type": "NFKD"}), r"its normalizer \(NFKD\)"),
    "normalizer with odd values": (at("normalizer", "lowercase", value="yes"), r"its normalizer \(BertNormalizer\)"),
    "regex in decoder": (at("decoder", value=REPLACE), r"its decoder \(Replace\)"),
    "another post-processor": (
        at("post_processor", value={"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True}),
        r"its post_processor \(ByteLevel\)",
    ),
    "a template of many pieces": (at("post_processor", "single", value=[CLS] * 9), "post_processor"),
    "a token that is many": (
        at("post_processor", "special_tokens", "[CLS]", value={"id": "[CLS]", "ids": [2] * 9, "tokens": ["a"] * 9}),
        "post_processor",
    ),
    "another model": (
        at("model", value={"type": "BPE", "vocab": {"a": 0}, "merges": []}),
        r"its model \(BPE\)",
    ),
    "words of any length": (at("model", "max_input_chars_per_word", value=10**9), r"its model \(WordPiece\)"),
    "words of true length": (at("model", "max_input_chars_per_word", value=True), r"its model \(WordPiece\)"),
    "numbers beyond": (at("model", "vocab", "ten", value=2**31), r"its model \(WordPiece\)"),
    "numbers beyond the words": (at("model", "vocab", "ten", value=13), r"its model \(WordPiece\)"),
    "numbers below": (at("model", "vocab", "ten", value=-1), r"its model \(WordPiece\)"),
    "numbers that are none": (at("model", "vocab", "ten", value=1.5), r"its model \(WordPiece\)"),
    "a vocabulary that is none": (at("model", "vocab", value=[["a", 1]]), r"its model \(WordPiece\)"),
    "many added tokens": (at("added_tokens", value=[ADDED] * 1001), r"its added_tokens \(list\)"),
    "an empty added token": (at("added_tokens", value=[{**ADDED, "content": ""}]), r"its added_tokens \(list\)"),
    "a long added token": (at("added_tokens", value=[{**ADDED, "content": "a" * 201}]), r"its added_tokens \(list\)"),
    "an unknown key": (at("evil", value=1), "expected an object with no keys but"),
}


@pytest.mark.parametrize("name", TOKENIZERS)
def test_tokenizers_that_are_not_as_ours_are_refused(encoded, name):
    change, match = TOKENIZERS[name]
    put_tokenizer(encoded, change)
    refused(encoded, rf"tokenizer\.json: .*{match}")


def test_a_huge_vocabulary_is_refused(encoded, monkeypatch):
    monkeypatch.setattr("paratype.guard._MOST_WORDS", len(TOKENIZER["model"]["vocab"]) - 1)
    refused(encoded, r"tokenizer\.json: its model \(WordPiece\)")


AGAIN = json.dumps(TOKENIZER)[:-1] + ', "pre_tokenizer": ' + json.dumps(SPLIT) + "}"
TEXTS = {
    "deep lists": (b"[" * 90_000, "not a tokenizer's JSON"),
    "deep objects": (b'{"a":' * 90_000, "not a tokenizer's JSON"),
    "deep beyond": (b"[" * 10_000_000, "more than 100000 objects and lists"),
    "many objects": (b"[" + b"{}," * 200_000 + b"{}]", "more than 100000 objects and lists"),
    "the same key twice": (AGAIN.encode(), "the same key twice"),
    "a long number": (b"9" * 100_000, "not a tokenizer's JSON"),
    "not UTF-8": (b'"\xff"', "not a tokenizer's JSON"),
    "UTF-16": (json.dumps(TOKENIZER).encode("utf-16"), "not a tokenizer's JSON"),
    "nothing": (b"", "not a tokenizer's JSON"),
    "a list": (b"[]", "expected an object"),
    "an empty object": (b"{}", "its normalizer"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_texts_that_are_no_tokenizer_are_refused(encoded, name):
    data, match = TEXTS[name]
    put(encoded, TOKENIZER_FILE, data)
    refused(encoded, rf"tokenizer\.json: .*{match}")


@pytest.mark.parametrize(
    "change",
    [
        at("model", "vocab", value={}),
        at("model", "unk_token", value="nonesuch"),
        at("post_processor", "special_tokens", value={}),
        at("post_processor", "special_tokens", "[CLS]", "ids", value=[900_000]),
        at("post_processor", "single", value=[]),
        at("post_processor", "single", value=[CLS] * 8),
        at("post_processor", "single", value=[{"Sequence": {"id": "B", "type_id": 0}}]),
        at("post_processor", "single", value=["$A"]),
    ],
    ids=range(8),
)
def test_tokenizers_that_do_not_work_are_refused(encoded, change):
    put_tokenizer(encoded, change)
    refused(encoded, "does not hold a Paratype model|cannot be scored|its probe texts to come out within")


@pytest.mark.parametrize("part", ["truncation", "padding"])
def test_padding_and_truncation_of_the_file_do_not_count(encoded, part):
    before = load_folder(encoded).predict_proba(["ten people were killed"])
    values = {
        "truncation": {"direction": "Left", "max_length": 1, "strategy": "LongestFirst", "stride": 0},
        "padding": {
            "strategy": {"Fixed": 2**40},
            "direction": "Right",
            "pad_to_multiple_of": 2**40,
            "pad_id": 0,
            "pad_type_id": 0,
            "pad_token": "[PAD]",
        },
    }
    put_tokenizer(encoded, at(part, value=values[part]))
    np.testing.assert_array_equal(load_folder(encoded).predict_proba(["ten people were killed"]), before)


def test_bert_processing_is_allowed():
    part = {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]}
    check_tokenizer(json.dumps({**TOKENIZER, "post_processor": part}).encode())


@pytest.mark.parametrize("name", ["accurate"])
def test_the_shipped_encoder_is_allowed(name):
    folder = PACKAGE.parents[1] / "artifacts" / name
    check_network((folder / ENCODER_FILE).read_bytes())
    check_tokenizer((folder / TOKENIZER_FILE).read_bytes())


def test_a_panic_is_a_refusal(encoded, monkeypatch):
    class Panic(BaseException):
        """As tokenizers raises when its Rust gives up."""

    def panic(*args, **options):
        raise Panic("index out of bounds")

    for name in ("__init__", "matrix"):
        with monkeypatch.context() as patch:
            patch.setattr(Encoder, name, panic)
            with pytest.raises(ModelRefused, match="index out of bounds"):
                load_folder(encoded)


def test_an_interrupt_is_no_refusal(encoded, monkeypatch):
    def interrupt(*args, **options):
        raise KeyboardInterrupt

    for name in ("__init__", "matrix"):
        with monkeypatch.context() as patch:
            patch.setattr(Encoder, name, interrupt)
            with pytest.raises(KeyboardInterrupt):
                load_folder(encoded)


# Inputs, through the running command

RUN = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (12 << 30, 12 << 30))
from paratype.cli import main
try:
    main()
finally:
    try:  # a process begins with what its parent had at most, by resource's count
        (line,) = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
        print("peak", int(line.split()[1]) // 1024, file=sys.stderr)
    except OSError:
        print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024**2, file=sys.stderr)
"""
KILLED = "At least ten people were killed."


@pytest.fixture
def run(folder, tmp_path):
    """Label one file with the command; it must end in time, in bounded memory, and without a traceback."""

    def run(name, data, format, seconds=45, most=1500):
        attacks.append(name)
        (tmp_path / name).write_bytes(data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass"))
        command = [sys.executable, "-c", RUN, "label", "--model", str(folder), name, "--format", format, "--jobs", "2"]
        result = subprocess.run(command, capture_output=True, timeout=seconds, check=False, cwd=tmp_path)
        *said, peak = result.stderr.decode().splitlines()
        assert "Traceback" not in result.stderr.decode(), result.stderr.decode()[-2000:]
        assert result.returncode in (0, 1, 3)
        assert int(peak.split()[1]) < most
        (tmp_path / name).unlink()
        assert [path.name for path in tmp_path.iterdir()] == ["small"]
        assert all(map(is_quiet, said))
        return "" if format == "parquet" else result.stdout.decode(), said

    return run


def is_quiet(line):
    """Whether a line holds nothing that could steer a terminal."""
    return all(character.isprintable() for character in line)


def rows(output):
    return [json.loads(line) for line in output.split("\n") if line]


MARKUP = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>&lt;b&gt; {{7*7}} ${jndi:ldap://x} $(touch marker) "
    "`touch marker` [bold red]killed[/] [link=file:///x]y[/link] %s %n \\x1b[31m"
)


def test_markup_stays_text(run):
    (row,) = rows(run("a.txt", MARKUP, "jsonl")[0])
    assert row["text"] == MARKUP
    shown = " ".join(run("a.txt", MARKUP, "table")[0].split())
    assert "<script>alert(1)</script>" in shown and "[bold red]killed[/]" in shown and "{{7*7}}" in shown


def test_nothing_in_a_page_runs_or_reads_files(run, tmp_path):
    sentence = "Gunmen attacked the police post at night and burned two vehicles, officials said on Monday."
    page = (
        f"<html><body><article><p>{sentence} {{}}</p><script>document.write('<p>{sentence} Twice.</p>')</script>"
        "<iframe src='file:///etc/passwd'></iframe><p onclick='x()'>&lt;script&gt;alert(1)&lt;/script&gt; was the text"
        " that the group left on the page of the ministry.</p></article></body></html>"
    )
    for entity in ("&#27;[31m &#0; &#xd800; &#x110000;", "&nonesuch;", "&amp;lt;b&amp;gt;", "&#x202e;" * 1000):
        output, _ = run("a.html", page.format(entity), "jsonl")
        assert [row["text"].startswith((sentence, "<script>alert(1)")) for row in rows(output)] == [True, True]
        assert all(map(is_quiet, run("a.html", page.format(entity), "table")[0].split("\n")))


def lol(levels):
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, levels))
    return f'<!DOCTYPE html [<!ENTITY l0 "lol">{entities}<!ENTITY f SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize("prologue", ["", '<?xml version="1.0"?>'])
def test_entities_of_a_page_do_not_expand(run, prologue):
    page = f"{prologue}{lol(12)}<html><body><p>Ten people were killed. &l11; &f;</p></body></html>"
    output, _ = run("a.html", page, "jsonl")
    assert "lollol" not in output and "root:" not in output


def test_a_name_inside_a_compressed_file_is_not_used(run, tmp_path):
    packed = bytearray(gzip.compress(b"text\n" + KILLED.encode()))
    packed[3] |= 8  # a name follows
    (row,) = rows(run("a.csv.gz", bytes(packed[:10]) + b"../../escaped.csv\0" + bytes(packed[10:]), "jsonl")[0])
    assert row["text"] == KILLED and not list(tmp_path.parent.glob("**/escaped.csv"))


def parquet():
    stream = io.BytesIO()
    pq.write_table(pa.table({"text": [KILLED] * 1000, "n": range(1000)}), stream, compression="none")
    return stream.getvalue()


FOOTERS = {
    "length beyond the file": lambda data: data[:-8] + b"\xff\xff\xff\x7f" + b"PAR1",
    "length of nothing": lambda data: data[:-8] + bytes(4) + b"PAR1",
    "zeros": lambda data: data[:-200] + bytes(192) + data[-8:],
    "noise": lambda data: data[:-200] + bytes(range(192)) + data[-8:],
    "more rows than there are": lambda data: data.replace(b"\x16\xd0\x0f", b"\x16\xfe\x7f"),
    "another file's": lambda data: data[: len(data) // 3] + data[-600:],
    "end alone": lambda data: data[-300:],
    "encrypted": lambda data: data[:-4] + b"PARE",
}


@pytest.mark.parametrize("name", FOOTERS)
def test_footers_of_parquet_that_lie(run, name):
    data = FOOTERS[name](parquet())
    assert data != parquet()
    _, said = run("a.parquet", data, "jsonl")
    assert said[0].startswith(("error: a.parquet: ", "1,000 rows from 1 file:"))


STEERING = (
    "\x1b]0;title\x07\x1b[2J\x1b[31mred \x9b31m \x9d0;t\x9c \x1b]8;;http://x\x1b\\link \x08\x7f\r over\u2028 \x0e "
    "\x1b(0 \x1bc \u200fقتل\u202e ten \u2066 killed\u2069 \u061c\u200e \u202dx\u202c \0 \ufeff \U000e0041 \ud800"
)


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "a.csv", "a.tsv"])
def test_nothing_in_a_text_steers_the_terminal(run, name):
    text = STEERING if name == "a.jsonl" else STEERING.replace("\ud800", "")
    forms = {
        "a.txt": text,
        "a.jsonl": json.dumps({"text": text, text: text}) + "\n" + json.dumps({text: text}) + "\n",
        "a.csv": f'text,"{text}"\n"{text}","{text}"\n"{text}"\n',
        "a.tsv": f'text\t"{text}"\n"{text}"\t"{text}"\n',
    }
    shown, _ = run(name, forms[name], "table")
    assert "killed" in shown
    assert all(map(is_quiet, shown.split("\n")))


@pytest.mark.parametrize("name", ["c\x1b[31md.txt", "c\u202ed.txt", "c\nd.txt", "c\x9b2Jd.jsonl"])
def test_nothing_in_a_name_steers_the_terminal(run, name):
    shown, _ = run(name, '{"text"\n' + KILLED, "table")
    assert all(map(is_quiet, shown.split("\n")))


@pytest.mark.parametrize("format", ["jsonl", "csv"])
def test_nul_and_lone_surrogates_come_through(run, format):
    output, _ = run("a.jsonl", '{"text": "Ten\\u0000 killed \\ud800", "x": "\\udfff\\u0000"}\n', format)
    assert "Ten" in output
    if format == "jsonl":
        (row,) = rows(output)
        assert (row["text"], row["x"]) == ("Ten\0 killed \ud800", "\udfff\0")


def test_nul_in_documents_and_tables(run):
    assert [row["text"] for row in rows(run("a.txt", "Ten\0 killed.\n\n\0\n", "jsonl")[0])] == ["Ten\0 killed.", "\0"]
    assert len(rows(run("a.csv", "id,te\0xt,text\n1,\0,A\0B\n", "jsonl")[0])) <= 1


@pytest.mark.parametrize("format", ["jsonl", "table"])
def test_a_million_columns(run, format):
    count = 1_000_000
    header = ",".join(f"c{number}" for number in range(count))
    output, said = run("a.csv", f"{header},text\n{'1,' * count}{KILLED}\n", format)
    assert "casualty_figure" in output and said[-1].startswith("1 row from 1 file")


def test_twenty_thousand_columns_in_parquet(folder, tmp_path):
    header = ",".join(f"c{number}" for number in range(20_000))
    (tmp_path / "a.csv").write_text(f"{header},text\n{'1,' * 20_000}{KILLED}\n")
    command = [sys.executable, "-c", RUN, "label", "--model", str(folder), "a.csv", "-o", "out.parquet"]
    result = subprocess.run(command, capture_output=True, timeout=45, check=False, cwd=tmp_path)
    assert result.returncode == 0, result.stderr[-1000:]


@pytest.mark.parametrize("cells", ["a," * 1_000_000 + "text", "x," * 1_000_000 + "x"], ids=["twice", "no text"])
def test_a_million_columns_that_will_not_do(run, cells):
    output, said = run("a.csv", f"{cells}\n{cells}\n", "jsonl")
    assert output == "" and said[0].startswith("error: a.csv: more than one column is called")


def test_a_row_of_a_million_cells(run):
    output, said = run("a.csv", f"text\n{',' * 1_000_000}\n{KILLED}\n", "jsonl")
    assert [row["label"] for row in rows(output)] == [None, "casualty_figure"]
    assert said[0] == "error: a.csv: row 2: expected 1 cells, got 1000001"


def test_a_cell_of_50_megabytes(run):
    (row,) = rows(run("a.csv", 'id,text\n1,"' + "word " * 10_000_000 + '"\n', "jsonl")[0])
    assert len(row["text"]) == 50_000_000


def test_a_quote_that_never_closes(run):
    (row,) = rows(run("a.csv", 'id,text\n1,"' + "never closed,\n" * 500_000, "jsonl")[0])
    assert row["error"] or row["text"].startswith("never closed,\nnever")


def test_quotes_without_end(run):
    run("a.csv", 'id,text\n1,"' + '""' * 2_000_000 + '"\n' + '"' * 2_000_001, "jsonl")


TEN_MEGABYTES = {
    "letters": "x" * 10_000_000,
    "accents": "é" * 5_000_000,
    "punctuation": "." * 10_000_000,
    "blank lines": "\n" * 10_000_000,
    "spaces": " " * 10_000_000,
    "separators": "\x1c\x85\u2028" * 2_000_000,
    "quotes": "”" * 3_000_000,
}


@pytest.mark.parametrize("name", TEN_MEGABYTES)
def test_10_megabytes_without_a_word_apart(run, name):
    output, _ = run("a.txt", TEN_MEGABYTES[name], "jsonl")
    assert len(rows(output)) == (0 if name in ("blank lines", "spaces", "separators") else 1)


UNICODE = {
    "ligatures that grow 18 times": "\ufdfa" * 1_000_000,
    "one accent": "a" + "\u0301" * 1_000_000,
    "accents out of order": "a" + "\u0301\u0323" * 500_000,
    "marks that take room": "a" + "\u302e\u0301" * 500_000,
    "half-width marks": "a" + "\uff9e\u302e" * 500_000,
    "marks newer than some tables": "a" + "\u1ae0\u1adf\u1ae7" * 300_000,
    "Tibetan": "\u0f77\u0f73" * 500_000,
    "Hangul": "\u1100\u1161\u11a8" * 500_000,
    "flags": "\U0001f1e6" * 500_000,
    "joined": "\U0001f468\u200d" * 500_000,
}


@pytest.mark.parametrize("name", UNICODE)
def test_unicode_that_blows_up(run, name):
    assert len(rows(run("a.txt", UNICODE[name], "jsonl")[0])) == 1


@pytest.mark.parametrize("format", ["jsonl", "csv", "table"])
def test_deeply_nested_json(run, format):
    depth = 500_000
    deep = '{"text":' + "[" * depth + "]" * depth + "}\n" + '{"a":' * depth + "1" + "}" * depth + "\n"
    edge = "".join('{"text": "One.", "x": ' + "[" * n + "]" * n + "}\n" for n in range(50, 1100, 50))
    output, said = run("a.jsonl", deep + edge + json.dumps({"text": KILLED}), format)
    assert "casualty_figure" in output and said[0].startswith("error: a.jsonl: line 1: not JSON: ")


def test_huge_numbers_in_json(run):
    numbers = ["1e999999", "-1e400", "9" * 1_000_000, "9" * 4000, "1E-999999", "0." + "1" * 1_000_000, "NaN", "-0"]
    data = "".join(f'{{"text": "One.", "n": {number}}}\n' for number in numbers)
    labelled = rows(run("a.jsonl", data, "jsonl")[0])
    assert [row["error"] is None for row in labelled] == [False, False, False, True, True, True, False, True]
    run("a.jsonl", data, "parquet")


def test_json_with_one_key_many_times(run):
    data = "{" + ", ".join(['"text": "a"'] * 500_000) + "}\n"
    assert len(rows(run("a.jsonl", data, "jsonl")[0])) == 1


def test_columns_that_are_renamed_many_times(run):
    row = {"text": "a", **{"input_" * count + "label": 1 for count in range(1000)}}
    assert len(rows(run("a.jsonl", json.dumps(row), "jsonl")[0])) == 1


# Time


def patterns():
    """Yield the regular expressions of the package: those that its modules keep, and those written out in calls."""
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").removesuffix(".")
        module = importlib.import_module(f"paratype.{name}" if name else "paratype")
        kept = [value for value in vars(module).values() if isinstance(value, re.Pattern)]
        for number, pattern in enumerate(kept):
            yield pytest.param(pattern, id=f"{name}:{number}")
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            function = ast.unparse(call.func) if isinstance(call, ast.Call) and call.args else ""
            if function.startswith("re.") and function != "re.compile" and isinstance(call.args[0], ast.Constant):
                yield pytest.param(re.compile(call.args[0].value), id=f"{name}:{call.lineno}")


REFERENCES = ["&#0", "&#x", "&#"]
ATOMS = ["a", "1", "+", "-", ".", ",", " ", "\n", '"', "e", "=", "é", "\u0301", "\0", "date", "2024-01-01", "[", "/"]
PAIRS = ["a ", "a.", "1-", "1.", "+1", "e1"]
LINES = ["a\n", "a\n\n", " \n", "2024-01-01 \n", "\r", "\u2028a", "a b " * 20 + "\n", "a" * 150 + "\n", "a.\n"]


def hostile(atoms, size):
    """Yield strings of one thing over and over, plain, and with a beginning and an end that spoil a match."""
    for atom in atoms:
        body = (atom * size)[:size]
        yield from (body, "+" + body + "\0")


def seconds(function, atoms, size):
    started = time.process_time()
    for text in hostile(atoms, size):
        before = time.process_time()
        function(text)
        if time.process_time() - before > 3:
            pytest.fail(f"{size} characters {text[:20]!r}… took {time.process_time() - before:.1f} s")
    return time.process_time() - started


def check_linear(function, atoms):
    """Check that twice the text takes no more than about twice the time; small sizes first, to fail early."""
    for size in (1000, 10_000):
        seconds(function, atoms, size)
    for _ in range(3):
        once, twice = seconds(function, atoms, 100_000), seconds(function, atoms, 200_000)
        if twice < 3 * once + 0.1:
            return
    pytest.fail(f"100,000 characters take {once:.2f} s, 200,000 take {twice:.2f} s")


@pytest.mark.parametrize("pattern", list(patterns()))
def test_regular_expressions_take_linear_time(pattern):
    def use(text):
        data = text.encode() if isinstance(pattern.pattern, bytes) else text
        pattern.match(data)
        pattern.fullmatch(data)
        pattern.split(data, maxsplit=100_000)

    check_linear(use, ATOMS + PAIRS + REFERENCES)


def test_cutting_into_paragraphs_takes_linear_time():
    check_linear(paragraphs, [atom for atom in ATOMS if atom != "\n"] + LINES)


@pytest.mark.parametrize("function", [paragraph_hash, lambda text: split(text_array([text]))], ids=["hash", "words"])
def test_reading_words_takes_linear_time(function):
    check_linear(function, ATOMS)


def test_marks_are_not_sorted_in_square_time():
    def timed(size):
        started = time.process_time()
        for pair in ("\u0301\u0323", "\u302e\u0301", "\uff9e\u302e", "\u1ae0\u1ae7", "\U0001d165\u0301"):
            split(text_array(["a" + pair * size]))
        return time.process_time() - started

    timed(1000)
    assert timed(200_000) < 5


@pytest.mark.parametrize("text", ["\u0301\u0323" * 200_000, "x" * 2_000_000, "\ufdfa" * 200_000, "漢" * 20_000])
def test_an_encoder_reads_hostile_texts(encoded, text):
    started = time.process_time()
    assert load_folder(encoded).predict([text]).shape == (1,)
    assert time.process_time() - started < 20


def test_the_plain_loader_takes_linear_time():
    for idle in (b"(" * 1_000_000, b"]" * 300_000 + b".", b"\x80\x02" + b"]" * 300_000 + b"}."):
        started = time.process_time()
        with contextlib.suppress(ModelRefused):
            assert load_plain(idle) == {}
        assert time.process_time() - started < 5
