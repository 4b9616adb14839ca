import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from paratype import LABELS
from paratype.writing.page import MEANINGS
from paratype.writing.page_rows import ERROR

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
RECIPES = ROOT / "docs" / "scale.md"  # needs other engines; tests/engines/test_recipes.py runs it
BLOCKS = [
    block
    for page in PAGES
    if page != RECIPES
    for block in re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
]


@pytest.mark.parametrize("code", BLOCKS, ids=range(len(BLOCKS)))
def test_python_examples_run(code, tmp_path):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    subprocess.run([sys.executable, "-W", "error::FutureWarning", "-c", code], cwd=tmp_path, check=True, timeout=120)


def test_the_table_of_commands_is_that_of_the_help():
    from eval.publish import of_command_line

    (table,) = re.findall(r"<!-- table:commands -->\n(.*?)\n<!-- /table -->", README, re.DOTALL)
    assert table == of_command_line()["commands"]


def test_the_reading_view_explains_the_types_as_the_readme_does():
    meanings = {name: meaning for name, meaning in MEANINGS.items() if name != ERROR}
    assert meanings.keys() == set(LABELS)
    for name, meaning in meanings.items():
        assert f"| `{name}` | {meaning} |" in README


def test_files_that_are_linked_exist():
    for page in [*PAGES, *ROOT.glob("artifacts/*/README.md"), ROOT / "training/corpus/README.md"]:
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
            assert link.startswith("https://") or (page.parent / link).exists(), (page, link)


def test_make_targets_in_the_readme_exist():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"^make (\w+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
