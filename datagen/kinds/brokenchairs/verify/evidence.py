"""What the checks of chairs look at: everything is read once, here, and kept as figures."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from datagen.core.ids import fraction_of_hash
from datagen.core.row import Job
from datagen.formats.pairs import PAIRS, Pair, read_pairs
from datagen.kinds.brokenchairs.kind import plan_chairs, reading
from datagen.kinds.brokenchairs.plan import ChairPlan
from datagen.kinds.brokenchairs.verify.audit import Audit, audit
from datagen.kinds.brokenchairs.verify.bundles import BundleFacts, read_bundle, read_deep
from datagen.kinds.brokenchairs.verify.correspond import ViewFigures, covisible_share, triangulate, view_figures
from datagen.kinds.brokenchairs.verify.funnel import Funnel, funnels
from datagen.kinds.brokenchairs.verify.meshes import MeshPrint, mesh_print
from datagen.kinds.brokenchairs.verify.paired import SideProbe, side_probes
from datagen.kinds.brokenchairs.verify.queries import QueryFacts, read_query
from datagen.kinds.brokenchairs.verify.replay import Replay, Replayer
from datagen.kinds.brokenchairs.verify.source import OpenSource
from datagen.kinds.brokenchairs.verify.tree import ChairTree, chair_tree
from datagen.kinds.brokenchairs.verify.turning import Turn, turns
from datagen.pipeline.context import ShapeCache
from datagen.recipe import Recipe
from datagen.recipe.categories import DEFAULT
from datagen.verify.damage import DAMAGE
from datagen.verify.evidence import NO_RECIPE, BaseEvidence, each, hash_the_rest

SAMPLE = 200
"""Samples and bundles that geometry is replayed on, unless everything is asked for."""
MESHES = 1000
"""Meshes compared across splits, unless everything is asked for."""
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class BundleFigures:
    """The deep pass over one bundle: its views' figures and how its views overlap."""

    shape: str
    views: tuple[ViewFigures, ...]
    covisible: float
    """Share of view pairs that the published loader can use; NaN without two views."""
    problems: Mapping[str, str]


