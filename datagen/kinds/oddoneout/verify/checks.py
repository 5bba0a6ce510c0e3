"""One check, one function; levels and skips as for chairs (verify/check.py)."""

from collections.abc import Iterator

import numpy as np

from datagen.kinds.oddoneout.arrange import is_shown
from datagen.kinds.oddoneout.verify.evidence import SceneEvidence
from datagen.verify.check import ERROR, WARNING, CheckList, Finding, Population, all_of

FLOOR_M, CONTACT_M, ENTER_M, BOX_M = 1e-3, 1e-3, 1e-3, 2e-3
SCENES: Population[SceneEvidence] = all_of("scenes", lambda e: e.scenes)
REPLAYED: Population[SceneEvidence] = Population("replays", lambda e: (len(e.replays), len(e.scenes)))
CHECKS = CheckList[SceneEvidence]()


def _rows(e: SceneEvidence) -> str:
    return "" if e.tree.rows else "there is no manifest.parquet and no log"


def _masks(e: SceneEvidence) -> str:
    there = any(v.mask_differs_px >= 0 for s in e.scenes for v in s.views)
    return "" if there else "there is no masks/ (the published sample has none)"


def replays_there(e: SceneEvidence) -> str:
    return "" if e.replays else e.source_note or "there is no scene to replay"


def _audit(e: SceneEvidence) -> str:
    return e.audit.note


@CHECKS.check(ERROR, "A file that cannot be read makes the published loader drop the scene in silence.", SCENES)
def scene_files_readable(e: SceneEvidence) -> Iterator[Finding]:
    """Tables, pictures, masks, segmentations and depth can be decoded."""
    for scene in e.scenes:
        for path, problem in scene.problems.items():
            yield Finding(f"{scene.name}/{path}", problem)


@CHECKS.check(ERROR, "A file that is not what was committed is not what was described.", SCENES, (_rows,))
def scene_hashes(e: SceneEvidence) -> Iterator[Finding]:
    """Every file a row names is there with its digest, and no other lies in scenes/."""
    stated = e.tree.hashes
    for path, digest in stated.items():
        if path not in e.file_hashes:
            yield Finding(path, "is named by the manifest and missing")
        elif e.file_hashes[path] != digest:
            yield Finding(path, "is not what was committed")
    for path in e.file_hashes:
        if path not in stated:
            yield Finding(path, "is named by no row")


@CHECKS.check(ERROR, "Boxes and back-projection stand on the cameras.", SCENES)
def scene_cameras(e: SceneEvidence) -> Iterator[Finding]:
    """Proper rotations, cameras above the floor, square pixels."""
    for scene in e.scenes:
        for v, T in enumerate(scene.extrinsics):
            R = T[:3, :3]
            if not np.allclose(R @ R.T, np.eye(3), atol=1e-4) or np.linalg.det(R) < 0.99:
                yield Finding(f"{scene.name} view {v}", f"its rotation is none (determinant {np.linalg.det(R):.3f})")
            elif (-R.T @ T[:3, 3])[2] <= 0:
                yield Finding(f"{scene.name} view {v}", "the camera is below the floor")
        if scene.K[0, 0] <= 0 or abs(scene.K[0, 0] - scene.K[1, 1]) > 1e-3 * abs(scene.K[0, 0]):
            yield Finding(scene.name, f"focal lengths {scene.K[0, 0]:.2f} and {scene.K[1, 1]:.2f} differ")


@CHECKS.check(ERROR, "The published volume has its floor at z = 0.", SCENES)
def scene_floor_at_zero(e: SceneEvidence) -> Iterator[Finding]:
    """Floor pixels back-projected by z-depth lie on z = 0 within a millimetre."""
    for scene in e.scenes:
        for view in scene.views:
            if view.floor_error_m > FLOOR_M:
                yield Finding(
                    f"{scene.name} view {view.index}", f"a floor pixel lies {1000 * view.floor_error_m:.1f} mm off"
                )


