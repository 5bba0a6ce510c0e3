"""Does anything of the test set show up in training: shapes, models, meshes, donors?"""

import json
from collections import defaultdict
from collections.abc import Iterator

from datagen.core.anomaly import ALSO
from datagen.formats.brokenchairs import UNSEEN
from datagen.formats.published import SOURCE
from datagen.kinds.brokenchairs.verify import needs
from datagen.kinds.brokenchairs.verify.evidence import ChairEvidence
from datagen.kinds.brokenchairs.verify.meshes import near_duplicates
from datagen.kinds.brokenchairs.verify.needs import BUNDLES, MESHED, ROWS
from datagen.recipe.categories import DEFAULT
from datagen.verify.check import ERROR, WARNING, CheckList, Finding
from datagen.verify.tree import Record

CHECKS = CheckList[ChairEvidence]()
check = CHECKS.check


@check(ERROR, "A shape in two splits is tested on what it was trained on.", needs=(needs.split,))
def splits_disjoint(evidence: ChairEvidence) -> Iterator[Finding]:
    """No shape stands in two lists of split.json, or twice in one."""
    seen: dict[str, str] = {}
    for name, ids in evidence.tree.split.items() if isinstance(evidence.tree.split, dict) else ():
        for shape in ids if isinstance(ids, list) else ():
            if str(shape) in seen:
                yield Finding(f"shape {shape}", f"stands in {seen[str(shape)]} and in {name}")
            seen[str(shape)] = name


@check(
    ERROR,
    "Rows and split.json are used by different people for one purpose.",
    of=ROWS,
    needs=(needs.manifest, needs.split),
)
def splits_agree(evidence: ChairEvidence) -> Iterator[Finding]:
    """The split of rows and of shapes.json is the one of split.json."""
    split_of = evidence.tree.split_of
    told = set()
    for row in evidence.tree.rows:
        shape = str(row["public_id"])
        if shape not in told and shape in split_of and split_of[shape] != row["split"]:
            told.add(shape)
            yield Finding(f"shape {shape}", f"is {row['split']} by its rows and {split_of[shape]} by split.json")
    table = (evidence.tree.shapes_table or {}).get("shapes") or {}
    for shape, entry in table.items():
        if split_of.get(str(shape), entry.get("split")) != entry.get("split"):
            yield Finding(
                f"shape {shape}", f"is {entry.get('split')} by shapes.json, {split_of[str(shape)]} by split.json"
            )


@check(ERROR, "A category that was trained on is not unseen.", of=ROWS, needs=(needs.manifest, needs.split))
def unseen_is_unseen(evidence: ChairEvidence) -> Iterator[Finding]:
    """Rows of the recipe's unseen categories are in the split unseen, and no others are."""
    recipe = evidence.recipe
    unseen = set(recipe.split.unseen) if recipe is not None else set()
    told = set()
    for row in evidence.tree.rows:
        category, shape = str(row.get("category") or DEFAULT), row["public_id"]
        if shape not in told and (category in unseen) != (row["split"] == UNSEEN):
            told.add(shape)
            yield Finding(f"shape {shape}", f"is a {category} in the split {row['split']}")


@check(ERROR, "Two annotations of one model are one object.", of=BUNDLES, needs=(needs.split, needs.models))
def models_disjoint(evidence: ChairEvidence) -> Iterator[Finding]:
    """No model_id in two splits; model_id.txt and shapes.json name the same model."""
    shapes_of: dict[str, list[str]] = defaultdict(list)
    for shape, model in evidence.model_of.items():
        shapes_of[model].append(shape)
    split_of = evidence.tree.split_of
    for model, shapes in shapes_of.items():
        splits = sorted({split_of[s] for s in shapes if s in split_of})
        if model and len(splits) > 1:
            yield Finding(
                f"shape {shapes[-1]}", f"model {model} of shapes {', '.join(shapes)} is in {', '.join(splits)}"
            )
    table = (evidence.tree.shapes_table or {}).get("shapes") or {}
    for bundle in evidence.bundles:
        stated = str((table.get(bundle.shape) or {}).get("model_id", bundle.model_id))
        if bundle.model_id and stated != bundle.model_id:
            yield Finding(
                f"shape {bundle.shape}", f"is model {bundle.model_id} by model_id.txt, {stated} by shapes.json"
            )


@check(
    ERROR,
    "A copy of a training chair under another name is no test chair.",
    of=MESHED,
    needs=(needs.split, needs.meshes),
)
def meshes_disjoint(evidence: ChairEvidence) -> Iterator[Finding]:
    """No two meshes of different splits have nearly the same surface (0.4 % of the sphere's radius).

    Parts in true millimetres are of one design as a rule, in training and in test: they may be alike.
    """
    if evidence.recipe and evidence.recipe.units:
        return
    split_of = evidence.tree.split_of
    for a, b, distance in near_duplicates(evidence.tree, evidence.mesh_prints, split_of):
        yield Finding(
            f"shape {b}", f"({split_of[b]}) is within {distance:.4f} of shape {a} ({split_of[a]}) all over its surface"
        )


@check(ERROR, "A donor of another split carries its part over.", of=ROWS, needs=(needs.manifest,))
def donors_own_split(evidence: ChairEvidence) -> Iterator[Finding]:
    """The donor of every swapped part is a shape of the sample's own split, of another model."""
    splits: dict[str, str] = {row["shape_id"]: row["split"] for row in evidence.tree.rows}
    table = (evidence.tree.shapes_table or {}).get("shapes") or {}
    models = {str(entry.get("shape_id")): str(entry.get("model_id", "")) for entry in table.values()}
    splits |= {str(entry.get("shape_id")): str(entry.get("split")) for entry in table.values()}
    source = evidence.source
    if source is not None:
        splits |= dict(source.plan.splits)
        models |= {shape: source.plan.model_of(shape) for shape in source.plan.splits}
    for row in evidence.tree.samples:
        for donor in _donors(row):
            if not donor:
                yield Finding(row["query_path"], "its spec names no donor")
            elif donor in splits and splits[donor] != row["split"]:
                yield Finding(row["query_path"], f"donor {donor} is {splits[donor]}, the sample {row['split']}")
            elif donor == row["shape_id"] or (models.get(donor) and models.get(donor) == models.get(row["shape_id"])):
                yield Finding(row["query_path"], f"donor {donor} is the same model")


def _donors(row: Record) -> list[str]:
    """Ids of the donors of every swapped part of a row; '' for one that its spec does not name.

    A wrong variant is a file of the user's and has no donor.
    """
    if row["kind"] != "swapped" and ALSO not in row["spec"]:
        return []
    if row["source"] == SOURCE and not row["spec"]:
        return []
    try:
        spec = json.loads(row["spec"])
        specs = [{**spec, "kind": row["kind"]}, *spec.get(ALSO, ())]
        swapped = [one for one in specs if one.get("kind") == "swapped" and not one.get("variant")]
        return [str(one.get("donor_shape_id", "")) for one in swapped]
    except (ValueError, AttributeError):
        return [""]


@check(WARNING, "Training and test need both labels, or the published code stops.", needs=(needs.split,))
def labels_in_splits(evidence: ChairEvidence) -> Iterator[Finding]:
    """Train and test hold normal and anomalous queries."""
    seen: dict[str, set[int]] = defaultdict(set)
    for query in evidence.queries:
        seen[evidence.tree.split_of.get(query.name.shape, "")].add(query.name.label)
    for name in ("train", "test"):
        if seen[name] != {0, 1}:
            yield Finding(name, f"holds {'no query' if not seen[name] else 'one label only'}")
