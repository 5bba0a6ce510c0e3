"""How far parts lie off their places, read from a dataset's model files alone: OBJ and numbers of run.json, by numpy.

For datasets of pairs (`reference.counterfactual`), whose anomalous shapes have a model.obj of their own.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np

RIGID = ("position", "rotation")


@dataclass(frozen=True)
class Layout:
    """A shape as its source has it: (id, name, vertices) of its parts in order, and millimetres of its diagonal."""

    parts: tuple[tuple[int, str, int], ...]
    diagonal_mm: float


@dataclass(frozen=True)
class Off:
    """A part's shift in mm and turn in degrees, and what is allowed of it."""

    mm: float
    deg: float
    allowed_mm: float
    allowed_deg: float

    @property
    def ratio(self) -> float:
        """The larger share of what is allowed."""
        shares = ((self.mm, self.allowed_mm), (self.deg, self.allowed_deg))
        return max(value / allowed if allowed else 0.0 for value, allowed in shares)


def read_obj(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (N, 3) and faces (M, 3) of a plain OBJ."""
    lines = [line.split() for line in path.read_text().splitlines()]
    vertices = [list(map(float, line[1:])) for line in lines if line[:1] == ["v"]]
    faces = [[int(corner) - 1 for corner in line[1:]] for line in lines if line[:1] == ["f"]]
    return np.array(vertices), np.array(faces)


def rigid(before: np.ndarray, after: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Rotation (3, 3) and translation (3,) from one to the other's points (N, 3) after Kabsch; the largest residual."""
    a, b = before.mean(axis=0), after.mean(axis=0)
    u, _, vt = np.linalg.svd((before - a).T @ (after - b))
    R = vt.T @ np.diag([1, 1, np.linalg.det(vt.T @ u.T)]) @ u.T
    t = b - R @ a
    return R, t, float(np.abs(before @ R.T + t - after).max())


def off_place(before: np.ndarray, after: np.ndarray, faces: np.ndarray) -> tuple[float, float, float]:
    """Shift of the surface's centroid, turn in degrees, and what no rigid motion explains."""
    R, t, left = rigid(before, after)
    a, b, c = before[faces].transpose(1, 0, 2)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    centre = ((a + b + c) / 3 * area[:, None]).sum(axis=0) / area.sum()
    angle = np.degrees(np.arctan2(np.linalg.norm(R - R.T) / np.sqrt(8), (np.trace(R) - 1) / 2))
    return float(np.linalg.norm(R @ centre + t - centre)), float(angle), left


class ModelFiles:
    """The models of a dataset's shapes, and of its anomalous shapes; `layouts` by the source's shape ids."""

    def __init__(self, root: Path, layouts: Mapping[str, Layout], rows: list[dict[str, Any]]) -> None:
        self.root, self.layouts = root, layouts
        self.tolerance = json.loads((root / "run.json").read_bytes())["recipe"]["tolerance"]
        self.samples = [row for row in rows if row["row_type"] == "sample"]
        self.shapes = {row["shape_id"]: row["public_id"] for row in rows}
        self.bundles = [row for row in rows if row["row_type"] == "reference" and row["reason"]]

    def allowed(self, name: str) -> tuple[float, float]:
        """What the drawing allows of a part: mm and degrees."""
        by_part = self.tolerance["by_part"].items()
        told = next((band for pattern, band in by_part if fnmatchcase(name, pattern)), self.tolerance)
        return told["position_mm"], told["rotation_deg"]

    def measured(self, bundle: Mapping[str, Any]) -> dict[int, Off]:
        """Part id -> how far it lies off, for every part of an anomalous shape that is as it was but for its place."""
        layout, public = self.layouts[bundle["shape_id"]], bundle["public_id"]
        before, faces = read_obj(self.root / f"shapes/shape_{public}/model.obj")
        folder = next(Path(path).parent for path in dict(bundle["sha256"]) if path.endswith("/model.obj"))
        after, _ = read_obj(self.root / folder / "model.obj")
        mm = layout.diagonal_mm / np.linalg.norm(np.ptp(before, axis=0))
        counts = [count for _, _, count in layout.parts]
        assert sum(counts) == len(before), "the model has the parts of its source"
        found, here, there = {}, 0, 0
        for part_id, name, count in layout.parts:
            own = count
            if part_id == bundle["part_id"] and bundle["kind"] not in RIGID:
                own = len(after) - (len(before) - count)
            else:
                mine = faces[(faces >= here).all(axis=1) & (faces < here + count).all(axis=1)] - here
                shift, turn, left = off_place(before[here : here + count], after[there : there + count], mine)
                assert left < 1e-5, f"{name} of {folder} is no rigid motion of its nominal mesh: {left}"
                found[part_id] = Off(mm * shift, turn, *self.allowed(name))
            here, there = here + count, there + own
        assert there == len(after)
        return found

    def told(self, row: Mapping[str, Any]) -> dict[int, Off]:
        """Part id -> how far it lies off by the row's own list of motions."""
        jitter = {int(part): np.array(motion) for part, motion in json.loads(row.get("jitter") or "{}").items()}
        found = {}
        for part_id, name, _ in self.layouts[row["shape_id"]].parts:
            motion = jitter.get(part_id, np.zeros(6))
            found[part_id] = Off(
                *(float(np.linalg.norm(half)) for half in (motion[:3], motion[3:])), *self.allowed(name)
            )
        return found

    def disagreements(self, close: float = 0.01) -> Iterator[str]:
        """Where manifest, drawing and model files say different things: mm and degrees to `close`."""
        by_job = {bundle["job_id"]: bundle for bundle in self.bundles if bundle["kind"] != "crack"}
        by_file = {job: self.measured(bundle) for job, bundle in by_job.items() if not bundle.get("pose")}
        for row in self.samples:
            told, files = self.told(row), by_file.get(row["job_id"], {})
            own = row["part_id"] if row["label"] else 0
            spoilt = by_job[row["job_id"]]["part_id"] if files else 0
            for part_id, off in files.items():
                if part_id != spoilt and max(abs(off.mm - told[part_id].mm), abs(off.deg - told[part_id].deg)) > close:
                    yield f"{row['query_path']}: part {part_id} measures {off}, its row says {told[part_id]}"
            good = {part: off for part, off in {**told, **without(files, spoilt)}.items() if part != own}
            yield from (
                f"{row['query_path']}: good part {part_id} lies outside: {off}"
                for part_id, off in good.items()
                if off.ratio > 1
            )
            if row["label"] and row["kind"] in RIGID and own in files:
                yield from self._defect(row, files[own], close)
            elif not row["label"]:
                yield from self._good(row, max(off.ratio for off in good.values()), close)

    def _defect(self, row: Mapping[str, Any], off: Off, close: float) -> Iterator[str]:
        size = off.deg if row["kind"] == "rotation" else off.mm
        pairs = (row["deviation_mm"], off.mm), (row["deviation_deg"], off.deg), (row["magnitude"], size)
        if any(abs(said - found) > close for said, found in pairs):
            yield f"{row['query_path']}: measures {off}, its row says {pairs}"
        if off.ratio <= 1:
            yield f"{row['query_path']}: the defect lies within: {off}"

    def _good(self, row: Mapping[str, Any], ratio: float, close: float) -> Iterator[str]:
        if abs(row["tolerance_ratio"] - ratio) > close * max(1.0, ratio):
            yield f"{row['query_path']}: ratio {row['tolerance_ratio']}, found {ratio}"


def without(files: Mapping[int, Off], part_id: int) -> dict[int, Off]:
    """All but one part's."""
    return {part: off for part, off in files.items() if part != part_id}
