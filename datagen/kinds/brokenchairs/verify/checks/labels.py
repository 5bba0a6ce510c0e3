"""Do names, rows, annotations and folders say the same?"""

import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from datagen.anomalies.registry import operators
from datagen.formats.brokenchairs import AT_QUERY_SUFFIXES, KIND_OF_TYPE, TWIN, TYPE_OF_KIND, at_query_path
from datagen.formats.cameras import read_camera
from datagen.formats.published import SOURCE
from datagen.kinds.brokenchairs.verify import needs
from datagen.kinds.brokenchairs.verify.cameras import camera_faults
from datagen.kinds.brokenchairs.verify.evidence import ChairEvidence
from datagen.kinds.brokenchairs.verify.needs import ANOMALIES, QUERIES
from datagen.kinds.brokenchairs.verify.queries import MASKS, QueryFacts
from datagen.recipe.models import QueryRecipe
from datagen.verify.check import ERROR, WARNING, CheckList, Finding

CHECKS = CheckList[ChairEvidence]()
check = CHECKS.check


@check(ERROR, "An anomaly without a box is dropped by the loader; a normal with one is none.", of=QUERIES)
def annotations_paired(evidence: ChairEvidence) -> Iterator[Finding]:
    """Annotation and masks stand beside anomalous queries, as the kind asks for, and beside no other."""
    names = evidence.tree.files.sizes
    for query in evidence.queries:
        if not query.name.label:
            extra = [p for p in (query.name.annotation, *_masks(query)) if p in names]
            if extra:
                yield Finding(query.path, f"is normal by its name and has {extra[0].rsplit('/', 1)[-1]}")
            continue
        if query.name.annotation not in names:
            yield Finding(query.path, "has no annotation: the published loader drops it")
        for key, path in zip(MASKS, _masks(query), strict=True):
            wanted = not (key == "mask_new" and query.is_gone)
            if wanted and path not in names and query.row is not None:
                yield Finding(query.path, f"has no {key}")
            if not wanted and path in names:
                yield Finding(query.path, f"is a missing part and has a {key}")
    theirs = {q.name.annotation for q in evidence.anomalies} | {m for q in evidence.anomalies for m in _masks(q)}
    theirs |= {path for query in evidence.queries for path in _at_camera(query)}
    theirs |= {path for query in evidence.anomalies for path in masks_of_each(query)}
    for name in names:
        if name.startswith("annotations/") and name not in theirs and "/vis_" not in name:
            yield Finding(name, "belongs to no anomalous query")


def _at_camera(query: QueryFacts) -> list[str]:
    """Paths of the reference's views at a query's own camera, where a recipe asks for them."""
    name, sides = query.name, ("old", "new") if query.name.label else ("old",)
    return [at_query_path(name.folder, side, name.tail, suffix) for side in sides for suffix in AT_QUERY_SUFFIXES]


def masks_of_each(query: QueryFacts) -> list[str]:
    """Paths of the masks of each of several anomalies."""
    return [str(entry[key]) for entry in query.anomalies for key in MASKS if entry.get(key)]


def _masks(query: QueryFacts) -> list[str]:
    return [query.name.twin(key, ".png") for key in MASKS]


@check(ERROR, "The label is what a model is trained on.", of=QUERIES, needs=(needs.manifest,))
def labels_agree(evidence: ChairEvidence) -> Iterator[Finding]:
    """The name's label, the row's label, the row's kind and its job's other samples agree."""
    for query in evidence.queries:
        row = query.row
        if row is None:
            continue
        if row["label"] != query.name.label:
            yield Finding(query.path, f"is {query.name.label} by its name and {row['label']} by its row")
        elif (row["kind"] != "normal") != bool(row["label"]):
            yield Finding(query.path, f"has label {row['label']} and kind {row['kind']}")
    for job, rows in evidence.rows_by_job.items():
        own = [row for row in rows if row["row_type"] != "quarantine" and row["reason"] != TWIN]
        kinds = {(row["kind"], row["shape_id"], row["split"]) for row in own}
        if len(kinds) > 1:
            yield Finding(next(r["query_path"] or job for r in rows), f"its job mixes {sorted(k[0] for k in kinds)}")


