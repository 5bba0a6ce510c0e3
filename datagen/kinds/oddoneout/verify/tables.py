"""Checks of tables against each other and against the pictures, whatever the digests say."""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from datagen.formats.oddoneout import MODE_OF_KIND
from datagen.kinds.oddoneout.plan import five_views
from datagen.kinds.oddoneout.verify.checks import SCENES
from datagen.kinds.oddoneout.verify.evidence import SceneEvidence
from datagen.kinds.oddoneout.verify.splits import CHECKS
from datagen.verify.check import ERROR, Finding

SAME_M = 1e-4
"""Metres by which two tables may say one box."""
MOVED_PX, FITS = 2, 1.05
"""From how many pixels a picture lies beside its parts, and how much better it has to fit there. Of 2,138 clean
pictures none fitted better two pixels off; shifted by two they fit 1.09 to 4 times better there."""
STRONGER = 1.5
"""How much stronger a picture's edges may be along another view's outlines than along its own."""
FAINT = 2.0
"""Mean step of the strongest colour along an outline below which a picture tells nothing of where its objects are."""


@CHECKS.check(ERROR, "Cameras are in pixels of one size of picture.", SCENES)
def scene_pictures_one_size(e: SceneEvidence) -> Iterator[Finding]:
    """Every picture is square, as large as K says: twice its principal point."""
    for scene in e.scenes:
        wanted = (round(2 * scene.K[1, 2]), round(2 * scene.K[0, 2]))
        for view in scene.views:
            if view.picture_px and tuple(view.picture_px) != wanted:
                yield Finding(
                    f"{scene.name} view {view.index}",
                    f"is {view.picture_px[1]} x {view.picture_px[0]} px, K is of {wanted[1]} x {wanted[0]}",
                )


@CHECKS.check(ERROR, "The published loader reads bbox, whatever stands beside it.", SCENES)
def scene_boxes_agree(e: SceneEvidence) -> Iterator[Finding]:
    """bbox is the one of bbox_world and bbox_published that the scene's record names."""
    for scene in e.scenes:
        form = str(scene.extra.get("bbox", ""))
        for thing in scene.objects:
            beside = thing.record.get(f"bbox_{form}")
            if beside is None or "bbox" not in thing.record:
                continue
            off = float(np.abs(np.array(thing.record["bbox"], float) - np.array(beside, float)).max())
            if off > SAME_M:
                yield Finding(f"{scene.name} {thing.name}", f"bbox is {1000 * off:.1f} mm off its bbox_{form}")


@CHECKS.check(ERROR, "Detectors in the picture learn from scene2d's boxes.", SCENES)
def scene_flat_boxes(e: SceneEvidence) -> Iterator[Finding]:
    """scene2d's boxes of every view are those of the anomalous objects' segmentations."""
    for scene in e.scenes:
        if scene.flat_boxes_of_none:
            yield Finding(scene.name, "has 2D boxes of a view that is not there")
        for view in scene.views:
            if view.flat_boxes_differ:
                yield Finding(f"{scene.name} view {view.index}", "its 2D boxes are not those of the segmentations")


@CHECKS.check(ERROR, "Figures by kind stand on it.", SCENES)
def scene_kinds_agree(e: SceneEvidence) -> Iterator[Finding]:
    """An object's kind is the word in its path and in its row of the manifest."""
    rows = {str(row["query_path"]): str(row["kind"]) for row in e.tree.rows if row["row_type"] == "object"}
    for scene in e.scenes:
        for thing in scene.objects:
            told = thing.record.get("kind")
            if told is None:
                continue
            where = f"{scene.name} {thing.name}"
            words = str(thing.record.get("path", "")).rsplit("/", 1)[-1].split("-")
            if thing.anomalous and MODE_OF_KIND.get(str(told), str(told)) != words[1]:
                yield Finding(where, f"its kind is {told}, its path says {words[1]}")
            if not thing.anomalous and told != "normal":
                yield Finding(where, f"is normal by its path and of kind {told}")
            row = rows.get(f"scenes/{scene.name}#{thing.name}")
            if row is not None and row != told:
                yield Finding(where, f"its kind is {told}, its row says {row}")


