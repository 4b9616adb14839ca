"""What is checked of a model's files, which nobody vouches for, before anything else sees them.

A pickle is a program. ``model.joblib`` may only do what `joblib.dump` of plain values does: build dicts, lists,
strings, numbers and numpy arrays of numbers. Opcodes are allowed by name; the three that call or change something
(REDUCE, NEWOBJ, BUILD) check what, and no array may be larger than the file that holds it.

An encoder's files go to libraries that do more than we need: onnxruntime reads weights from other files in the
working directory, loops, and takes plug-ins; tokenizers compiles regular expressions that may take forever. So
``encoder.onnx`` may only hold the messages and operators of a sentence encoder, and ``tokenizer.json`` only be BERT's.
"""

from __future__ import annotations

import io
import json
import pickle
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from paratype.types import ModelRefused

__all__ = ["check_network", "check_tokenizer", "load_plain"]

_OPCODES = """
    PROTO FRAME STOP MARK MEMOIZE BINPUT BINGET LONG_BINGET GLOBAL STACK_GLOBAL NEWOBJ REDUCE BUILD
    NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 BINFLOAT SHORT_BINUNICODE BINUNICODE
    EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_LIST APPEND APPENDS EMPTY_DICT SETITEM SETITEMS
""".split()
_CODES = [getattr(pickle, name)[0] for name in _OPCODES]
_NUMBERS = re.compile(r"[fiu][1248]")
_DTYPE_STATES = [(3, order, None, None, None, -1, -1, 0) for order in ("<", "|")]
_WRAPPER_KEYS = {"subclass", "shape", "order", "dtype", "allow_mmap", "numpy_array_alignment_bytes"}

# More than any model needs; bounds what shared or nested containers can make us walk.
_MOST_VALUES = 10_000
_DEEPEST = 6


def load_plain(data: bytes) -> dict[str, Any]:
    """Return the dict of plain values in an uncompressed joblib file.

    Raises:
        ModelRefused: if the file is anything else; nothing in it is run, and no more memory taken than it has bytes.
    """
    try:
        content = _unpickler(data).load()
    except ModelRefused:
        raise
    except Exception as error:  # a hostile file can raise anything
        raise ModelRefused(f"not a plain joblib file: {error!r}") from error
    if type(content) is not dict:
        raise ModelRefused(f"expected a dict, got {type(content).__name__}")
    _check_plain(content)
    return content


def _unpickler(data: bytes) -> Any:
    # joblib is needed here alone, and takes a while to import.
    from joblib.numpy_pickle import NumpyArrayWrapper, NumpyUnpickler

    known = {
        ("joblib.numpy_pickle", "NumpyArrayWrapper"): NumpyArrayWrapper,
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
    }

    class Unpickler(NumpyUnpickler):  # type: ignore[misc]
        """Knows three names, and does with them what joblib does."""

        dispatch = _Known((code, NumpyUnpickler.dispatch[code]) for code in _CODES)

        def find_class(self, module: str, name: str) -> Any:
            if (module, name) not in known:
                raise ModelRefused(
                    f"it asks for {module}.{name}, which no Paratype model needs; it was not run. Do not use this file"
                )
            return known[module, name]

        def load_reduce(self) -> None:
            function, arguments = self.stack[-2:]
            if function is not np.dtype or not _is_dtype_call(arguments):
                raise ModelRefused(f"it calls {function!r} with {str(arguments)[:80]}; only plain numbers are allowed")
            super().load_reduce()

        def load_newobj(self) -> None:
            cls, arguments = self.stack[-2:]
            if cls is not NumpyArrayWrapper or arguments != ():
                raise ModelRefused(f"it makes an object of {cls!r}; only arrays may be made")
            super().load_newobj()

        def load_build(self) -> None:
            target, state = self.stack[-2:]
            if type(target) is NumpyArrayWrapper:
                _check_wrapper(state, len(data))
            elif not isinstance(target, np.dtype) or state not in _DTYPE_STATES:
                raise ModelRefused(f"it changes {target!r}; only arrays of numbers may be built")
            super().load_build()

        dispatch[pickle.REDUCE[0]] = load_reduce
        dispatch[pickle.NEWOBJ[0]] = load_newobj
        dispatch[pickle.BUILD[0]] = load_build

    return Unpickler("", io.BytesIO(data), ensure_native_byte_order=True)


