"""What `datagen verify` costs on many samples: the checks that always run, and the page.

As a program, with `--samples 10000`, it measures in a process of its own, so that its peak is the peak.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from datagen.formats.brokenchairs import FOLDERS
from datagen.kinds.brokenchairs.bench.multiply import multiply
from datagen.kinds.brokenchairs.bench.plans import plan_of, recipe_of
from datagen.kinds.brokenchairs.verify.checks import CHECKS
from datagen.kinds.brokenchairs.verify.evidence import ChairEvidence
from datagen.kinds.brokenchairs.verify.examination import CHAIRS
from datagen.pipeline.build import build
from datagen.pipeline.worker import Site
from datagen.verify.document import examine
from datagen.verify.tree import open_tree

SAMPLES = 10_000
EVERYTHING = ("dataset", "rows", "files", "queries", "anomalies", "bundles")
"""What a check may be of to run on all of it."""
SAMPLED = ("no_shortcut", "azimuth_sign", "counts_of_recipe", "rows_of_plan", "plan_complete", "donors_own_split")
"""Checks of these that open the source shapes, or probe."""


def measure(samples: int = SAMPLES) -> dict[str, float]:
    """CPU-seconds and this process's peak memory (MiB) of the checks, and the page's size (MiB).

    The samples are those of eight chairs by the fake renderer, linked under many names.
    """
    with tempfile.TemporaryDirectory(prefix="datagen-bench-") as name:
        few, many = Path(name) / "few", Path(name) / "many"
        build(Site(plan_of(recipe_of("brokenchairs"), limit=8), few, "fake"))
        count = multiply(few, many, -(-samples // len(open_tree(few, FOLDERS).samples)))
        evidence: ChairEvidence = CHAIRS.evidence(open_tree(many, FOLDERS))
        start = time.process_time()
        chosen = [c.name for c in CHECKS.checks.values() if c.of.name in EVERYTHING and c.name not in SAMPLED]
        CHECKS.run(evidence, chosen)
        spent = time.process_time() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        page = len(examine(CHAIRS, evidence).page())
    return {
        "samples": count,
        "check_cpu_s": round(spent, 1),
        "peak_mib": round(peak, 1),
        "page_mib": round(page / 2**20, 1),
    }


def measure_apart(samples: int = SAMPLES) -> dict[str, float]:
    """`measure` in a fresh process. Raises CalledProcessError."""
    command = [sys.executable, "-m", "datagen.kinds.brokenchairs.bench.verify", "--samples", str(samples)]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m datagen.kinds.brokenchairs.bench.verify", description=__doc__)
    parser.add_argument("--samples", type=int, default=SAMPLES)
    sys.stdout.write(json.dumps(measure(parser.parse_args().samples)) + "\n")
