"""26 kinds of fault, each with the checks that are meant to find it.

`inject(editor, rng)` damages one seeded place of a copy and stamps hashes and rows again, so that
only the check meant for the fault can find it.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from datagen.core.camera import Camera
from datagen.formats import brokenchairs as layout
from datagen.formats.brokenchairs import TYPE_OF_KIND
from datagen.formats.encode import json_bytes
from datagen.shapes.collections import open_collection
from tests.kinds.brokenchairs.verify.editor import Editor

MOVED = ("position", "rotation", "broken", "swapped")


@dataclass(frozen=True)
class Fault:
    name: str
    found_by: tuple[str, ...]
    inject: Callable[[Editor, np.random.Generator], None]


FAULTS: list[Fault] = []


def fault(*found_by):
    def register(function):
        FAULTS.append(Fault(function.__name__, found_by, function))
        return function

    return register


def pick(rng, items):
    return items[int(rng.integers(len(items)))]


@fault("masks_replay")
def wrong_mask(editor, rng):
    row = pick(rng, editor.samples(1, MOVED))
    dark = editor.picture(row["query_path"]).min(axis=2) < 200
    rows, columns = np.nonzero(dark)
    k = int(rng.integers(len(rows)))
    mask = np.zeros_like(dark)
    mask[max(rows[k] - 12, 0) : rows[k] + 12, max(columns[k] - 12, 0) : columns[k] + 12] = True
    editor.put_masks(row, mask & dark)


@fault("masks_replay", "masks_in_silhouettes")
def mask_of_another_view(editor, rng):
    rows = [r for r in editor.samples(1, MOVED) if len([o for o in editor.job(r) if o["mask_new_path"]]) > 1]
    row = pick(rng, rows)
    other = pick(rng, [o for o in editor.job(row) if o["mask_new_path"] and o["query_path"] != row["query_path"]])
    editor.put_masks(row, editor.mask(other["mask_new_path"]))


@fault("boxes_fit_masks")
def box_shifted(editor, rng):
    row = pick(rng, editor.samples(1))
    x, y, w, h = row["bbox_xywh_512"]
    editor.put_box(row, (x + 8 if x + w + 8 <= 512 else x - 8, y, w, h))


@fault("boxes_fit_masks")
def box_on_256_grid(editor, rng):
    row = pick(rng, editor.samples(1))
    editor.put_box(row, [v / 2 for v in row["bbox_xywh_512"]])


@fault("boxes_fit_masks")
def x_and_y_swapped(editor, rng):
    lopsided = [r for r in editor.samples(1) if abs(r["bbox_xywh_512"][0] - r["bbox_xywh_512"][1]) > 8]
    row = pick(rng, lopsided)
    x, y, w, h = row["bbox_xywh_512"]
    editor.put_box(row, (y, x, h, w))


@fault("rows_of_plan")
def label_flipped(editor, rng):
    """All views of an anomalous job become normal ones, under a normal job's folder name."""
    row = pick(rng, editor.samples(1))
    for other in editor.job(row):
        for key in ("annotation_path", "mask_new_path", "mask_old_path"):
            if other[key]:
                editor.drop(other[key])
                other[key] = ""
        if other["query_path"]:
            _, folder, base = other["query_path"].split("/")
            shape = folder.split("-")[0]
            editor.rename(other["query_path"], f"images/{shape}-n1/{base.replace('_anomaly', '_normal')}")
        other |= {
            "label": 0,
            "kind": "normal",
            "spec": "",
            "part": "",
            "part_class": "",
            "bbox_xywh_512": [],
            "iou": 0.0,
        }
    (editor.root / "images" / row["query_path"].split("/")[1]).mkdir(exist_ok=True)


@fault("rows_of_plan", "samples_replay")
def kind_renamed(editor, rng):
    row = pick(rng, editor.samples(1, MOVED))
    was = row["kind"]
    kind = pick(rng, [k for k in MOVED if k != was])
    spec = {**json.loads(row["spec"]), "kind": kind}
    editor.put_spec(row, spec)
    for other in editor.job(row):
        other["kind"] = kind
        if other["annotation_path"]:
            editor.edit_json(other["annotation_path"], lambda info: info["config"].update(type=TYPE_OF_KIND[kind]))
        for key in ("query_path", "annotation_path", "mask_new_path", "mask_old_path"):
            if other[key]:
                editor.rename(other[key], other[key].replace(f"-{was}/", f"-{kind}/"))


@fault("rows_of_plan")
def split_swapped(editor, rng):
    split = editor.json("split.json")
    a, b = pick(rng, split["train"]), pick(rng, split["test"])
    split["train"][split["train"].index(a)], split["test"][split["test"].index(b)] = b, a
    editor.write("split.json", json_bytes(split))
    table = editor.json("shapes.json")
    for shape, name in ((a, "test"), (b, "train")):
        table["shapes"][shape]["split"] = name
        for row in editor.rows:
            if str(row["public_id"]) == shape:
                row["split"] = name
    editor.write("shapes.json", json_bytes(table))


