import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import paratype

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "model" / "paratype"
FILES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in PACKAGE.rglob("*.py")
    if len(ast.parse(path.read_text("utf-8")).body) > 1  # more than a docstring
}
MODULES = sorted(FILES.keys() - {"__init__"})
HEAVY = set(
    "charset_normalizer dask datasets jinja2 numpy onnxruntime pandas pyarrow pyspark ray scipy sklearn "
    "trafilatura".split()
)

# Each module imports only from lines above its own.
ORDER = [
    ["types"],
    ["columns", "sentences", "text"],
    ["words"],
    ["encoder", "evidence", "guard", "ngrams"],
    ["model"],
    ["explain", "features"],
    ["artifact"],
    ["classifier"],
    ["api"],
    ["arrow", "workers"],
    ["dask", "datasets", "ray", "spark"],
    ["reading.arrow_rows", "reading.charset", "reading.limits", "reading.sources"],
    ["reading.decoding", "reading.find", "reading.rows"],
    ["reading.documents", "reading.parquet", "reading.tables"],
    ["reading.json_files"],
    ["reading.readers"],
    ["reading"],
    ["batch"],
    ["review", "writing.cells", "writing.writer"],
    ["writing.page_rows"],
    ["writing.page", "writing.parquet", "writing.plain", "writing.review", "writing.terminal"],
    ["writing.explained"],
    ["writing.formats"],
    ["runs.durable", "runs.lock"],
    ["runs.terms"],
    ["runs.journal"],
    ["runs.job"],
    ["progress", "show", "streams"],
    ["cli.ending"],
    ["cli.commands", "cli.given"],
    ["cli.explain", "cli.label", "cli.models"],
    ["cli"],
]
RANK = {module: rank for rank, modules in enumerate(ORDER) for module in modules}


def tree_of(module):
    return ast.parse(FILES[module].read_text("utf-8"))


def imported(nodes):
    """Yield the full names of the modules that some nodes import."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from names
            if not {name.removeprefix("paratype.") for name in names} & FILES.keys():
                yield node.module


def at_module_level(node):
    """Yield the nodes that run on import: none in functions, none for type checkers alone."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        yield child
        yield from at_module_level(child)


def loaded(code, *arguments):
    """Return which heavy packages a fresh process has loaded after some code."""
    code += f"\nimport sys; print('loaded:', *sorted({HEAVY!r} & set(sys.modules)))"
    command = [sys.executable, "-c", code, *arguments]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return output.splitlines()[-1].split()[1:]


def in_order(names):
    """Sort names as ruff sorts __all__: constants, classes, the rest."""
    return sorted(names, key=lambda name: (not name.isupper(), not name[0].isupper(), name))


def test_public_names_are_sorted_and_resolve():
    assert paratype.__all__ == in_order(paratype.__all__)
    assert dir(paratype) == sorted(paratype.__all__)
    for name in paratype.__all__:
        assert getattr(paratype, name) is not None


def test_public_names_are_those_that_the_package_imports():
    tree = tree_of("__init__")
    names = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module.startswith("paratype")
        for alias in node.names
    }
    assert names | {"__version__"} == set(paratype.__all__)


def test_other_names_do_not_resolve():
    with pytest.raises(AttributeError, match="module 'paratype' has no attribute 'nonesuch'"):
        paratype.nonesuch  # noqa: B018


@pytest.mark.parametrize("module", MODULES)
def test_each_module_says_what_it_offers(module):
    imported_module = importlib.import_module(f"paratype.{module}")
    assert imported_module.__all__ == in_order(imported_module.__all__)
    for name in imported_module.__all__:
        assert hasattr(imported_module, name)


def test_the_import_is_light():
    assert loaded("import paratype; paratype.paragraphs('One.'); paratype.LABELS") == []


def test_the_help_is_light():
    code = """
import sys
sys.argv = ["paratype", *sys.argv[1:]]
from paratype.cli import main
try:
    main()
except SystemExit as stop:
    assert not stop.code
"""
    for arguments in (["--help"], ["label", "--help"], ["--version"]):
        assert loaded(code, *arguments) == []


def test_the_first_heavy_name_loads_what_it_needs():
    assert "numpy" in loaded("import paratype; paratype.Model")
    assert "sklearn" not in loaded("import paratype; paratype.load; paratype.predict; paratype.Model")


def test_the_version_is_the_same_everywhere():
    (declared,) = re.findall(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    newest = re.findall(r"^## \[?(\d[^\s\]]*)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)[0]
    assert paratype.__version__ == declared == newest


def test_every_module_has_its_place():
    assert sorted(RANK) == MODULES


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_one_way(module):
    names = {name.removeprefix("paratype.") for name in imported(at_module_level(tree_of(module)))}
    backwards = sorted(name for name in names & set(RANK) if RANK[name] >= RANK[module])
    assert backwards == []


@pytest.mark.parametrize("module", ["__init__", *MODULES])
def test_the_package_does_not_know_training_and_eval(module):
    names = {name.split(".")[0] for name in imported(ast.walk(tree_of(module)))}
    assert names.isdisjoint({"training", "eval", "tests"})
