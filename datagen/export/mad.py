"""MAD's tree, as pose-agnostic methods read it: posed views of a normal thing to train on, pictures to test on."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from datagen.core.camera import OPENCV_FROM_OPENGL
from datagen.core.errors import BrokenFile, UsageError
from datagen.export.counts import Counts, Exported
from datagen.export.files import place, put, write_card
from datagen.export.journal import Note, note_of
from datagen.export.mvtec import GOOD
from datagen.export.protocol import Options
from datagen.formats.encode import json_bytes, png_bytes
from datagen.formats.instances import Record
from datagen.formats.pictures import decoded
from datagen.formats.posed import Posed
from datagen.store.reader import DatasetReader


class Mad:
    """The exporter. A class is a normal shape of any split: its reference views train, its pictures test.

    Readers know one focal length by `camera_angle_x`, and take the principal point to be the middle.
    """

    name = "mad"
    about = "MAD's folders (PAD, SplatPose): posed views of each normal shape, and pictures of it with masks."
    needs = frozenset({"masks", "pose"})

    def write(self, reader: DatasetReader, rows: Sequence[Record], out: Path, options: Options) -> Exported:
        """A folder for each shape. Raises UsageError for a kind without reference views, BrokenFile, OSError."""
        journal = options.journal
        for bundle in options.posed(reader, rows):
            if not bundle.normal:
                raise UsageError(
                    f"{bundle.name} is no normal thing alone (dataset of kind {options.kind}), and exporter mad trains "
                    "on such; choose another --to"
                )
            names = [f"train/good/{k:03d}.png" for k in range(len(bundle.views))]
            for name, view in zip(names, bundle.views, strict=True):
                place(reader, view.path, out / bundle.name / name)
            put(json_bytes(_transforms(bundle, names), indent=1), out / bundle.name / "transforms.json")
            told = {"shape": bundle.shape_id, "name": bundle.name}
            journal.note(Note(bundle.name, "train", pictures=len(names), told=told))
        named = {told["shape"]: told["name"] for told in journal.told() if "shape" in told}
        for picture in options.pictures(reader, rows):
            # Of a partial dataset a picture may be there before the views of its shape.
            if bool(picture.label) != bool(picture.instances) or picture.shape_id not in named:
                continue
            folder, stem = out / named[picture.shape_id], f"{journal.counts.pictures:06d}_{picture.name}"
            place(reader, picture.path, folder / "test" / picture.kind / f"{stem}.png")
            marks = []
            if picture.instances:
                put(png_bytes(picture.mask), folder / "ground_truth" / picture.kind / f"{stem}_mask.png")
                marks = [(picture.kind, int(picture.mask.sum()))]
            journal.note(note_of(picture, "test", marks))
        write_card(reader, out)
        return journal.counts.exported()

    def read_back(self, out: Path) -> Exported:
        """Counts of an export as its files state them; every mask is decoded. Raises BrokenFile."""
        counts = Counts()
        for path in sorted(out.glob("*/transforms.json")):
            try:
                frames = json.loads(path.read_bytes())["frames"]
                for frame in frames:
                    if not (path.parent / frame["file_path"]).is_file():
                        raise ValueError(f"{frame['file_path']} is not there")
                counts.add("train", pictures=len(frames))
                for picture in sorted(path.parent.glob("test/*/*.png")):
                    kind = picture.parts[-2]
                    mask = path.parent / "ground_truth" / kind / f"{picture.stem}_mask.png"
                    marks = []
                    if kind != GOOD:
                        marks = [(kind, int((decoded(mask.read_bytes(), "L") > 127).sum()))]
                    counts.add("test", int(kind != GOOD), marks)
            except (OSError, ValueError, LookupError, TypeError, SyntaxError) as error:
                raise BrokenFile(f"{path.parent}: {error}; export the dataset again") from error
        return counts.exported()


def _transforms(bundle: Posed, names: Sequence[str]) -> dict[str, Any]:
    """Camera-to-world with OpenGL axes, z up; one angle of view for all."""
    first = bundle.views[0]
    return {
        "camera_angle_x": 2 * float(np.arctan(first.width / 2 / first.K[0, 0])),
        "frames": [
            {"file_path": name, "transform_matrix": (view.T_world_camera @ OPENCV_FROM_OPENGL).tolist()}
            for name, view in zip(names, bundle.views, strict=True)
        ],
    }