def two_splits(editor, rng):
    split = editor.json("split.json")
    first = pick(rng, split["train"])
    second = pick(rng, split["test"] + split["val"])
    return first, second


@fault("models_disjoint")
def model_id_leak(editor, rng):
    train, test = two_splits(editor, rng)
    table = editor.json("shapes.json")
    model = table["shapes"][train]["model_id"]
    table["shapes"][test]["model_id"] = model
    editor.write("shapes.json", json_bytes(table))
    editor.write(f"shapes/shape_{test}/model_id.txt", (model + "\n").encode())


@fault("meshes_disjoint")
def near_duplicate_mesh(editor, rng):
    train, test = two_splits(editor, rng)
    lines = (editor.root / f"shapes/shape_{train}/model.obj").read_text().splitlines()
    moved = []
    for line in lines:
        if line.startswith("v "):
            point = np.array(line.split()[1:], dtype=float) + rng.normal(scale=0.001, size=3)
            line = "v {:.6f} {:.6f} {:.6f}".format(*point)
        moved.append(line)
    editor.write(f"shapes/shape_{test}/model.obj", ("\n".join(moved) + "\n").encode())


@fault("donors_own_split")
def donor_of_another_split(editor, rng):
    row = pick(rng, editor.samples(1, ("swapped",)))
    table = editor.json("shapes.json")["shapes"].values()
    donor = pick(rng, [entry["shape_id"] for entry in table if entry["split"] != row["split"]])
    digest = open_collection("partnet/chair").load(donor).digest
    editor.put_spec(row, {**json.loads(row["spec"]), "donor_shape_id": donor, "donor_digest": digest})


def depth_of(editor, rng):
    path = pick(rng, editor.references())
    path = path.with_name(path.stem + "_depth.npy")
    return path, editor.depth(path)


@fault("reference_depth", "depth_of_mesh")
def depth_flipped(editor, rng):
    path, depth = depth_of(editor, rng)
    if rng.random() < 0.5:
        editor.put_depth(path, depth[::-1])
    else:
        solid = depth > 0
        editor.put_depth(path, np.where(solid, depth[solid].max() + depth[solid].min() - depth, 0))


@fault("reference_depth", "depth_of_mesh")
def depth_as_ray_length(editor, rng):
    path, depth = depth_of(editor, rng)
    rows, columns = (np.mgrid[:256, :256] + 0.5 - 128) / 355
    editor.put_depth(path, depth * np.sqrt(1 + rows**2 + columns**2))


@fault("reference_arrays")
def depth_of_another_size(editor, rng):
    path, depth = depth_of(editor, rng)
    editor.put_depth(path, depth[::2, ::2] if rng.random() < 0.5 else depth[:, 8:])


@fault("reference_cameras")
def rt_and_inverse_swapped(editor, rng):
    path = pick(rng, editor.references()).with_suffix(".json")
    editor.edit_json(path, lambda camera: {**camera, "RT": camera["RT_"], "RT_": camera["RT"]})


@fault("reference_cameras", "query_cameras")
def k_scaled(editor, rng):
    factor = float(rng.choice([0.5, 1.1, 2.0]))

    def scaled(K):
        return [[K[0][0] * factor, 0, K[0][2]], [0, K[1][1] * factor, K[1][2]], K[2]]

    if rng.random() < 0.5:
        path = pick(rng, editor.references()).with_suffix(".json")
        editor.edit_json(path, lambda camera: {**camera, "K": scaled(camera["K"])})
        return
    row = pick(rng, editor.samples(1))
    K = scaled(np.reshape(row["K"], (3, 3)).tolist())
    row["K"] = [float(v) for line in K for v in line]
    editor.edit_json(row["annotation_path"], lambda info: info["camera_parameters"].update(K=K))


@fault("reference_cameras", "pictures_show_geometry", "masks_replay", "masks_in_silhouettes", "visible_px_agree")
def azimuth_sign(editor, rng):
    """A reference camera mirrored, or a query's name, row and camera all at minus its azimuth."""
    if rng.random() < 0.5:
        views = [p for p in editor.references() if float(p.stem.split("_")[2]) % 180]
        path = pick(rng, views).with_suffix(".json")
        _, radius, azimuth, elevation = path.stem.split("_")
        camera = Camera(float(azimuth), float(elevation), float(radius))
        editor.write(path, json_bytes(layout.camera_json(camera)))
        return
    row = pick(rng, [r for r in editor.samples() if 15 < r["azimuth_deg"] % 180 < 165])
    mirror_query(editor, row)


