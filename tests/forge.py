"""Model folders, good ones and forged ones, small enough to be made in a moment."""

import copy
import hashlib
import json

import numpy as np

from paratype import LABELS
from paratype.artifact import MANIFEST_FILE, save_folder
from paratype.encoder import TOKENIZER_FILE, Encoder
from paratype.model import Decision, Heads, LinearModel
from paratype.ngrams import NgramIndex

DIMENSIONS = 4
WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "ten",
    "people",
    "were",
    "killed",
    "drones",
    "struck",
    "the",
    "team",
    "##s",
]
FLAGS = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
TOKENIZER = {
    "version": "1.0",
    "truncation": None,
    "padding": None,
    "added_tokens": [{"id": n, "content": WORDS[n], **FLAGS} for n in range(4)],
    "normalizer": {
        "type": "BertNormalizer",
        "clean_text": True,
        "handle_chinese_chars": True,
        "strip_accents": None,
        "lowercase": True,
    },
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "post_processor": {
        "type": "TemplateProcessing",
        "single": [
            {"SpecialToken": {"id": "[CLS]", "type_id": 0}},
            {"Sequence": {"id": "A", "type_id": 0}},
            {"SpecialToken": {"id": "[SEP]", "type_id": 0}},
        ],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {
            "[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]},
            "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]},
        },
    },
    "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
    "model": {
        "type": "WordPiece",
        "unk_token": "[UNK]",
        "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 100,
        "vocab": {word: n for n, word in enumerate(WORDS)},
    },
}


def sign(folder):
    """Write the manifest that goes with the files as they are."""
    manifest = json.loads((folder / MANIFEST_FILE).read_text())
    for name in manifest["files"]:
        data = (folder / name).read_bytes()
        manifest["files"][name] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest))


def put(folder, name, data):
    """Put other bytes in place of a file, and sign them."""
    (folder / name).write_bytes(data)
    sign(folder)


def put_tokenizer(folder, change):
    """Change the tokenizer's JSON in place, and sign it."""
    content = copy.deepcopy(TOKENIZER)
    change(content)
    put(folder, TOKENIZER_FILE, json.dumps(content).encode())


def save_words(folder):
    """Save a word model of a few hundred bytes."""
    index = NgramIndex(("drones", "killed", "people", "strike", "team", "the"), 3)
    save_folder(LinearModel("", index, heads(index.n_columns), decision()), folder)


def save_encoder(folder):
    """Save a model with an encoder of one table of word vectors."""
    encoder = Encoder(network(), json.dumps(TOKENIZER), max_tokens=16)
    save_folder(LinearModel("", encoder, heads(DIMENSIONS), decision()), folder)


def heads(features):
    random = np.random.default_rng(0)
    weights = random.normal(size=(features, 9)).astype(np.float32)
    return Heads(weights, np.zeros(9, np.float32), 1.0, np.ones(4, np.float32), np.zeros(4, np.float32))


def decision():
    return Decision(LABELS, (0.5,) * 4, 0.6)


# ONNX, which is protobuf, by hand: the project needs no package for it.


def varint(number):
    parts = []
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes([*parts, number])


def field(number, value):
    """Return one field of a protobuf message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def fields(number, values):
    return b"".join(field(number, value) for value in values)


def node(operator, inputs, outputs, more=b""):
    return fields(1, inputs) + fields(2, outputs) + field(4, operator) + more


def vectors():
    return np.random.default_rng(1).normal(size=(len(WORDS), DIMENSIONS)).astype(np.float32)


def tensor(name="table", more=None):
    """Return the table of word vectors, or what stands in place of its numbers."""
    head = fields(1, [len(WORDS), DIMENSIONS]) + field(2, 1) + field(8, name)
    return head + (field(9, vectors().tobytes()) if more is None else more)


def elsewhere(location):
    """Return the part of a tensor that says that its numbers are in a file."""
    entries = {"location": location, "offset": "0", "length": str(vectors().nbytes)}
    return fields(13, [field(1, key) + field(2, value) for key, value in entries.items()]) + field(14, 1)


def _value(name, kind, *dims):
    shape = fields(1, [field(1, n) if isinstance(n, int) else field(2, n) for n in dims])
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, shape)))


MEAN = fields(5, [field(1, "axes") + field(20, 7) + field(8, 1), field(1, "keepdims") + field(20, 2) + field(3, 0)])
NODES = [node("Gather", ["table", "input_ids"], ["found"]), node("ReduceMean", ["found"], ["out"], MEAN)]


def graph(nodes=None, tensors=None, more=b""):
    inputs = [_value("input_ids", 7, "n", "t"), _value("attention_mask", 7, "n", "t")]
    whole = fields(1, NODES if nodes is None else nodes) + field(2, "g")
    whole += fields(5, [tensor()] if tensors is None else tensors)
    return whole + fields(11, inputs) + field(12, _value("out", 1, "n", DIMENSIONS)) + more


def network(nodes=None, tensors=None, more=b"", in_graph=b""):
    """Return an ONNX file that looks word vectors up and takes their mean, with changes."""
    return field(1, 8) + field(7, graph(nodes, tensors, in_graph)) + field(8, field(1, "") + field(2, 13)) + more
