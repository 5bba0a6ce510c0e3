"""Faults planted in what scenes say: tables, rows, splits and the dataset's own files."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from datagen.core.ids import content_hash
from tests.kinds.oddoneout.faults import Json, edit, edit_rows, odd_of, odd_scene

Fault = Callable[[Path], None]


def of_table(change: Callable[[Json], object], name: str = "scene3d.metadata.json") -> Fault:
    """Change a table of a scene with an odd object."""
    return lambda root: edit(odd_scene(root), change, name)


def of_rows(row_type: str, scene: bool = True, **columns: Any) -> Fault:
    """Set columns of the rows of a type, of a scene with an odd object or of all."""

    def fault(root: Path) -> None:
        job = json.loads((odd_scene(root) / "scene3d.metadata.json").read_text())["datagen"]["job_id"]

        def change(rows: list[Json]) -> None:
            found = [row for row in rows if row["row_type"] == row_type and (not scene or row["job_id"] == job)]
            assert found
            for row in found:
                row.update(columns)

        edit_rows(root, change)

    return fault


def of_rejection(**columns: Any) -> Fault:
    """Set columns of one rejection."""

    def fault(root: Path) -> None:
        def change(rows: list[Json]) -> None:
            next(row for row in rows if row["row_type"] == "rejection").update(columns)

        edit_rows(root, change)

    return fault


def other_job(root: Path) -> None:
    """The job's id in the record and in all its rows, ids of samples with it."""
    folder = odd_scene(root)
    own = json.loads((folder / "scene3d.metadata.json").read_text())["datagen"]["job_id"]
    other = content_hash(["other", own])
    edit(folder, lambda table: table["datagen"].update(job_id=other))

    def change(rows: list[Json]) -> None:
        for row in rows:
            if row["job_id"] == own:
                row["job_id"] = other
                if row["row_type"] == "sample":
                    view = int(row["query_path"].rsplit("/", 1)[1].partition(".")[0])
                    row["sample_id"] = content_hash([other, view])

    edit_rows(root, change)


def scene_of_two(root: Path) -> Path:
    """A scene with two odd objects."""
    for folder in sorted((root / "scenes").iterdir()):
        table = json.loads((folder / "scene3d.metadata.json").read_text())
        if sum(thing["label"] for thing in table["objects"]) > 1:
            return folder
    raise AssertionError("no scene has two anomalies")


def counts_exchanged(root: Path) -> None:
    """Two odd objects exchange their changed pixels, and what follows of them, in record and rows."""
    folder = scene_of_two(root)
    keys = ("changed_px", "views_showing", "shown_in_five")
    names = []

    def change(table: Json) -> None:
        one, two = [thing for thing in table["objects"] if thing["label"]][:2]
        names.extend([one["name"], two["name"]])
        for key in keys:
            one["anomaly"][key], two["anomaly"][key] = two["anomaly"][key], one["anomaly"][key]

    edit(folder, change)

    def rows(rows: list[Json]) -> None:
        one, two = (next(r for r in rows if r["query_path"] == f"scenes/{folder.name}#{name}") for name in names)
        for key in ("changed_px", "detail"):
            one[key], two[key] = two[key], one[key]

    edit_rows(root, rows)


def severe_normal(root: Path) -> None:
    """A normal object with a severity, in record and row."""
    folder = odd_scene(root)
    table = json.loads((folder / "scene3d.metadata.json").read_text())
    k, thing = next((k, thing) for k, thing in enumerate(table["objects"]) if not thing["label"])
    edit(folder, lambda t: t["objects"][k].update(severity=0.4))

    def change(rows: list[Json]) -> None:
        next(r for r in rows if r["query_path"] == f"scenes/{folder.name}#{thing['name']}").update(severity=0.4)

    edit_rows(root, change)


def larger(root: Path) -> None:
    """A scene's objects one per cent larger in every table: scale, poses and boxes."""
    folder = odd_scene(root)

    def change(table: Json) -> None:
        table["datagen"]["metres_per_unit"] *= 1.01
        for thing in table["objects"]:
            T = np.array(thing["T_world_shape"])
            pivot = np.array([*T[:2, 3], 0])
            T[:3, :3] *= 1.01
            T[:3, 3] = pivot + 1.01 * (T[:3, 3] - pivot)
            thing["T_world_shape"] = T.tolist()
            for key in ("bbox", "bbox_world", "bbox_published"):
                thing[key][1] = [1.01 * x for x in thing[key][1]]

    edit(folder, change)
    scale = json.loads((folder / "scene3d.metadata.json").read_text())["datagen"]["metres_per_unit"]
    for kind in ("scene", "sample"):
        of_rows(kind, query_scale=scale)(root)


