"""How often the operators on objects are accepted, why not, and how severe they are: one source at a time."""

import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from datagen.anomalies.registry import apply, propose
from datagen.core.anomaly import AnomalousShape, Rejected
from datagen.core.errors import DatagenError
from datagen.core.rng import stream
from datagen.formats.oddoneout import KINDS
from datagen.kinds.oddoneout.kind import plan_scenes
from datagen.kinds.oddoneout.shapes import SceneShapes
from datagen.kinds.oddoneout.tools import SceneTools
from datagen.materials.open import open_libraries
from datagen.recipe import SceneRecipe
from datagen.shapes.collections import open_collection


@dataclass
class KindCounts:
    """One kind on one source."""

    proposals: int = 0
    accepted: int = 0
    shapes: int = 0
    cpu_s: float = 0.0
    reasons: Counter[str] = field(default_factory=Counter)
    severities: list[float] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Plain figures; the histogram has ten bins up to the largest severity."""
        counts, edges = np.histogram(self.severities, bins=10) if self.severities else (np.zeros(10), np.zeros(11))
        return {
            "proposals": self.proposals,
            "accepted": self.accepted,
            "rate": round(self.accepted / self.proposals, 3) if self.proposals else None,
            "shapes": self.shapes,
            "reasons": dict(self.reasons.most_common()),
            "cpu_s_per_proposal": round(self.cpu_s / max(self.proposals, 1), 3),
            "severity_median": round(float(np.median(self.severities)), 4) if self.severities else None,
            "severity_histogram": {"counts": counts.astype(int).tolist(), "edges": np.round(edges, 4).tolist()},
        }


@dataclass
class OperatorFigures:
    """Every kind on one source; `kept` holds what was accepted."""

    source: str
    shapes: int = 0
    unreadable: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, KindCounts] = field(default_factory=dict)
    kept: dict[str, list[AnomalousShape]] = field(default_factory=dict)

    def examples(self, kind: str, count: int) -> list[AnomalousShape]:
        """Up to `count` of a kind, from the lower to the upper quartile of severity."""
        ranked = sorted(self.kept.get(kind, []), key=lambda made: made.severity)
        places = np.unique(np.linspace(0.25, 0.75, count).round(3) * (len(ranked) - 1)).astype(int) if ranked else ()
        return [ranked[k] for k in dict.fromkeys(places)]

    def to_json(self) -> dict[str, Any]:
        """Plain figures."""
        kinds = {kind: figures.to_json() for kind, figures in self.kinds.items()}
        return {"source": self.source, "shapes": self.shapes, "unreadable": self.unreadable, "kinds": kinds}


def measure_operators(
    collection: str, count: int, recipe: SceneRecipe | None = None, tries: int = 3
) -> OperatorFigures:
    """Propose every kind `tries` times, at most, on up to `count` shapes of a collection, spread over categories.

    Neighbours are looked for in the whole collection. A shape counts as done for a kind with its first acceptance.
    """
    recipe = recipe or SceneRecipe()
    split = recipe.split.model_copy(update={"by": "shape", "scenes": {"train": 1}})
    source = open_collection(collection, None, textured=True)
    plan = plan_scenes(recipe.model_copy(update={"split": split}), source)
    some = plan_scenes(recipe.model_copy(update={"split": split.model_copy(update={"shapes": count})}), source)
    shapes = SceneShapes(SceneTools(plan, open_libraries(recipe.materials.libraries, recipe.seed), "fake"))
    found = OperatorFigures(Path(collection).name, kinds={kind: KindCounts() for kind in KINDS})
    for entry in some.chosen:
        try:
            normal = shapes.normal(entry.shape_id)
        except DatagenError as error:
            found.unreadable[entry.shape_id] = f"{type(error).__name__}: {error.args[0]}"
            continue
        found.shapes += 1
        for kind, figures in found.kinds.items():
            for attempt in range(tries):
                rng = stream(recipe.seed, "measure", entry.shape_id, kind, attempt)
                start = time.process_time()
                _, spec = propose(normal, kind, rng, shapes.setting)
                made = spec if isinstance(spec, Rejected) else apply(normal, spec, shapes.setting)
                figures.cpu_s += time.process_time() - start
                figures.proposals += 1
                if isinstance(made, Rejected):
                    figures.reasons[made.reason] += 1
                    if made.reason in ("no_part", "no_neighbour"):
                        break
                    continue
                figures.accepted += 1
                figures.shapes += 1
                figures.severities.append(made.severity)
                found.kept.setdefault(kind, []).append(made)
                break
    return found
