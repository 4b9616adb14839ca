import hashlib
import json
import os
import pickle
import shutil
import struct
import subprocess
import sys
import textwrap
import tracemalloc
import zlib
from dataclasses import replace
from pathlib import Path

import joblib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joblib.numpy_pickle import NumpyArrayWrapper

from paratype import TYPES, ModelRefused, ParagraphClassifier, load
from paratype.artifact import FORMAT, MANIFEST_FILE, MODEL_FILE, PROBES, load_folder, save_folder
from paratype.model import Cascade, LinearModel

TEXTS = ["At least ten people were killed.", "", "The team won the match.", "We will strike your bases."]


def sign(folder):
    """Write the manifest that goes with the model file."""
    manifest = json.loads((folder / MANIFEST_FILE).read_text())
    data = (folder / MODEL_FILE).read_bytes()
    manifest["files"][MODEL_FILE] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest))


def put(folder, data):
    """Put other bytes in place of the model file, and sign them."""
    (folder / MODEL_FILE).write_bytes(data)
    sign(folder)


def put_content(folder, content, **options):
    joblib.dump(content, folder / MODEL_FILE, **options)
    sign(folder)


def change_content(folder, change):
    content = joblib.load(folder / MODEL_FILE)
    change(content)
    put_content(folder, content)


def change_manifest(folder, change):
    manifest = json.loads((folder / MANIFEST_FILE).read_text())
    change(manifest)
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest))


