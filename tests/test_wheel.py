"""The wheel as users get it: what is in it, and that it works away from the clone."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODEL_FILES = {
    "accurate": ["encoder.onnx", "manifest.json", "model.joblib", "tokenizer.json"],
    "fast": ["manifest.json", "model.joblib"],
}
USE = """
import paratype
print(paratype.__file__)
print(paratype.load("fast").name)
print(paratype.predict(["Gunmen stormed the barracks and shot six officers dead."], model="fast")[0].label)
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--no-deps", "--no-build-isolation", "-q", "--disable-pip-version-check", "-w", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(ROOT)], check=True)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def names(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_it_holds_both_models(names):
    expected = {f"paratype/artifacts/{model}/{file}" for model, files in MODEL_FILES.items() for file in files}
    assert expected <= set(names)
    assert len(names) == len(set(names))


def test_it_holds_what_the_reading_view_is_made_of(names):
    assert {f"paratype/writing/page.{suffix}" for suffix in ("css", "html.jinja", "js")} <= set(names)


def test_it_holds_the_licences(names):
    held = {Path(name).name for name in names if ".dist-info/licenses/" in name}
    assert held == {"LICENSE", "LICENSE-APACHE", "NOTICE"}


def test_it_holds_nothing_else(names):
    parts = {part for name in names for part in Path(name).parts}
    assert {Path(name).parts[0].split("-")[0] for name in names} == {"paratype"}
    assert parts.isdisjoint({"corpus", "eval", "tests", "training"})
    assert {Path(name).suffix for name in names}.isdisjoint({".jsonl", ".png", ".pyc"})


def test_it_works_away_from_the_clone(wheel, tmp_path):
    unzipped, elsewhere = tmp_path / "unzipped", tmp_path / "elsewhere"
    elsewhere.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unzipped)
    run = subprocess.run(
        [sys.executable, "-c", USE],
        cwd=elsewhere,
        env={**os.environ, "PYTHONPATH": str(unzipped)},
        capture_output=True,
        text=True,
        check=True,
    )
    file, model, label = run.stdout.splitlines()
    assert Path(file).resolve() == (unzipped / "paratype" / "__init__.py").resolve()
    assert model == "fast"
    assert label == "attack_report"
