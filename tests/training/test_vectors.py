import numpy as np
import pytest

from paratype.features import EncoderFeatures
from training.recipes import ARTIFACTS
from training.vectors import KeptVectors

TEXTS = ["One.", "Two drones struck.", "One."]


@pytest.fixture
def kept(tmp_path, monkeypatch):
    asked = []
    transform = EncoderFeatures.transform
    monkeypatch.setattr(EncoderFeatures, "transform", lambda self, X: asked.extend(X) or transform(self, X))

    def kept(folder=ARTIFACTS / "accurate", **options):
        asked.clear()
        return KeptVectors(folder, file=tmp_path / "vectors.npz", log=lambda note: None, **options).fit(), asked

    return kept


def test_each_text_is_asked_for_once_and_kept(kept):
    features, asked = kept()
    first = features.transform(TEXTS)
    assert asked == TEXTS[:2]
    np.testing.assert_array_equal(first, EncoderFeatures(ARTIFACTS / "accurate").fit().transform(TEXTS))
    features, asked = kept()
    again = features.transform(["Three.", *TEXTS])
    assert asked == ["Three."]
    np.testing.assert_array_equal(again[1:], first)
    assert first.dtype == again.dtype == np.float32


def test_vectors_of_another_encoder_are_left_aside(kept):
    kept()[0].transform(TEXTS)
    features, asked = kept(max_tokens=8)
    features.transform(TEXTS)
    assert asked == TEXTS[:2]


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 torn", b"none at all"])
def test_a_damaged_file_is_made_anew(kept, tmp_path, damage):
    kept()[0].transform(TEXTS)
    (tmp_path / "vectors.npz").write_bytes(damage)
    features, asked = kept()
    features.transform(TEXTS)
    assert asked == TEXTS[:2]
    assert kept()[0].transform(TEXTS).shape == (3, 384) and kept()[1] == []
