"""Plants every kind of fault in copies of small datasets of scenes and tells which checks of `verify` see it.

    python -m tests.kinds.oddoneout.injector toys=out/toys abc=out/parts

Prints a line for each kind and dataset: the checks that fail when the digests are renewed, and whether `scene_hashes`
fails with the digests as they are.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from datagen.core.ids import bytes_hash, content_hash
from datagen.kinds.oddoneout.shapes import SceneShapes
from datagen.kinds.oddoneout.tools import SceneTools
from datagen.kinds.oddoneout.verify import evidence
from datagen.kinds.oddoneout.verify.evidence import SceneEvidence
from datagen.kinds.oddoneout.verify.examination import SCENES
from datagen.kinds.registry import open_tree
from datagen.verify.check import ERROR, FAIL
from tests.kinds.oddoneout.faults import Json, edit_rows, odd_scene
from tests.kinds.oddoneout.planted_files import FILES, LIMITS
from tests.kinds.oddoneout.planted_roots import ROOTS
from tests.kinds.oddoneout.planted_words import WORDS, Fault
from tests.kinds.oddoneout.test_verify import FAULTS

HASHES = "scene_hashes"


def all_kinds() -> dict[str, Fault]:
    """Kind -> how it is planted in a dataset's folder."""
    first = {f.__name__: f for f in FAULTS}

    def planted(name: str) -> Fault:
        # Boxes of a scene without an odd object are none.
        odd = name == "wrong_flat_boxes"
        return lambda root: first[name](root, odd_scene(root) if odd else sorted((root / "scenes").iterdir())[0])

    return {**{name: planted(name) for name in first}, **FILES, **WORDS, **ROOTS, **LIMITS}


def copy(source: Path, target: Path) -> None:
    """A copy of a dataset without logs, whose rows would be believed where they are newer."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("log", "tmp"), copy_function=os.link)
    for path in target.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            path.unlink()
            path.write_bytes(data)


def renew(root: Path) -> None:
    """Give every row the digests of the files as they lie there; what no row names goes to the first row."""
    there = {p.relative_to(root).as_posix(): p for p in (root / "scenes").rglob("*") if p.is_file()}

    def change(rows: list[Json]) -> None:
        named = {path for row in rows for path, _ in row["sha256"]}
        for row in rows:
            row["sha256"] = [(path, bytes_hash(there[path].read_bytes())) for path, _ in row["sha256"] if path in there]
        rows[0]["sha256"] += [(path, bytes_hash(there[path].read_bytes())) for path in sorted(there.keys() - named)]

    if (root / "manifest.parquet").is_file():
        try:
            edit_rows(root, change)
        except (OSError, ValueError):
            return


class Remembered(SceneShapes):
    """Shapes of scenes, made once for all copies of a dataset: by what run.json says."""

    known: ClassVar[dict[str, SceneShapes]] = {}

    def __new__(cls, tools: SceneTools) -> SceneShapes:  # type: ignore[misc]
        return cls.known.setdefault(content_hash(tools.plan.run_record()), SceneShapes(tools))


def failing(root: Path, shapes: str) -> list[str]:
    """Checks that fail, warnings in brackets; what ends `verify` itself is told as such."""
    try:
        found = [r for r in SCENES.checks.run(_evidence(root, shapes)) if r.status == FAIL]
    except Exception as error:
        return [f"ENDED {type(error).__name__}: {str(error)[:80]}"]
    return [r.name if r.level == ERROR else f"({r.name})" for r in found]


def digests_tell(root: Path, shapes: str) -> bool:
    """Whether the digests as they are tell a change. Files are hashed, not decoded."""
    e = _evidence(root, shapes)
    e.__dict__["scenes"] = ()
    return any(True for _ in SCENES.checks.checks[HASHES].run(e))


def _evidence(root: Path, shapes: str) -> SceneEvidence:
    return SceneEvidence(open_tree(root), source_options={"shapes": shapes})


def told(source: Path, shapes: str, fault: Fault, scratch: Path) -> tuple[list[str], bool]:
    """The checks that tell a fault with digests renewed, and whether the digests as they are tell it."""
    root = scratch / "data"
    shutil.rmtree(root, ignore_errors=True)
    copy(source, root)
    fault(root)
    as_they_are = digests_tell(root, shapes)
    renew(root)
    return failing(root, shapes), as_they_are


def table(sets: dict[str, Path], only: str) -> Iterator[str]:
    """A line of the table for each kind and dataset."""
    usual = {shapes: set(failing(source, shapes)) for shapes, source in sets.items()}
    for kind, fault in all_kinds().items():
        if only not in kind:
            continue
        for shapes, source in sets.items():
            with tempfile.TemporaryDirectory() as scratch:
                try:
                    names, hashed = told(source, shapes, fault, Path(scratch))
                except (AssertionError, LookupError, StopIteration) as error:
                    yield f"{kind} | {shapes} | not planted: {error}"
                    continue
            names = [name for name in names if name not in usual[shapes]]
            yield f"{kind} | {shapes} | {', '.join(names) or 'MISSED'} | {'hash' if hashed else '-'}"


if __name__ == "__main__":
    evidence.SceneShapes = Remembered  # type: ignore[attr-defined]
    words = [word.partition("=") for word in sys.argv[1:] if not word.startswith("--only=")]
    chosen = next((word.removeprefix("--only=") for word in sys.argv[1:] if word.startswith("--only=")), "")
    for line in table({name: Path(folder) for name, _, folder in words}, chosen):
        print(line, flush=True)
