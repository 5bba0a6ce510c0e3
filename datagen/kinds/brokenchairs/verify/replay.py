"""Geometry replayed: what a sample's picture and masks have to show, from the shapes and the row's spec."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from datagen.annotate.masks import Annotation, annotate_view
from datagen.annotate.quality import check_contrast, check_picture, outline_share
from datagen.core.anomaly import AnomalousShape, Rejected
from datagen.core.camera import Camera
from datagen.core.errors import DatagenError
from datagen.core.lens import AnyLens, lens_data
from datagen.core.scene import GeometryFrame
from datagen.core.shape import T_INSIDE_FROM_PUBLISHED, Shape
from datagen.geometry.rays import RayScene
from datagen.kinds.brokenchairs.behind import backdrop_of, expected_behind, refuse_unlike
from datagen.kinds.brokenchairs.looks import row_lens
from datagen.kinds.brokenchairs.state import state_key, state_of
from datagen.kinds.brokenchairs.verify.banded import Banded, banded
from datagen.kinds.brokenchairs.verify.compare import grown, inside, iou
from datagen.kinds.brokenchairs.verify.meshes import read_obj
from datagen.kinds.brokenchairs.verify.queries import QueryFacts
from datagen.kinds.brokenchairs.verify.source import OpenSource
from datagen.kinds.brokenchairs.verify.tree import ChairTree
from datagen.recipe.models import Recipe
from datagen.render.raycast import cast_view
from datagen.scenes.cameras import of_station, query_transform
from datagen.verify.pictures import open_picture

QUERY_SCALE = 0.833
"""Bounding-sphere radius of the query scene where neither row nor recipe says it."""


@dataclass(frozen=True, eq=False)
class Replay:
    """One sample replayed. `how` is `parts` (from the source's parts) or `mesh` (from model.obj: normal shape only).

    Shares are of the file's mask or of the frame's silhouette; None where there is nothing to compare.
    `refused` says why the operator does not accept its own spec any more; `problem` why nothing was replayed.
    """

    query: QueryFacts
    how: str = ""
    problem: str = ""
    refused: str = ""
    severity: float | None = None
    mask_new_iou: float | None = None
    mask_old_iou: float | None = None
    mask_new_inside: float | None = None
    mask_old_inside: float | None = None
    box: tuple[float, float, float, float] | None = None
    changed_px: int | None = None
    changed_outside: float | None = None
    """Share of changed pixels that lie beyond both replayed masks, grown by a pixel."""
    visible_px: int | None = None
    picture_fault: str = ""
    outline: float | None = None
    """Share of the silhouette's outline at which the picture has an edge."""
    banded: Banded | None = None
    """Deviations measured again; None where nothing is measured."""


@dataclass(eq=False)
class Replayer:
    """Replays samples of a tree; shapes, scenes and operators are kept while they may be used again."""

    tree: ChairTree
    recipe: Recipe | None
    source: OpenSource | None
    _scenes: dict[str, tuple[RayScene, np.ndarray | None]] = field(default_factory=dict)
    _anomalies: dict[str, AnomalousShape | Rejected] = field(default_factory=dict)
    _changed: RayScene | None = None
    _changed_key: str = ""
    _latest_banded: Banded | None = None
    _banded_key: str = ""

    @cached_property
    def limits(self) -> Recipe:
        """The recipe's quality limits, or the defaults."""
        return self.recipe or Recipe()

    def replay(self, query: QueryFacts) -> Replay:
        """One sample. Never raises for what files hold: `problem` says what was wrong."""
        name, picture = query.name, query.picture
        if picture is None or name.radius is None or name.azimuth_deg is None or name.elevation_deg is None:
            return Replay(query, problem="its picture or name cannot be read")
        focal = self.limits.query.focal_at(name.radius)
        try:
            lens = row_lens(query.row)
            seen = (name.azimuth_deg, name.elevation_deg, name.radius, picture.width)
            camera = Camera(*seen, focal_px_at_256=focal, lens=lens)
            if self.source is not None and query.row is not None:
                return replace(self._from_parts(query, query.row, camera), banded=self._banded(query.row))
            return self._from_mesh(query, camera)
        except (DatagenError, OSError, KeyError, TypeError, ValueError) as error:
            return Replay(query, problem=str(error))

    def _from_parts(self, query: QueryFacts, row: Mapping[str, Any], camera: Camera) -> Replay:
        assert self.source is not None
        shape = self.source.load(row["shape_id"])
        T = query_transform(shape, self.limits.query)
        stands = of_station(camera, shape, self.limits.query)
        if stands is None:
            return Replay(query, "parts", problem="no camera of the station stands where it was seen from")
        if not _same_lens(camera.lens, stands.lens):
            return Replay(query, "parts", problem=f"its lens is {row.get('lens') or 'none'}, not the station's")
        camera = stands
        shape = state_of(row).placed(shape)
        before = cast_view(self._scene(shape, T, state_key(row)), camera)
        if not query.name.label:
            fault, outline = self._picture(query, before, None)
            return Replay(query, "parts", visible_px=int(before.silhouette.sum()), picture_fault=fault, outline=outline)
        result = self._anomaly(row)
        if isinstance(result, Rejected):
            return Replay(query, "parts", refused=f"{result.reason}: {result.detail}")
        after = cast_view(self._changed_scene(row, result, T), camera)
        union = self.limits.anomaly.broken.box_is_union
        note = annotate_view(before, after, result, union_box=union)
        looks = self._picture(query, after, note)
        return self._compare(query, result, (before, after), note, looks)

    def _compare(
        self,
        query: QueryFacts,
        result: AnomalousShape,
        frames: tuple[GeometryFrame, GeometryFrame],
        note: Annotation | None,
        looks: tuple[str, float | None],
    ) -> Replay:
        """`frames`: without and with the anomaly. `looks`: what `_picture` says."""
        (before, after), (fault, outline) = frames, looks
        if note is None:
            return Replay(query, "parts", refused="the part is not seen in this view", severity=result.severity)
        new, old = self._masks(query)
        either = note.mask_old if note.mask_new is None else note.mask_old | note.mask_new
        changed = int(note.changed.sum())
        return Replay(
            query,
            "parts",
            severity=result.severity,
            mask_new_iou=iou(new, note.mask_new),
            mask_old_iou=iou(old, note.mask_old),
            mask_new_inside=inside(new, after),
            mask_old_inside=inside(old, before),
            box=note.bbox_xywh_512,
            changed_px=changed,
            changed_outside=float((note.changed & ~grown(either)).sum() / max(changed, 1)),
            visible_px=int(after.silhouette.sum()),
            picture_fault=fault,
            outline=outline,
        )

    def _banded(self, row: Mapping[str, Any]) -> Banded | None:
        """The latest is kept: the views of a job follow each other."""
        assert self.source is not None
        rest = self.source.load(row["shape_id"])
        if self.recipe is None or not self.recipe.units or not rest.mm:
            return None
        key = f"{row['label']} {_anomaly_key(row)}"
        if key != self._banded_key:
            made = self._anomaly(row) if row["label"] else None
            self._latest_banded, self._banded_key = banded(rest, row, made, self.recipe), key
        return self._latest_banded

    def _from_mesh(self, query: QueryFacts, camera: Camera) -> Replay:
        """What model.obj alone can tell: the normal silhouette, hence mask_old and normal pictures; of a posed shape
        nothing, for it is at rest there."""
        if query.row is not None and state_key(query.row).strip():
            return Replay(query, "mesh")
        before = cast_view(self._mesh_scene(query), camera)
        _, old = self._masks(query)
        if query.name.label:
            return Replay(query, "mesh", mask_old_inside=inside(old, before))
        fault, outline = self._picture(query, before, None)
        return Replay(query, "mesh", visible_px=int(before.silhouette.sum()), picture_fault=fault, outline=outline)

    def _scene(self, shape: Shape, T: np.ndarray, state: str) -> RayScene:
        key = f"{shape.shape_id} {state}"
        if key not in self._scenes:
            self._trim(self._scenes)
            meshes = [(part.part_id, part.mesh.transformed(T)) for part in shape.parts]
            self._scenes[key] = (RayScene(meshes), None)
        return self._scenes[key][0]

    def _changed_scene(self, row: Mapping[str, Any], result: AnomalousShape, T: np.ndarray) -> RayScene:
        """The latest one is kept: the views of an anomaly follow each other, and one of a dense mesh is large."""
        key = _anomaly_key(row)
        if key != self._changed_key:
            self._changed = RayScene([(i, mesh.transformed(T)) for i, mesh in result.meshes()])
            self._changed_key = key
        assert self._changed is not None
        return self._changed

    def _mesh_scene(self, query: QueryFacts) -> RayScene:
        shape = query.name.shape
        if shape not in self._scenes:
            self._trim(self._scenes)
            mesh = read_obj(self.tree, f"shapes/shape_{shape}/model.obj").transformed(T_INSIDE_FROM_PUBLISHED)
            scale = float(query.row["query_scale"]) if query.row else self.limits.query.scale or QUERY_SCALE
            radius = float(np.linalg.norm(mesh.vertices - mesh.centre, axis=1).max())
            T = np.eye(4)
            T[:3, :3] *= scale / radius
            T[:3, 3] = -scale / radius * mesh.centre
            self._scenes[shape] = (RayScene([(1, mesh.transformed(T))]), None)
        return self._scenes[shape][0]

    def _anomaly(self, row: Mapping[str, Any]) -> AnomalousShape | Rejected:
        assert self.source is not None
        key = _anomaly_key(row)
        if key not in self._anomalies:
            self._trim(self._anomalies)
            self._anomalies[key] = self.source.remade(row, self.limits)
        return self._anomalies[key]

    @staticmethod
    def _trim(cache: dict[str, Any], size: int = 8) -> None:
        while len(cache) >= size:
            cache.pop(next(iter(cache)))

    def _masks(self, query: QueryFacts) -> tuple[np.ndarray | None, np.ndarray | None]:
        found = []
        for key in ("mask_new", "mask_old"):
            path = query.name.twin(key, ".png")
            here = path in self.tree.files.sizes and path not in query.problems
            found.append(np.asarray(open_picture(self.tree.files.read(path)).convert("L")) > 127 if here else None)
        return found[0], found[1]

    def _picture(self, query: QueryFacts, frame: GeometryFrame, note: Annotation | None) -> tuple[str, float | None]:
        """The build's own check of a picture against its geometry, and how well outlines meet."""
        picture = np.asarray(open_picture(self.tree.files.read(query.path)).convert("RGB"))
        asked, row = self.limits.query, query.row or {}
        unlike = refuse_unlike(row, asked)
        if unlike:
            return unlike, None
        why = check_picture(picture, frame, self.limits.quality, expected_behind(backdrop_of(row, asked), asked))
        if why is None and note is not None:
            why = check_contrast(picture, note.changed, self.limits.quality)
        return (f"{why.reason}: {why.detail}" if why else ""), outline_share(picture, frame.silhouette)


def _same_lens(one: AnyLens, other: AnyLens) -> bool:
    a, b = lens_data(one), lens_data(other)
    return a.keys() == b.keys() and all(np.allclose(a[key], b[key], atol=1e-6) for key in a)


def _anomaly_key(row: Mapping[str, Any]) -> str:
    """What an anomalous shape is made from."""
    return f"{row['shape_id']} {row['split']} {row['spec']} {state_key(row)}"
