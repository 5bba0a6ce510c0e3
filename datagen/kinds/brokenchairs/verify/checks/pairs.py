"""Pairs of query and reference: is the label a relation that neither side alone tells?"""

from collections import Counter, defaultdict
from collections.abc import Iterator

from datagen.formats.brokenchairs import (
    AT_QUERY_SUFFIXES,
    COUNTERFACTUAL,
    TWIN,
    base_shape,
    parse_query,
    reference_folder,
)
from datagen.formats.pairs import PAIRS as TABLE
from datagen.formats.pairs import Pair
from datagen.kinds.brokenchairs.pairs import INVERSE, list_pairs
from datagen.kinds.brokenchairs.state import state_key
from datagen.kinds.brokenchairs.verify import needs
from datagen.kinds.brokenchairs.verify.evidence import ChairEvidence
from datagen.kinds.brokenchairs.verify.needs import PAIRS, ROWS
from datagen.kinds.brokenchairs.verify.paired import shots, twin_difference, views_showing
from datagen.verify.check import ERROR, CheckList, Finding
from datagen.verify.damage import DAMAGE

CHECKS = CheckList[ChairEvidence]()
check = CHECKS.check


TWIN_LEVELS = {"fake": 2.0, "cycles": 10.0}
"""Grey levels by which twins may differ on the object outside the masks. Cycles: shadows and reflected light of the
part that changed make 3 at most, another dress 50."""
DEEP_GROUPS = 40
"""Groups whose depths are compared, unless everything is asked for."""


def _told(pair: Pair) -> str:
    return f"{pair.query_path} against {pair.reference}"


@check(
    ERROR, "A table of pairs that is not that of the rows trains on what is not there.", of=ROWS, needs=(needs.paired,)
)
def pairs_listed(evidence: ChairEvidence) -> Iterator[Finding]:
    """pairs.parquet lists all decidable pairs that the manifest's rows give, and no other."""
    if evidence.pairs_problem:
        yield Finding(TABLE, evidence.pairs_problem)
        return
    if evidence.recipe is None:
        return
    try:
        there, wanted = set(evidence.pairs), set(list_pairs(evidence.tree.rows, evidence.recipe))
    except DAMAGE as error:
        yield Finding("manifest.parquet", f"no pairs can be made of its rows: {error}")
        return
    for pair in sorted(wanted - there, key=_told):
        yield Finding(_told(pair), "is not in the table as the rows have it; run the build again")
    for pair in sorted(there - wanted, key=_told):
        yield Finding(_told(pair), "is in the table and no pair of the rows")


@check(ERROR, "An anomaly without its normal twin is told by its picture alone.", of=ROWS, needs=(needs.paired,))
def twins_complete(evidence: ChairEvidence) -> Iterator[Finding]:
    """Every anomalous picture has one twin, of its own job, and every job of such pictures the bundle of its shape."""
    rows = evidence.tree.rows
    shown = {str(row["sample_id"]): row for row in rows if row["row_type"] == "sample" and row["label"]}
    twins = [row for row in rows if row["row_type"] == "sample" and row["reason"] == TWIN]
    bundles = {row["job_id"] for row in rows if row["row_type"] == "reference" and row["reason"] == COUNTERFACTUAL}
    for row in twins:
        of = shown.get(str(row["detail"]))
        if of is None or of["job_id"] != row["job_id"]:
            yield Finding(str(row["query_path"]), "is the twin of no anomalous picture of its job")
    count = Counter(str(row["detail"]) for row in twins)
    for name, row in shown.items():
        if count[name] != 1:
            yield Finding(str(row["query_path"]), f"has {count[name] or 'no'} normal twin{'s' * (count[name] > 1)}")
        if row["job_id"] not in bundles:
            yield Finding(str(row["query_path"]), "has no bundle of its anomalous shape")


@check(ERROR, "A pair without its picture or its views is none.", of=PAIRS, needs=(needs.pairs,))
def pairs_have_files(evidence: ChairEvidence) -> Iterator[Finding]:
    """Query, masks, bundle and views at the query's camera of every pair are there."""
    names = evidence.tree.files.sizes
    for pair in evidence.pairs:
        paths = [pair.query_path, *filter(None, (pair.mask_query_path, pair.mask_reference_path))]
        if pair.reference_at_query:
            paths += [pair.reference_at_query + suffix for suffix in AT_QUERY_SUFFIXES]
        absent = [path for path in paths if path not in names]
        if pair.reference not in evidence.tree.bundles:
            absent.append(f"{reference_folder(pair.reference)}/mv_images")
        if absent:
            yield Finding(_told(pair), f"{absent[0]} is not there")


@check(ERROR, "The label of a pair says whether two states differ, and nothing else.", of=PAIRS, needs=(needs.pairs,))
def pairs_labelled(evidence: ChairEvidence) -> Iterator[Finding]:
    """Label 1 where the states of query and reference differ; states and relation are those of picture and bundle."""
    for pair in evidence.pairs:
        faults = []
        if pair.label != int(pair.query_state != pair.reference_state):
            faults.append(f"label {pair.label} with states '{pair.query_state}' and '{pair.reference_state}'")
        if pair.reference_state != ("" if base_shape(pair.reference) == pair.reference else pair.reference):
            faults.append(f"the bundle {pair.reference} is not in the state '{pair.reference_state}'")
        if parse_query(pair.query_path).label != int(pair.query_state != ""):
            faults.append(f"the picture is not in the state '{pair.query_state}'")
        if pair.relation != _relation(pair):
            faults.append(f"its relation is {pair.relation}, not {_relation(pair)}")
        if faults:
            yield Finding(_told(pair), "; ".join(faults))