@check(ERROR, "A wrong kind spoils every figure by kind.", of=ANOMALIES)
def kinds_agree(evidence: ChairEvidence) -> Iterator[Finding]:
    """config.type names a kind and says what the row, the spec and the fields of the spec say."""
    for query in evidence.anomalies:
        config = (query.info or {}).get("config")
        if query.info is None or (config is None and query.row is None):
            continue
        if not isinstance(config, dict) or _kind_of(config.get("type")) is None:
            yield Finding(query.path, f"config.type is {config.get('type') if isinstance(config, dict) else config!r}")
            continue
        said = {"config.type": str(_kind_of(config["type"]))}
        if isinstance(config.get("spec"), dict):
            said["config.spec"] = str(config["spec"].get("kind"))
        if query.row is not None:
            said["row"] = query.row["kind"]
            if query.row["spec"] or query.row["source"] != SOURCE:
                said["row's spec"] = str(_spec(query).get("kind"))
            ending = query.name.folder.rsplit("-", 1)[-1]
            said |= {"folder": ending} if ending in operators() else {}
        if len(set(said.values())) > 1:
            yield Finding(query.path, ", ".join(f"{k} says {v}" for k, v in said.items()))


def _kind_of(word: object) -> str | None:
    """The kind that `config.type` names: by its published word, or by its own name where it has none."""
    if not isinstance(word, str):
        return None
    return KIND_OF_TYPE.get(word) or (word if word in operators() and word not in TYPE_OF_KIND else None)


def _spec(query: QueryFacts) -> dict[str, Any]:
    try:
        value = json.loads(query.row["spec"]) if query.row else {}
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


@check(
    ERROR,
    "A row that says something else than its files makes the manifest worthless.",
    of=QUERIES,
    needs=(needs.manifest,),
)
def rows_match_files(evidence: ChairEvidence) -> Iterator[Finding]:
    """Columns against the fields of the name and the keys of the annotation."""
    for query in evidence.queries:
        if query.row is None or query.name.problem:
            continue
        differences = [*_against_name(query), *_against_info(query)]
        if differences:
            yield Finding(query.path, "; ".join(differences))


def _against_name(query: QueryFacts) -> Iterator[str]:
    row, name = query.row, query.name
    assert row is not None
    said = {
        "public_id": (str(row["public_id"]), name.shape),
        "texture_id": (str(row["texture_id"]), name.texture),
        "light_id": (str(row["light_id"]), name.light),
    }
    said |= {k: (row[k], getattr(name, k)) for k in ("radius", "azimuth_deg", "elevation_deg")}
    for key, (ours, theirs) in said.items():
        same = math.isclose(ours, theirs, rel_tol=1e-5, abs_tol=1e-6) if isinstance(ours, float) else ours == theirs
        if not same:
            yield f"{key} is {ours} in the row and {theirs} in the name"


def _against_info(query: QueryFacts) -> Iterator[str]:
    row, info = query.row, query.info
    if info is None or row is None:
        return
    said = {"2d_bbox": (info.get("2d_bbox"), list(row["bbox_xywh_512"])), "IoU": (info.get("IoU"), row["iou"])}
    camera = info.get("camera_parameters")
    if isinstance(camera, dict):
        said |= {
            word: (camera.get(word), row[key])
            for word, key in (("azimuth", "azimuth_deg"), ("elevation", "elevation_deg"), ("radius", "radius"))
        }
        said["RT_"] = (camera.get("RT_"), np.reshape(row["T_world_camera"], (4, 4)))
        said["K"] = (camera.get("K"), np.reshape(row["K"], (3, 3)))
    said["texture_id"] = (info.get("texture_id"), row["texture_id"])
    if isinstance(config := info.get("config"), dict):
        said["part_id"] = (config.get("part_id"), row["part_id"])
        said["severity"] = (config.get("severity"), row["severity"])
        if (config.get("spec") or {}) != _spec(query):
            yield "the annotation's spec is not the row's"
    for key, (theirs, ours) in said.items():
        if theirs is None and row["source"] == SOURCE:
            continue  # what was published says less than what is built
        try:
            a, b = np.asarray(theirs, dtype=float), np.asarray(ours, dtype=float)
            same = bool((np.abs(a - b) <= 1e-6 + 1e-5 * np.abs(b)).all())
        except (TypeError, ValueError):
            same = False
        if not same:
            yield f"{key} differs between annotation and row"


