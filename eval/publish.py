"""The stored results, and what is made of them: tables in README and cards, and pictures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

__all__ = ["RESULTS", "ROOT", "draw_pictures", "of_command_line", "publish", "read", "write"]

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "eval" / "results"
_PARTS = ("bench", "curve", "evidence", "loop", "peers", "scale")


def publish() -> dict[str, str]:
    """Write all tables and pictures from the stored results, and fill the tables into README and cards."""
    from eval.cards import fill_card
    from eval.markdown import fill
    from eval.report import tables

    made = tables(_results()) | of_command_line()
    if "peers" in made:
        made["peers-picture"] = "![Accuracy and speed of Paratype and its peers](docs/pictures/speed.png)"
    sections = (f"## {name}\n\n{table}" for name, table in made.items())
    (RESULTS / "tables.md").write_text("\n\n".join(sections) + "\n", "utf-8")
    cards = sorted(ROOT.glob("artifacts/*/README.md"))
    for path in [ROOT / "README.md", *cards, ROOT / "training/corpus/README.md", *sorted(ROOT.glob("docs/*.md"))]:
        fill(path, made)
    for path in cards:
        fill_card(path)
    draw_pictures()
    return made


def draw_pictures() -> list[Path]:
    """Draw the stored results, and return the paths; without matplotlib say what installs it."""
    try:
        from eval.pictures.draw import draw
    except ModuleNotFoundError as error:
        print(f"no pictures without {error.name}: pip install -e '.[eval]'")
        return []
    return draw(_results(), ROOT)


def write(name: str, content: Any, folder: Path = RESULTS) -> None:
    """Store one result as JSON."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(content, indent=1) + "\n", "utf-8")


def read(name: str) -> Any:
    """Return one stored result, or None if there is none."""
    path = RESULTS / name
    return json.loads(path.read_text("utf-8")) if path.is_file() else None


def _results() -> dict[str, Any]:
    return {**read("scores.json"), **{name: read(f"{name}.json") for name in _PARTS}}


def of_command_line() -> dict[str, str]:
    """Return what is shown of the command line: an example and the table of commands."""
    return {"example": _example(), "commands": _commands()}


def _commands() -> str:
    """Return the table of commands, from their help."""
    import typer

    from eval.report import command_table
    from paratype import cli

    commands = typer.main.get_command(cli.app).commands  # type: ignore[attr-defined]
    return command_table({name: command.get_short_help_str(limit=200) for name, command in commands.items()})


def _example() -> str:
    """Return what `paratype label` prints for the example article."""
    paratype = str(Path(sys.executable).with_name("paratype"))
    command = [paratype, "label", "--quiet", "--format", "table", "examples/article.txt"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return "```\n" + "\n".join(line.rstrip() for line in printed.rstrip().splitlines()) + "\n```"
