"""Reference bundles: complete, grey on white, cameras, correspondences and depth that hold together."""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from datagen.core.camera import FOCAL_PX_AT_256
from datagen.formats.encode import number
from datagen.kinds.brokenchairs.verify import needs
from datagen.kinds.brokenchairs.verify.bundles import SUFFIXES, BundleFacts
from datagen.kinds.brokenchairs.verify.cameras import camera_faults
from datagen.kinds.brokenchairs.verify.evidence import ChairEvidence
from datagen.kinds.brokenchairs.verify.needs import BUNDLES, DEEP_BUNDLES
from datagen.scenes.cameras import reference_azimuths
from datagen.verify.check import ERROR, WARNING, CheckList, Finding

CHECKS = CheckList[ChairEvidence]()
check = CHECKS.check


PXY_ERROR_PX = 1.6
"""Pixels are rounded (0.71 px at most) and the triangulation carries the noise of the others."""
CELL_ERROR = 0.5
DEPTH_RATIO = 0.01
DEPTH_OVERLAP = 0.96
RAY_SLOPE = 0.5


@check(ERROR, "A missing view halves what the loader may draw, or stops it.", of=BUNDLES, needs=(needs.references,))
def references_complete(evidence: ChairEvidence) -> Iterator[Finding]:
    """Every bundle has the views of the recipe (else of its neighbours), each with all its files."""
    usual = _usual_azimuths(evidence)
    suffixes = {s for b in evidence.bundles for v in b.views for s in v.have} if not evidence.recipe else set(SUFFIXES)
    for bundle in evidence.bundles:
        have = {view.azimuth_deg for view in bundle.views if view.azimuth_deg is not None}
        if absent := sorted(usual - have):
            yield Finding(f"shapes/shape_{bundle.shape}", f"lacks the views at azimuth {absent[:5]}")
        if len(bundle.views) < 2:
            yield Finding(f"shapes/shape_{bundle.shape}", "has fewer than the two views that the loader draws")
        for view in bundle.views:
            if lacking := sorted(suffixes - set(view.have)):
                yield Finding(view.stem, f"has no {', '.join(lacking)}")
            if view.azimuth_deg is None:
                yield Finding(view.stem, "its name is not <id>_<radius>_<azimuth>_<elevation>")


def _usual_azimuths(evidence: ChairEvidence) -> set[float]:
    recipe = evidence.recipe
    if recipe:
        return {float(number(azimuth)) for azimuth in reference_azimuths(recipe.reference)}
    sets = Counter(frozenset(v.azimuth_deg for v in b.views if v.azimuth_deg is not None) for b in evidence.bundles)
    return set(sets.most_common(1)[0][0]) if sets else set()


@check(
    ERROR,
    "References are grey pictures on white, or foreground and features are wrong.",
    of=BUNDLES,
    needs=(needs.references,),
)
def reference_pictures(evidence: ChairEvidence) -> Iterator[Finding]:
    """256 px square, R = G = B, white outside, an object that is neither absent, nor flat, nor cut."""
    for bundle in evidence.bundles:
        for view in bundle.views:
            if view.size is None:
                continue
            if view.size != (256, 256):
                yield Finding(view.stem, f"is {view.size[0]} x {view.size[1]}, not 256 px")
            if not view.is_grey:
                yield Finding(view.stem, "has colour")
            if view.border_lowest < 230:
                yield Finding(view.stem, f"its outermost pixels go down to {view.border_lowest:.0f}: cut or no white")
            if view.object_share < 0.02 or view.contrast < 3:
                yield Finding(
                    view.stem, f"shows nothing (object {view.object_share:.1%}, contrast {view.contrast:.1f})"
                )


@check(
    ERROR,
    "Without the right camera no point of a reference can be placed.",
    of=BUNDLES,
    needs=(needs.reference_cameras,),
)
def reference_cameras(evidence: ChairEvidence) -> Iterator[Finding]:
    """K, RT and RT_: inverse to each other, the published formula, looking at the object, azimuth's sign."""
    for bundle in evidence.bundles:
        for view in bundle.views:
            if view.camera is None or view.radius is None or view.azimuth_deg is None or view.elevation_deg is None:
                continue
            faults = camera_faults(view.camera, 256, view.radius, view.azimuth_deg, view.elevation_deg, FOCAL_PX_AT_256)
            if faults:
                yield Finding(view.stem, "; ".join(faults))


