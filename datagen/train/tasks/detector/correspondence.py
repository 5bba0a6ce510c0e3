"""Correspondences between a scene's objects that the build knows exactly, by how each of them stands."""

import torch
import torch.nn.functional as F
from torch import Tensor

from datagen.models.detector.detector import Detector
from datagen.models.detector.lifted import MARGIN, Volume, over
from datagen.models.detector.matching import UNLIKE
from datagen.models.detector.volumes import lattice
from datagen.train.objective import Batch
from datagen.train.tasks.detector.scenes import objects_of


def known_normals(batch: Batch) -> Tensor:
    """(B, N): objects whose whole surface is the shape's own, and whose place in the world is known."""
    known: Tensor = batch["there"] & (batch["label"] < 0.5) & torch.isfinite(batch["poses"]).all(-1).all(-1)
    return known


def exact_loss(model: Detector, volume: Volume, batch: Batch, points: int, tau: float, rng: torch.Generator) -> Tensor:
    """InfoNCE, by cosine, between tokens of pairs of normal objects that are one point of the shape.

    The lattice of one object is carried into the other by their poses, and beta is read there; every other drawn point
    of the pair is a negative. Of networks that know masks, points in the air are left out. 0 where poses are unknown or
    no scene has two normal objects.
    """
    beta = over(model.beta, volume)
    objects = objects_of(batch)
    whole = lattice(objects, model.config.roi, MARGIN)
    inside = model.inside(volume, objects)
    losses = []
    known = known_normals(batch)
    for b in range(len(beta)):
        normal = torch.nonzero(known[b]).flatten()
        if len(normal) < 2:
            continue
        first, second = normal[torch.randperm(len(normal), generator=rng)[:2].to(normal.device)]
        drawn = torch.randperm(whole.shape[2], generator=rng).to(whole.device)
        drawn = (drawn if inside is None else drawn[inside[b, first, drawn]])[:points]
        if not len(drawn):
            continue
        here = whole[b, first, drawn]
        there = carried(batch["poses"][b], int(first), int(second), here)
        z = [_read(beta[b], volume, b, int(n), p) for n, p in ((first, here), (second, there))]
        losses.append(F.cross_entropy(z[0] @ z[1].T / tau, torch.arange(len(drawn), device=whole.device)))
    return torch.stack(losses).mean() if losses else beta.sum() * 0.0


def carried(poses_N44: Tensor, first: int, second: int, points_P3: Tensor) -> Tensor:
    """Where points of the first object are on the second (P, 3), in the world."""
    carry = poses_N44[second] @ torch.linalg.inv(poses_N44[first])
    return points_P3 @ carry[:3, :3].T + carry[:3, 3]


def recall_at(z_BNPF: Tensor, batch: Batch, lattice_BNP3: Tensor, k: int, inside_BNP: Tensor | None = None) -> Tensor:
    """Of each scene the share (B,) of tokens of normal objects whose exact counterpart is among the k most similar.

    The counterpart is the other object's lattice point nearest to where the token is carried, within one step; over all
    ordered pairs of normal objects. Of tokens that are known to be `inside` these alone are asked for and compared.
    NaN where none is known.
    """
    found = z_BNPF.new_full((len(z_BNPF),), torch.nan)
    known = known_normals(batch)
    z = F.normalize(z_BNPF.float(), dim=-1)
    for b in range(len(z)):
        normal = torch.nonzero(known[b]).flatten().tolist()
        hits, total = 0.0, 0
        for n in normal:
            for m in normal:
                if n == m:
                    continue
                there = carried(batch["poses"][b], n, m, lattice_BNP3[b, n])
                away, place = torch.cdist(there, lattice_BNP3[b, m]).min(-1)
                step = (lattice_BNP3[b, m, -1, 0] - lattice_BNP3[b, m, 0, 0]).abs()
                near = away < step / max(round(lattice_BNP3.shape[2] ** (1 / 3)) - 1, 1)
                likeness = z[b, n] @ z[b, m].T
                if inside_BNP is not None:
                    likeness = likeness.masked_fill(~inside_BNP[b, m], UNLIKE)
                    near &= inside_BNP[b, n] & inside_BNP[b, m, place]
                best = likeness.topk(min(k, z.shape[2]), dim=-1).indices
                hits += float(((best == place[:, None]).any(-1) & near).sum())
                total += int(near.sum())
        if total:
            found[b] = hits / total
    return found


def _read(beta_GFDHW: Tensor, volume: Volume, b: int, n: int, points_P3: Tensor) -> Tensor:
    """beta (P, F) as unit vectors at points of object n: in its own volume, or in the one over the floor."""
    g = n if len(beta_GFDHW) > 1 else 0
    low, size = volume.boxes.low_BG3[b, g], volume.boxes.size_BG3[b, g]
    place = 2 * (points_P3 - low) / size - 1
    read = F.grid_sample(beta_GFDHW[g : g + 1], place[None, None, None], align_corners=False)
    return F.normalize(read.flatten(2)[0].T.float(), dim=-1)
