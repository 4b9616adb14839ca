"""Reading a joblib file of plain values that nobody vouches for.

A pickle is a program. This one may only do what `joblib.dump` of plain values does: build dicts, lists, strings,
numbers and numpy arrays of numbers. Opcodes are allowed by name; the three that call or change something
(REDUCE, NEWOBJ, BUILD) check what, and no array may be larger than the file that holds it.
"""

from __future__ import annotations

import io
import pickle
import re
from typing import Any

import numpy as np

from paratype.types import ModelRefused

__all__ = ["load_plain"]

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
