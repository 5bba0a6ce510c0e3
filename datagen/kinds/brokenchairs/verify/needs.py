"""What checks of chairs need and count: populations, and why something is not there."""

from datagen.kinds.brokenchairs.verify.evidence import ChairEvidence
from datagen.verify.check import Population, all_of

ROWS: Population[ChairEvidence] = all_of("rows", lambda e: e.tree.rows)
FILES: Population[ChairEvidence] = all_of("files", lambda e: e.tree.files.sizes)
QUERIES: Population[ChairEvidence] = all_of("queries", lambda e: e.queries)
ANOMALIES: Population[ChairEvidence] = all_of("anomalies", lambda e: e.anomalies)
BUNDLES: Population[ChairEvidence] = all_of("bundles", lambda e: e.bundles)
DEEP_BUNDLES: Population[ChairEvidence] = Population("deep bundles", lambda e: (len(e.deep), len(e.bundles)))
MESHED: Population[ChairEvidence] = Population("meshes", lambda e: (len(e.mesh_prints), len(e.bundles)))
REPLAYED: Population[ChairEvidence] = Population("replays", lambda e: (len(e.replays), len(e.queries)))


PAIRS: Population[ChairEvidence] = all_of("pairs", lambda e: e.pairs)


def manifest(e: ChairEvidence) -> str:
    """Rows."""
    return "" if e.tree.rows else "there is no manifest.parquet and no log"


def split(e: ChairEvidence) -> str:
    """split.json."""
    return "" if e.tree.split is not None else "there is no readable split.json"


def masks(e: ChairEvidence) -> str:
    """Masks of any anomaly."""
    return "" if any(q.mask_new or q.mask_old for q in e.anomalies) else "there are no masks"


def references(e: ChairEvidence) -> str:
    """Reference views."""
    return "" if e.tree.bundles else "there are no reference views"


def reference_cameras(e: ChairEvidence) -> str:
    """A camera of any reference view."""
    there = any(v.camera for b in e.bundles for v in b.views)
    return "" if there else "the reference views have no K, RT, RT_ JSON"


def depth(e: ChairEvidence) -> str:
    """Depth of any reference view."""
    return "" if any(n.endswith("_depth.npy") for n in e.tree.files.sizes) else "there are no depth files"


def models(e: ChairEvidence) -> str:
    """Which model a shape is of."""
    return "" if any(e.model_of.values()) else "there is no model_id.txt and no shapes.json"


def meshes(e: ChairEvidence) -> str:
    """A mesh of any bundle."""
    return "" if any(b.has_mesh for b in e.bundles) else "there is no model.obj"


def source(e: ChairEvidence) -> str:
    """The shapes that the dataset was made from."""
    return "" if e.source is not None else e.source_note or "the source shapes are not here (give --shapes)"


def photos(e: ChairEvidence) -> str:
    """The photos of the recipe's background, which jobs are told by."""
    plan = e.plan
    missing = plan is not None and plan.recipe.query.background.photos is not None and not plan.photos
    return "the photos of query.background are not where the recipe says" if missing else ""


def replays(e: ChairEvidence) -> str:
    """Replayed samples."""
    why = e.source_note or "neither the source shapes (--shapes) nor model.obj can be replayed"
    return "" if e.replays else why


def measured(e: ChairEvidence) -> str:
    """A recipe that measures in millimetres."""
    return "" if e.recipe is not None and e.recipe.units else "the recipe says no units: nothing is in millimetres"


def paired(e: ChairEvidence) -> str:
    """A recipe that asks for pairs."""
    return "" if e.is_paired or e.pairs_problem else "the recipe asks for no counterfactual references"


def pairs(e: ChairEvidence) -> str:
    """pairs.parquet."""
    return "" if e.pairs else "there are no pairs of queries and references"


def side_probes(e: ChairEvidence) -> str:
    """Enough balanced pairs to probe."""
    return "" if e.side_probes else "there are too few pairs or shapes to probe"


def audit(e: ChairEvidence) -> str:
    """Enough pictures to probe."""
    return "there are too few pictures or shapes to probe" if e.audit.note else ""
