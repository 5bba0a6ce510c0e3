"""Small datasets of every kind, and digests of all they hold: moving code must not move these.

Floats in JSON and tables count to eight decimals, for BLAS kernels differ in the last ones. Where the processor has
other vector units than that of the digests, ray tracers differ here and there in a pixel, and so do counts of pixels:
there the names of all files and what the plan alone decides are compared. Cycles also differs between processors of
different makers.

`python -m tests.goldens.datasets` takes the digests anew; a change that does so says in its message what moved and why.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from datagen.store.manifest import read_manifest
from tests.conftest import SMALL_SCENES, build_scenes, run_build

DIGESTS = Path(__file__).with_name("digests.json")
UNSEEN = ("log", "tmp", "cost.parquet")
"""What differs from run to run."""
MOVING = ("sha256", "versions")
"""Columns of the manifest that differ with the last digits and with the libraries."""
PLANNED = ("run.json", "shapes.json", "split.json", "split-count.json", "protocol.json")
"""Files of the root that no pixel decides."""
DECIMALS = 8

TINY_CHAIR = (
    *("query.size_px=64", "render.samples=1", "render.denoiser=none", "reference.views=2", "normal.views={3: 1}"),
    *("anomaly.min_changed_px=20", "quality.ground_share=0.3", "quality.ground_floor=0"),
)
TINY_SCENE = ("layout.poses=stable", "camera.views=2", "camera.size_px=64", "layout.objects={3: 1}", "render.samples=1")


def parts(out: Path) -> object:
    """One scene of machine parts."""
    return run_build(out, 1, "partsad_quickstart", SMALL_SCENES, "abc")


def cycles_chair(out: Path) -> object:
    """One chair through Blender, at a sample a pixel."""
    return run_build(out, 1, "quickstart", TINY_CHAIR, renderer="cycles")


def cycles_scene(out: Path) -> object:
    """One scene of toys through Blender, two views."""
    return run_build(out, 1, "toysad_quickstart", TINY_SCENE, "toys", renderer="cycles")


BUILDS: Mapping[str, Callable[[Path], object]] = {
    "parts": parts,
    "cycles_chair": cycles_chair,
    "cycles_scene": cycles_scene,
}
"""Those that no other test builds; the demo and the toys are fixtures of the whole suite."""


def vector_units() -> str:
    """The processor's widest vector units: pixels of ray tracers differ with them."""
    flags = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").is_file() else ""
    return next((name for name in ("avx512f", "avx2") if f" {name} " in flags), "other")


def maker() -> str:
    """Who made the processor, as it says itself."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").is_file() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("vendor_id")), "other")


def digests(folder: Path) -> dict[str, str]:
    """Group of files (one of the root, or a folder's folder) -> a digest of their names and contents."""
    groups: dict[str, list[bytes]] = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder)
        if name.parts[0] in UNSEEN:
            continue
        line = f"{name.as_posix()}\0{hashlib.sha256(_plain(path)).hexdigest()}\n".encode()
        groups.setdefault("/".join(name.parts[:2]), []).append(line)
    return {group: hashlib.sha256(b"".join(lines)).hexdigest()[:16] for group, lines in sorted(groups.items())}


def _plain(path: Path) -> bytes:
    """A file's content without last digits and versions of libraries."""
    if path.name == "manifest.parquet":
        rows = [{k: v for k, v in row.items() if k not in MOVING} for row in read_manifest(path.parent)]
        return json.dumps(_rounded(rows), sort_keys=True, default=str).encode()
    if path.suffix == ".json":
        return json.dumps(_rounded(json.loads(path.read_text())), sort_keys=False).encode()
    return path.read_bytes()


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return round(value, DECIMALS) + 0.0  # no -0.0
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items() if key not in MOVING}
    if isinstance(value, list | tuple):
        return [_rounded(inner) for inner in value]
    if isinstance(value, str) and value.startswith("{"):
        return _rounded(json.loads(value))
    return value


def main() -> None:
    """Take all digests anew."""
    found: dict[str, object] = {"vector_units": vector_units(), "maker": maker()}
    for name, make in {"demo": run_build, "toys": build_scenes, **BUILDS}.items():
        folder = Path(tempfile.mkdtemp(prefix="datagen-golden-"))
        try:
            make(folder / name)  # type: ignore[operator]
            found[name] = digests(folder / name)
        finally:
            shutil.rmtree(folder)
    DIGESTS.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
