"""Dense correspondences between a query and the views, and the nearest view they tell (paper, section 5.1)."""

import torch
from torch import Tensor

from datagen.models.cmt import CMT
from datagen.models.encoder import flat_patches
from datagen.models.published import PublishedCMT, foreground


def object_patches(image_B3SS: Tensor) -> Tensor:
    """Whether a patch shows the object (B, P): some pixel of it is darker than the ground (grey 229.5 of 255)."""
    side = 8
    dark = (image_B3SS.float().mean(dim=1) < 0.8).float()
    return torch.nn.functional.max_pool2d(dark.unsqueeze(1), side).flatten(1) > 0


@torch.no_grad()
def projections(model: CMT | PublishedCMT, query_B3SS: Tensor, views_BN3SS: Tensor) -> tuple[Tensor, Tensor]:
    """View-agnostic patch vectors of query (B, P, d) and views (B, N, P, d)."""
    if isinstance(model, CMT):
        features = model.features(query_B3SS, views_BN3SS)
        return features.z_query, features.z_views
    f_query, f_views = model.encode(query_B3SS, views_BN3SS)
    z_views = flat_patches(model.projector(f_views.flatten(0, 1))).unflatten(0, views_BN3SS.shape[:2])
    z_views = z_views * foreground(views_BN3SS.flatten(0, 1)).flatten(1).view(*z_views.shape[:3], 1)
    return model.projected(f_query, query_B3SS), z_views


def view_distances(z_query_BPd: Tensor, z_views_BNPd: Tensor, object_BP: Tensor) -> Tensor:
    """Mean distance in patches (B, N) between a query patch's place and its best match's place in each view.

    Over the patches that show the object; background matches background anywhere.
    """
    # bf16 would tie the likenesses, and ties go to the first patch.
    with torch.autocast(z_query_BPd.device.type, enabled=False):
        similarity = torch.einsum("bpd,bnqd->bnpq", z_query_BPd.float(), z_views_BNPd.float())
    best_BNP = similarity.argmax(dim=-1)
    grid = round(z_query_BPd.shape[1] ** 0.5)
    here = torch.arange(z_query_BPd.shape[1], device=best_BNP.device)
    rows = (best_BNP // grid - here // grid).float()
    columns = (best_BNP % grid - here % grid).float()
    weight = object_BP.float().unsqueeze(1)
    return ((rows**2 + columns**2).sqrt() * weight).sum(-1) / weight.sum(-1).clamp(min=1)


@torch.no_grad()
def nearest_view(model: CMT | PublishedCMT, query_B3SS: Tensor, views_BN3SS: Tensor) -> Tensor:
    """The view (B,) with the lowest mean correspondence distance."""
    return nearest_by(*projections(model, query_B3SS, views_BN3SS), query_B3SS)


@torch.no_grad()
def nearest_by(z_query_BPd: Tensor, z_views_BNPd: Tensor, query_B3SS: Tensor) -> Tensor:
    """The nearest view (B,) by vectors that are there already."""
    return view_distances(z_query_BPd, z_views_BNPd, object_patches(query_B3SS)).argmin(dim=1)
