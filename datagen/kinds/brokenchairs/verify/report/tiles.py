"""The contact sheet: which samples are shown, worst first, and their thumbnails."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from datagen.formats.brokenchairs import reference_name
from datagen.formats.pictures import data_url, marked
from datagen.kinds.brokenchairs.verify.checks.boxes import box_of
from datagen.kinds.brokenchairs.verify.evidence import ChairEvidence
from datagen.kinds.brokenchairs.verify.queries import QueryFacts
from datagen.kinds.brokenchairs.verify.tree import ChairTree
from datagen.verify.check import ERROR, FAIL, Result
from datagen.verify.damage import DAMAGE
from datagen.verify.pictures import open_picture

TILES = 240
SIZE = 192


@dataclass(frozen=True)
class Tile:
    """One sample of the sheet; pictures are data URLs."""

    path: str
    kind: str
    split: str
    shape: str
    part: str
    caption: str
    facts: tuple[tuple[str, str], ...]
    findings: tuple[str, ...]
    level: str
    """error | warning | '' : the worst finding."""
    picture: str
    overlay: str
    reference: str


def choose(evidence: ChairEvidence, results: Sequence[Result]) -> list[tuple[QueryFacts, tuple[str, ...], str]]:
    """(query, findings, level), worst first: all that failed a check as far as they fit, then the least visible.

    What is left of the sheet is shared between kinds and splits, so that every filter shows something.
    """
    told: dict[str, list[str]] = defaultdict(list)
    levels: dict[str, str] = {}
    for result in results:
        if result.status != FAIL:
            continue
        words = {f.subject: f.message for f in result.examples}
        for subject in result.subjects:
            told[subject].append(f"{result.name}: {words.get(subject, 'fails')}")
            levels[subject] = ERROR if ERROR in (result.level, levels.get(subject)) else result.level
    bad = [q for q in evidence.queries if q.path in told]
    bad.sort(key=lambda q: (levels[q.path] != ERROR, -len(told[q.path]), _visibility(q)))
    chosen = bad[: TILES // 2]
    queues: dict[tuple[str, str], list[QueryFacts]] = defaultdict(list)
    for query in evidence.queries:
        if query.path not in told:
            queues[(query.kind, evidence.tree.split_of.get(query.name.shape, ""))].append(query)
    rest = [sorted(queue, key=_visibility) for _, queue in sorted(queues.items())]
    filler = [queue[k] for k in range(max(map(len, rest), default=0)) for queue in rest if k < len(queue)]
    filler = sorted(filler[: TILES - len(chosen)], key=_visibility)
    return [(q, tuple(told[q.path][:6]), levels.get(q.path, "")) for q in [*chosen, *filler]]


def _visibility(query: QueryFacts) -> float:
    """How well an anomaly shows; normal queries come after anomalous ones."""
    if not query.name.label:
        return 1e9
    if query.row is not None and query.row["changed_px"]:
        return float(query.row["changed_px"])
    mask = query.mask_new or query.mask_old
    return float(mask.area) if mask else 0.0


def make_tile(tree: ChairTree, query: QueryFacts, findings: tuple[str, ...], level: str) -> Tile:
    """Thumbnails and words of one sample."""
    row = query.row
    part = str(row["part"]).rsplit("/", 1)[-1].replace("_", " ") if row is not None and row["label"] else ""
    name = query.name
    facts = [("azimuth", f"{name.azimuth_deg:g}°") if name.azimuth_deg is not None else ("azimuth", "?")]
    facts.append(("elevation", f"{name.elevation_deg:g}°" if name.elevation_deg is not None else "?"))
    facts.append(("light", name.light or "?"))
    if row is not None:
        facts.append(("materials", ", ".join(row["material_ids"])))
        if row["label"]:
            facts += [("severity", f"{row['severity']:.3f}"), ("changed pixels", str(row["changed_px"]))]
            facts += [("part class", row["part_class"]), ("made by", row["method"])]
    try:
        picture = _read(tree, query.path)
    except DAMAGE:
        picture = np.full((SIZE, SIZE, 3), 128, np.uint8)
    return Tile(
        path=query.path,
        kind=query.kind,
        split=tree.split_of.get(name.shape, "none"),
        shape=name.shape,
        part=part,
        caption=f"{name.shape} · {query.kind}" + (f" · {part}" if part else ""),
        facts=tuple(facts),
        findings=findings,
        level=level,
        picture=thumbnail(picture),
        overlay=thumbnail(overlay(tree, query, picture)) if name.label else "",
        reference=_reference(tree, query),
    )


def _read(tree: ChairTree, path: str) -> np.ndarray:
    return np.asarray(open_picture(tree.files.read(path)).convert("RGB"))


def overlay(tree: ChairTree, query: QueryFacts, picture: np.ndarray) -> np.ndarray:
    """The picture with what masks and box the sample has."""
    box = box_of(query)
    scale = picture.shape[1] / 512
    placed = None if box is None else (box[0] * scale, box[1] * scale, box[2] * scale, box[3] * scale)
    new, old = (_mask(tree, query, key, picture) for key in ("mask_new", "mask_old"))
    return marked(picture, new, old, placed)


def _mask(tree: ChairTree, query: QueryFacts, key: str, picture: np.ndarray) -> np.ndarray | None:
    path = query.name.twin(key, ".png")
    if path not in tree.files.sizes or path in query.problems:
        return None
    mask = _read(tree, path)[..., 0] > 127
    return mask if mask.shape == picture.shape[:2] else None


def _reference(tree: ChairTree, query: QueryFacts) -> str:
    """The reference view nearest to the query's: its azimuths run the other way."""
    azimuth = query.name.azimuth_deg or 0.0
    views = [
        (abs((a + azimuth + 180) % 360 - 180), stem)
        for stem in tree.bundles.get(query.name.shape, ())
        if (a := reference_name(stem)[1]) is not None and f"{stem}.png" in tree.files.sizes
    ]
    if not views:
        return ""
    try:
        return thumbnail(_read(tree, f"{min(views)[1]}.png"))
    except DAMAGE:
        return ""


def thumbnail(picture: np.ndarray) -> str:
    """A WebP thumbnail as a data URL."""
    image = Image.fromarray(picture)
    if image.width > SIZE:
        image = image.resize((SIZE, SIZE * image.height // image.width), Image.Resampling.LANCZOS)
    return data_url(image, "WEBP", quality=78, method=4)
