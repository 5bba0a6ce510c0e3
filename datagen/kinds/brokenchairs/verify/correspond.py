"""Do a bundle's correspondences hold together? Points triangulated from their pixels, cells, depth."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from datagen.kinds.brokenchairs.verify.bundles import DeepView

PATCH_PX = 8
MIN_COVISIBLE = 32
"""Points that the published loader needs in both of two views."""


@dataclass(frozen=True, eq=False)
class ViewFigures:
    """What the deep pass finds in one view. NaN where the files needed are absent.

    `pxy_error_px`: 95th percentile, over visible points, of the distance between a point's pixel and the
    projection of its triangulation from the other views. `cell_error`: largest |pixel/8 - cell| of `xyz`.
    `visible_on_object`: share of visible points on the picture's object. Depth figures: share of the
    depth's and of the picture's silhouette on which they agree (the lower), median of depth over the z
    of `xyz`, slope of that ratio's logarithm on the logarithm of ray length over z (0 for a depth, 1 for a ray length).
    """

    stem: str
    pxy_error_px: float
    visible: int
    visible_on_object: float
    cells: int
    cell_error: float
    depth_finite: bool
    depth_overlap: float
    depth_ratio: float
    depth_spread: float
    ray_slope: float


def triangulate(views: Sequence[DeepView]) -> np.ndarray | None:
    """World points (N, 3) from their pixels in all views, least squares with one robust second round.

    None when fewer than two views have cameras and points, or when they differ in the number of points.
    """
    usable = [v for v in views if v.facts.camera is not None and v.pxy is not None]
    if len(usable) < 2 or len({len(v.pxy) for v in usable if v.pxy is not None}) != 1:
        return None
    origins, projectors = [], []
    for view in usable:
        origin, direction = _rays(view)
        origins.append(origin)
        projectors.append(np.eye(3) - direction[:, :, None] * direction[:, None, :])
    P, o = np.stack(projectors), np.stack(origins)
    points = _nearest(P, o, np.ones(P.shape[:2]))
    # A view that is wrong pulls every point: the second round listens only to views near the first answer.
    miss = np.linalg.norm(np.einsum("vnij,vnj->vni", P, points[None] - o[:, None]), axis=2)
    middle = np.median(miss, axis=0)
    return _nearest(P, o, (miss <= 3 * middle + 0.01).astype(float))


def _rays(view: DeepView) -> tuple[np.ndarray, np.ndarray]:
    camera, pxy = view.facts.camera, view.pxy
    assert camera is not None and pxy is not None
    row, column = pxy[:, 0].astype(float), pxy[:, 1].astype(float)
    local = np.stack(
        [(column - camera.K[0, 2]) / camera.K[0, 0], (camera.K[1, 2] - row) / camera.K[1, 1], -np.ones(len(row))],
        axis=1,
    )
    world = local @ camera.RT_[:3, :3].T
    return camera.position, world / np.linalg.norm(world, axis=1, keepdims=True)


def _nearest(P: np.ndarray, o: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Points (N, 3) nearest to the rays of projectors P (V, N, 3, 3) through origins o (V, 3)."""
    A = np.einsum("vn,vnij->nij", weight, P) + 1e-9 * np.eye(3)
    b = np.einsum("vn,vnij,vj->ni", weight, P, o)
    solved: np.ndarray = np.linalg.solve(A, b[..., None])[..., 0]
    return solved


def view_figures(view: DeepView, points: np.ndarray | None) -> ViewFigures:
    """The figures of one view; `points` are the bundle's triangulated points."""
    pxy_error, visible, on_object = _pxy_figures(view, points)
    cells, cell_error, depth_ratio, spread, slope = _cell_figures(view)
    return ViewFigures(
        stem=view.facts.stem,
        pxy_error_px=pxy_error,
        visible=visible,
        visible_on_object=on_object,
        cells=cells,
        cell_error=cell_error,
        depth_finite=view.depth is None or bool(np.isfinite(view.depth).all() and (view.depth >= 0).all()),
        depth_overlap=_overlap(view),
        depth_ratio=depth_ratio,
        depth_spread=spread,
        ray_slope=slope,
    )