@CHECKS.check(ERROR, "A box that does not hold its object teaches the wrong place.", SCENES)
def scene_boxes_hold_pixels(e: SceneEvidence) -> Iterator[Finding]:
    """Back-projected pixels of an object lie in its box: the world box, or the published local dimensions."""
    for scene in e.scenes:
        for thing in scene.objects:
            if not np.isfinite(thing.points_low).all():
                continue
            where = f"{scene.name} {thing.name}"
            if "bbox_world" in thing.record:
                centre, size = np.array(thing.record["bbox_world"], dtype=float)
                low, high = centre - size / 2 - BOX_M, centre + size / 2 + BOX_M
                out = max(float((low - thing.points_low).max()), float((thing.points_high - high).max()))
                if out > 0:
                    yield Finding(where, f"a pixel lies {1000 * (out + BOX_M):.1f} mm outside its world box")
            elif "bbox" in thing.record:
                size = np.array(thing.record["bbox"], dtype=float)[1]
                extent = thing.local_high - thing.local_low
                if (extent > 1.02 * size + 2 * BOX_M).any():
                    yield Finding(
                        where, f"its pixels span {np.round(extent, 3).tolist()} of {np.round(size, 3).tolist()} m"
                    )


@CHECKS.check(ERROR, "The mask loss and the cut-out of the picture use masks/.", SCENES, (_masks,))
def scene_mask_is_union(e: SceneEvidence) -> Iterator[Finding]:
    """masks/ is the union of the objects, without the floor."""
    for scene in e.scenes:
        for view in scene.views:
            if view.mask_differs_px > 0:
                yield Finding(
                    f"{scene.name} view {view.index}", f"differs from the union in {view.mask_differs_px} pixels"
                )


@CHECKS.check(ERROR, "A pixel belongs to one thing.", SCENES)
def scene_segments_disjoint(e: SceneEvidence) -> Iterator[Finding]:
    """No pixel is claimed twice; binary labels are the union of the anomalous objects."""
    for scene in e.scenes:
        for view in scene.views:
            if view.overlap_px:
                yield Finding(f"{scene.name} view {view.index}", f"{view.overlap_px} pixels are claimed twice")
            if view.label_differs_px > 0:
                yield Finding(
                    f"{scene.name} view {view.index}", f"binary label is wrong in {view.label_differs_px} pixels"
                )


def _part_labels(e: SceneEvidence) -> str:
    there = any(v.part_differs_px >= 0 for s in e.scenes for v in s.views)
    return "" if there else "there is no part_labels/ (the published sample has none)"


@CHECKS.check(ERROR, "A part label that belongs to another object teaches the wrong part.", SCENES, (_part_labels,))
def scene_part_labels(e: SceneEvidence) -> Iterator[Finding]:
    """part_labels/ numbers the parts of the object that the segmentations show there, each part once in the scene."""
    for scene in e.scenes:
        for view in scene.views:
            if view.part_differs_px > 0:
                yield Finding(
                    f"{scene.name} view {view.index}", f"part label is wrong in {view.part_differs_px} pixels"
                )


@CHECKS.check(ERROR, "Depth and segmentation are one picture.", SCENES)
def scene_depth_agrees(e: SceneEvidence) -> Iterator[Finding]:
    """What has depth is an object or the floor, and the other way round (0.1 % of the pixels may differ)."""
    for scene in e.scenes:
        size = 4 * scene.K[0, 2] * scene.K[1, 2]
        for view in scene.views:
            if view.depth_gap_px > 1e-3 * size:
                yield Finding(
                    f"{scene.name} view {view.index}", f"depth and masks differ in {view.depth_gap_px} pixels"
                )


@CHECKS.check(ERROR, "Odd means fewer than the others.", SCENES)
def scene_majority_normal(e: SceneEvidence) -> Iterator[Finding]:
    """More than half of the objects are normal, and there are at least three."""
    for scene in e.scenes:
        if len(scene.objects) < 3 or 2 * scene.anomalous >= len(scene.objects):
            yield Finding(scene.name, f"{scene.anomalous} of {len(scene.objects)} objects are anomalous")


@CHECKS.check(ERROR, "Both tables say which object is odd, with opposite polarity.", SCENES)
def scene_label_polarity(e: SceneEvidence) -> Iterator[Finding]:
    """scene2d says 0 for an object whose path has a dash, 1 for the others, of the same paths; labels of ours agree."""
    for scene in e.scenes:
        wanted = tuple(0 if thing.anomalous else 1 for thing in scene.objects)
        if scene.flat_labels != wanted:
            yield Finding(scene.name, f"anomaly_labels are {list(scene.flat_labels)}, the paths say {list(wanted)}")
        if scene.flat_paths != tuple(str(thing.record.get("path", "")) for thing in scene.objects):
            yield Finding(scene.name, "blend_paths are not its objects' paths")
        for thing in scene.objects:
            if "label" in thing.record and bool(thing.record["label"]) != thing.anomalous:
                yield Finding(f"{scene.name} {thing.name}", "label and path disagree")


