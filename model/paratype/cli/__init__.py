"""The command line: thin functions with the options, over functions that return data."""

from paratype.cli import explain, label, models
from paratype.cli.commands import app, main

__all__ = ["app", "main"]

for command in (label.label, explain.explain, models.models, models.show):
    app.command()(command)