class _Known(dict[int, Any]):
    """What to do for each opcode; one that is not there is refused."""

    def __missing__(self, opcode: int) -> Any:
        name = repr(chr(opcode))
        raise ModelRefused(
            f"not a plain joblib file: it uses opcode {name}, which no Paratype model needs; it was not run"
        )


def _is_dtype_call(arguments: Any) -> bool:
    """Whether these are the arguments with which numpy pickles a dtype of plain numbers."""
    name, *flags = arguments
    return isinstance(name, str) and bool(_NUMBERS.fullmatch(name)) and flags == [False, True]


def _check_wrapper(state: Any, most: int) -> None:
    """Refuse an array that is not of plain numbers, or larger than the file, before any memory is taken for it."""
    if type(state) is not dict or set(state) != _WRAPPER_KEYS:
        raise ModelRefused(f"expected an array with {sorted(_WRAPPER_KEYS)}, got {str(state)[:200]}")
    dtype, shape = state["dtype"], state["shape"]
    if not isinstance(dtype, np.dtype) or dtype.kind not in "fiu" or dtype.subdtype is not None:
        raise ModelRefused(f"it holds an array of {dtype!r}; only plain numbers are allowed")
    if state["subclass"] is not np.ndarray or state["order"] not in ("C", "F"):
        raise ModelRefused(f"it holds an array of class {state['subclass']!r} in order {state['order']!r}")
    if not isinstance(shape, tuple) or not all(type(n) is int and 0 <= n <= most for n in shape):
        raise ModelRefused(f"it holds an array with the impossible shape {str(shape)[:80]}")
    size = dtype.itemsize
    for n in shape:
        size *= n
    if size > most:
        raise ModelRefused(f"it claims an array of {size} bytes in a file of {most}")


def _check_plain(content: dict[str, Any]) -> None:
    """Refuse anything but dicts, lists, arrays, strings and finite numbers, and too much or too deep of it."""
    waiting: list[tuple[Any, int]] = [(content, 0)]
    for _ in range(_MOST_VALUES):
        if not waiting:
            return
        value, depth = waiting.pop()
        if depth > _DEEPEST:
            raise ModelRefused(f"it is nested deeper than {_DEEPEST} levels")
        if type(value) is dict:
            waiting += [(item, depth + 1) for pair in value.items() for item in pair]
        elif type(value) is list:
            waiting += [(item, depth + 1) for item in value]
        elif type(value) not in (str, int, float, bool, np.ndarray):
            raise ModelRefused(f"it holds a {type(value).__name__}; only plain values are allowed")
        elif type(value) in (float, np.ndarray) and not np.isfinite(value).all():
            raise ModelRefused("it holds numbers that are not finite")
        if len(waiting) > _MOST_VALUES:
            break
    raise ModelRefused(f"it holds more than {_MOST_VALUES} values")


# The fields of each ONNX message that an encoder's network may have, by number; those that are messages themselves
# with their kind. Left out: training steps, functions, graphs in operators, sparse tensors, and fields 13 and 14 of
# a tensor, which put its numbers into another file.
_FIELDS: dict[str, dict[int, str]] = {
    "model": {1: "", 2: "", 3: "", 4: "", 5: "", 6: "", 7: "graph", 8: "opset", 14: ""},
    "opset": {1: "", 2: ""},
    "graph": {1: "node", 2: "", 5: "tensor", 10: "", 11: "", 12: "", 13: "", 14: "", 16: ""},
    "node": {1: "", 2: "", 3: "", 4: "operator", 5: "attribute", 6: "", 7: "domain", 9: ""},
    "attribute": {1: "", 2: "", 3: "", 4: "", 5: "tensor", 7: "", 8: "", 9: "", 13: "", 20: ""},
    "tensor": {1: "", 2: "", 4: "", 5: "", 7: "", 8: "", 9: "", 10: "", 11: "", 12: "", 14: "inside", 16: ""},
}
# What a transformer needs, in 32 bits or 8. No operator of ours, none that loops, draws numbers or reads strings.
_OPERATORS = frozenset(
    b"""
    Abs Add And Cast Clip Concat Constant ConstantOfShape CumSum DequantizeLinear Div DynamicQuantizeLinear Equal Erf
    Exp Expand Flatten Gather GatherElements Gelu Gemm Greater GreaterOrEqual Identity IsNaN LayerNormalization Less
    LessOrEqual Log MatMul MatMulInteger Max Min Mul Neg Not Or Pow QLinearMatMul QuantizeLinear Range Reciprocal
    ReduceL2 ReduceMax ReduceMean ReduceMin ReduceSum Relu Reshape ScatterND Shape Sigmoid Slice Softmax Split Sqrt
    Squeeze Sub Sum Tanh Tile Transpose Trilu Unsqueeze Where
    """.split()
)
_MOST_FIELDS = 200_000


