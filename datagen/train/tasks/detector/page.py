"""What an evaluation's page shows of scenes: figures by group, best and worst scenes, correspondences (Figure 4)."""

from importlib.resources import files
from typing import Any, cast

import numpy as np
import torch
from jinja2 import Environment
from PIL import Image
from torch import Tensor

from datagen.formats.pictures import data_url
from datagen.models.detector.detector import Detector
from datagen.models.detector.lifted import MARGIN
from datagen.models.detector.matching import UNLIKE
from datagen.models.detector.volumes import lattice
from datagen.train.task import Evaluation, Loaded
from datagen.train.tasks.detector.pictures import BLUE, RED, boxed_view, linked_view, side_by_side
from datagen.train.tasks.detector.predictions import ObjectPredictions
from datagen.train.tasks.detector.scenes import objects_of, trimmed, views_of

SHOWN = 4
"""Best and worst scenes, and scenes with correspondences."""
VIEWS = 4
LINKS = 3
"""Most similar points shown on each other object."""
GROUPS = {
    "per_kind": "Kinds (against all normal objects)",
    "per_severity": "Severity (thirds of each kind)",
    "per_count": "Objects in the scene",
}


def blocks(found: Evaluation, loaded: Loaded) -> list[str]:
    """The blocks as HTML; pictures stand inside it."""
    predictions = cast(ObjectPredictions, found.predictions)
    order = ranked_scenes(predictions)
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = files("datagen.train.tasks.detector").joinpath("blocks.html.j2").read_text(encoding="utf-8")
    block = environment.from_string(template).render(
        groups=[(title, found.report[key]) for key, title in GROUPS.items() if found.report.get(key)],
        found_boxes=found.report.get("found_boxes") or {},
        best=[_tile(found, scene) for scene in order[:SHOWN]],
        worst=[_tile(found, scene) for scene in order[::-1][:SHOWN]],
        correspondences=_correspondences(found, loaded, order),
    )
    return [block]


def ranked_scenes(found: ObjectPredictions) -> list[int]:
    """Scenes with an odd object from best to worst: by how far its score is above the highest normal one."""
    gaps = {}
    for scene in np.unique(found.scene):
        own = found.scene == scene
        odd, normal = own & (found.label == 1), own & (found.label == 0)
        if odd.any() and normal.any():
            gaps[int(scene)] = float(found.score[odd].min() - found.score[normal].max())
    return sorted(gaps, key=lambda scene: (-gaps[scene], scene))


def _tile(found: Evaluation, scene: int) -> dict[str, Any]:
    p = cast(ObjectPredictions, found.predictions)
    rows = np.flatnonzero(p.scene == scene)
    item = found.data[scene]
    boxes = np.array([sample.thing.box for sample in (p.samples[row] for row in rows)])
    labels = [f"{p.score[row]:.2f}" for row in rows]
    colours = [RED if p.label[row] else BLUE for row in rows]
    images = [
        boxed_view(_pixels(picture), item["K"].double().numpy(), T.double().numpy(), boxes, labels, colours)
        for picture, T in list(zip(item["pictures"], item["extrinsics"], strict=True))[:VIEWS]
    ]
    kinds = [p.samples[row].thing.kind for row in rows if p.label[row]]
    name = p.samples[rows[0]].scene.name
    return {"url": _url(side_by_side(images, VIEWS)), "name": name, "kinds": ", ".join(kinds)}


@torch.no_grad()
def _correspondences(found: Evaluation, loaded: Loaded, order: list[int]) -> list[dict[str, Any]]:
    """For a point of the odd object of some scenes, what beta finds most similar on each other object."""
    model = loaded.objective.model
    if not isinstance(model, Detector) or not order:
        return []
    tiles = []
    for scene in [order[k * (len(order) - 1) // max(SHOWN - 1, 1)] for k in range(min(SHOWN, len(order)))]:
        batch = trimmed({k: v[None].to(loaded.device) for k, v in found.data[scene].items() if isinstance(v, Tensor)})
        objects, views = objects_of(batch), views_of(batch, slice(None))
        volume = model.build(views, objects)
        _, beta = model.cut_out(volume, objects)
        inside = model.inside(volume, objects)
        z = torch.nn.functional.normalize(beta[0].float(), dim=-1)
        points = lattice(objects, model.config.roi, MARGIN)[0]
        odd = int((batch["label"][0] * batch["there"][0]).argmax())
        count = int(batch["there"].sum())
        air = torch.zeros(z.shape[:2], dtype=torch.bool, device=z.device) if inside is None else ~inside[0]
        token = _standing_out(z, air, odd, count)
        likeness = (z @ z[odd, token]).masked_fill(air, UNLIKE)
        ends = torch.cat([points[m, likeness[m].topk(LINKS).indices] for m in range(count) if m != odd])
        images = [
            linked_view(
                _pixels(picture), K, T.double().cpu().numpy(), points[odd, token].cpu().numpy(), ends.cpu().numpy()
            )
            for picture, T in list(zip(batch["pictures"][0], batch["extrinsics"][0], strict=True))[:VIEWS]
            for K in [batch["K"][0].double().cpu().numpy()]
        ]
        tiles.append({"url": _url(side_by_side(images, VIEWS)), "name": found.data.samples[scene].name, "kinds": ""})
    return tiles


def _standing_out(z_NPF: Tensor, air_NP: Tensor, odd: int, count: int) -> int:
    """The token of an object that is least like any of the others', but for those in the air."""
    rest = [m for m in range(count) if m != odd]
    likeness = z_NPF[odd] @ z_NPF[rest].flatten(0, 1).T
    nearest = likeness.masked_fill(air_NP[rest].flatten(), UNLIKE).amax(-1)
    return int(nearest.masked_fill(air_NP[odd], torch.inf).argmin())


def _pixels(picture_3SS: Tensor) -> np.ndarray:
    """(S, S, 3) uint8 of a picture in [-1, 1]."""
    found: np.ndarray = ((picture_3SS.permute(1, 2, 0) + 1) * 127.5).round().clamp(0, 255).byte().cpu().numpy()
    return found


def _url(image: Image.Image) -> str:
    return data_url(image, "JPEG", quality=88)