def other_camera(change: Callable[[np.ndarray], object]) -> Fault:
    """K changed in the record and in the rows of views."""

    def fault(root: Path) -> None:
        def table(table: Json) -> None:
            K = np.array(table["camera"]["K"], dtype=float)
            change(K)
            table["camera"]["K"] = K.tolist()

        folder = odd_scene(root)
        edit(folder, table)
        K = json.loads((folder / "scene3d.metadata.json").read_text())["camera"]["K"]
        of_rows("sample", K=np.ravel(K).tolist())(root)

    return fault


def longer(K: np.ndarray) -> None:
    K[0, 0] *= 1.01
    K[1, 1] *= 1.01


def half_a_pixel(K: np.ndarray) -> None:
    K[:2, 2] += 0.5


def last_row(table: Json) -> None:
    table["camera"]["poses"][2]["rotation"][3] = [0.0, 0.0, 0.0, 2.0]


def other_renderer(root: Path) -> None:
    def change(rows: list[Json]) -> None:
        for row in rows:
            row["versions"] = row["versions"].replace("fake", "cycles")

    edit_rows(root, change)


WORDS: dict[str, Fault] = {
    "blend_paths in another order": of_table(lambda t: t["blend_paths"].reverse(), "scene2d.metadata.json"),
    "blend_paths of another shape": of_table(
        lambda t: t.update(blend_paths=["x/x.blend"] * len(t["blend_paths"])), "scene2d.metadata.json"
    ),
    "scene2d without boxes": of_table(lambda t: t.update(bbox={}), "scene2d.metadata.json"),
    "2D boxes of a view that is not there": of_table(
        lambda t: t["bbox"].update({"0077.png": []}), "scene2d.metadata.json"
    ),
    "published box moved": of_table(lambda t: t["objects"][0]["bbox_published"][0].__setitem__(0, 0.9)),
    "bbox_world gone": of_table(lambda t: [thing.pop("bbox_world") for thing in t["objects"]]),
    "T_world_shape gone": of_table(lambda t: [thing.pop("T_world_shape") for thing in t["objects"]]),
    "part_labels gone": of_table(lambda t: t["objects"][0].pop("part_labels")),
    "labels gone": of_table(lambda t: [thing.pop("label") for thing in t["objects"]]),
    "shape_id gone": of_table(lambda t: [thing.pop("shape_id") for thing in t["objects"]]),
    "location gone": of_table(lambda t: t["objects"][0].pop("location")),
    "an object listed twice": of_table(lambda t: t["objects"].append(t["objects"][0])),
    "the table's section of ours gone": of_table(lambda t: t.pop("datagen")),
    "metres_per_unit gone": of_table(lambda t: t["datagen"].pop("metres_per_unit")),
    "form of bbox gone": of_table(lambda t: t["datagen"].pop("bbox")),
    "last row of a camera": of_table(last_row),
    "rendering_info a word": of_table(lambda t: t.update(rendering_info="x")),
    "rendering_info gone": of_table(lambda t: t.pop("rendering_info")),
    "measures that no number is": of_table(lambda t: odd_of(t)["anomaly"].update(measures=None)),
    "severity of a normal object": severe_normal,
    "changed pixels of two odd ones exchanged": counts_exchanged,
    "objects one per cent larger": larger,
    "focal length one per cent longer": other_camera(longer),
    "principal point half a pixel off": other_camera(half_a_pixel),
    "job's id": other_job,
    "renderer in versions of all rows": other_renderer,
    "versions of a scene's rows": of_rows("sample", versions="{}"),
    "seed of a row": of_rows("scene", seed=9),
    "number of a shape in a row": of_rows("object", public_id=999),
    "status of a row": of_rows("sample", status="rejected"),
    "source of a rejection": of_rejection(source="abc"),
    "kind of a rejection": of_rejection(kind="melted"),
    "reason of a rejection": of_rejection(reason="tired"),
    "stage of a rejection": of_rejection(stage="moon"),
    "shape of a rejection": of_rejection(shape_id="cup_001"),
    "light of a row": of_rows("sample", light_id=4),
    "warnings of a scene's row": of_rows("scene", warnings=["texture: lost"]),
    "path of a mask in a row": of_rows("sample", mask_new_path="x.png"),
    "bbox of a row": of_rows("object", bbox_xywh_512=[1.0, 2.0, 3.0, 4.0]),
}
"""Kind -> how it is planted in a dataset's folder."""
