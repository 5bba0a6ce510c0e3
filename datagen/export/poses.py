"""Views with cameras, for methods that reconstruct: nerfstudio's transforms.json and COLMAP's text model of each."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from datagen.core.camera import OPENCV_FROM_OPENGL, rigid_inverse
from datagen.core.errors import BrokenFile
from datagen.export.counts import Counts, Exported
from datagen.export.files import place, write_card
from datagen.export.journal import Note
from datagen.export.protocol import Options
from datagen.formats.encode import json_bytes
from datagen.formats.instances import Record
from datagen.formats.posed import Posed, PosedView
from datagen.store.reader import DatasetReader

MODEL = "sparse/0"
GREY = "128 128 128"


class Poses:
    """The exporter. <split>/<shape or scene>/{images/, transforms.json, sparse/0/}, all in one world with z up."""

    name = "poses"
    about = "Posed views of each shape or scene: nerfstudio's transforms.json, COLMAP's text model with surface points."
    needs = frozenset({"pose"})

    def write(self, reader: DatasetReader, rows: Sequence[Record], out: Path, options: Options) -> Exported:
        """A folder for each bundle of views. Raises UsageError for a kind without any, BrokenFile, OSError."""
        journal = options.journal
        for bundle in options.posed(reader, rows):
            folder = out / bundle.split / bundle.name
            names = [f"images/{k:04d}.png" for k in range(len(bundle.views))]
            for name, view in zip(names, bundle.views, strict=True):
                place(reader, view.path, folder / name)
            (folder / MODEL).mkdir(parents=True, exist_ok=True)
            (folder / "transforms.json").write_bytes(json_bytes(_transforms(bundle, names), indent=1))
            for file, lines in _colmap(bundle, names).items():
                (folder / MODEL / file).write_text("".join(f"{line}\n" for line in lines))
            journal.note(Note(bundle.name, bundle.split, pictures=len(names)))
        write_card(reader, out)
        return journal.counts.exported()

    def read_back(self, out: Path) -> Exported:
        """Counts of views, which both forms have to list alike. Raises BrokenFile."""
        counts = Counts()
        for path in sorted(out.glob("*/*/transforms.json")):
            try:
                names = [frame["file_path"] for frame in json.loads(path.read_bytes())["frames"]]
                lines = (path.parent / MODEL / "images.txt").read_text().splitlines()
                listed = [f"images/{line.split()[9]}" for line in lines if line and not line.startswith("#")]
            except (OSError, ValueError, LookupError, TypeError) as error:
                raise BrokenFile(f"{path.parent}: {error}; export the dataset again") from error
            gone = [name for name in names if not (path.parent / name).is_file()]
            if gone or names != listed:
                raise BrokenFile(
                    f"{path.parent}: {gone[0] if gone else 'its two lists of views differ'}; export the dataset again"
                )
            counts.add(path.parts[-3], pictures=len(names))
        return counts.exported()


def _transforms(bundle: Posed, names: Sequence[str]) -> dict[str, Any]:
    """nerfstudio's table: camera-to-world with OpenGL axes. Lens at the top where all views share one, else by view."""
    lenses = [_lens(view) for view in bundle.views]
    shared = lenses[0] if lenses and all(lens == lenses[0] for lens in lenses) else {}
    frames = [
        {
            "file_path": name,
            **({} if shared else lens),
            "transform_matrix": (view.T_world_camera @ OPENCV_FROM_OPENGL).tolist(),
            "source_path": view.path,
        }
        for name, view, lens in zip(names, bundle.views, lenses, strict=True)
    ]
    return {"camera_model": "OPENCV", **shared, "frames": frames}


def _lens(view: PosedView) -> dict[str, float]:
    K = view.K.tolist()
    return {
        "w": view.width,
        "h": view.height,
        "fl_x": K[0][0],
        "fl_y": K[1][1],
        "cx": K[0][2],
        "cy": K[1][2],
    }


def _colmap(bundle: Posed, names: Sequence[str]) -> dict[str, list[str]]:
    """COLMAP's three text files by name: world-to-camera, quaternions w first, OpenCV axes; ids from 1, no tracks."""
    cameras: dict[str, int] = {}
    images = ["# IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME, then POINTS2D (none)"]
    for k, (name, view) in enumerate(zip(names, bundle.views, strict=True)):
        lens = _lens(view)
        words = [lens["w"], lens["h"], *(repr(lens[key]) for key in ("fl_x", "fl_y", "cx", "cy"))]
        camera = cameras.setdefault(f"PINHOLE {' '.join(map(str, words))}", len(cameras) + 1)
        T = rigid_inverse(view.T_world_camera)
        x, y, z, w = Rotation.from_matrix(T[:3, :3]).as_quat(canonical=True).tolist()
        pose = " ".join(repr(value) for value in (w, x, y, z, *T[:3, 3].tolist()))
        images += [f"{k + 1} {pose} {camera} {name.removeprefix('images/')}", ""]
    points = ["# POINT3D_ID X Y Z R G B ERROR, then TRACK (none)"]
    for k, point in enumerate(np.asarray(bundle.points, np.float64).tolist()):
        points.append(f"{k + 1} {' '.join(map(repr, point))} {GREY} 0")
    return {
        "cameras.txt": ["# CAMERA_ID MODEL WIDTH HEIGHT FX FY CX CY", *(f"{n} {c}" for c, n in cameras.items())],
        "images.txt": images,
        "points3D.txt": points,
    }
