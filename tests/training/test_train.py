import shutil

import pytest

from paratype.artifact import MANIFEST_FILE, MODEL_FILE, load_folder
from paratype.encoder import ENCODER_FILE, TOKENIZER_FILE
from training.corpus import load_corpus
from training.recipes import ARTIFACTS
from training.train import ENCODER_RECORD, train_models


@pytest.mark.slow
def test_training_twice_gives_the_same_bytes(tmp_path):
    rows = load_corpus()[::20]
    for run in ("one", "two"):
        (tmp_path / run / "accurate").mkdir(parents=True)
        for name in (ENCODER_FILE, TOKENIZER_FILE, ENCODER_RECORD):
            shutil.copy(ARTIFACTS / "accurate" / name, tmp_path / run / "accurate" / name)
        train_models(rows, artifacts=tmp_path / run, log=lambda message: None)
    for model in ("accurate", "fast"):
        for name in (MODEL_FILE, MANIFEST_FILE):
            one, two = (tmp_path / run / model / name for run in ("one", "two"))
            assert one.read_bytes() == two.read_bytes(), (model, name)
        assert load_folder(tmp_path / "one" / model).name == model