@check(
    WARNING,
    "References of another radius or elevation do not compare with the published set.",
    of=BUNDLES,
    needs=(needs.references,),
)
def reference_ring(evidence: ChairEvidence) -> Iterator[Finding]:
    """All views of all bundles share one radius and one elevation."""
    rings = Counter((v.radius, v.elevation_deg) for b in evidence.bundles for v in b.views)
    usual = rings.most_common(1)[0][0] if rings else None
    for bundle in evidence.bundles:
        for view in bundle.views:
            if (view.radius, view.elevation_deg) != usual:
                yield Finding(view.stem, f"is at radius {view.radius}, elevation {view.elevation_deg}, not {usual}")


@check(
    ERROR,
    "A reference npy that asks for code, or lacks a key, is not loaded.",
    of=DEEP_BUNDLES,
    needs=(needs.references,),
)
def reference_arrays(evidence: ChairEvidence) -> Iterator[Finding]:
    """`pxy`, `is_visible` and `xyz` with the published types, read by a restricted unpickler; depth a float picture."""
    for bundle in evidence.deep:
        for path, problem in bundle.problems.items():
            yield Finding(path, problem)


@check(
    ERROR, "The same index has to be the same surface point in every view.", of=DEEP_BUNDLES, needs=(needs.references,)
)
def reference_points(evidence: ChairEvidence) -> Iterator[Finding]:
    """`pxy` is (row, column), and the pixels of one index in all views meet in one point of space."""
    for bundle in evidence.deep:
        for view in bundle.views:
            if view.pxy_error_px > PXY_ERROR_PX:
                yield Finding(view.stem, f"its points miss those of the other views by {view.pxy_error_px:.1f} px")
            elif view.visible_on_object < 0.85:
                yield Finding(view.stem, f"{1 - view.visible_on_object:.0%} of its visible points are on white")


@check(
    ERROR,
    "`xyz` is what the model is told about the third dimension.",
    of=DEEP_BUNDLES,
    needs=(needs.reference_cameras,),
)
def reference_positions(evidence: ChairEvidence) -> Iterator[Finding]:
    """Every filled cell's point projects into its cell: |pixel/8 - cell| <= 0.5."""
    for bundle in evidence.deep:
        for view in bundle.views:
            if view.cell_error > CELL_ERROR + 2e-3:
                yield Finding(view.stem, f"a point of xyz lies {view.cell_error:.2f} cells from its own")
            elif view.cells < 10 and not np.isnan(view.cell_error):
                yield Finding(view.stem, f"only {view.cells} cells of xyz are filled")


@check(ERROR, "Depth that is flipped, or a ray length, bends every surface.", of=DEEP_BUNDLES, needs=(needs.depth,))
def reference_depth(evidence: ChairEvidence) -> Iterator[Finding]:
    """Finite, positive inside the picture's silhouette alone, equal to the z of `xyz` to 1 %, no ray length."""
    for bundle in evidence.deep:
        for view in bundle.views:
            if not view.depth_finite:
                yield Finding(view.stem, "depth is negative or not finite somewhere")
            elif view.depth_overlap < DEPTH_OVERLAP:
                yield Finding(view.stem, f"depth and picture agree on {view.depth_overlap:.0%} of the silhouette")
            elif abs(view.depth_ratio - 1) > DEPTH_RATIO or view.depth_spread > DEPTH_RATIO:
                yield Finding(
                    view.stem, f"depth is {view.depth_ratio:.4f} of the points' z (+- {view.depth_spread:.4f})"
                )
            elif view.ray_slope > RAY_SLOPE:
                yield Finding(view.stem, f"depth grows off the axis as a ray length does (slope {view.ray_slope:.2f})")


@check(
    ERROR,
    "The loader gives up on a shape whose views share fewer than 32 points.",
    of=DEEP_BUNDLES,
    needs=(needs.references,),
)
def reference_covisible(evidence: ChairEvidence) -> Iterator[Finding]:
    """At least half of the pairs of views have 32 points visible in both (11 draws then fail once in 2,000)."""
    for bundle in evidence.deep:
        if bundle.covisible < 0.5:
            yield Finding(f"shapes/shape_{bundle.shape}", f"{bundle.covisible:.0%} of view pairs share 32 points")


def mesh_bundles(evidence: ChairEvidence) -> tuple[BundleFacts, ...]:
    """Bundles of the deep sample that have a model.obj."""
    chosen = {bundle.shape for bundle in evidence.deep}
    return tuple(b for b in evidence.bundles if b.shape in chosen and b.has_mesh)
