"""MuJoCo XML as a placing plan: which mesh stands where (z up), as MuJoCo itself places it.

Default classes, frames, replicas, includes and every spelling of a pose are read. What makes geometry in a way of
its own (attached models, composites, flexes, skins, built-in meshes) is refused by name. Physics is not read.
"""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from datagen.core.errors import ShapeError
from datagen.shapes.mjcf_assets import Assets, MeshAsset, MjcfDocument, class_of, read_assets, read_document
from datagen.shapes.mjcf_values import (
    ORIENTATIONS,
    Compiler,
    DefaultClass,
    euler,
    merged,
    pose,
    present,
    read_compiler,
    read_defaults,
    towards,
)
from datagen.shapes.placing import COLLISION_WORD, MAX_PLACEMENTS, Placement, PlacingPlan, Reach, distinct, left_out
from datagen.shapes.primitives import primitive
from datagen.shapes.xmlfile import numbers

SHOWN_GROUPS = range(3)
"""Geom groups that MuJoCo's viewer shows unasked."""
MAX_STEPS = 20_000
_COLLISION_CLASS = re.compile(r"(?<![a-z])colls?(?![a-z])|(?<![a-z])col(?![a-z])")
_POSED = frozenset({"name", "pos", "childclass", *ORIENTATIONS})
_KNOWN = {
    "body": _POSED | {"mocap", "gravcomp", "sleep", "user", "fuse", "simple"},
    "frame": _POSED,
    "replicate": frozenset({"count", "offset", "euler", "sep", "childclass"}),
}
_SILENT = frozenset({"inertial", "joint", "freejoint", "site", "camera", "light", "plugin"})
_DEFAULT_RGBA = (0.5, 0.5, 0.5, 1.0)


def read_mujoco(path: Path, collection: Path | None = None) -> PlacingPlan:
    """The visible geoms of an MJCF file in document order, in its world frame at its initial pose.

    Left out are collision geoms (group 3 and above, opacity 0, or called so by name, class or mesh) and the ground
    (planes, height fields). Files may lie below the XML's own folder or below `collection`. Raises ShapeError
    naming the file where it is broken, points elsewhere or holds what is not read.
    """
    reach = Reach(path, collection)
    document = read_document(path, reach)
    try:
        walk = _Walk(document, reach)
        walk.model()
    except ValueError as error:
        raise ShapeError(f"{path}: {error}; mend the file") from error
    warnings = [left_out(path, "collision geometry", walk.hidden)] if walk.hidden else []
    warnings += [left_out(path, "the ground", walk.ground)] if walk.ground else []
    named = tuple(asset.file for asset in walk.assets.meshes.values() if asset.file is not None)
    return PlacingPlan(path, distinct(walk.placements, path), tuple(document.files), named, tuple(warnings))


