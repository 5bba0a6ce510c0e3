"""The detector's parts: one place for a voxel, rendering against a closed form, attention, boxes."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from datagen.models.detector.boxes import cluster_boxes, iou_3d, matched  # noqa: E402
from datagen.models.detector.config import DetectorConfig  # noqa: E402
from datagen.models.detector.detector import Detector  # noqa: E402
from datagen.models.detector.hull import hull_boxes, hull_voxels  # noqa: E402
from datagen.models.detector.lifted import Views  # noqa: E402
from datagen.models.detector.matching import (  # noqa: E402
    VoxelAttention,
    correspondences,
    residual_scores,
    unlikeness,
)
from datagen.models.detector.volumes import Boxes, lift, project, render, sample  # noqa: E402

K = torch.tensor([[106.67, 0.0, 64.0], [0.0, 106.67, 64.0], [0.0, 0.0, 1.0]])[None]


def looking(azimuth_deg, height=0.6, distance=1.0):
    """World to camera (4, 4), OpenCV axes, at a point above the floor."""
    a = np.radians(azimuth_deg)
    eye = np.array([distance * np.cos(a), distance * np.sin(a), height])
    forward = np.array([0, 0, 0.1]) - eye
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0, 0, 1.0])
    right /= np.linalg.norm(right)
    R = np.stack([right, np.cross(forward, right), forward])
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = R, -R @ eye
    return torch.from_numpy(T).float()


CAMERAS = torch.stack([looking(a) for a in (10, 80, 150, 220, 290)])[None]
BOX = Boxes(torch.tensor([[[-0.4, -0.4, -0.1]]]), torch.tensor([[[0.8, 0.8, 0.4]]]))
COUNTS = (32, 32, 16)


def test_a_voxels_centre_is_at_one_place_in_reading_and_writing():
    points = BOX.points(COUNTS)
    volume = points.permute(0, 1, 5, 2, 3, 4)
    inside = points[:, :, 2:-2, 2:-2, 2:-2].flatten(2, 4)[:, :, ::37] + 0.003
    read = sample(volume, BOX, inside)[0, 0].T
    torch.testing.assert_close(read, inside[0, 0], atol=0.8 / 32 / 100, rtol=0)


def test_a_cube_is_rendered_where_its_corners_are_projected():
    """The silhouette of a dense cube against its projection, to a hundredth of the picture."""
    points = BOX.points(COUNTS)
    low, high = torch.tensor([-0.1, -0.1, 0.0]), torch.tensor([0.1, 0.1, 0.2])
    solid = ((points > low) & (points < high)).all(-1).float()[:, :, None] * 200.0
    _, opacity = render(solid, torch.ones_like(solid), BOX, K, CAMERAS, 64, 128, 160, (0.1, 2.2))
    corners = torch.cartesian_prod(*torch.stack([low, high], dim=1))[None]
    pixel, _ = project(corners, K, CAMERAS)
    for seen, corner in zip(opacity[0], pixel[0], strict=True):
        rows, columns = torch.nonzero(seen > 0.5, as_tuple=True)
        found = torch.stack([columns.min(), columns.max() + 1, rows.min(), rows.max() + 1]).float() * 2
        true = torch.stack([corner[:, 0].min(), corner[:, 0].max(), corner[:, 1].min(), corner[:, 1].max()])
        assert (found - true).abs().max() < 3.0


def test_opacity_through_a_slab_is_the_closed_form():
    """Density s over a depth d absorbs 1 - exp(-s d)."""
    straight = torch.eye(4)[None, None]
    box = Boxes(torch.tensor([[[-2.0, -2.0, 1.0]]]), torch.tensor([[[4.0, 4.0, 0.5]]]))
    density = torch.full((1, 1, 1, 8, 4, 4), 3.0)
    _, opacity = render(density, torch.ones_like(density), box, K, straight, 4, 128, 400, (0.5, 2.0))
    # Half a voxel at each face fades to the nothing outside.
    expected = 1 - np.exp(-3.0 * 0.5 * (1 - 1 / 8 / 4 * 1))
    assert opacity.mean() == pytest.approx(expected, abs=0.02)


def test_what_is_lifted_comes_from_the_pixels_that_show_the_point():
    """A picture whose value is its own column is read back as the column that the point is projected to."""
    column = (torch.arange(32).float() + 0.5) * 4
    pictures = column.expand(1, 5, 1, 32, 32)
    points = (torch.rand(1, 50, 3, generator=torch.Generator().manual_seed(0)) - 0.5) * 0.3
    pixel, _ = project(points, K, CAMERAS)
    seen, share = lift(pictures, points, K, CAMERAS, 128)
    assert (share == 1).all()
    torch.testing.assert_close(seen[0, 0], pixel[0, :, :, 0].mean(0), atol=0.05, rtol=0)
    behind = torch.tensor([[[5.0, 0.0, 0.6]]])
    assert lift(pictures, behind, K, CAMERAS, 128)[1] < 1


def test_rendering_has_the_gradient_of_its_finite_difference():
    generator = torch.Generator().manual_seed(1)
    density = torch.rand(1, 2, 1, 4, 4, 4, generator=generator, dtype=torch.float64) * 4
    values = torch.rand(1, 2, 2, 4, 4, 4, generator=generator, dtype=torch.float64)
    boxes = Boxes(torch.tensor([[[-0.2, -0.2, 0.0], [0.0, 0.0, 0.0]]]).double(), torch.full((1, 2, 3), 0.3).double())

    def seen(d, v):
        colour, opacity = render(d, v, boxes, K.double(), CAMERAS[:, :1].double(), 6, 128, 24, (0.4, 1.8))
        return colour.sum() + 2 * opacity.sum()

    density.requires_grad_(True)
    values.requires_grad_(True)
    assert torch.autograd.gradcheck(seen, (density, values), eps=1e-6, atol=1e-6, nondet_tol=0)


def test_correspondences_find_the_other_objects_same_token_and_no_padding():
    z = torch.randn(1, 1, 27, 16, generator=torch.Generator().manual_seed(0)).expand(1, 3, -1, -1).clone()
    z[:, 1] = z[:, 1].flip(1)
    there = torch.tensor([[True, True, False]])
    chosen = correspondences(z, 2, there)
    assert chosen.shape == (1, 3, 27, 4)
    assert (chosen[0, 0, :, 0] == 27 + 26 - torch.arange(27)).all()
    assert (chosen[0, 0, :, 2:] == torch.arange(27)[:, None]).all()


@pytest.mark.parametrize("there", [[True] * 4, [True, True, True, False]])
def test_gathering_equals_masking(there):
    torch.manual_seed(0)
    block = VoxelAttention(16, 32, 4, "sparse")
    z = torch.randn(2, 4, 27, 16)
    mask = torch.tensor([there, there])
    chosen = correspondences(torch.randn(2, 4, 27, 8), 3, mask)
    gathered, masked = (block(z, chosen, mask, form) for form in ("gathered", "masked"))
    assert (gathered - masked)[mask].abs().max() < 1e-5


@pytest.mark.parametrize("match", ["full", "sparse"])
def test_what_is_not_there_says_nothing(match):
    torch.manual_seed(0)
    block = VoxelAttention(16, 32, 4, match)
    z, mask = torch.randn(1, 3, 8, 16), torch.tensor([[True, True, False]])
    other = z.clone()
    other[:, 2] += 5
    chosen = correspondences(z, 2, mask)
    torch.testing.assert_close(block(z, chosen, mask)[:, :2], block(other, chosen, mask)[:, :2])


def test_the_residual_is_largest_for_the_one_that_differs():
    z = torch.randn(1, 1, 27, 16, generator=torch.Generator().manual_seed(0)).expand(1, 4, -1, -1).clone()
    z += 0.05 * torch.randn(z.shape, generator=torch.Generator().manual_seed(2))
    z[0, 2, 5:9] = torch.randn(4, 16, generator=torch.Generator().manual_seed(1))
    scores = residual_scores(z, torch.ones(1, 4, dtype=torch.bool))
    assert scores[0].argmax() == 2


def test_a_token_is_unlike_what_no_other_object_has():
    """Three objects of eight tokens alike, but for one token of the first; a fourth is not there."""
    z = torch.eye(10)[:8].expand(1, 4, 8, 10).clone()
    z[0, 0, 3] = torch.eye(10)[9]
    z[0, 3] = torch.eye(10)[8]
    found = unlikeness(z, torch.tensor([[True, True, True, False]])).tokens
    expected = torch.zeros(3, 8, 2)
    expected[0, 3] = 1.0  # None of the others has it.
    expected[1:, 3, 1] = 0.5  # One of their two others has it: the least is 0.
    assert torch.allclose(found[0, :3], expected, atol=1e-6)
    alone = unlikeness(z, torch.tensor([[True, False, False, False]]))
    assert not alone.tokens[0, 0].any() and not alone.objects[0, 0].any()


def test_an_object_lacks_what_others_have():
    """The second object lacks a token that the others have; what one of them alone has, nobody lacks."""
    z = torch.eye(10)[:8].expand(1, 4, 8, 10).clone()
    z[0, 1, 5] = z[0, 1, 0]
    z[0, 2, 3] = torch.eye(10)[9]
    odd, lacks, odder, lacks_more = unlikeness(z, torch.tensor([[True, True, True, True]])).objects[0].T
    assert torch.allclose(
        lacks, torch.tensor([0.0, 1.0, 1.0, 0.0])
    )  # The third has not the fourth token of the others.
    assert torch.allclose(odd, torch.tensor([0.0, 0.0, 1.0, 0.0]))
    assert torch.allclose(odder, odd - torch.tensor([1, 1, 0, 1]) / 3)
    assert torch.allclose(lacks_more, lacks - torch.tensor([2, 1, 1, 2]) / 3)


def test_tokens_in_the_air_are_compared_with_none():
    z = torch.randn(1, 3, 8, 4, generator=torch.Generator().manual_seed(0))
    there, inside = torch.ones(1, 3, dtype=torch.bool), torch.ones(1, 3, 8, dtype=torch.bool)
    inside[:, :, 5:] = False
    other = z.clone()
    other[:, :, 5:] += 3
    first, second = (unlikeness(tokens, there, inside) for tokens in (z, other))
    assert torch.equal(first.tokens, second.tokens) and torch.equal(first.objects, second.objects)
    assert not first.tokens[:, :, 5:].any()
    # Nor is the air itself a token that is unlike nothing: opposite tokens stay opposite.
    apart = torch.tensor([1.0, -1.0])[None, :, None, None] * torch.ones(1, 2, 8, 4)
    assert torch.allclose(unlikeness(apart, there[:, :2], inside[:, :2]).tokens[:, :, :5], torch.tensor(2.0))
    # What has no token inside is no object that others differ from, or that lacks anything.
    alike, nowhere = torch.ones(1, 4, 8, 4), torch.ones(1, 4, 8, dtype=torch.bool)
    nowhere[:, 3] = False
    told = unlikeness(alike, torch.ones(1, 4, dtype=torch.bool), nowhere)
    assert told.tokens.abs().max() < 1e-6 and told.objects.abs().max() < 1e-6
    chosen = correspondences(other, 4, there, inside)
    assert (chosen % 8 < 5).all()
    block = VoxelAttention(4, 8, 2, "full")
    told = [block(tokens, None, there, inside_BNP=inside)[:, :, :5] for tokens in (z, other)]
    torch.testing.assert_close(*told)


def test_boxes_of_clusters_are_the_objects_and_noise_is_none():
    grid = np.stack(np.meshgrid(*(np.arange(n) for n in (40, 40, 10)), indexing="ij"), -1).reshape(-1, 3)
    first = ((grid >= [5, 5, 0]) & (grid < [12, 10, 6])).all(1)
    second = ((grid >= [25, 20, 0]) & (grid < [30, 31, 4])).all(1)
    noise = (grid == [35, 5, 8]).all(1)
    found = cluster_boxes(grid[first | second | noise], np.array([-0.8, -0.8, 0.0]), np.full(3, 0.04))
    true = np.array([[[5 + 3.5, 5 + 2.5, 3], [7, 5, 6]], [[27.5, 25.5, 2], [5, 11, 4]]]) * 0.04
    true[:, 0] += [-0.8, -0.8, 0.0]
    np.testing.assert_allclose(found, true, atol=1e-9)
    place, iou = matched(found[::-1], true)
    assert place.tolist() == [1, 0] and np.allclose(iou, 1)
    assert matched(np.zeros((0, 2, 3)), true)[0].tolist() == [-1, -1]
    assert iou_3d(true[:1], true[:1] * [[[1], [0.5]]])[0, 0] == pytest.approx(1 / 8)


def test_the_hull_of_masks_holds_the_object_and_not_what_is_beside_it():
    points = BOX.points((24, 24, 12))[0, 0].reshape(-1, 3)
    inside = (points.abs()[:, :2] < 0.1).all(1) & (points[:, 2] > 0) & (points[:, 2] < 0.2)
    pixel, _ = project(points[inside][None], K, CAMERAS)
    masks = np.zeros((5, 128, 128), dtype=bool)
    for mask, of_view in zip(masks, pixel[0].numpy(), strict=True):
        for column, row in of_view.astype(int):
            mask[row - 2 : row + 3, column - 2 : column + 3] = True
    hull = hull_voxels(masks, K[0].numpy(), CAMERAS[0].numpy(), points.numpy())
    assert hull[inside.numpy()].all()
    assert hull.sum() < 3 * inside.sum()


@pytest.mark.parametrize("around", ["floor", "objects"])
@pytest.mark.parametrize("match", ["none", "full", "sparse"])
def test_every_switch_answers_and_trains(around, match):
    torch.manual_seed(0)
    volume = {"around": around, "size": (16, 16, 8), "voxel_m": 0.05, "low_m": (-0.4, -0.4, 0.0), "side": 8}
    volume |= {"widths": (8, 16), "down": (1, 1), "up": (1,)}
    model = Detector(
        DetectorConfig.model_validate(
            {
                "dim": 8,
                "encoder": {"name": "resnet18", "width": 8},
                "volume": volume,
                "feature_dim": 8,
                "render_px": 16,
                "samples": 12,
            }
            | {"reach_m": (0.3, 2.0), "roi": 4, "match": match, "k": 3, "blocks": 1, "heads": 2, "attention_dim": 8}
        )
    )
    views = Views(torch.randn(2, 5, 3, 128, 128), K.expand(2, -1, -1), CAMERAS.expand(2, -1, -1, -1))
    objects = Boxes(torch.rand(2, 3, 3) * 0.3 - 0.2, torch.full((2, 3, 3), 0.15))
    built = model.build(views, objects)
    seen = model.render(built, views.K_B33, views.T_BM44, 128)
    logit = model.judge(built, objects, torch.tensor([[True, True, True], [True, True, False]]))
    assert seen.colour.shape == (2, 5, 3, 16, 16) and seen.features.shape == (2, 5, 8, 4, 4) and logit.shape == (2, 3)
    (logit.sum() + seen.colour.sum() + seen.opacity.sum() + seen.features.sum()).backward()
    unused = {n for n, p in model.named_parameters() if p.requires_grad and p.grad is None}
    assert all(name.startswith("blocks.") for name in unused) if match == "none" else not unused


def test_boxes_of_a_hull_are_those_of_the_objects_and_no_more():
    """Three blocks seen by five cameras from above: three boxes that hold them, whatever lies where masks cross."""
    S, low, size = 128, np.array([-0.6, -0.6, -0.1]), np.array([1.2, 1.2, 0.5])
    true = np.array(
        [
            [[-0.25, 0.1, 0.06], [0.12, 0.1, 0.12]],
            [[0.2, 0.2, 0.05], [0.1, 0.16, 0.1]],
            [[0.1, -0.25, 0.08], [0.14, 0.1, 0.16]],
        ]
    )
    masks = np.zeros((5, S, S), bool)
    axis = np.linspace(-0.5, 0.5, 60)
    grid = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3)
    for centre, extent in true:
        pixel, _ = project(torch.from_numpy(centre + grid * extent)[None].float(), K, CAMERAS)
        for v in range(5):
            at = pixel[0, v].floor().long().numpy()
            at = at[((at >= 0) & (at < S)).all(1)]
            masks[v, at[:, 1], at[:, 0]] = True
    found = hull_boxes(masks, K[0].double().numpy(), CAMERAS[0].double().numpy(), low, size)
    assert len(found) == 3
    place, iou = matched(found, true)
    # A hull is larger than what it holds, most of all above: no camera looks from there.
    assert iou.min() > 0.3
    outer = found[place]
    assert (outer[:, 0] - outer[:, 1] / 2 < true[:, 0] - true[:, 1] / 2 + 0.012).all()
    assert (outer[:, 0] + outer[:, 1] / 2 > true[:, 0] + true[:, 1] / 2 - 0.012).all()
    assert len(hull_boxes(np.zeros((2, S, S), bool), K[0].numpy(), CAMERAS[0, :2].numpy(), low, size)) == 0
