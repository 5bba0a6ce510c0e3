"""What is wrong with a part's surface, and what about it an operator should know."""

from dataclasses import dataclass

import numpy as np
import pymeshlab

from datagen.core.shape import Mesh
from datagen.geometry.clean import clean, face_components, good_faces, weld
from datagen.geometry.sample import surface_distance

THIN = 0.05
"""Smallest over largest extent below which a part is a thin sheet."""
SAME = 0.01
"""Mean distance over the diagonal below which a turned part is taken for itself: what an operator's policy asks."""
NO_AREA = 5e-15
"""Half of what `clean` takes for twice a face's area."""
SAMPLES = 1000
MOST_FACES = 200_000
"""Faces from which on crossings are not looked for: that grows faster than anything else here."""


@dataclass(frozen=True)
class Health:
    """Figures of one part's mesh; lengths in the units of the mesh."""

    faces: int
    degenerate: int
    """Faces without an area."""
    doubled: int
    """Faces that lie on another of the same corners."""
    pieces: int
    """Pieces that share no vertex."""
    open_edges: int
    """Edges of one face alone: rims of holes and of sheets."""
    inverted: bool
    """Whether a closed surface is turned inside out."""
    crossing: int | None
    """Faces that cut through others; None where there are too many to look."""
    thin: bool
    turns: tuple[str, ...]
    """Axes about which half a turn leaves the part nearly as it is: rotating it there changes little."""

    @property
    def closed(self) -> bool:
        """Whether the surface has an inside."""
        return self.open_edges == 0

    def words(self) -> list[str]:
        """What a person should know, worst first; nothing of a sound part."""
        told = []
        if self.inverted:
            told.append("inside out")
        if self.open_edges:
            told.append(f"open, {self.open_edges} rim edges")
        if self.crossing:
            told.append(f"{self.crossing} faces cross others")
        if self.doubled:
            told.append(f"{self.doubled} doubled faces")
        if self.degenerate:
            told.append(f"{self.degenerate} faces without area")
        if self.pieces > 1:
            told.append(f"{self.pieces} loose pieces")
        if self.thin:
            told.append("a thin sheet")
        if self.turns:
            told.append(f"nearly the same after half a turn about {', '.join(self.turns)}")
        return told


def health(mesh: Mesh) -> Health:
    """Look at a part as its file has it. Raises MeshLoadError where no face has an area."""
    welded = weld(mesh)
    flat = welded.face_areas <= NO_AREA
    kept = good_faces(welded.vertices, welded.faces)
    whole = clean(mesh)
    edges = np.sort(np.concatenate([whole.faces[:, [0, 1]], whole.faces[:, [1, 2]], whole.faces[:, [2, 0]]]), axis=1)
    _, counts = np.unique(edges, axis=0, return_counts=True)
    open_edges = int((counts == 1).sum())
    extents = whole.extents
    return Health(
        faces=len(mesh.faces),
        degenerate=int(flat.sum()),
        doubled=int((~kept & ~flat).sum()),
        pieces=int(face_components(whole.faces, len(whole.vertices)).max()) + 1,
        open_edges=open_edges,
        inverted=open_edges == 0 and _signed_volume(whole) < 0,
        crossing=_crossing(whole) if len(whole.faces) <= MOST_FACES else None,
        thin=bool(extents.min() < THIN * extents.max()),
        turns=_turns(whole),
    )


def _signed_volume(mesh: Mesh) -> float:
    a, b, c = mesh.triangles.transpose(1, 0, 2)
    return float(np.einsum("ij,ij->i", a - mesh.centre, np.cross(b - mesh.centre, c - mesh.centre)).sum() / 6)


def _crossing(mesh: Mesh) -> int:
    found = pymeshlab.MeshSet()
    found.add_mesh(pymeshlab.Mesh(mesh.vertices, mesh.faces))
    found.compute_selection_by_self_intersections_per_face()
    return int(found.current_mesh().selected_face_number())


def _turns(mesh: Mesh) -> tuple[str, ...]:
    """Axes through the middle of the bounds about which half a turn lays the surface on itself."""
    named = []
    for axis, name in enumerate("xyz"):
        sign = -np.ones(3)
        sign[axis] = 1.0
        T = np.diag([*sign, 1.0])
        T[:3, 3] = mesh.centre - sign * mesh.centre
        if float(surface_distance(mesh.transformed(T), mesh, SAMPLES).mean()) < SAME * mesh.diagonal:
            named.append(name)
    return tuple(named)
