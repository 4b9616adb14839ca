"""The recipes of docs/scale.md for engines that need no code of ours."""

import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

pytest.importorskip("psutil", reason="needs psutil: pip install 'paratype[engines]'")
from tests.engines.jobs import check_same

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"
RECIPES = {
    name: code
    for code in re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    for name in ("duckdb", "polars")
    if f"import {name}" in code
}
pytestmark = pytest.mark.engines


@pytest.mark.parametrize("name", ["duckdb", "polars"])
def test_the_recipe_gives_what_the_command_does(name, folders, on_one_machine, tmp_path):
    pytest.importorskip(name, reason=f"needs {name}: pip install {name}")
    (tmp_path / "articles").symlink_to(folders["some"])
    subprocess.run([sys.executable, "-c", RECIPES[name]], cwd=tmp_path, check=True)
    check_same(pq.read_table(tmp_path / "labelled.parquet"), on_one_machine("some", "fast"), "fast")
