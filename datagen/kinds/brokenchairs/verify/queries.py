"""One pass over a query: its picture, annotation and masks are read once and become a few figures."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from datagen.annotate.masks import tight_box
from datagen.formats.brokenchairs import KIND_OF_TYPE, TWIN, QueryName
from datagen.kinds.brokenchairs.verify.tree import ChairTree
from datagen.recipe.categories import DEFAULT
from datagen.verify.damage import DAMAGE
from datagen.verify.pictures import PictureFacts, open_picture, picture_facts
from datagen.verify.tree import Record, refuse_constant

Box = tuple[float, float, float, float]
MASKS = ("mask_new", "mask_old")


@dataclass(frozen=True, slots=True)
class MaskFacts:
    """One mask: its size, whether it holds 0 and 255 alone, pixels set, tight box on the 512 grid.

    `on_object` is the share of its pixels that are not white in the query's picture.
    """

    width: int
    height: int
    binary: bool
    area: int
    box: Box | None
    on_object: float


@dataclass(frozen=True, slots=True, eq=False)
class QueryFacts:
    """What is kept of one query. Absent parts are None; `problems` says what could not be read."""

    name: QueryName
    row: Record | None
    size: int
    picture: PictureFacts | None
    info: Mapping[str, Any] | None
    mask_new: MaskFacts | None
    mask_old: MaskFacts | None
    mask_iou: float | None
    hashes: Mapping[str, str]
    """Path -> SHA-256 of the bytes read."""
    problems: Mapping[str, str]

    @property
    def path(self) -> str:
        """The picture's path below the dataset's folder."""
        return self.name.path

    @property
    def category(self) -> str:
        """What the shape is by its row; a row that does not say is of a chair."""
        return str((self.row or {}).get("category") or DEFAULT)

    @property
    def is_twin(self) -> bool:
        """Whether it is the normal twin of an anomalous picture: no picture of the natural set."""
        return self.row is not None and self.row["reason"] == TWIN

    @property
    def anomalies(self) -> tuple[Mapping[str, Any], ...]:
        """What the annotation lists of several anomalies; () where there is one."""
        config = (self.info or {}).get("config")
        listed = config.get("anomalies") if isinstance(config, dict) else None
        return tuple(entry for entry in listed if isinstance(entry, dict)) if isinstance(listed, list) else ()

    @property
    def is_gone(self) -> bool:
        """Whether nothing is left of what the anomaly changed: there is no mask_new."""
        kinds = {str(entry.get("kind")) for entry in self.anomalies} or {self.kind}
        return kinds == {"missing"}

    @property
    def kind(self) -> str:
        """What the row calls it, else what the annotation does, else normal or anomaly by the name."""
        if self.row is not None:
            return str(self.row["kind"])
        if not self.name.label:
            return "normal"
        config = (self.info or {}).get("config")
        return KIND_OF_TYPE.get(str(config.get("type", ""))) or "anomaly" if isinstance(config, dict) else "anomaly"


def read_query(tree: ChairTree, name: QueryName) -> QueryFacts:
    """Read what belongs to one query. Never raises: what cannot be read is in `problems`."""
    problems: dict[str, str] = {}
    hashes: dict[str, str] = {}

    def load(path: str) -> bytes | None:
        return tree.load(path, problems, hashes)

    level, picture = _picture(name.path, load(name.path), problems)
    info = _annotation(name.annotation, load(name.annotation), problems)
    masks = {key: _mask(name.twin(key, ".png"), load(name.twin(key, ".png")), problems) for key in MASKS}
    facts = {key: _mask_facts(mask, level) for key, mask in masks.items()}
    return QueryFacts(
        name=name,
        row=tree.row_of.get(name.path),
        size=tree.files.sizes[name.path],
        picture=picture,
        info=info,
        mask_new=facts["mask_new"],
        mask_old=facts["mask_old"],
        mask_iou=_iou(masks["mask_new"], masks["mask_old"]),
        hashes=hashes,
        problems=problems,
    )


def _picture(path: str, data: bytes | None, problems: dict[str, str]) -> tuple[np.ndarray | None, PictureFacts | None]:
    if data is None:
        return None, None
    try:
        return picture_facts(open_picture(data))
    except DAMAGE as error:
        problems[path] = f"is no picture: {error}"
        return None, None


def _annotation(path: str, data: bytes | None, problems: dict[str, str]) -> Mapping[str, Any] | None:
    if data is None:
        return None
    try:
        value = json.loads(data, parse_constant=refuse_constant)
    except ValueError as error:
        problems[path] = f"is no JSON: {error}"
        return None
    if not isinstance(value, dict):
        problems[path] = "holds no JSON object"
        return None
    return value


def _mask(path: str, data: bytes | None, problems: dict[str, str]) -> np.ndarray | None:
    if data is None:
        return None
    try:
        return np.asarray(open_picture(data).convert("L"))
    except DAMAGE as error:
        problems[path] = f"is no picture: {error}"
        return None


def _mask_facts(mask: np.ndarray | None, level: np.ndarray | None) -> MaskFacts | None:
    if mask is None:
        return None
    seen = mask > 127
    area = int(seen.sum())
    binary = bool(((mask == 0) | (mask == 255)).all())
    on_object = 1.0
    if level is not None and level.shape == mask.shape and area:
        on_object = float((level[seen] < 250).mean())
    return MaskFacts(mask.shape[1], mask.shape[0], binary, area, tight_box(seen) if area else None, on_object)


def _iou(new: np.ndarray | None, old: np.ndarray | None) -> float | None:
    if new is None or old is None or new.shape != old.shape:
        return None
    union = int(((new > 127) | (old > 127)).sum())
    return float(((new > 127) & (old > 127)).sum() / union) if union else None