class _Walk:
    """One pass over a model's bodies; what it finds is in its lists."""

    def __init__(self, document: MjcfDocument, reach: Reach) -> None:
        self.root = document.root
        if self.root.tag != "mujoco":
            raise ValueError(f"its root is <{self.root.tag}>, not <mujoco>")
        self.compiler: Compiler = read_compiler(self.root)
        self.classes: dict[str, DefaultClass] = read_defaults(self.root)
        self.assets: Assets = read_assets(document, self.classes, self.compiler, reach)
        self.placements: list[Placement] = []
        self.hidden: list[str] = []
        self.ground: list[str] = []
        self._steps = self._bodies = 0

    def model(self) -> None:
        for path in ("deformable/flex", "deformable/skin", "asset/skin"):
            if self.root.find(path) is not None:
                raise ValueError(f"<{path.rsplit('/', 1)[-1]}> is not read; save what it shows as a mesh")
        worlds = self.root.findall("worldbody")
        if not worlds:
            raise ValueError("there is no worldbody that could place the parts")
        for world in worlds:
            if moved := sorted(set(world.attrib) & _POSED - {"name"}):
                raise ValueError(f"<worldbody> cannot have {moved[0]}; put a <frame> into it")
            self._children(world, np.eye(4), "", 0, "")

    def _children(self, node: ElementTree.Element, T: np.ndarray, child_class: str, body: int, name: str) -> None:
        for child in node:
            self._steps += child.tag not in _SILENT
            if self._steps > MAX_STEPS or len(self.placements) > MAX_PLACEMENTS:
                raise ValueError(f"it places over {MAX_PLACEMENTS:,} geoms; take replicas out")
            tag = str(child.tag)
            if tag == "geom":
                self._geom(child, T, child_class, body, name)
            elif tag in _KNOWN:
                if unknown := sorted(set(child.attrib) - _KNOWN[tag]):
                    raise ValueError(f"<{tag}> has no attribute {unknown[0]}")
                own_class = child.get("childclass") or child_class
                if own_class and own_class not in self.classes:
                    raise ValueError(f'there is no default class "{own_class}"')
                if tag == "replicate":
                    self._replicas(child, T, own_class, body, name)
                    continue
                inner = T @ pose(merged({}, present(child)), self.compiler)
                if tag == "body":
                    self._bodies += 1
                    self._children(child, inner, own_class, self._bodies, child.get("name", name))
                else:
                    self._children(child, inner, own_class, body, name)
            elif tag not in _SILENT:
                raise ValueError(f"<{tag}> is not read; save what it shows as a mesh geom")

    def _replicas(self, node: ElementTree.Element, T: np.ndarray, child_class: str, body: int, name: str) -> None:
        (count,) = numbers(node.get("count", ""), 1, "count")
        if count != int(count) or not 0 <= count <= MAX_PLACEMENTS:
            raise ValueError(f'<replicate count="{node.get("count")}"> is no count up to {MAX_PLACEMENTS:,}')
        attributes = present(node)
        offset = numbers(attributes.get("offset", "0 0 0"), 3, "offset")
        angles = numbers(attributes.get("euler", "0 0 0"), 3, "euler")
        step = np.eye(4)
        for k in range(int(count)):
            radians = np.radians(k * angles) if self.compiler.degrees else k * angles
            step[:3, :3] = euler(radians, self.compiler.eulerseq)
            self._children(node, T @ step, child_class, body, name)
            # The next replica is off by the offset as this one stands.
            step[:3, 3] += step[:3, :3] @ offset

    def _geom(self, node: ElementTree.Element, T: np.ndarray, child_class: str, body: int, body_name: str) -> None:
        default = class_of(node, self.classes, child_class)
        geom = merged(default.settings.get("geom", {}), present(node))
        kind, mesh_name = geom.get("type", "sphere"), geom.get("mesh", "")
        label = geom.get("name") or mesh_name or kind
        if reason := self._hidden(geom, default):
            if mesh_name:
                self.hidden.append(f"{label} ({reason})")
            return
        if kind in ("plane", "hfield"):
            self.ground.append(label)
            return
        if mesh_name and kind != "mesh":
            raise ValueError(
                f'geom "{label}" fits a {kind} to mesh "{mesh_name}"; give it type="mesh" (group="3" for a collider)'
            )
        collides = any(numbers(geom.get(key, "1"), 1, key)[0] for key in ("contype", "conaffinity"))
        hints = (mesh_name, geom.get("name", ""), body_name)
        if kind == "mesh":
            self.placements.append(
                self._placed_mesh(mesh_name, label, T @ pose(geom, self.compiler), hints, body, collides)
            )
            return
        size, own = self._primitive_frame(geom, kind)
        mesh = primitive(kind, size)
        self.placements.append(Placement(label, " ".join(hints), T @ own, None, mesh, body, collides))

    def _placed_mesh(
        self, mesh_name: str, label: str, T: np.ndarray, hints: tuple[str, ...], body: int, collides: bool
    ) -> Placement:
        asset: MeshAsset | None = self.assets.meshes.get(mesh_name)
        if asset is None:
            raise ValueError(f'geom "{label}" shows mesh "{mesh_name}", which <asset> does not have')
        if asset.refused:
            raise ValueError(asset.refused)
        stem = asset.file.stem if asset.file else mesh_name
        return Placement(stem, " ".join((stem, *hints)), T @ asset.T_geom_file, asset.file, asset.mesh, body, collides)

    def _hidden(self, geom: Mapping[str, str], default: DefaultClass) -> str:
        """Why a geom is not to be seen, or ''."""
        group = numbers(geom.get("group", "0"), 1, "group")[0]
        if group not in SHOWN_GROUPS:
            return f"group {group:g}"
        rgba = numbers(geom.get("rgba", "0.5 0.5 0.5 1"), 4, "rgba")
        opacity = float(rgba[3])
        if tuple(rgba) == _DEFAULT_RGBA and "material" in geom:
            opacity = self.assets.opacity.get(geom["material"], 1.0)
        if opacity == 0:
            return "opacity 0"
        called = f"{geom.get('name', '')} {geom.get('mesh', '')} {' '.join(default.chain)}".lower()
        asset = self.assets.meshes.get(geom.get("mesh", ""))
        called += f" {asset.file.stem.lower()}" if asset and asset.file else ""
        by_class = _COLLISION_CLASS.search(" ".join(default.chain).lower())
        return "by its name" if COLLISION_WORD.search(called) or by_class else ""

    def _primitive_frame(self, geom: Mapping[str, str], kind: str) -> tuple[np.ndarray, np.ndarray]:
        """Size and T_parent_geom (4, 4) of a primitive, `fromto` included. Raises ValueError."""
        if kind not in ("sphere", "capsule", "ellipsoid", "cylinder", "box"):
            raise ValueError(f'geom type "{kind}" is not read; save it as a mesh')
        size = numbers(geom.get("size", ""), range(0, 4), "size")
        if "fromto" not in geom:
            return size, pose(geom, self.compiler)
        if numbers(geom.get("pos", "0 0 0"), 3, "pos").any():
            raise ValueError(f"a {kind} has both pos and fromto; take one away")
        if kind == "sphere" or not len(size):
            raise ValueError(f"fromto does not fit a {kind} of size {geom.get('size', '')!r}")
        ends = numbers(geom["fromto"], 6, "fromto").reshape(2, 3)
        half = float(np.linalg.norm(ends[0] - ends[1])) / 2
        T = np.eye(4)
        T[:3, :3], T[:3, 3] = towards(ends[0] - ends[1], "fromto"), ends.mean(axis=0)
        return np.array([size[0], half] if kind in ("capsule", "cylinder") else [size[0], size[0], half]), T