@CHECKS.check(ERROR, "An anomaly that no view shows cannot be learned.", SCENES)
def scene_anomaly_visible(e: SceneEvidence) -> Iterator[Finding]:
    """Every anomalous object is seen, and its change too where the record counts changed pixels."""
    for scene in e.scenes:
        for thing in scene.objects:
            if not thing.anomalous:
                continue
            told = (thing.record.get("anomaly") or {}).get("changed_px")
            enough = told is None or e.recipe is None or len(told) == 0 or is_shown(told, e.recipe)
            if max(thing.seen_px, default=0) == 0:
                yield Finding(f"{scene.name} {thing.name}", "is seen in no view")
            elif told is not None and max(told, default=0) == 0:
                yield Finding(f"{scene.name} {thing.name}", "its change shows in no view")
            elif not enough:
                yield Finding(f"{scene.name} {thing.name}", "its change shows in fewer views than the recipe wants")


@CHECKS.check(ERROR, "Things lie on the floor; what hovers or sinks is told at a glance.", SCENES)
def scene_contact(e: SceneEvidence) -> Iterator[Finding]:
    """Lowest points are within a millimetre of the floor, by world boxes and by the meshes where they are here."""
    joint = e.recipe is not None and e.recipe.layout.joint_drop
    for scene in e.scenes:
        for thing in scene.objects:
            if "bbox_world" in thing.record:
                centre, size = np.array(thing.record["bbox_world"], dtype=float)
                low = centre[2] - size[2] / 2
                if low < -CONTACT_M or (low > CONTACT_M and not joint):
                    yield Finding(f"{scene.name} {thing.name}", f"its lowest point is at {1000 * low:.1f} mm")
    for replay in e.replays:
        for k, low in enumerate(replay.low_m):
            if low < -CONTACT_M or (low > CONTACT_M and not joint):
                yield Finding(f"{replay.scene} object {k}", f"its mesh's lowest point is at {1000 * low:.1f} mm")


@CHECKS.check(ERROR, "Two solids do not share a place.", REPLAYED, (replays_there,))
def scene_no_interpenetration(e: SceneEvidence) -> Iterator[Finding]:
    """Meshes put in their places keep apart (a millimetre of depth is allowed)."""
    for replay in e.replays:
        if replay.problem:
            yield Finding(replay.scene, replay.problem)
        elif replay.gap_m < -ENTER_M:
            yield Finding(replay.scene, f"two objects enter each other by {-1000 * replay.gap_m:.1f} mm")


@CHECKS.check(ERROR, "The published volume sees 0 to 0.32 m above the floor.", SCENES)
def scene_inside_volume(e: SceneEvidence) -> Iterator[Finding]:
    """World boxes lie within 1.92 m of the middle and below 0.32 m."""
    for scene in e.scenes:
        for thing in scene.objects:
            if "bbox_world" in thing.record:
                centre, size = np.array(thing.record["bbox_world"], dtype=float)
                if (np.abs(centre[:2]) + size[:2] / 2 > 1.92).any() or centre[2] + size[2] / 2 > 0.3205:
                    yield Finding(f"{scene.name} {thing.name}", f"reaches {np.round(centre + size / 2, 3).tolist()} m")


@CHECKS.check(ERROR, "A black or blown-out picture shows nothing.", SCENES)
def scene_pictures_alive(e: SceneEvidence) -> Iterator[Finding]:
    """Pictures have light and dark."""
    for scene in e.scenes:
        for view in scene.views:
            if view.high < 24 or view.low > 250 or view.spread < 2:
                yield Finding(f"{scene.name} view {view.index}", f"grey {view.low}..{view.high}")


@CHECKS.check(
    WARNING, "Position in the list, place, pose, size or file order must not tell the anomaly.", SCENES, (_audit,)
)
def scene_no_shortcut(e: SceneEvidence) -> Iterator[Finding]:
    """No probe of an object's metadata tells its label better than chance."""
    for probe in e.audit.leaks:
        yield Finding(probe.name, f"AUC {probe.auc:.3f}, interval {probe.low:.3f} to {probe.high:.3f}")