def check_network(data: bytes) -> None:
    """Refuse an ONNX file that holds more than a sentence encoder: other files, other operators, other formats.

    Raises:
        ModelRefused: if it does, or is no ONNX file.
    """
    if data[4:8] == b"ORTM":  # onnxruntime would take it for its own format, whatever it is to us
        raise ModelRefused("not an ONNX file but one in onnxruntime's own format; export it as ONNX")
    view = memoryview(data)
    waiting: list[tuple[str, int, int]] = [("model", 0, len(data))]
    left = _MOST_FIELDS
    while waiting:
        kind, start, end = waiting.pop()
        for field, wire, begin, stop in _fields(view, start, end):
            left -= 1
            if left < 0:
                raise ModelRefused(f"it holds more than {_MOST_FIELDS} fields; no sentence encoder needs as many")
            inner = _FIELDS[kind].get(field)
            if inner is None:
                raise ModelRefused(f"its {kind} has field {field}, {_OUTSIDE.get((kind, field), _UNNEEDED)}; refused")
            if inner in _FIELDS and wire == _BYTES:
                waiting.append((inner, begin, stop))
            elif inner:
                _check_field(inner, wire, bytes(view[begin:stop]))


_UNNEEDED = "nothing that a sentence encoder needs"
_OUTSIDE = {("tensor", 13): "a path to numbers in another file"}
_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5


def _check_field(kind: str, wire: int, value: bytes) -> None:
    if kind == "inside":
        if wire != _VARINT or value != b"\0":
            raise ModelRefused("it says that the numbers of a tensor are in another file; refused")
    elif wire != _BYTES:
        raise ModelRefused(f"not an ONNX file: its {kind} has wire type {wire}")
    elif kind == "operator" and value not in _OPERATORS:
        raise ModelRefused(f"it uses the operator {value[:80]!r}, which no sentence encoder needs")
    elif kind == "domain" and value not in (b"", b"ai.onnx"):
        raise ModelRefused(f"it uses operators of {value[:80]!r}; only those of ONNX itself are allowed")


