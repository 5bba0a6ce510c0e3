"""One picture of a dataset as the page asks for it: small or whole, with its masks, its references, its meshes."""

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image

from datagen.core.errors import DatagenError, UsageError
from datagen.core.shape import Mesh
from datagen.formats.instances import Picture
from datagen.formats.pictures import RED, decoded, tinted
from datagen.kinds.registry import Kind
from datagen.store.reader import DatasetReader
from datagen.verify.report.meshes import packed, viewer
from datagen.view.index import Index

MESH_PAGE = """<!doctype html><meta charset="utf-8"><title>meshes</title>
<style>body{{margin:0;font:14px system-ui;display:flex;flex-wrap:wrap;gap:12px;color-scheme:light dark}}
figure{{margin:0;flex:1 1 40%}}canvas{{touch-action:none;cursor:grab;border-radius:6px;background:#8882;width:100%}}
script[type]{{display:none}}</style>
{figures}<script>{viewer}</script>"""
FIGURE = """<figure><canvas data-mesh="{name}" tabindex="0" aria-label="{title}"></canvas>
<figcaption>{title}</figcaption>
<script type="application/octet-stream" id="mesh-{name}">{data}</script></figure>"""


UNTOLD = ("K", "T_world_camera", "T_shape_source", "sha256", "versions")
"""Columns that say nothing to the eye."""


class Shown:
    """Reads what is asked for and keeps nothing."""

    def __init__(self, index: Index, kind: Kind, reader: DatasetReader) -> None:
        self._index, self._kind, self._reader = index, kind, reader

    def thumbnail(self, number: int, size: int, marked: bool) -> bytes:
        """A JPEG whose longer side is `size` pixels, anomalies in red if `marked`. Raises BrokenFile."""
        pixels = decoded(self._reader.read(str(self._index.rows["query_path"][number])))
        if marked and self._index.rows["label"][number].as_py():
            picture = self._picture(number)
            if picture is not None and picture.mask.any():
                pixels = tinted(pixels, picture.mask, RED, 0.55)
        return _jpeg(pixels, size)

    def whole(self, number: int) -> bytes:
        """The picture's own bytes. Raises BrokenFile."""
        return self._reader.read(str(self._index.rows["query_path"][number]))

    def detail(self, number: int) -> dict[str, Any]:
        """What is known of a picture: its row, its instances, how many references it has."""
        row = self._index.whole(number)
        picture = self._picture(number)
        told = {key: value for key, value in row.items() if value not in ("", [], None, 0, 0.0) and key not in UNTOLD}
        return {
            "row": told,
            "instances": [instance.to_json() for instance in picture.instances] if picture else [],
            "references": len(picture.references) if picture else 0,
            "meshes": bool(self._kind.instances and (self._kind.instances.solids or self._kind.instances.stages)),
        }

    def reference(self, number: int, view: int, size: int) -> bytes:
        """A JPEG of one reference view. Raises UsageError where there is none, BrokenFile."""
        picture = self._picture(number)
        if picture is None or not 0 <= view < len(picture.references):
            raise UsageError("there is no such reference view")
        return _jpeg(decoded(self._reader.read(picture.references[view])), size)

    def meshes(self, number: int) -> str:
        """A page of the normal and anomalous meshes of a picture, to be turned. Raises UsageError, BrokenFile."""
        figures = []
        for k, (title, mesh, changed) in enumerate(self._meshes(number)):
            low, high = mesh.bounds
            triangles = (mesh.triangles - (low + high) / 2) / max(float(np.linalg.norm(high - low)) / 2, 1e-9)
            figures.append(FIGURE.format(name=k, title=title, data=packed(triangles, changed)))
        return MESH_PAGE.format(figures="".join(figures), viewer=viewer())

    def _meshes(self, number: int) -> Iterator[tuple[str, Mesh, np.ndarray]]:
        instances, row = self._kind.instances, self._index.whole(number)
        if instances is None or not (instances.solids or instances.stages):
            raise UsageError("datasets of this kind have no meshes")
        if instances.solids is not None:
            for compared in instances.solids(self._reader, [row], "", ()):
                yield "normal", compared.normal.mesh, compared.normal.changed
                for solid in compared.anomalous:
                    yield solid.kind, solid.mesh, solid.changed
        elif instances.stages is not None:
            seen: set[str] = set()
            for stage in instances.stages(self._reader, [row], "", ()):
                for thing in sorted(stage.things, key=lambda thing: thing.label):
                    if thing.model not in seen:
                        seen.add(thing.model)
                        yield thing.kind, thing.mesh, np.full(len(thing.mesh.faces), bool(thing.label))

    def _picture(self, number: int) -> Picture | None:
        """The picture with its masks; None where its kind tells none, or a file of it is damaged."""
        if self._kind.instances is None:
            return None
        rows = [self._index.record(number), *self._index.companions(number)]
        try:
            return next(iter(self._kind.instances.pictures(self._reader, rows)), None)
        except DatagenError:
            return None


def _jpeg(pixels: np.ndarray, size: int) -> bytes:
    image = Image.fromarray(pixels)
    if max(image.size) > size:
        image.thumbnail((size, size), Image.Resampling.BOX, reducing_gap=2.0)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()
