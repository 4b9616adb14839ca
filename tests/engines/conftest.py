import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.conftest import ROWS

TEXTS = [text for texts in ROWS.values() for text in texts]
PARATYPE = Path(sys.executable).with_name("paratype")


def written(folder, texts, files):
    size = len(texts) // files
    for start in range(0, len(texts), size):
        rows = {"id": range(start, start + size), "text": pa.array(texts[start : start + size], pa.string())}
        pq.write_table(pa.table(rows), folder / f"part-{start:04}.parquet")
    return folder


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """Two folders of Parquet files: texts of all sorts, and many that keep the accurate model busy for seconds."""
    some = [f"{TEXTS[n % len(TEXTS)]} {n} Šibenik’s “Forces” 🚁." for n in range(200)]
    some[3], some[7], some[9] = None, "", " \n\t"
    many = [f"{n}. " + " ".join(TEXTS[n % 15 :][:5]) for n in range(800)]
    return {
        "some": written(tmp_path_factory.mktemp("some"), some, 4),
        "many": written(tmp_path_factory.mktemp("many"), many, 16),
    }


@pytest.fixture(scope="session")
def on_one_machine(folders, tmp_path_factory):
    """Return what `paratype label` makes of a folder, in order of the id; each is labelled once."""
    pytest.importorskip("psutil", reason="needs psutil: pip install 'paratype[engines]'")
    from tests.engines.jobs import in_order

    done = {}

    def labelled(name, model):
        if (name, model) not in done:
            output = tmp_path_factory.mktemp("expected") / "labelled.parquet"
            command = [PARATYPE, "label", folders[name], "-o", output, "--model", model, "--quiet"]
            subprocess.run(list(map(str, command)), check=True)
            done[name, model] = in_order(pq.read_table(output), model)
        return done[name, model]

    return labelled


@pytest.fixture
def own_model(classifier, tmp_path):
    """A model folder that no worker knows of."""
    classifier.save(tmp_path / "models" / "mine")
    return tmp_path / "models" / "mine"