@check(ERROR, "A camera that is not where its name says teaches wrong geometry.", of=ANOMALIES)
def query_cameras(evidence: ChairEvidence) -> Iterator[Finding]:
    """K, RT and RT_ of annotations: inverse to each other, on the sphere the name says, azimuths negated."""
    for query in evidence.anomalies:
        camera = read_camera((query.info or {}).get("camera_parameters"))
        name, picture = query.name, query.picture
        if query.info is None or picture is None or name.radius is None:
            continue
        if camera is None:
            if query.row is not None:
                yield Finding(query.path, "its annotation has no finite K, RT and RT_")
            continue
        assert name.azimuth_deg is not None and name.elevation_deg is not None
        focal = _focal(evidence, name.radius, picture.width)
        faults = camera_faults(camera, picture.width, name.radius, -name.azimuth_deg, name.elevation_deg, focal)
        if faults:
            yield Finding(query.path, "; ".join(faults))


@check(ERROR, "The row's camera is what a user projects with.", of=QUERIES, needs=(needs.manifest,))
def row_cameras(evidence: ChairEvidence) -> Iterator[Finding]:
    """K and T_world_camera of rows: a rigid pose on the sphere the name says."""
    for query in evidence.queries:
        row, name, picture = query.row, query.name, query.picture
        if row is None or picture is None or name.radius is None:
            continue
        try:
            pose = np.reshape(np.asarray(row["T_world_camera"], dtype=float), (4, 4))
            inverse = np.linalg.inv(pose).tolist()
        except (ValueError, np.linalg.LinAlgError):
            yield Finding(query.path, "T_world_camera is no pose")
            continue
        camera = read_camera({"K": np.reshape(row["K"], (3, 3)).tolist(), "RT": inverse, "RT_": pose.tolist()})
        if camera is None:
            yield Finding(query.path, "K is no camera matrix")
            continue
        assert name.azimuth_deg is not None and name.elevation_deg is not None
        focal = _focal(evidence, name.radius, picture.width)
        faults = camera_faults(camera, picture.width, name.radius, -name.azimuth_deg, name.elevation_deg, focal)
        if faults:
            yield Finding(query.path, "; ".join(faults))


@check(WARNING, "Views outside the published ranges are another distribution.", of=QUERIES)
def views_in_range(evidence: ChairEvidence) -> Iterator[Finding]:
    """Azimuth in [0, 360), elevation and radius as the recipe (else the published set) says, on its grid."""
    recipe = evidence.recipe
    if recipe and recipe.query.station:
        return  # its views are held to the station's cameras where they are replayed
    low, high = recipe.query.elevation_deg if recipe else (20.0, 40.0)
    for query in evidence.queries:
        name = query.name
        if name.azimuth_deg is None or name.elevation_deg is None:
            continue
        if not (0 <= name.azimuth_deg <= 360 and low - 1e-6 <= name.elevation_deg <= high + 1e-6):
            yield Finding(query.path, f"azimuth {name.azimuth_deg:g}, elevation {name.elevation_deg:g}")
        elif recipe and not _on_grid(name.azimuth_deg, recipe.query):
            yield Finding(query.path, f"azimuth {name.azimuth_deg:g} is no multiple of the recipe's step")
        elif recipe and name.radius is not None and abs(name.radius - recipe.query.radius) > 1e-6:
            yield Finding(query.path, f"radius {name.radius:g}, the recipe says {recipe.query.radius:g}")


def _focal(evidence: ChairEvidence, radius: float, width: int) -> float:
    """The focal length that a query should have, in pixels of its picture."""
    query = evidence.recipe.query if evidence.recipe else QueryRecipe()
    return query.focal_at(radius) * width / 256


def _on_grid(azimuth_deg: float, recipe: QueryRecipe) -> bool:
    """Whether an azimuth is one that the recipe draws from."""
    step = 0.01 if recipe.azimuth == "continuous" else recipe.azimuth_step_deg
    return abs((azimuth_deg / step + 0.5) % 1 - 0.5) <= 1e-6


@check(
    ERROR, "More than one anomaly in a picture makes its one label ambiguous.", of=ANOMALIES, needs=(needs.manifest,)
)
def one_anomaly(evidence: ChairEvidence) -> Iterator[Finding]:
    """One job shows one spec on one part, and an operator makes its kind."""
    for rows in evidence.rows_by_job.values():
        samples = [row for row in rows if row["row_type"] == "sample" and row["label"]]
        if len({(row["spec"], row["part_id"]) for row in samples}) > 1:
            yield Finding(samples[0]["query_path"], "views of one job show different anomalies")
        for row in samples:
            if row["kind"] not in operators():
                yield Finding(
                    row["query_path"],
                    f"no operator here makes anomalies of kind {row['kind']}; install the package that brings it",
                )
