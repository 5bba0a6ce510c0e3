"""What a scene leaves on disk besides its pictures: files of every view, tables, rows of the manifest."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.spatial.transform import Rotation

from datagen.annotate.scenes import SceneViews
from datagen.core.anomaly import AnomalousShape
from datagen.core.ids import canonical_json, content_hash
from datagen.core.row import Job, Row
from datagen.core.scene import Floor, Sky
from datagen.formats import oddoneout as layout
from datagen.formats.encode import grey16_bytes
from datagen.kinds.oddoneout.arrange import Arrangement, least_changed, shown_in_five, world_bounds
from datagen.kinds.oddoneout.plan import PlannedScene, five_views
from datagen.kinds.oddoneout.shapes import SceneContext
from datagen.pipeline.prepared import job_row
from datagen.recipe import SceneRecipe


@dataclass(frozen=True, eq=False)
class SceneRecord:
    """A scene that is laid out and seen, ready to be written down."""

    job: Job
    context: SceneContext
    scene: PlannedScene
    arrangement: Arrangement
    views: SceneViews
    floor: Floor
    sky: Sky

    @property
    def folder(self) -> str:
        """Where its files lie below the dataset's folder."""
        return f"{layout.FOLDER}/{self.scene.name}"

    @cached_property
    def boxes(self) -> tuple[tuple[tuple[int, ...], ...], ...]:
        """Boxes of anomalous objects by view."""
        odd = [k + 1 for k in self._odd]
        found = ([layout.bbox_2d(frame.object_index == k) for k in odd] for frame in self.views.frames)
        return tuple(tuple(tuple(box) for box in boxes if box is not None) for boxes in found)

    @property
    def _odd(self) -> list[int]:
        """Places of the anomalous objects."""
        return [k for k, member in enumerate(self.arrangement.members) if member.odd]

    def files(self) -> dict[str, bytes]:
        """Masks, depth and labels of every view, and the scene's two tables."""
        return {**self._view_files(), **self._tables()}

    def _view_files(self) -> dict[str, bytes]:
        folder, arrangement, views = self.folder, self.arrangement, self.views
        files = {}
        labels = part_labels(arrangement)
        odd = [k + 1 for k in self._odd]
        for v, frame in enumerate(views.frames):
            name = layout.view_name(v)
            files[f"{folder}/masks/{name}"] = layout.mask_bytes(frame.object_index > 0)
            files[f"{folder}/binary_labels/{name}"] = layout.mask_bytes(np.isin(frame.object_index, odd))
            files[f"{folder}/anomaly_masks/{name}"] = layout.mask_bytes(views.changed[v])
            files[f"{folder}/depth_exr/{layout.view_name(v, 'exr')}"] = layout.depth_exr_bytes(frame.depth)
            files[f"{folder}/depth_png/{name}"] = layout.depth_png_bytes(frame.depth)
            parts = np.zeros(frame.part_id.shape, np.uint16)
            for k, numbers in enumerate(labels):
                own = frame.object_index == k + 1
                ids = np.array(sorted(numbers))
                table = np.array([numbers[i] for i in ids.tolist()], dtype=np.uint16)
                parts[own] = table[np.searchsorted(ids, frame.part_id[own])]
            files[f"{folder}/part_labels/{name}"] = grey16_bytes(parts)
            for k, thing in enumerate(arrangement.standing):
                path = f"{folder}/segmentations/{thing.name}/{thing.name}_{name}"
                files[path] = layout.segmentation_bytes(frame.object_index == k + 1)
            path = f"{folder}/segmentations/{layout.FLOOR}/{layout.FLOOR}_{name}"
            files[path] = layout.segmentation_bytes(frame.floor)
        return files

    def _tables(self) -> dict[str, bytes]:
        plan, arrangement = self.context.plan, self.arrangement
        objects = [self._object_json(k, own) for k, own in enumerate(part_labels(arrangement))]
        extra = {
            "scene": self.scene.name,
            "split": self.scene.split,
            "category": self.scene.entry.category,
            "source": plan.source.name,
            "job_id": self.job.job_id,
            "bbox": plan.recipe.bbox,
            "metres_per_unit": arrangement.scale,
            "background_strength": self.sky.strength,
            "background_rotation_deg": self.sky.rotation_deg,
            "five_views": five_views(len(arrangement.cameras)),
        }
        if plan.swaps:
            extra["twin"] = plan.twin(self.scene)
        K = arrangement.cameras[0].K
        extrinsics = [camera.extrinsic for camera in arrangement.cameras]
        named = {layout.view_name(v): found for v, found in enumerate(self.boxes)}
        table = layout.scene3d_json(objects, K, extrinsics, self.floor.material_id, self.sky.world, extra)
        return {
            f"{self.folder}/scene3d.metadata.json": table,
            f"{self.folder}/scene2d.metadata.json": layout.scene2d_json([str(o["path"]) for o in objects], named),
        }

    def _object_json(self, k: int, labels: Mapping[int, int]) -> dict[str, object]:
        """One entry of `objects`: the published keys, then ours."""
        arrangement, recipe = self.arrangement, self.context.plan.recipe
        member, pose, thing = arrangement.members[k], arrangement.poses[k], arrangement.standing[k]
        mode = layout.MODE_OF_KIND.get(member.kind, member.kind) if member.odd else None
        world = world_bounds(thing)
        local = np.stack([(p := arrangement.scale * member.body.points()).min(axis=0), p.max(axis=0)])
        forms = {
            "world": layout.box(world[0], world[1]),
            "published": layout.published_box(pose[:3, 3], local),
        }
        return {
            "name": thing.name,
            "path": layout.asset_path(self.scene.name, mode, member.slot, recipe.naming),
            "rotation_matrix": pose.tolist(),
            "rotation_euler": Rotation.from_matrix(pose[:3, :3]).as_euler("xyz").tolist(),
            "location": pose[:3, 3].tolist(),
            "scale": [1.0, 1.0, 1.0],
            "bbox": forms[recipe.bbox],
            "bbox_world": forms["world"],
            "bbox_published": forms["published"],
            "T_world_shape": thing.T_world_object.tolist(),
            "shape_id": self.scene.entry.shape_id,
            "label": int(member.odd is not None),
            "kind": member.kind,
            "severity": member.odd.severity if member.odd else 0.0,
            "parts": {str(part.part_id): part.name for part in member.body.shape.parts},
            "part_labels": {str(part_id): label for part_id, label in labels.items()},
            "anomaly": _anomaly_json(member.odd, self.views, k, recipe) if member.odd else None,
            **({"shows": member.shows, "slot": member.slot} if self.context.plan.swaps else {}),
        }

    def rows(self, files: Mapping[str, bytes]) -> list[Row]:
        """A row for the scene (its tables), one for each object, one for each view with the view's files."""
        arrangement = self.arrangement
        shared = {"light_id": -1, "query_scale": arrangement.scale}
        whole = [f"{self.folder}/{name}" for name in ("scene3d.metadata.json", "scene2d.metadata.json", "scene.jpg")]
        scene = {
            "row_type": "scene",
            "kind": "scene",
            "label": int(bool(self._odd)),
            "query_path": self.folder,
            "detail": self.sky.world,
            "material_ids": (self.floor.material_id,),
            "sha256": dict.fromkeys(whole, ""),
            "warnings": self.context.scene_shapes.normal(self.scene.entry.shape_id).warnings,
        }
        views = (self._view(v, files) for v in range(len(arrangement.cameras)))
        return [
            job_row(self.job, self.context, **scene, **shared),
            *(self._object_row(k) for k in range(len(arrangement.members))),
            *(job_row(self.job, self.context, **view, **shared) for view in views),
        ]

    def _view(self, v: int, files: Mapping[str, bytes]) -> dict[str, object]:
        """Columns of a view's row."""
        camera, frame, changed = self.arrangement.cameras[v], self.views.frames[v], self.views.changed[v]
        rgb = f"{self.folder}/RGB/{layout.view_name(v)}"
        paths = [path for path in files if path.endswith((f"/{v:04d}.png", f"/{v:04d}.exr", f"_{v:04d}.png"))]
        return {
            "kind": "scene",
            "label": int(changed.any()),
            "query_path": rgb,
            "sample_id": content_hash([self.job.job_id, v]),
            "azimuth_deg": camera.azimuth_deg,
            "elevation_deg": camera.elevation_deg,
            "radius": camera.radius,
            "K": tuple(camera.K.ravel().tolist()),
            "T_world_camera": tuple(np.linalg.inv(camera.extrinsic).ravel().tolist()),
            "material_ids": (self.floor.material_id,),
            "visible_px": int((frame.object_index > 0).sum()),
            "changed_px": int(changed.sum()),
            "sha256": dict.fromkeys([rgb, *paths], ""),
        }

    def _object_row(self, k: int) -> Row:
        member, thing, views = self.arrangement.members[k], self.arrangement.standing[k], self.views
        shape = member.body.shape
        seen = [int((frame.object_index == k + 1).sum()) for frame in views.frames]
        columns: dict[str, object] = {
            "row_type": "object",
            "kind": member.kind,
            "label": int(member.odd is not None),
            "query_path": f"{self.folder}#{thing.name}",
            "T_shape_source": tuple((thing.T_world_object @ np.array(shape.T_shape_source)).ravel().tolist()),
            "visible_px": max(seen),
            "material_ids": tuple(sorted(shape.palette)),
        }
        if member.odd:
            part = next((p.name for p in member.odd.normal.parts if p.part_id == member.odd.spec.part_id), "")
            columns |= {
                "part": part,
                "part_id": member.odd.spec.part_id,
                "severity": member.odd.severity,
                "method": member.odd.method,
                "spec": canonical_json(member.odd.spec.to_json()),
                "changed_px": views.most_changed(k),
                "detail": canonical_json(shown_json(views.changed_px[:, k], self.context.plan.recipe)),
            }
        return job_row(self.job, self.context, **columns)


def shown_json(changed_px: np.ndarray, recipe: SceneRecipe) -> dict[str, object]:
    """How many views show an anomaly, and how likely five drawn ones do."""
    shows = int((changed_px >= least_changed(recipe)).sum())
    return {"views_showing": shows, "shown_in_five": round(shown_in_five(shows, len(changed_px)), 4)}


def part_labels(arrangement: Arrangement) -> list[dict[int, int]]:
    """What each object's parts are called in part_labels/. Raises ShapeError where 16 bits cannot number them."""
    return layout.part_labels([[part.part_id for part in thing.parts] for thing in arrangement.standing])


def _anomaly_json(odd: AnomalousShape, views: SceneViews, k: int, recipe: SceneRecipe) -> dict[str, object]:
    return {
        **shown_json(views.changed_px[:, k], recipe),
        "kind": odd.spec.kind,
        "severity": odd.severity,
        "method": odd.method,
        "part_ids": list(odd.part_ids),
        "gone_part_ids": list(odd.gone),
        "spec": odd.spec.to_json(),
        "measures": dict(odd.measures),
        "changed_px": [int(count) for count in views.changed_px[:, k]],
    }