def mirror_query(editor, row):
    camera = Camera(360 - row["azimuth_deg"], row["elevation_deg"], row["radius"])
    stem = f"_{row['azimuth_deg']:g}_{row['elevation_deg']:g}_"
    for key in ("query_path", "annotation_path", "mask_new_path", "mask_old_path"):
        if row[key]:
            editor.rename(row[key], row[key].replace(stem, f"_{camera.azimuth_deg:g}_{row['elevation_deg']:g}_"))
    row["azimuth_deg"] = camera.azimuth_deg
    row["T_world_camera"] = layout.published_pose(camera).ravel().tolist()
    if row["annotation_path"]:
        stated = {**layout.camera_json(camera), "azimuth": camera.azimuth_deg}
        editor.edit_json(row["annotation_path"], lambda info: info["camera_parameters"].update(stated))


@fault("reference_points")
def pxy_as_x_y(editor, rng):
    chosen = pick(rng, editor.references())
    for path in [chosen] if rng.random() < 0.5 else sorted(chosen.parent.glob("*.png")):
        record = editor.npy(path.with_suffix(".npy"))
        editor.put_npy(path.with_suffix(".npy"), {**record, "pxy": record["pxy"][:, ::-1].copy()})


@fault("reference_points")
def pxy_order_permuted(editor, rng):
    path = pick(rng, editor.references()).with_suffix(".npy")
    record = editor.npy(path)
    order = rng.permutation(len(record["pxy"]))
    editor.put_npy(path, {**record, "pxy": record["pxy"][order], "is_visible": record["is_visible"][order]})


@fault("reference_positions")
def xyz_in_another_frame(editor, rng):
    path = pick(rng, editor.references()).with_suffix(".npy")
    record = editor.npy(path)
    xyz = record["xyz"].copy()
    filled = (xyz != -1).any(axis=2)
    xyz[filled] = xyz[filled] @ np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]]).T
    editor.put_npy(path, {**record, "xyz": xyz})


@fault("references_complete")
def missing_view(editor, rng):
    path = pick(rng, editor.references())
    for suffix in (".png", ".npy", ".json", "_depth.npy"):
        editor.drop((path.parent / (path.stem + suffix)).relative_to(editor.root))


@fault("pictures_exposed")
def black_frame(editor, rng):
    row = pick(rng, editor.samples())
    editor.put_picture(row["query_path"], np.zeros_like(editor.picture(row["query_path"])))


@fault("pictures_sharp")
def blurred_frame(editor, rng):
    row = pick(rng, editor.samples())
    soft = gaussian_filter(editor.picture(row["query_path"]).astype(float), (2.0, 2.0, 0))
    editor.put_picture(row["query_path"], np.round(soft).astype(np.uint8))


@fault("ground_white")
def grey_ground(editor, rng):
    row = pick(rng, editor.samples())
    pixels = editor.picture(row["query_path"])
    ground = pixels.min(axis=2, keepdims=True) > 225
    editor.put_picture(row["query_path"], np.where(ground, (pixels * 0.85).astype(np.uint8), pixels))


@fault("anomalies_real")
def anomaly_that_changes_nothing(editor, rng):
    row = pick(rng, editor.samples(1, ("position", "rotation")))
    spec = json.loads(row["spec"])
    if row["kind"] == "position":
        spec["translation"] = [1e-4, 0.0, 0.0]
    else:
        spec["angle_deg"] = 0.05
    editor.put_spec(row, spec, severity=1e-4)
    for other in editor.job(row):
        if other["row_type"] == "sample":
            editor.put_masks(other, editor.mask(other["mask_old_path"]))


@fault("files_hash")
def stale_hash(editor, rng):
    path = pick(rng, sorted(pick(rng, editor.rows[:1] + editor.samples())["sha256"] or editor.samples()[0]["sha256"]))
    data = (editor.root / path).read_bytes()
    editor.write(path, data + b"\n", stamp=False)


def near_misses():
    """(name, inject) of what has to pass."""

    def depth_off(editor, rng):
        path, depth = depth_of(editor, rng)
        editor.put_depth(path, depth * 1.005)

    def box_off(editor, rng):
        row = pick(rng, [r for r in editor.samples(1) if sum(r["bbox_xywh_512"][::2]) < 510])
        x, y, w, h = row["bbox_xywh_512"]
        editor.put_box(row, (x + 1, y, w, h))

    def mask_edge(editor, rng):
        row = pick(rng, editor.samples(1, MOVED))
        mask = editor.mask(row["mask_new_path"]).copy()
        rows, columns = np.nonzero(mask)
        mask[rows[len(rows) // 2], columns[len(rows) // 2]] = False
        editor.put_masks(row, mask)

    def slightly_soft(editor, rng):
        row = pick(rng, editor.samples())
        soft = gaussian_filter(editor.picture(row["query_path"]).astype(float), (0.5, 0.5, 0))
        editor.put_picture(row["query_path"], np.round(soft).astype(np.uint8))

    return [
        ("depth off 0.5 %", depth_off),
        ("box off 1 px", box_off),
        ("mask off 1 px", mask_edge),
        ("a blur of half a pixel", slightly_soft),
    ]
