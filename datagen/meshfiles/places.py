"""Where the files lie that a mesh file names: its materials, textures and buffers."""

import re
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

NEAR = ("", "textures", "texture", "tex", "images", "image", "maps", "materials")
"""Folders beside a mesh (and beside its folder) in which a file is looked for by its name alone."""


@dataclass(frozen=True)
class Places:
    """Finds files that `mesh` names. Nothing outside `within` is ever opened."""

    mesh: Path
    within: Path

    def find(self, reference: str, *, near: bool = True) -> Path | None:
        """The file that a reference means, or None; by its path alone without `near`.

        Tried in order: the path as written (either slash), the same in another case, and the bare name in the usual
        folders beside the mesh, as absolute paths of another computer need it.
        """
        text = reference.strip().strip('"').replace("\\", "/")
        text = re.sub(r"^\./+", "", text)
        if not text or "\0" in text:
            return None
        folder = self.mesh.parent
        is_absolute = text.startswith("/") or bool(PureWindowsPath(reference.strip()).drive)
        if not is_absolute:
            found = self._inside(folder / text)
            if found is not None:
                return found
        elif text.startswith("/"):
            found = self._inside(Path(text))
            if found is not None:
                return found
        if not near:
            return None
        name = text.rsplit("/", 1)[-1]
        for base in (folder, folder.parent):
            for place in NEAR:
                found = self._inside(base / place / name)
                if found is not None:
                    return found
        return None

    def _inside(self, path: Path) -> Path | None:
        """The file at a path below `within`, in whatever case its names are written, or None."""
        parts = _lexical(path).parts
        root = _lexical(self.within).parts
        if parts[: len(root)] != root:
            return None
        here = Path(*root)
        for part in parts[len(root) :]:
            exact = here / part
            here = exact if exact.exists() else _other_case(here, part) or exact
        return here if here.is_file() else None


def _lexical(path: Path) -> Path:
    """The absolute path with `..` taken out by name; links stay as they are."""
    parts: list[str] = []
    for part in path.absolute().parts:
        if part == "..":
            del parts[max(len(parts) - 1, 1) :]
        else:
            parts.append(part)
    return Path(*parts)


def _other_case(folder: Path, name: str) -> Path | None:
    """An entry of a folder whose name differs in case alone: the first in order of names, or None."""
    try:
        names = sorted(entry.name for entry in folder.iterdir() if entry.name.lower() == name.lower())
    except OSError:
        return None
    return folder / names[0] if names else None
