"""How near the cameras of scenes are: objects at the border and pixels an object, beside the published sample's."""

from datagen.kinds.oddoneout.verify.conformance import CUT_VIEWS, OBJECT_PX, scene_conformance
from datagen.kinds.oddoneout.verify.evidence import SceneEvidence
from datagen.kinds.registry import open_tree
from tests.conftest import build_scenes

SETS = ("layout.poses=stable", "camera.views=10", "camera.size_px=64", "layout.objects={3: 1, 5: 1}",
        "anomaly.kinds={material: 1}")  # fmt: skip


def framing(folder):
    evidence = SceneEvidence(open_tree(folder), source_options={"shapes": "toys"})
    lines = {line.name: line for line in scene_conformance(evidence) if line.table == "framing"}
    return evidence, lines


def test_whole_views_cut_nothing_and_the_report_tells_the_share(tmp_path):
    found = {}
    for whole in (0, 0.5, 1):
        build_scenes(tmp_path / f"w{whole}", sets=(*SETS, f"camera.whole={whole}"))
        evidence, lines = framing(tmp_path / f"w{whole}")
        cut = [[view.cut_objects > 0 for view in scene.views] for scene in evidence.scenes]
        assert all(len(views) - sum(views) >= whole * len(views) for views in cut)
        share = sum(map(sum, cut)) / sum(map(len, cut))
        assert (
            lines["views that cut an object"].actual == share and lines["views that cut an object"].target == CUT_VIEWS
        )
        found[whole] = share, lines["pixels an object, 50 %"].actual
    assert found[1][0] == 0 < found[0.5][0] < found[0][0]
    assert found[1][1] < found[0][1], "they are further off"


def test_pixels_are_told_at_256_px(tmp_path):
    """The same scenes at two sizes have the same figures, but for rounding."""
    told = []
    for size in (64, 128):
        build_scenes(tmp_path / str(size), limit=2, sets=(*SETS, f"camera.size_px={size}"))
        _, lines = framing(tmp_path / str(size))
        assert {f"pixels an object, {p} %": px for p, px in OBJECT_PX.items()} == {
            name: line.target for name, line in lines.items() if name.startswith("pixels")
        }
        told.append(lines["pixels an object, 50 %"].actual)
    assert abs(told[0] / told[1] - 1) < 0.05