def open_in_child(folder, seconds=10, memory=4 * 1024**3):
    """Open a folder where a crash, a hang or a memory bomb does no harm; return what came of it."""
    code = f"""
        import resource, sys
        resource.setrlimit(resource.RLIMIT_AS, ({memory}, {memory}))
        resource.setrlimit(resource.RLIMIT_CPU, ({seconds}, {seconds}))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        from paratype.artifact import load_folder
        try:
            load_folder(sys.argv[1])
        except BaseException as error:
            print(type(error).__name__)
        else:
            print("opened")
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(folder)]
    child = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return child.stdout.strip() or f"died with {child.returncode}"


@pytest.fixture
def whole(folder, tmp_path):
    """A copy of the model file (a path: hypothesis writes arguments out)."""
    return Path(shutil.copy(folder / MODEL_FILE, tmp_path / "whole"))


# Round trips


def test_a_saved_model_gives_the_same_answers(classifier, folder):
    model = load_folder(folder)
    np.testing.assert_array_equal(model.predict_proba(TEXTS), classifier.predict_proba(TEXTS))
    assert model.predict(TEXTS).tolist() == classifier.predict(TEXTS).tolist()
    assert model.label_texts(TEXTS) == classifier.label_texts(TEXTS)
    assert model.decision == classifier.model_.decision
    assert model.name == "small"


def test_a_folder_may_be_named_by_a_string(folder):
    assert load_folder(str(folder)).predict(TEXTS).tolist() == load(str(folder)).predict(TEXTS).tolist()


def test_from_artifact_is_an_estimator_with_the_saved_model(classifier, folder, rows):
    again = ParagraphClassifier.from_artifact(folder)
    assert again.classes_.tolist() == classifier.classes_.tolist()
    np.testing.assert_array_equal(again.predict_proba(TEXTS), classifier.predict_proba(TEXTS))
    assert again.score(*rows) == classifier.score(*rows)


def test_saving_twice_gives_the_same_bytes(classifier, folder, tmp_path):
    classifier.save(tmp_path / "other")
    for name in (MODEL_FILE, MANIFEST_FILE):
        assert (tmp_path / "other" / name).read_bytes() == (folder / name).read_bytes()


def test_saving_what_was_opened_gives_the_same_model(folder, tmp_path):
    model = load_folder(folder)
    save_folder(model, tmp_path / "again")
    np.testing.assert_array_equal(load_folder(tmp_path / "again").predict_proba(TEXTS), model.predict_proba(TEXTS))


def test_the_manifest_holds_hashes_and_provenance(classifier, tmp_path):
    save_folder(classifier.model_, tmp_path / "a" / "b", provenance={"corpus": "1234", "seed": 7})
    manifest = json.loads((tmp_path / "a" / "b" / MANIFEST_FILE).read_text())
    data = (tmp_path / "a" / "b" / MODEL_FILE).read_bytes()
    assert manifest["format"] == FORMAT
    assert manifest["files"] == {MODEL_FILE: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}}
    assert manifest["provenance"]["corpus"] == "1234" and manifest["provenance"]["seed"] == 7
    assert manifest["provenance"]["packages"]["numpy"] == np.__version__
    assert manifest["provenance"]["python"] == f"{sys.version_info[0]}.{sys.version_info[1]}"


def test_a_model_already_there_is_replaced_and_other_files_stay(classifier, folder):
    (folder / "README.md").write_text("a card")
    model = classifier.model_
    cooler = replace(model, heads=replace(model.heads, temperature=50 * model.heads.temperature))
    save_folder(cooler, folder)
    np.testing.assert_array_equal(load_folder(folder).predict_proba(TEXTS), cooler.predict_proba(TEXTS))
    assert np.abs(cooler.predict_proba(TEXTS) - model.predict_proba(TEXTS)).max() > 0.001
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", MANIFEST_FILE, MODEL_FILE]


def test_a_save_that_fails_leaves_the_old_model_and_nothing_else(classifier, folder):
    class Unsaveable:
        chunk = 10

        def matrix(self, texts):
            raise AssertionError

    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    model = classifier.model_
    with pytest.raises(TypeError, match="expected features that can be saved, got Unsaveable"):
        save_folder(LinearModel("", Unsaveable(), model.heads, model.decision), folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_an_unfitted_classifier_is_not_saved(tmp_path):
    with pytest.raises(Exception, match="not fitted"):
        ParagraphClassifier().save(tmp_path / "unfitted")
    assert not (tmp_path / "unfitted").exists()


def test_arrays_are_neither_mapped_nor_tied_to_the_file(folder):
    model = load_folder(folder)
    before = model.predict_proba(TEXTS)
    (folder / MODEL_FILE).write_bytes(b"\xff" * (folder / MODEL_FILE).stat().st_size)
    np.testing.assert_array_equal(model.predict_proba(TEXTS), before)
    for array in (model.heads.weights, model.heads.bias, model.heads.slope, model.heads.offset):
        assert type(array) is np.ndarray
        while array.base is not None:
            array = array.base
            assert type(array) is np.ndarray


# Files that want to run something


class Evil:
    """Pickles as a call."""

    def __init__(self, function, *args):
        self.call = (function, args)

    def __reduce__(self):
        return self.call


CALLS = {
    "system": (lambda marker: Evil(os.system, f"touch '{marker}'"), r"asks for (posix|nt)\.system"),
    "eval": (lambda marker: Evil(eval, f"open({str(marker)!r}, 'w')"), r"asks for builtins\.eval"),
    "exec": (lambda marker: Evil(exec, f"open({str(marker)!r}, 'w').close()"), r"asks for builtins\.exec"),
    "open": (lambda marker: Evil(open, str(marker), "w"), r"asks for (_?io)\.open"),
    "mkdir": (lambda marker: Evil(os.mkdir, str(marker)), r"asks for (posix|nt)\.mkdir"),
    "touch": (lambda marker: Evil(Path.touch, Path(marker)), r"asks for (builtins\.getattr|pathlib)"),
    "savetxt": (lambda marker: Evil(np.savetxt, str(marker), [1]), r"asks for numpy\.savetxt"),
    "popen": (lambda marker: Evil(subprocess.check_call, ["touch", str(marker)]), r"asks for subprocess\.check_call"),
}
PLACES = {
    "alone": lambda evil: evil,
    "value": lambda evil: {"heads": evil},
    "key": lambda evil: {"heads": {(evil,): 1}},
    "deep": lambda evil: {"heads": [{"a": [evil]}]},
    "array": lambda evil: {"heads": np.array([1, evil, "x"], dtype=object)},
    "array_alone": lambda evil: np.array([evil], dtype=object),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("call", CALLS)
def test_calls_in_a_pickle_are_refused_and_not_run(folder, tmp_path, call, place):
    marker = tmp_path / "marker"
    make, match = CALLS[call]
    put_content(folder, PLACES[place](make(marker)))
    if "array" in place:
        match = r"only plain numbers"
    with pytest.raises(ModelRefused, match=match):
        load_folder(folder)
    assert not marker.exists()
    if place == "alone":  # the attack would have worked
        joblib.load(folder / MODEL_FILE)
        assert marker.exists()


def test_a_refusal_of_a_call_says_that_it_was_not_run(folder):
    put_content(folder, Evil(os.system, "true"))
    with pytest.raises(ModelRefused, match=r"which no Paratype model needs; it was not run. Do not use this file"):
        load_folder(folder)


def test_an_original_model_with_a_call_beside_it_is_refused(folder, tmp_path):
    change_content(folder, lambda content: content.update(extra=Evil(os.mkdir, str(tmp_path / "marker"))))
    with pytest.raises(ModelRefused, match=r"asks for (posix|nt)\.mkdir"):
        load_folder(folder)
    assert not (tmp_path / "marker").exists()


def global_(module, name):
    return f"c{module}\n{name}\n".encode()


def stack_global(module, name):
    return b"".join(b"\x8c" + bytes([len(part)]) + part.encode() for part in (module, name)) + b"\x93"


def inst(module, name):
    return f"(i{module}\n{name}\n".encode()


NAMES = [
    ("builtins", "eval"),
    ("__builtin__", "eval"),
    ("builtins", "getattr"),
    ("os", "system"),
    ("numpy", "load"),
    ("numpy", "ndarray.tofile"),
    ("numpy", "ndarray.__class__"),
    ("numpy", "dtype.__class__"),
    ("numpy", "ndarray.__subclasses__"),
    ("numpy", "dtype.__init__.__globals__"),
    ("numpy", "matrix"),
    ("numpy", "memmap"),
    ("numpy.ndarray", "tofile"),
    ("numpy ", "ndarray"),
    ("numpy", ""),
    ("", "ndarray"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("joblib.numpy_pickle", "NumpyArrayWrapper.read_mmap"),
    ("joblib.numpy_pickle", "NumpyArrayWrapper.__init__.__globals__"),
    ("joblib.numpy_pickle", "NDArrayWrapper"),
    ("joblib.numpy_pickle", "load"),
    ("joblib.numpy_pickle_compat", "NDArrayWrapper"),
    ("joblib.numpy_pickle_compat", "ZNDArrayWrapper"),
    ("copyreg", "_reconstructor"),
    ("paratype.artifact", "load_folder"),
]


@pytest.mark.parametrize("write", [global_, stack_global, inst])
@pytest.mark.parametrize(("module", "name"), NAMES)
def test_names_that_are_not_needed_are_refused(folder, write, module, name):
    put(folder, b"\x80\x04" + write(module, name) + b".")
    with pytest.raises(ModelRefused, match="which no Paratype model needs; it was not run"):
        load_folder(folder)


@pytest.mark.parametrize("wrapper", ["NDArrayWrapper", "ZNDArrayWrapper"])
def test_wrappers_of_old_joblib_read_no_other_file(folder, tmp_path, wrapper):
    # The old wrappers open a file beside the model and allow pickles in it.
    np.save(tmp_path / "other.npy", np.array([Evil(os.mkdir, str(tmp_path / "marker"))], dtype=object))
    state = {"filename": str(tmp_path / "other.npy"), "subclass": None, "allow_mmap": False}
    body = pickle.dumps(state, protocol=2)[2:-1]
    put(folder, b"\x80\x02" + global_("joblib.numpy_pickle_compat", wrapper) + b")\x81" + body + b"b.")
    with pytest.raises(ModelRefused, match=f"asks for joblib.numpy_pickle_compat.{wrapper}"):
        load_folder(folder)
    assert not (tmp_path / "marker").exists()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_in_a_plain_pickle_are_refused(folder, protocol):
    put(folder, pickle.dumps({"heads": np.ones(3)}, protocol))
    with pytest.raises(ModelRefused, match=r"(?:asks for|uses opcode) \S+, which no Paratype model needs"):
        load_folder(folder)


@pytest.mark.parametrize(
    "data",
    [b"Pmarker\n.", b"X\x01\0\0\0aQ.", b"\x82\x01.", b"\x83\x01\0.", b"\x84\x01\0\0\0.", b"\x97."],
    ids=["persid", "binpersid", "ext1", "ext2", "ext4", "next_buffer"],
)
def test_opcodes_that_reach_outside_are_refused(folder, data):
    put(folder, b"\x80\x05" + data)
    with pytest.raises(ModelRefused, match="not a plain joblib file"):
        load_folder(folder)


# Compressed files


@pytest.mark.parametrize("method", ["zlib", "gzip", "bz2", "lzma", "xz"])
def test_compressed_files_are_refused(folder, method):
    put_content(folder, joblib.load(folder / MODEL_FILE), compress=(method, 3))
    with pytest.raises(ModelRefused, match="not a plain joblib file"):
        load_folder(folder)


def test_files_compressed_by_old_joblib_are_refused(folder):
    put(folder, b"ZF" + b"0x10".ljust(19) + zlib.compress(b"x" * 16))
    with pytest.raises(ModelRefused, match="not a plain joblib file"):
        load_folder(folder)


@pytest.mark.parametrize("method", ["zlib", "gzip"])
def test_a_zip_bomb_does_not_expand(folder, method):
    put_content(folder, np.zeros(64 * 1024**2, dtype=np.uint8), compress=(method, 1))
    load_plain = (folder / MODEL_FILE).stat().st_size
    assert load_plain < 2**20
    tracemalloc.start()
    try:
        with pytest.raises(ModelRefused, match="not a plain joblib file"):
            load_folder(folder)
        assert tracemalloc.get_traced_memory()[1] < 16 * load_plain
    finally:
        tracemalloc.stop()


# Arrays that are not what they claim


def wrapped(**changes):
    wrapper = NumpyArrayWrapper(np.ndarray, (3,), "C", np.dtype("<f8"), allow_mmap=True)
    vars(wrapper).update(changes)
    return pickle.dumps(wrapper, protocol=3)[:-1] + b"\x01\xff" + np.ones(3).tobytes() + b"."


def test_an_array_alone_is_read_and_refused_for_being_no_dict(folder):
    put(folder, wrapped())
    with pytest.raises(ModelRefused, match=r"expected a dict, got ndarray"):
        load_folder(folder)


@pytest.mark.parametrize(
    "shape",
    [(2**62,), (10**6, 10**6), (2**40, 0), (-1,), (3, -1), (3.0,), ("3",), (None,), ((3,),), [3], 3, "3", None, {}],
    ids=str,
)
def test_impossible_shapes_are_refused(folder, shape):
    put(folder, wrapped(shape=shape))
    with pytest.raises(ModelRefused, match="an array with the impossible shape"):
        load_folder(folder)


@pytest.mark.parametrize("shape", [(200, 200), (100,), (2,) * 30, (4, 4, 4, 4), (30,) * 10], ids=str)
def test_arrays_larger_than_the_file_are_refused(folder, shape):
    put(folder, wrapped(shape=shape))
    with pytest.raises(ModelRefused, match=r"claims an array of [0-9]+ bytes in a file of [0-9]+"):
        load_folder(folder)


@pytest.mark.parametrize("shape", [(True,), (True, 3), (4,), (20,), (1,) * 65, (0,), ()], ids=str)
def test_shapes_that_are_not_those_of_the_data_are_refused(folder, shape):
    put(folder, wrapped(shape=shape))
    with pytest.raises(ModelRefused):
        load_folder(folder)


@pytest.mark.parametrize(
    "dtype",
    ["O", "V8", "S8", "U2", "?", "c16", "M8[s]", "m8[s]", [("a", "<f8")], [("a", "O")], ("<f8", (2,)), "V0", "S0"],
    ids=str,
)
def test_arrays_of_anything_but_plain_numbers_are_refused(folder, dtype):
    put(folder, wrapped(dtype=np.dtype(dtype)))
    with pytest.raises(ModelRefused, match="only plain numbers are allowed"):
        load_folder(folder)


@pytest.mark.parametrize("dtype", ["<f8", None, 8, [], {}])
def test_a_dtype_that_is_none_is_refused(folder, dtype):
    put(folder, wrapped(dtype=dtype))
    with pytest.raises(ModelRefused, match="only plain numbers are allowed"):
        load_folder(folder)


@pytest.mark.parametrize("subclass", [np.matrix, np.memmap, np.ma.MaskedArray, np.recarray])
def test_subclasses_of_arrays_are_refused(folder, subclass):
    put(folder, wrapped(subclass=subclass))
    with pytest.raises(ModelRefused, match=r"asks for numpy\S* which no Paratype model needs"):
        load_folder(folder)


@pytest.mark.parametrize("subclass", [np.dtype, NumpyArrayWrapper, None, "ndarray", 1])
def test_classes_that_are_no_arrays_are_refused(folder, subclass):
    put(folder, wrapped(subclass=subclass))
    with pytest.raises(ModelRefused, match="holds an array of class"):
        load_folder(folder)


def test_a_matrix_is_refused(folder):
    put_content(folder, {"heads": np.ones((2, 2)).view(np.matrix)})
    with pytest.raises(ModelRefused, match=r"asks for numpy\S*matrix"):
        load_folder(folder)


def test_numpy_scalars_are_refused(folder):
    change_content(folder, lambda content: content["heads"].update(temperature=np.float64(1)))
    with pytest.raises(ModelRefused, match=r"asks for numpy\S*scalar"):
        load_folder(folder)


@pytest.mark.parametrize(
    "state", [b"N", b"]", b")", b"K\x01", b"}}\x86", b"N}\x86", b"}N\x86", b"U\x01a", b"}"], ids=repr
)
def test_wrappers_with_an_odd_state_are_refused(folder, state):
    put(folder, b"\x80\x02" + global_("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81" + state + b"b.")
    with pytest.raises(ModelRefused):
        load_folder(folder)


def test_a_wrapper_without_an_array_is_refused(folder):
    wrapper = global_("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81"
    put(folder, b"\x80\x02}X\x01\0\0\0x" + wrapper + b"s.")
    with pytest.raises(ModelRefused, match="NumpyArrayWrapper"):
        load_folder(folder)


# Files that abuse the three names the loader knows. Each is opened in a child, which it may crash.

ARRAY, DTYPE = global_("numpy", "ndarray"), global_("numpy", "dtype")
WRAPPER = global_("joblib.numpy_pickle", "NumpyArrayWrapper")


def plain(value):
    """Pickle a plain value as a part of a larger pickle; it memoizes in slots from 0 on."""
    return pickle.dumps(value, protocol=3)[2:-1]


def called(function, *parts):
    return function + b"(" + b"".join(parts) + b"tR"


def as_value(part):
    """Put a part into a dict, which is what a model file holds."""
    return b"\x80\x05}" + plain("x") + part + b"s."


def wrapper_state(dtype, **changes):
    parts = {
        "dtype": dtype,
        "shape": plain((1,)),
        "subclass": ARRAY,
        "order": plain("C"),
        "allow_mmap": plain(False),
        "numpy_array_alignment_bytes": plain(None),
        **changes,
    }
    return b"}(" + b"".join(plain(name) + part for name, part in parts.items()) + b"u"


def objects_under_a_number():
    """A copy of float64 whose state says that each number is an object."""
    subarray = b"(" + called(DTYPE, plain("O")) + plain((1,)) + b"t"
    state = b"(" + plain(3) + plain("<") + subarray + plain(None) * 2 + plain(8) * 2 + plain(0) + b"t"
    dtype = called(DTYPE, plain("f8"), plain(False), plain(True)) + state + b"b"
    return as_value(WRAPPER + b")\x81" + wrapper_state(dtype) + b"b" + struct.pack("<Q", 16))


def objects_over_bytes():
    """An array of objects whose pointers are bytes of the file, and a copy of it."""
    forged = called(ARRAY, plain((1,)), plain("O"), plain(struct.pack("<Q", 16)))
    return as_value(called(ARRAY, plain((1,)), plain("O")) + b")" + forged + b"s")


def memory_at_an_address():
    """A wrapper that claims to be memory elsewhere, and a copy of that memory."""
    interface = {"version": 3, "shape": (8,), "typestr": "|u1", "data": (16, True)}
    state = wrapper_state(called(DTYPE, plain("u1")), __array_interface__=plain(interface))
    array = WRAPPER + b")\x81q\xc8" + state + b"b" + b"A" + b"0"
    return b"\x80\x02" + array + as_value(called(ARRAY, plain((8,)), plain("u1")) + b")h\xc8s")[2:]


UNSAFE = "the loader lets the file call numpy.ndarray, and build dtypes and wrappers with any state: memory corruption"


@pytest.mark.parametrize("attack", [objects_under_a_number, objects_over_bytes, memory_at_an_address])
def test_pointers_from_a_file_are_refused(folder, attack):
    put(folder, attack())
    assert open_in_child(folder) == "ModelRefused"


def test_object_arrays_made_by_a_call_are_refused(folder):
    put(folder, as_value(called(ARRAY, plain((3,)), plain("O"))))
    with pytest.raises(ModelRefused):
        load_folder(folder)


@pytest.mark.parametrize("dtype", ["O", "S4", "U4", "V4", "M8[s]"])
def test_arrays_that_are_no_numbers_do_not_stand_beside_a_model(folder, dtype):
    data = (folder / MODEL_FILE).read_bytes()
    assert data.endswith(b"u.")
    put(folder, data[:-2] + plain("x") + called(ARRAY, plain((3,)), plain(dtype)) + b"u.")
    with pytest.raises(ModelRefused):
        load_folder(folder)


def huge_array():
    return as_value(called(ARRAY, plain((2**33,)), plain("f8")))


def huge_view():
    return as_value(called(ARRAY, plain((2**40,)), plain("f8"), plain(b"12345678"), plain(0), plain((0,))))


def huge_bytearray():
    return as_value(b"\x96" + struct.pack("<Q", 2**34))


@pytest.mark.parametrize("attack", [huge_array, huge_view, huge_bytearray])
def test_memory_that_a_small_file_asks_for_is_not_taken(folder, attack):
    put(folder, attack())
    assert len(attack()) < 200
    assert open_in_child(folder) == "ModelRefused"


def test_a_file_does_not_change_joblib(folder, monkeypatch):
    monkeypatch.setattr(NumpyArrayWrapper, "changed", False, raising=False)
    put(folder, b"\x80\x02" + WRAPPER + plain((None, {"changed": True})) + b"b.")
    with pytest.raises(ModelRefused):
        load_folder(folder)
    assert not NumpyArrayWrapper.changed


def test_lists_that_share_lists_are_not_walked_forever(folder):
    levels, width = 5, 60
    body = b"]q\0(" + b"K\x01" * width + b"e0"
    for level in range(1, levels):
        body += b"]q" + bytes([level]) + b"(" + (b"h" + bytes([level - 1])) * width + b"e0"
    data = b"\x80\x02" + body + b"}U\x01xh" + bytes([levels - 1]) + b"s."
    assert len(data) < 1000
    put(folder, data)
    assert open_in_child(folder, seconds=3) == "ModelRefused"


# Depth, size, damage


@pytest.mark.parametrize("depth", [7, 500])
@pytest.mark.parametrize("nest", [lambda x: [x], lambda x: {"a": x}], ids=["lists", "dicts"])
def test_deep_nesting_is_refused(folder, depth, nest):
    def change(content):
        value = 1
        for _ in range(depth):
            value = nest(value)
        content["extra"] = value

    if depth == 500:  # as joblib writes it, that is beyond the recursion limit
        value = b"K\x01"
        for _ in range(depth):
            value = b"]" + value + b"a" if nest(1) == [1] else b"}U\x01a" + value + b"s"
        put(folder, b"\x80\x02}U\x05extra" + value + b"s.")
    else:
        change_content(folder, change)
    with pytest.raises(ModelRefused, match=r"nested deeper than 6 levels|no Paratype model needs"):
        load_folder(folder)


@pytest.mark.parametrize(("opened", "closed"), [(b"]", b"a"), (b"}K\x01", b"s")], ids=["lists", "dicts"])
def test_a_hundred_thousand_levels_are_refused(folder, opened, closed):
    put(folder, b"\x80\x02}K\x01" + opened * 100_000 + b"K\x01" + closed * 100_000 + b"s.")
    with pytest.raises(ModelRefused, match=r"nested deeper than 6 levels|no Paratype model needs"):
        load_folder(folder)


def test_a_list_that_holds_itself_is_refused(folder):
    put(folder, b"\x80\x02}U\x01a]q\0h\0as.")
    with pytest.raises(ModelRefused, match=r"nested deeper than 6 levels|no Paratype model needs"):
        load_folder(folder)


@pytest.mark.parametrize(
    "filler",
    [b"N2" * 50_000, b"Nq\0" * 50_000, b"(" * 100_000, b"N0" * 50_000, b"Nr\xff\xff\xff\x7f"],
    ids=["dup", "memoize", "mark", "pop", "far slot"],
)
def test_files_full_of_idle_opcodes_are_refused(folder, filler):
    put(folder, b"\x80\x02" + filler + b"].")
    with pytest.raises(ModelRefused, match=r"expected a dict|not a plain joblib file"):
        load_folder(folder)


@pytest.mark.parametrize(
    "opcode",
    [b"\x8e", b"\x8d", b"\x95", b"B", b"X", b"\x8a", b"\x8b", b"T"],
    ids=["binbytes8", "binunicode8", "frame", "binbytes", "binunicode", "long1", "long4", "binstring"],
)
def test_lengths_beyond_the_file_are_refused(folder, opcode):
    put(folder, b"\x80\x05" + opcode + b"\xff\xff\xff\x7f\0\0\0\0" + b"abc.")
    with pytest.raises(ModelRefused, match=r"not a plain joblib file|expected a dict"):
        load_folder(folder)


def test_values_that_are_not_plain_are_refused(folder):
    for value in (None, (1, 2), b"bytes", {1, 2}, 1j, frozenset("a")):
        change_content(folder, lambda content, value=value: content.update(extra=value))
        with pytest.raises(ModelRefused, match=r"only plain values are allowed|no Paratype model needs"):
            load_folder(folder)


@pytest.mark.parametrize("content", [[], "text", 1, 1.5, None, (), True])
def test_files_that_hold_no_dict_are_refused(folder, content):
    put_content(folder, content)
    with pytest.raises(ModelRefused, match=f"expected a dict, got {type(content).__name__}"):
        load_folder(folder)


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200), opened=st.booleans())
def test_random_bytes_are_refused(folder, data, opened):
    put(folder, (b"\x80\x04}" if opened else b"") + data)
    with pytest.raises(ModelRefused):
        load_folder(folder)


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1, exclude_max=True))
def test_truncated_files_are_refused(folder, whole, share):
    data = whole.read_bytes()
    put(folder, data[: int(share * len(data))])
    with pytest.raises(ModelRefused, match=r"not a plain joblib file|claims an array|impossible shape"):
        load_folder(folder)


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0), value=st.integers(0, 255), early=st.booleans())
def test_a_changed_byte_is_refused_or_harmless(folder, whole, place, value, early):
    data = whole.read_bytes()
    place %= 200 if early else len(data)
    put(folder, data[:place] + bytes([value]) + data[place + 1 :])
    try:
        model = load_folder(folder)
    except ModelRefused:
        return
    assert model.predict(list(PROBES)).shape == (len(PROBES),)


# Content that is no model


def update(section, **values):
    return lambda content: content[section].update(values)


def drop(section, key=None):
    return lambda content: content.pop(section) if key is None else content[section].pop(key)


def fill(field, value):
    def change(content):
        content["heads"][field] = content["heads"][field].astype(float)
        content["heads"][field].flat[-1] = value

    return change


def reshape(field, shape):
    return lambda content: content["heads"].update({field: np.ones(shape, np.float32)})


CONTENTS = {
    **{
        f"{value} in {field}": (fill(field, value), "numbers that are not finite")
        for field in ("weights", "bias", "slope", "offset")
        for value in (np.nan, np.inf, -np.inf)
    },
    "temperature nan": (update("heads", temperature=float("nan")), "numbers that are not finite"),
    "review inf": (update("decision", review_below=float("inf")), "numbers that are not finite"),
    "threshold nan": (update("decision", thresholds=[0.5, 0.5, 0.5, float("nan")]), "numbers that are not finite"),
    "temperature 0": (update("heads", temperature=0.0), "expected a temperature over 0, got 0.0"),
    "temperature negative": (update("heads", temperature=-1.0), "expected a temperature over 0, got -1.0"),
    "temperature int": (update("heads", temperature=1), "expected a temperature over 0, got 1"),
    "temperature array": (update("heads", temperature=np.ones(5)), "expected a temperature over 0"),
    "weights int": (update("heads", weights=1), "expected (?:weights of|outcomes sorted) shape .*int"),
    "bias list": (update("heads", bias=[0.0] * 9), "expected bias of shape .*list"),
    "slope text": (update("heads", slope="abcd"), "expected slope of shape .*str"),
    "weights turned": (
        lambda c: update("heads", weights=c["heads"]["weights"].T)(c),
        "expected (?:weights of|outcomes sorted) shape",
    ),
    "weights short": (
        lambda c: update("heads", weights=c["heads"]["weights"][:-1])(c),
        "expected (?:weights of|outcomes sorted) shape",
    ),
    "weights flat": (reshape("weights", 9), r"expected (?:weights of|outcomes sorted) shape \(\d+, 9\), got \(9,\)"),
    "bias 8": (reshape("bias", 8), r"expected bias of shape \(9,\), got \(8,\)"),
    "bias 2d": (reshape("bias", (1, 9)), r"expected bias of shape \(9,\), got \(1, 9\)"),
    "slope 5": (reshape("slope", 5), r"expected slope of shape \(4,\), got \(5,\)"),
    "offset 0": (reshape("offset", 0), r"expected offset of shape \(4,\), got \(0,\)"),
    "extra head": (update("heads", more=1.0), "does not hold a Paratype model: .*more"),
    "no bias": (drop("heads", "bias"), "does not hold a Paratype model: .*bias"),
    "no heads": (drop("heads"), "does not hold a Paratype model: KeyError\\('heads'\\)"),
    "no decision": (drop("decision"), "does not hold a Paratype model: KeyError\\('decision'\\)"),
    "no features": (drop("features"), "does not hold a Paratype model: KeyError\\('features'\\)"),
    "no outcomes": (drop("decision", "outcomes"), "the decision config lacks 'outcomes'"),
    "no thresholds": (drop("decision", "thresholds"), "the decision config lacks 'thresholds'"),
    "no review": (drop("decision", "review_below"), "the decision config lacks 'review_below'"),
    "no vocabulary": (drop("features", "vocabulary"), "does not hold a Paratype model: KeyError\\('vocabulary'\\)"),
    "3 thresholds": (update("decision", thresholds=[0.5] * 3), "expected one threshold for each of .*, got 3"),
    "5 thresholds": (update("decision", thresholds=[0.5] * 5), "expected one threshold for each of .*, got 5"),
    "1 outcome": (
        update("decision", outcomes=["none"], thresholds=[]),
        "expected (?:weights of|outcomes sorted) shape",
    ),
    "6 outcomes": (
        update("decision", outcomes=[*TYPES, "other", "none"], thresholds=[0.5] * 5),
        "expected (?:weights of|outcomes sorted)",
    ),
    "no none": (update("decision", outcomes=[*TYPES]), "expected (?:weights of|outcomes sorted) shape"),
    "outcomes int": (update("decision", outcomes=5), "does not hold a Paratype model"),
    "threshold text": (update("decision", thresholds=["half"] * 4), "does not hold a Paratype model"),
    "pair_bits 60": (update("features", pair_bits=60), "expected pair_bits between 1 and 24, got 60"),
    "pair_bits 0": (update("features", pair_bits=0), "expected pair_bits between 1 and 24, got 0"),
    "pair_bits -1": (update("features", pair_bits=-1), "expected pair_bits between 1 and 24, got -1"),
    "pair_bits 10.0": (update("features", pair_bits=10.0), "does not hold a Paratype model"),
    "pair_bits text": (update("features", pair_bits="10"), "does not hold a Paratype model"),
    "pair_bits 11": (update("features", pair_bits=11), "expected (?:weights of|outcomes sorted) shape"),
    "other kind": (update("features", kind="magic"), "expected features of kind 'ngrams' or 'encoder', got 'magic'"),
    "encoder, no files": (update("features", kind="encoder", max_tokens=8), "does not hold a Paratype model"),
    "vocabulary list": (update("features", vocabulary=["a", "b"]), "does not hold a Paratype model"),
    "more words": (update("features", vocabulary="a\nb"), "expected (?:weights of|outcomes sorted) shape"),
    "decision list": (lambda c: c.update(decision=[1, 2]), "does not hold a Paratype model"),
    "features text": (lambda c: c.update(features="ngrams"), "does not hold a Paratype model"),
    "heads keys": (lambda c: c.update(heads={1: 2}), "does not hold a Paratype model"),
    "no probes": (drop("probes"), "its probe texts cannot be scored: KeyError"),
    "no probe texts": (update("probes", texts=[]), "its probe texts cannot be scored"),
    "other probe texts": (update("probes", texts=list(reversed(PROBES))), "its probe texts to come out within"),
    "probe numbers": (update("probes", texts=[1, 2, 3, 4, 5]), "its probe texts cannot be scored"),
    "other probabilities": (
        update("probes", probabilities=np.full((len(PROBES), 5), 0.2)),
        "its probe texts to come out within",
    ),
    "few probabilities": (update("probes", probabilities=np.full((4, 5), 0.2)), "its probe texts cannot be scored"),
    "probabilities text": (update("probes", probabilities="high"), "its probe texts cannot be scored"),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_content_that_is_no_model_is_refused(folder, name):
    change, match = CONTENTS[name]
    change_content(folder, change)
    with pytest.raises(ModelRefused, match=match):
        load_folder(folder)


def test_weights_that_give_other_answers_are_refused(folder):
    def change(content):
        content["heads"]["weights"][:, [0, 1]] = content["heads"]["weights"][:, [1, 0]]

    change_content(folder, change)
    with pytest.raises(ModelRefused, match="does not work on this machine as it did where it was saved"):
        load_folder(folder)


@pytest.mark.parametrize(
    "change",
    [
        update("decision", outcomes=[1, 2, 3, "none", 4]),
        update("decision", outcomes=["analysis", "analysis", "analysis", "none", "analysis"]),
        update("decision", thresholds=["nan"] * 4),
        update("decision", review_below="inf"),
    ],
    ids=["numbers", "the same name", "nan as text", "inf as text"],
)
def test_decisions_of_the_wrong_types_are_refused(folder, change):
    change_content(folder, change)
    with pytest.raises(ModelRefused, match=r"outcomes|threshold|review"):
        load_folder(folder)


def test_an_encoder_that_is_none_is_refused(folder):
    change_content(folder, update("features", kind="encoder", max_tokens=8))
    for name, data in {"encoder.onnx": b"not a network", "tokenizer.json": b"{}"}.items():
        (folder / name).write_bytes(data)
        entry = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        change_manifest(folder, lambda manifest, name=name, entry=entry: manifest["files"].update({name: entry}))
    with pytest.raises(ModelRefused, match=r"encoder.onnx: not an ONNX file"):
        load_folder(folder)


# Manifests


def test_a_folder_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(ModelRefused, match=r"expected a model folder with a manifest.json, found none; name a folder"):
        load_folder(tmp_path / "nowhere")


def test_a_file_in_place_of_a_folder_is_refused(folder):
    with pytest.raises(ModelRefused, match=r"expected a model folder with a manifest.json, found none"):
        load_folder(folder / MODEL_FILE)


def test_a_missing_manifest_is_refused(folder):
    (folder / MANIFEST_FILE).unlink()
    with pytest.raises(ModelRefused, match=r"expected a model folder with a manifest.json, found none"):
        load_folder(folder)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"not JSON",
        b"\xff\xfe\x00",
        b"[]",
        b"1",
        b"null",
        b"{}",
        b'{"format": 1}',
        b'{"format": 1, "files": []}',
        b'{"format": 1, "files": {"model.joblib": 1}}',
        b'{"format": 1, "files": {"model.joblib": {}}}',
        b'{"format": 1, "files": {"model.joblib": {"sha256": "a"}}}',
        b'{"format": 1, "files": {"model.joblib": {"sha256": 1, "size": 1}}}',
        b'{"format": 1, "files": {"model.joblib": {"sha256": "a", "size": "1"}}}',
        b"[" * 100_000,
        b'{"files":' * 100_000,
        b"1" * 10_000,
    ],
    ids=lambda text: text[:50],
)
def test_manifests_that_are_none_are_refused(folder, text):
    (folder / MANIFEST_FILE).write_bytes(text)
    with pytest.raises(ModelRefused, match="not a model manifest"):
        load_folder(folder)


def test_a_manifest_that_is_too_large_is_refused(folder):
    with (folder / MANIFEST_FILE).open("ab") as stream:
        stream.write(b" " * 1024**2)
    with pytest.raises(ModelRefused, match="expected at most 1048576 bytes, got"):
        load_folder(folder)


@pytest.mark.parametrize("number", [0, 2, -1, 1.5, "1", None])
def test_another_format_is_refused_with_the_remedy(folder, number):
    change_manifest(folder, lambda manifest: manifest.update(format=number))
    with pytest.raises(ModelRefused, match=f"expected model format 1, got {number!r}; install the Paratype release"):
        load_folder(folder)


def test_a_manifest_without_a_format_is_refused(folder):
    change_manifest(folder, lambda manifest: manifest.pop("format"))
    with pytest.raises(ModelRefused, match="expected model format 1, got None"):
        load_folder(folder)


@pytest.mark.parametrize("number", [[1], {"1": 1}])
def test_a_format_that_is_no_number_is_refused(folder, number):
    change_manifest(folder, lambda manifest: manifest.update(format=number))
    with pytest.raises(ModelRefused, match="expected model format 1"):
        load_folder(folder)


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "other.bin", "", "./model.joblib", "model.joblib/", "sub/x"])
def test_a_manifest_that_lists_other_files_is_refused(folder, name):
    (folder.parent / "x").write_bytes(b"outside")
    entry = {"sha256": hashlib.sha256(b"outside").hexdigest(), "size": 7}
    change_manifest(folder, lambda manifest: manifest["files"].update({name: entry}))
    with pytest.raises(ModelRefused, match=r"expected model.joblib and no files but .* in the manifest, got"):
        load_folder(folder)


@pytest.mark.parametrize("files", [{}, {"tokenizer.json": {"sha256": "", "size": 0}}], ids=["none", "other"])
def test_a_manifest_without_the_model_file_is_refused(folder, files):
    change_manifest(folder, lambda manifest: manifest.update(files=files))
    with pytest.raises(ModelRefused, match=r"expected model.joblib and no files but .* in the manifest, got"):
        load_folder(folder)


def test_a_file_in_the_manifest_that_is_missing_is_refused(folder):
    (folder / MODEL_FILE).unlink()
    with pytest.raises(ModelRefused, match=r"model.joblib: expected a plain file, found none"):
        load_folder(folder)


@pytest.mark.parametrize(
    "entry",
    [{"size": 1}, {"size": -1}, {"size": True}, {"sha256": "0" * 64}, {"sha256": ""}],
    ids=str,
)
def test_a_wrong_size_or_hash_is_refused(folder, entry):
    change_manifest(folder, lambda manifest: manifest["files"][MODEL_FILE].update(entry))
    with pytest.raises(ModelRefused, match=r"model.joblib: the file is not the one in the manifest .* fetch or train"):
        load_folder(folder)


def test_a_swapped_file_under_a_valid_manifest_is_refused(classifier, folder, tmp_path):
    marker = tmp_path / "marker"
    joblib.dump(Evil(os.mkdir, str(marker)), folder / MODEL_FILE)
    with pytest.raises(ModelRefused, match="the file is not the one in the manifest"):
        load_folder(folder)
    assert not marker.exists()


def test_a_file_of_the_same_size_with_one_bit_turned_is_refused(folder):
    data = (folder / MODEL_FILE).read_bytes()
    (folder / MODEL_FILE).write_bytes(data[:-50] + bytes([data[-50] ^ 1]) + data[-49:])
    with pytest.raises(ModelRefused, match="the file is not the one in the manifest"):
        load_folder(folder)


@pytest.mark.parametrize("name", [MODEL_FILE, MANIFEST_FILE])
def test_symbolic_links_are_refused(folder, tmp_path, name):
    (folder / name).rename(tmp_path / "target")
    (folder / name).symlink_to(tmp_path / "target")
    with pytest.raises(ModelRefused, match=f"{name}: expected a plain file, found a link"):
        load_folder(folder)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_refused(folder, make):
    (folder / MODEL_FILE).unlink()
    make(folder / MODEL_FILE)
    with pytest.raises(ModelRefused, match=r"model.joblib: expected a plain file, found none"):
        load_folder(folder)


def test_a_file_that_is_too_large_is_refused_unread(folder):
    with (folder / MODEL_FILE).open("r+b") as stream:
        stream.truncate(256 * 1024**2 + 1)
    tracemalloc.start()
    try:
        with pytest.raises(ModelRefused, match=r"model.joblib: expected at most 268435456 bytes, got 268435457"):
            load_folder(folder)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


# Cascades


@pytest.fixture
def cascade(classifier, tmp_path):
    """A folder with a cascade in it, and the two models that it is made of beside it."""
    for name in ("quick", "better"):
        classifier.save(tmp_path / name)
    parts = [load_folder(tmp_path / name) for name in ("quick", "better")]
    save_folder(Cascade("both", *parts, 0.6), tmp_path / "both")
    return tmp_path / "both"


def test_a_cascade_comes_back_as_it_was_saved(cascade):
    model = load_folder(cascade)
    assert (model.name, model.first.name, model.second.name, model.unsure_below) == ("both", "quick", "better", 0.6)
    assert sorted(path.name for path in cascade.iterdir()) == [MANIFEST_FILE, MODEL_FILE]


def test_a_cascade_without_its_parts_is_refused(cascade):
    shutil.rmtree(cascade.parent / "better")
    with pytest.raises(ModelRefused, match=r"better: expected a model folder with a manifest\.json"):
        load_folder(cascade)


@pytest.mark.parametrize("name", ["../quick", "..", ".", "", "/etc", "a/b", "both\n", 3])
def test_a_cascade_of_models_elsewhere_is_refused(cascade, name):
    change_content(cascade, lambda content: content["cascade"].update(first=name))
    with pytest.raises(ModelRefused, match="expected the names of two models beside this one"):
        load_folder(cascade)


def test_a_cascade_of_cascades_is_refused(cascade):
    change_content(cascade, lambda content: content["cascade"].update(second="both"))
    with pytest.raises(ModelRefused, match="expected a cascade of two models that are none themselves"):
        load_folder(cascade)


@pytest.mark.parametrize("cut", ["0.5", 1, True])
def test_a_cascade_with_a_cut_that_is_no_number_is_refused(cascade, cut):
    change_content(cascade, lambda content: content["cascade"].update(unsure_below=cut))
    with pytest.raises(ModelRefused, match="expected unsure_below to be a float"):
        load_folder(cascade)
