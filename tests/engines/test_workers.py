import importlib
import subprocess
import sys

import pytest

from paratype import ModelRefused, load
from paratype.artifact import save_folder
from paratype.workers import ModelElsewhere, require


@pytest.mark.parametrize("name", ["dask", "datasets", "ray", "spark"])
def test_the_modules_need_no_engine_until_they_are_used(name):
    code = f"""
import sys
sys.modules.update(dict.fromkeys(["dask", "datasets", "distributed", "pandas", "pyspark", "ray"]))  # not to be had
import paratype.{name}
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", ["dask", "spark"])
def test_an_engine_that_is_missing_is_named_with_the_line_that_installs_it(name, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda package: None)
    with pytest.raises(
        ModuleNotFoundError, match=rf"needs \w*{name}; install it with: pip install 'paratype\[{name}\]'"
    ):
        importlib.import_module(f"paratype.{name}").label(None)


def test_what_is_there_is_not_asked_for():
    require("numpy", "none")


def test_a_model_opens_under_its_name_or_from_the_files_that_were_sent(folder, tmp_path):
    there = ModelElsewhere.find(folder)
    assert there.open() is load(folder) is there.open(tmp_path / "nothing-there")
    sent = tmp_path / "sent"
    sent.mkdir()
    folder.rename(sent / folder.name)
    assert there.open(sent).name == folder.name
    with pytest.raises(ModelRefused, match="no model or folder called"):
        there.open()


def test_a_shipped_model_is_not_looked_for_among_the_files(folder):
    folder.rename(folder.with_name("fast"))
    assert ModelElsewhere.find("fast").open(folder.parent) is load("fast")


def test_another_model_of_the_same_name_is_refused(folder, classifier):
    there = ModelElsewhere.find(folder)
    save_folder(classifier.model_, folder, provenance={"another": 1})
    with pytest.raises(ModelRefused, match=r"expected the model whose manifest has sha256 .*; install one release"):
        there.open()


def test_an_open_model_does_not_travel():
    with pytest.raises(TypeError, match="expected a model's name or folder, which workers open, got LinearModel"):
        ModelElsewhere.find(load("fast"))