def _fields(view: memoryview, position: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield the fields of a protobuf message: number, wire type, and where the value begins and ends.

    Stricter than protobuf, so that no other reader can find other fields in the same bytes.
    """
    while position < end:
        tag, position = _varint(view, position, end, 2)
        wire = tag & 7
        if wire == _VARINT:
            begin, position = position, _varint(view, position, end, 10)[1]
        else:
            if wire == _BYTES:
                size, position = _varint(view, position, end, 5)
            else:
                size = {_EIGHT: 8, _FOUR: 4}.get(wire, -1)
            if not 0 <= size <= end - position:
                raise ModelRefused(f"not an ONNX file: wire type {wire} with {size} bytes at byte {position}")
            begin, position = position, position + size
        yield tag >> 3, wire, begin, position


def _varint(view: memoryview, position: int, end: int, most: int) -> tuple[int, int]:
    """Return the number at a position and the position after it."""
    number = 0
    for place in range(min(most, end - position)):
        byte = view[position + place]
        number |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return number, position + place + 1
    raise ModelRefused(f"not an ONNX file: no number at byte {position}")


_TOKENIZER_KEYS = {
    *("version", "truncation", "padding", "added_tokens", "normalizer"),
    *("pre_tokenizer", "post_processor", "decoder", "model"),
}
_NORMALIZER_KEYS = {"clean_text", "handle_chinese_chars", "strip_accents", "lowercase"}
_ADDED_TOKEN_FLAGS = {"single_word", "lstrip", "rstrip", "normalized", "special"}

# More brackets than any tokenizer needs; bounds how many objects JSON can make us hold.
_MOST_BRACKETS = 100_000
_MOST_WORDS = 1_000_000
_MOST_ADDED_TOKENS = 1000
_MOST_PIECES = 8
# Cutting a word into pieces takes time with the square of its length; BERT gives up at 100 characters.
_LONGEST_WORD = 200


def check_tokenizer(data: bytes) -> None:
    """Refuse a tokenizer that is not built as BERT's: other parts may hold regular expressions and expansions.

    Raises:
        ModelRefused: if it is not, or no JSON.
    """
    if data.count(b"{") + data.count(b"[") > _MOST_BRACKETS:
        raise ModelRefused(f"it holds more than {_MOST_BRACKETS} objects and lists; no tokenizer needs as many")
    try:
        content = json.loads(data.decode("utf-8"), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise ModelRefused(f"not a tokenizer's JSON: {str(error)[:200]}") from error
    if not isinstance(content, dict) or not set(content) <= _TOKENIZER_KEYS:
        raise ModelRefused(f"expected an object with no keys but {sorted(_TOKENIZER_KEYS)}")
    parts = {
        "normalizer": _is_normalizer,
        "pre_tokenizer": lambda part: part == {"type": "BertPreTokenizer"},
        "post_processor": lambda part: _is_bert_processing(part) or _is_template(part),
        "model": _is_word_piece,
        "decoder": lambda part: part is None or _is_decoder(part),
        "added_tokens": _are_added_tokens,
    }
    for name, is_known in parts.items():
        part = content.get(name)
        if not is_known(part):
            kind = part.get("type") if isinstance(part, dict) else type(part).__name__
            raise ModelRefused(
                f"its {name} ({str(kind)[:80]}) is not as in BERT's WordPiece tokenizers, the only kind taken"
            )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object whose keys stand in it once; of two, another reader might take the other."""
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError("an object with the same key twice")
    return content


def _has_type(part: Any, name: str, keys: set[str]) -> bool:
    return isinstance(part, dict) and part.get("type") == name and set(part) == {"type", *keys}


def _is_normalizer(part: Any) -> bool:
    return _has_type(part, "BertNormalizer", _NORMALIZER_KEYS) and all(
        part[key] in (True, False) or part[key] is None for key in _NORMALIZER_KEYS
    )


def _is_decoder(part: Any) -> bool:
    return _has_type(part, "WordPiece", {"prefix", "cleanup"}) and isinstance(part["prefix"], str)


def _is_word_piece(part: Any) -> bool:
    keys = {"unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab"}
    return (
        _has_type(part, "WordPiece", keys)
        and isinstance(part["unk_token"], str)
        and isinstance(part["continuing_subword_prefix"], str)
        and type(part["max_input_chars_per_word"]) is int
        and 1 <= part["max_input_chars_per_word"] <= _LONGEST_WORD
        and isinstance(part["vocab"], dict)
        and len(part["vocab"]) <= _MOST_WORDS
        and all(type(number) is int and 0 <= number < len(part["vocab"]) for number in part["vocab"].values())
    )


def _is_id(value: Any) -> bool:
    return type(value) is int and 0 <= value < _MOST_WORDS


def _is_token_and_id(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and _is_id(value[1])


def _is_bert_processing(part: Any) -> bool:
    return _has_type(part, "BertProcessing", {"sep", "cls"}) and all(
        _is_token_and_id(part[key]) for key in ("sep", "cls")
    )


def _is_template(part: Any) -> bool:
    """Whether this adds a few tokens, each of them one, around each text."""
    return (
        _has_type(part, "TemplateProcessing", {"single", "pair", "special_tokens"})
        and all(isinstance(part[key], list) and len(part[key]) <= _MOST_PIECES for key in ("single", "pair"))
        and isinstance(part["special_tokens"], dict)
        and all(
            isinstance(token, dict)
            and set(token) == {"id", "ids", "tokens"}
            and all(isinstance(token[key], list) and len(token[key]) == 1 for key in ("ids", "tokens"))
            and _is_id(token["ids"][0])
            for token in part["special_tokens"].values()
        )
    )


def _are_added_tokens(part: Any) -> bool:
    return (
        isinstance(part, list)
        and len(part) <= _MOST_ADDED_TOKENS
        and all(
            isinstance(token, dict)
            and set(token) == {"id", "content", *_ADDED_TOKEN_FLAGS}
            and _is_id(token["id"])
            and isinstance(token["content"], str)
            and 0 < len(token["content"]) <= _LONGEST_WORD
            and all(isinstance(token[flag], bool) for flag in _ADDED_TOKEN_FLAGS)
            for token in part
        )
    )