def _relation(pair: Pair) -> str:
    if pair.query_state == pair.reference_state:
        return "same"
    if pair.query_state and pair.reference_state:
        return "two"
    return pair.kind if pair.query_state else INVERSE.get(pair.kind, pair.kind)


@check(ERROR, "Half a design tells the label by one side alone.", of=PAIRS, needs=(needs.pairs,))
def pairs_balanced(evidence: ChairEvidence) -> Iterator[Finding]:
    """Of the balanced pairs every query and every reference has both labels equally often."""
    for side in ("query_path", "reference"):
        labels: dict[str, list[int]] = defaultdict(list)
        for pair in evidence.pairs:
            if pair.balanced:
                labels[getattr(pair, side)].append(pair.label)
        for subject, found in sorted(labels.items()):
            if 2 * sum(found) != len(found):
                yield Finding(subject, f"has label 1 in {sum(found)} of {len(found)} balanced pairs")


@check(ERROR, "A query against another object's reference is no question.", of=PAIRS, needs=(needs.pairs,))
def pairs_of_one_shape(evidence: ChairEvidence) -> Iterator[Finding]:
    """Query, reference, masks and the row of every pair are of one shape, the bundles of one model."""
    models = {bundle.shape: bundle.model_id for bundle in evidence.bundles}
    for pair in evidence.pairs:
        shape = str(pair.public_id)
        said = {parse_query(pair.query_path).shape, base_shape(pair.reference), base_shape(pair.group), shape}
        if len(said) > 1:
            yield Finding(_told(pair), f"is of the shapes {', '.join(sorted(said))}")
        elif models.get(pair.reference, "") != models.get(shape, ""):
            yield Finding(_told(pair), f"model_id.txt of {pair.reference} names another model than that of {shape}")


@check(ERROR, "A group in two splits is tested on what it was trained on.", of=PAIRS, needs=(needs.pairs, needs.split))
def pairs_undivided(evidence: ChairEvidence) -> Iterator[Finding]:
    """All pairs of a shape are in its own split."""
    split_of = evidence.tree.split_of
    for pair in evidence.pairs:
        own = split_of.get(str(pair.public_id), "none")
        if pair.split != own:
            yield Finding(_told(pair), f"is {pair.split}, its shape {own} by split.json")


@check(ERROR, "What differs between twins beside the anomaly tells the label.", of=PAIRS, needs=(needs.pairs,))
def twins_equal(evidence: ChairEvidence) -> Iterator[Finding]:
    """A picture and its twin have one camera, light and dress, and differ within the masks of the change alone."""
    limit = TWIN_LEVELS.get(evidence.tree.renderer or "", TWIN_LEVELS["cycles"])
    table = shots(evidence.pairs)
    for key in evidence.sampled(sorted(table), str):
        names = [parse_query(path) for path in sorted({pair.query_path for pair in table[key]})]
        subject = names[-1].path
        views = {(n.texture, n.radius, n.azimuth_deg, n.elevation_deg, n.light) for n in names}
        if len(names) != 2 or len(views) != 1:
            yield Finding(subject, "is not one of two pictures of one camera, light and dress")
            continue
        try:
            found = twin_difference(evidence.tree, table[key])
        except DAMAGE as error:
            yield Finding(subject, f"cannot be compared with its twin: {error}")
            continue
        if found is None or found > limit:
            yield Finding(subject, f"differs from its twin beside the change, by {found or 0:.1f} of {limit:g} levels")


@check(
    ERROR, "A change that no reference view shows makes its label noise.", of=PAIRS, needs=(needs.pairs, needs.depth)
)
def pairs_decidable(evidence: ChairEvidence) -> Iterator[Finding]:
    """In a sample of groups, the depths of both bundles differ in 60 pixels of as many views as the table says.

    Of a shape whose good parts stand within a tolerance it may be more: edges of those move too.
    """
    groups = {pair.group: pair for pair in evidence.pairs if pair.balanced}
    chosen = evidence.sampled(sorted(groups), str)
    for name in chosen if evidence.full else chosen[:: max(1, len(chosen) // DEEP_GROUPS)]:
        pair = groups[name]
        try:
            showing = views_showing(evidence.tree, str(pair.public_id), name)
        except DAMAGE as error:
            yield Finding(name, f"its depths cannot be compared: {error}")
            continue
        if showing is None or showing == 0:
            yield Finding(name, "no reference view shows how it differs from its normal shape")
            continue
        moved = state_key(evidence.tree.row_of.get(pair.query_path, {})).strip()
        if showing < pair.views_showing - 1 or (showing > pair.views_showing + 1 and not moved):
            yield Finding(name, f"{showing} views show the change, the table says {pair.views_showing}")


@check(ERROR, "If one side tells the label, nobody has to compare.", of=PAIRS, needs=(needs.pairs, needs.side_probes))
def pairs_need_both_sides(evidence: ChairEvidence) -> Iterator[Finding]:
    """A probe of queries alone and one of references alone hold 0.5 in their interval, over the balanced pairs."""
    for probe in evidence.side_probes:
        if not probe.low <= 0.5 <= probe.high:
            yield Finding(f"{probe.side} alone", f"AUC {probe.auc:.3f}, interval {probe.low:.3f} to {probe.high:.3f}")
