"""What travels to the workers of an engine in a model's stead: its name, and how to know it again there."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from paratype.api import load, model_folder
from paratype.artifact import manifest_bytes, shipped_models
from paratype.model import Model
from paratype.types import ModelRefused

__all__ = ["ModelElsewhere", "require"]


@dataclass(frozen=True)
class ModelElsewhere:
    """A model that workers open for themselves, each once: from the wheel installed there, or from a folder sent there.

    Attributes:
        name: of a shipped model, or a model folder.
        digest: sha256 of its manifest, which names the hash of every file of the model.
    """

    name: str
    digest: str

    @classmethod
    def find(cls, model: str | Path) -> ModelElsewhere:
        """Return it for a shipped model or a folder on this machine.

        Raises:
            ModelRefused: if there is no such model.
        """
        if not isinstance(model, (str, Path)):
            raise TypeError(f"expected a model's name or folder, which workers open, got {type(model).__name__}")
        return cls(str(model), _digest(model_folder(model)))

    def open(self, files: str | Path | None = None) -> Model:
        """Open it on a worker.

        Args:
            files: where the engine puts the files that are sent to workers. A model folder is looked for there by the
                last part of its name, then under its whole name.

        Raises:
            ModelRefused: if there is no such model on the worker, or another one.
        """
        sent = Path(files, Path(self.name).name) if files and self.name not in shipped_models() else None
        folder = model_folder(sent if sent and sent.is_dir() else self.name)
        if (found := _digest(folder)) != self.digest:
            raise ModelRefused(
                f"{folder}: expected the model whose manifest has sha256 {self.digest[:12]}, found {found[:12]}; "
                "install one release of Paratype on all machines, or send the folder anew"
            )
        return load(folder)


def require(package: str, extra: str) -> None:
    """Refuse (ModuleNotFoundError) to go on without a package, with the line that installs it."""
    from importlib.util import find_spec

    if find_spec(package) is None:
        raise ModuleNotFoundError(f"needs {package}; install it with: pip install 'paratype[{extra}]'", name=package)


def _digest(folder: Path) -> str:
    return hashlib.sha256(manifest_bytes(folder)).hexdigest()
