"""Paratype reads conflict reporting and says what each paragraph does.

>>> from paratype import predict
>>> [p.label for p in predict(["The team won the cup final on penalties."])]
['none']
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from paratype.text import Paragraph, paragraphs
from paratype.types import LABELS, TYPES, Evidence, Label, ModelRefused, Prediction

if TYPE_CHECKING:
    from paratype.api import load, predict
    from paratype.classifier import ParagraphClassifier
    from paratype.model import Model

__all__ = [
    "LABELS",
    "TYPES",
    "Evidence",
    "Label",
    "Model",
    "ModelRefused",
    "Paragraph",
    "ParagraphClassifier",
    "Prediction",
    "__version__",
    "load",
    "paragraphs",
    "predict",
]

__version__ = "0.1.0"

# Names whose modules import numpy, pyarrow or scikit-learn: looked up when first asked for.
_HEAVY = {
    "Model": "paratype.model",
    "ParagraphClassifier": "paratype.classifier",
    "load": "paratype.api",
    "predict": "paratype.api",
}


def __getattr__(name: str) -> Any:
    if name in _HEAVY:
        return getattr(importlib.import_module(_HEAVY[name]), name)
    raise AttributeError(f"module 'paratype' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