@dataclass(eq=False)
class ChairEvidence(BaseEvidence):
    """Facts of a dataset of chairs, gathered on first use."""

    tree: ChairTree

    def __post_init__(self) -> None:
        self.tree = chair_tree(self.tree)

    @cached_property
    def queries(self) -> tuple[QueryFacts, ...]:
        """Every query, in the order of paths."""
        self.note(f"reading {len(self.tree.queries)} pictures with their annotations")
        return tuple(each(lambda name: read_query(self.tree, name), self.tree.queries))

    @cached_property
    def anomalies(self) -> tuple[QueryFacts, ...]:
        """Queries that the published loader takes for anomalous."""
        return tuple(query for query in self.queries if query.name.label)

    @cached_property
    def bundles(self) -> tuple[BundleFacts, ...]:
        """Every reference bundle, light pass."""
        self.note(f"reading {len(self.tree.bundles)} reference bundles")
        return tuple(each(lambda shape: read_bundle(self.tree, shape), tuple(self.tree.bundles)))

    @cached_property
    def deep(self) -> tuple[BundleFigures, ...]:
        """Reference bundles of the sample, deep pass."""
        chosen = self.sampled(self.bundles, lambda bundle: bundle.shape)
        self.note(f"checking correspondences and depth of {len(chosen)} bundles")
        return tuple(each(self._deep, chosen))

    def _deep(self, bundle: BundleFacts) -> BundleFigures:
        problems: dict[str, str] = {}
        views = read_deep(self.tree, bundle, problems)
        points = triangulate(views)
        figures = tuple(view_figures(view, points) for view in views)
        return BundleFigures(bundle.shape, figures, covisible_share(views), problems)

    def sampled(self, items: Sequence[T], key: Callable[[T], str]) -> tuple[T, ...]:
        """The seeded sample of 200 of them, in their order; all of them with `full`."""
        if self.full or len(items) <= SAMPLE:
            return tuple(items)
        rank = sorted(items, key=lambda item: fraction_of_hash([self.seed, "verify", key(item)]))
        chosen = {key(item) for item in rank[:SAMPLE]}
        return tuple(item for item in items if key(item) in chosen)

    @cached_property
    def recipe(self) -> Recipe | None:
        """The recipe of chairs in run.json, or None."""
        return self._stated(Recipe)

    @cached_property
    def rows_by_job(self) -> Mapping[str, tuple[Mapping[str, Any], ...]]:
        """Manifest rows by job id."""
        found: dict[str, list[Mapping[str, Any]]] = {}
        for row in self.tree.rows:
            found.setdefault(row["job_id"], []).append(row)
        return {job: tuple(rows) for job, rows in found.items()}

    @cached_property
    def model_of(self) -> Mapping[str, str]:
        """Shape id -> model id by model_id.txt, else by shapes.json."""
        table = (self.tree.shapes_table or {}).get("shapes") or {}
        models = {str(shape): str(entry.get("model_id", "")) for shape, entry in table.items()}
        return {**models, **{bundle.shape: bundle.model_id for bundle in self.bundles if bundle.model_id}}

    @cached_property
    def mesh_prints(self) -> tuple[MeshPrint, ...]:
        """Prints of the meshes of all bundles; of 1,000 (test and validation first) of more, unless `full`."""
        shapes = [b.shape for b in self.bundles if b.has_mesh and not b.is_counterfactual]
        if not self.full and len(shapes) > MESHES:
            order = {"test": 0, "val": 0}
            shapes.sort(key=lambda s: (order.get(self.tree.split_of.get(s, ""), 1), fraction_of_hash([self.seed, s])))
            held_out = sum(self.tree.split_of.get(s, "") in order for s in shapes)
            shapes = shapes[:SAMPLE] + shapes[held_out : held_out + MESHES - SAMPLE]
        self.note(f"comparing {len(shapes)} meshes across splits")
        return tuple(p for p in each(lambda shape: mesh_print(self.tree, shape), shapes) if p is not None)

    @cached_property
    def _opened(self) -> tuple[OpenSource | None, str]:
        if (recipe := self.recipe) is None:
            return None, NO_RECIPE
        named = sorted({str(row.get("category") or DEFAULT) for row in self.tree.rows}) or [DEFAULT]
        built_in = (",".join(f"partnet/{name}" for name in named), "partnet")[: 1 + (named != [DEFAULT])]
        plan, why = self._open(lambda source: plan_chairs(recipe, source), False, built_in, reading(recipe))
        if plan and plan.absent:
            return None, f"{plan.absent[0]}, which the recipe names, is not here; call datagen from where the build was"
        return (OpenSource(plan, ShapeCache(plan, size=24)) if plan else None), why

    @property
    def source(self) -> OpenSource | None:
        """The shapes that the dataset was made from; None where they are not here."""
        return self._opened[0]

    @property
    def plan(self) -> ChairPlan | None:
        """The plan of the build; None where its shapes are not here."""
        return self.source.plan if self.source else None

    @property
    def source_note(self) -> str:
        """Why there is no source, or ''."""
        return self._opened[1]

    def planned(self) -> Iterator[Job]:
        """Jobs of the shapes that rows name."""
        if self.source is not None:
            for shape in sorted({row["shape_id"] for row in self.tree.rows} & set(self.source.place)):
                yield from self.source.jobs_of(shape)

    @cached_property
    def replays(self) -> tuple[Replay, ...]:
        """The sample of queries, replayed; () where neither the source nor meshes allow it."""
        if self.source is None and not any(bundle.has_mesh for bundle in self.bundles):
            return ()
        chosen = self.sampled(self.queries, lambda query: query.path)
        self.note(f"replaying the geometry of {len(chosen)} samples")
        replayer = Replayer(self.tree, self.recipe, self.source)
        # Samples of one shape and one spec follow each other in the order of folders: caches hit.
        return tuple(replayer.replay(query) for query in chosen)

    @cached_property
    def turns(self) -> tuple[Turn, ...]:
        """Which way a sample of normal queries turns against their references."""
        normal = tuple(query for query in self.queries if not query.name.label)
        return tuple(turns(self.tree, self.sampled(normal, lambda query: query.path)))

    @cached_property
    def audit(self) -> Audit:
        """The shortcut audit."""
        self.note("probing for shortcuts")
        return audit(self.tree, self.queries)

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """Pairs of query and reference as pairs.parquet lists them; () without a readable one."""
        return self._paired[0]

    @property
    def pairs_problem(self) -> str:
        """Why pairs.parquet cannot be read, or ''."""
        return self._paired[1]

    @cached_property
    def _paired(self) -> tuple[tuple[Pair, ...], str]:
        if not self.tree.files.has(PAIRS):
            return (), "is not there; run the build again to list the pairs" if self.is_paired else ""
        try:
            return tuple(read_pairs(self.tree.files)), ""
        except DAMAGE as error:
            return (), f"cannot be read: {error}"

    @cached_property
    def side_probes(self) -> tuple[SideProbe, ...]:
        """What either side of pairs alone tells; () where there are too few, or pictures cannot be read."""
        try:
            return tuple(side_probes(self.tree, self.pairs))
        except DAMAGE:
            return ()

    @property
    def is_paired(self) -> bool:
        """Whether the recipe asks for pairs."""
        return self.recipe is not None and self.recipe.reference.counterfactual

    @cached_property
    def funnels(self) -> Mapping[str, Funnel]:
        """Kind -> what became of its proposals."""
        return funnels(self.tree.rows)[0]

    @cached_property
    def file_hashes(self) -> Mapping[str, str]:
        """Path -> SHA-256 of every file below images/, annotations/ and shapes/."""
        found: dict[str, str] = {}
        for query in self.queries:
            found |= query.hashes
        for bundle in self.bundles:
            found |= bundle.hashes
        return hash_the_rest(self.tree, found)