def _pxy_figures(view: DeepView, points: np.ndarray | None) -> tuple[float, int, float]:
    if view.pxy is None or view.is_visible is None:
        return np.nan, 0, np.nan
    seen = view.is_visible
    error = np.nan
    if points is not None and view.facts.camera is not None and len(points) == len(view.pxy):
        pixels, _ = view.facts.camera.project(points)
        miss = np.linalg.norm(pixels - view.pxy, axis=1)
        error = float(np.nanpercentile(miss, 95))
    share = np.nan
    if view.silhouette is not None and seen.any():
        height, width = view.silhouette.shape
        rows, columns = view.pxy[seen].T
        inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        near = _grown(view.silhouette)
        share = float(near[rows.clip(0, height - 1), columns.clip(0, width - 1)][inside].sum() / len(rows))
    return error, int(seen.sum()), share


def _grown(mask: np.ndarray) -> np.ndarray:
    """The mask and its four neighbours: pixels are rounded to, not floored to."""
    grown = mask.copy()
    grown[1:] |= mask[:-1]
    grown[:-1] |= mask[1:]
    grown[:, 1:] |= mask[:, :-1]
    grown[:, :-1] |= mask[:, 1:]
    return grown


def _cell_figures(view: DeepView) -> tuple[int, float, float, float, float]:
    """Of the position map: cells filled, worst cell error, and depth against the z of the map's points."""
    if view.xyz is None or view.facts.camera is None:
        return 0, np.nan, np.nan, np.nan, np.nan
    cells = np.argwhere((view.xyz != -1).any(axis=2))
    if len(cells) == 0:
        return 0, np.nan, np.nan, np.nan, np.nan
    camera = view.facts.camera
    pixels, z = camera.project(view.xyz[tuple(cells.T)].astype(np.float64))
    offset = np.abs(pixels / PATCH_PX - cells).max(axis=1)
    error = float(np.max(np.where(np.isfinite(offset) & (z > 0), offset, np.inf)))
    if view.depth is None:
        return len(cells), error, np.nan, np.nan, np.nan
    height, width = view.depth.shape
    rows = np.nan_to_num(pixels[:, 0], nan=-1, posinf=-1, neginf=-1).astype(int)
    columns = np.nan_to_num(pixels[:, 1], nan=-1, posinf=-1, neginf=-1).astype(int)
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width) & (z > 0)
    found = np.where(inside, view.depth[rows.clip(0, height - 1), columns.clip(0, width - 1)], 0.0)
    use = (found > 0) & np.isfinite(found)
    if use.sum() < 10:
        return len(cells), error, 0.0, np.inf, np.nan
    ratio = np.log(found[use] / z[use])
    length = np.linalg.norm(view.xyz[tuple(cells[use].T)] - camera.position, axis=1)
    stretch = np.log(length / z[use])
    middle = float(np.median(ratio))
    return len(cells), error, float(np.exp(middle)), float(np.median(np.abs(ratio - middle))), _slope(stretch, ratio)


def _slope(x: np.ndarray, y: np.ndarray) -> float:
    """Slope of y on x: the median of pairwise slopes between the lower and the upper half of x (robust)."""
    order = np.argsort(x)
    half = len(order) // 2
    low, high = order[:half], order[len(order) - half :]
    run = x[high] - x[low]
    use = run > 1e-4
    return float(np.median((y[high] - y[low])[use] / run[use])) if use.sum() >= 5 else 0.0


def _overlap(view: DeepView) -> float:
    """Share of the depth's silhouette on the picture's or of the picture's on the depth's, the lower."""
    if view.depth is None or view.silhouette is None or view.depth.shape != view.silhouette.shape:
        return np.nan
    solid, shown = view.depth > 0, view.silhouette
    if not solid.any() or not shown.any():
        return 0.0
    return float(min(_grown(shown)[solid].mean(), _grown(solid)[shown].mean()))


def covisible_share(views: Sequence[DeepView]) -> float:
    """Share of pairs of distinct views with at least 32 points visible in both; NaN without two views."""
    seen = [v.is_visible for v in views if v.is_visible is not None]
    if len(seen) < 2 or len({len(s) for s in seen}) != 1:
        return np.nan
    matrix = np.stack(seen).astype(np.int32)
    both = matrix @ matrix.T
    upper = both[np.triu_indices(len(seen), 1)]
    return float((upper >= MIN_COVISIBLE).mean())