@CHECKS.check(ERROR, "A scene shows instances of one shape.", SCENES)
def scene_of_one_shape(e: SceneEvidence) -> Iterator[Finding]:
    """Every object names the same shape, the record names the folder, and no two scenes are one."""
    twins: dict[str, list[str]] = defaultdict(list)
    for scene in e.scenes:
        shapes = {str(t.record["shape_id"]) for t in scene.objects if "shape_id" in t.record}
        if len(shapes) > 1:
            yield Finding(scene.name, f"its objects are of {', '.join(sorted(shapes))}")
        models = {
            str(t.record.get("path", "")).rsplit("/", 1)[-1].split("-")[0].partition(".")[0] for t in scene.objects
        }
        if len(models) > 1:
            yield Finding(scene.name, f"its objects' paths name {', '.join(sorted(models))}")
        told = scene.extra.get("scene")
        if told is not None and told != scene.name:
            yield Finding(scene.name, f"says that it is {told}")
        pictures = [digest for path, digest in sorted(scene.hashes.items()) if "/RGB/" in path]
        for digest in set(pictures):
            twins[digest].append(scene.name)
    for names in {tuple(found) for found in twins.values() if len(found) > 1}:
        yield Finding(names[0], f"has a picture that {', '.join(names[1:])} has too")


@CHECKS.check(ERROR, "A picture that is not of its view teaches that cameras mean nothing.", SCENES)
def scene_pictures_are_their_views(e: SceneEvidence) -> Iterator[Finding]:
    """A picture's edges are strongest along its own objects' outlines, not along another view's or beside its parts."""
    for scene in e.scenes:
        for v, (x, y, better) in enumerate(scene.shifts):
            if max(abs(x), abs(y)) >= MOVED_PX and better > FITS:
                yield Finding(f"{scene.name} view {v}", f"its picture lies {x:g}, {y:g} px beside its parts")
        for v in range(len(scene.edges)):
            own, others = scene.edges[v, v], np.delete(scene.edges[v], v)
            if not np.isfinite(own) or not np.isfinite(others).any():
                continue
            best = float(np.nanmax(others))
            if best > STRONGER * own and best > FAINT:
                yield Finding(
                    f"{scene.name} view {v}", f"its edges follow another view's outlines ({best:.1f} to {own:.1f})"
                )


@CHECKS.check(ERROR, "depth_png is looked at where no EXR is read.", SCENES)
def scene_depth_png(e: SceneEvidence) -> Iterator[Finding]:
    """depth_png/ is depth_exr/ between its nearest and farthest pixel."""
    for scene in e.scenes:
        for view in scene.views:
            if view.depth_png_differs_px > 0:
                yield Finding(
                    f"{scene.name} view {view.index}", f"differs from depth_exr in {view.depth_png_differs_px} pixels"
                )


@CHECKS.check(ERROR, "A change that no mask shows cannot be learned from masks.", SCENES)
def scene_changed_pixels(e: SceneEvidence) -> Iterator[Finding]:
    """anomaly_masks/ have the pixels that the record counts, on objects and floor alone."""
    for scene in e.scenes:
        counted = [(thing.record.get("anomaly") or {}).get("changed_px") for thing in scene.objects if thing.anomalous]
        for view in scene.views:
            where = f"{scene.name} view {view.index}"
            if view.changed_px < 0:
                continue
            if view.changed_elsewhere_px:
                yield Finding(where, f"{view.changed_elsewhere_px} changed pixels are of the sky")
            told = [of[view.index] for of in counted if of is not None and view.index < len(of)]
            if len(told) == len(counted) and not max(told, default=0) <= view.changed_px <= sum(told):
                yield Finding(where, f"shows {view.changed_px} changed pixels, the record counts {told}")


def _protocol(e: SceneEvidence) -> str:
    return "" if e.recipe is not None else "there is no recipe to tell the views by"


@CHECKS.check(ERROR, "Figures are compared by the two fixed sets of views.", needs=(_protocol,))
def scene_protocol(e: SceneEvidence) -> Iterator[Finding]:
    """protocol.json names the two sets of five views of the recipe's number of views."""
    assert e.recipe is not None
    views = e.recipe.camera.views
    told = e.protocol
    wanted = {"views": views, "five_views": five_views(views)}
    if told != wanted:
        yield Finding(
            "protocol.json", f"is not that of {views} views" if told else "is missing, empty or no JSON object"
        )
