"""The paper's protocol at 256 px on a GPU that is lent for minutes: what travels is packed to a size, runs to a time.

`python -m datagen.train.tasks.matching.gpu_study pack --data DIR --out FILE --mib 60` puts whole shapes, as many as
fit, of every split into one tar; depth maps stay behind, for published position maps stand in for them.
`... gpu_study run --packed FILE --out DIR --minutes 9` unpacks it, gives every network an equal share of the time, and
prints the table of `paired_study`.
"""

import argparse
import json
import sys
import tarfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from datagen.core.command import run_command
from datagen.core.errors import UsageError
from datagen.datasets.samples import open_dataset
from datagen.formats.brokenchairs import COUNTERFACTUAL, TWIN
from datagen.store.parquet import read_parquet
from datagen.train.loop import train
from datagen.train.recipes import apply_overrides, load_train_recipe
from datagen.train.runtime import Runtime, open_runtime
from datagen.train.tasks.matching.paired_study import Arm, paired_study
from datagen.train.tasks.matching.paired_table import table
from datagen.train.tasks.matching.recipe import MatchingRecipe

NETWORKS = ("resnet_fpn_sa", "cmt", "comparator")
LEFT_BEHIND = ("_depth.npy", "model.obj")
PACE_STEPS = 12
"""Steps by which a network's pace is measured; the first ones, which load and compile, do not count."""
WARM_STEPS = 4
FOR_TRAINING = 0.75
"""Share of the time that is for training; the rest is for unpacking and evaluating."""


def pack(data: Path, out: Path, mib: float) -> dict[str, int]:
    """Write the tar; returns how many shapes of each split went in.

    Raises UsageError where not one shape of every split fits.
    """
    files = open_dataset(data)
    told = read_parquet(files.read("manifest.parquet"))
    splits = json.loads(files.read("split.json"))
    of_shape: dict[str, list[str]] = defaultdict(list)
    for path in [p for folder in ("images", "annotations", "shapes") for p in files.list(folder)]:
        if not path.endswith(LEFT_BEHIND) and "/view_" not in path:
            of_shape[_shape_of(path)].append(path)
    chosen, room = [], mib * 2**20
    for shape in _by_turns(splits):
        size = sum(len(files.read(path)) + 1024 for path in of_shape[shape])
        if size > room:
            break
        chosen.append(shape)
        room -= size
    kept = {split: [s for s in shapes if str(s) in chosen] for split, shapes in splits.items()}
    if not all(kept.get(split) for split in ("train", "val", "test")):
        raise UsageError(f"{data}: not one shape of every split fits into {mib:g} MiB; give more --mib")
    manifest = BytesIO()
    natural = [row for row in told.to_pylist() if row["reason"] not in (TWIN, COUNTERFACTUAL)]
    there = [row for row in natural if str(row["public_id"]) in chosen]
    pq.write_table(pa.Table.from_pylist(there, schema=told.schema), manifest)
    with tarfile.open(out, "w") as tar:
        for name, content in (("manifest.parquet", manifest.getvalue()), ("split.json", json.dumps(kept).encode())):
            _add(tar, name, content)
        for shape in chosen:
            for path in of_shape[shape]:
                _add(tar, path, files.read(path))
    return {split: len(shapes) for split, shapes in kept.items()}


def _shape_of(path: str) -> str:
    """The public id of the shape that a natural sample or its reference belongs to; '' for what only pairs need."""
    top, folder = path.split("/")[:2]
    shape, _, rest = folder.removeprefix("shape_").partition("-")
    return "" if (rest and top == "shapes") or rest.startswith("t") else shape


def _by_turns(splits: dict[str, list[int]]) -> Iterator[str]:
    """Shapes of the splits in their proportions: whatever fits is a small dataset of the same kind."""
    placed = [
        ((k + 0.5) / len(shapes), split, shape)
        for split, shapes in splits.items()
        if split in ("train", "val", "test")
        for k, shape in enumerate(shapes)
    ]
    for _, _, shape in sorted(placed):
        yield str(shape)


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, BytesIO(content))


def run(
    packed: Path, out: Path, minutes: float, runtime: Runtime, overrides: Sequence[str] = (), rounds: int = 1000
) -> str:
    """Unpack, train every network for its share of the time, and the table of what they learned."""
    begun = time.perf_counter()
    data = unpack(packed, out)
    recipes = [load_train_recipe(name, overrides=overrides) for name in NETWORKS]
    left = minutes * 60 * FOR_TRAINING - (time.perf_counter() - begun)
    arms = []
    for recipe, name in zip(recipes, NETWORKS, strict=True):
        pace = seconds_a_step(recipe, data, out / "pace" / name, runtime)
        steps = max(1, int(left / len(recipes) / pace))
        timed = apply_overrides(recipe, [f"optim.max_steps={steps}", f"optim.epochs={steps}"])
        sys.stderr.write(f"{name}: {pace:.3f} s a step, {steps} steps of {timed.optim.batch}\n")
        arms.append(Arm(name, (timed,), data))
    found = paired_study(arms, out / "runs", runtime, rounds=rounds, baseline=NETWORKS[0])
    (out / "study.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (out / "study.md").write_text(table(found), encoding="utf-8")
    return table(found)


def unpack(packed: Path, out: Path) -> Path:
    """The folder of the dataset that a tar of `pack` holds, below `out`."""
    data = out / "data"
    with tarfile.open(packed) as tar:
        tar.extractall(data, filter="data")
    return data


def seconds_a_step(recipe: MatchingRecipe, data: Path, out: Path, runtime: Runtime) -> float:
    """Wall-clock seconds of a training step, after the first few; the packed cache is made on the way."""
    times: list[float] = []
    brief = apply_overrides(
        recipe, [f"optim.max_steps={PACE_STEPS}", f"optim.epochs={PACE_STEPS}", "log.tensorboard=false"]
    )
    out.mkdir(parents=True)
    train(out, data, brief, runtime, lambda event: times.append(time.perf_counter()))
    # The last step validates and saves too.
    return (times[-2] - times[WARM_STEPS - 1]) / (len(times) - WARM_STEPS - 1)


def main(arguments: Sequence[str]) -> None:
    """Parse, pack or run, and print."""
    parser = argparse.ArgumentParser(prog="python -m datagen.train.tasks.matching.gpu_study", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    packing, running = verbs.add_parser("pack"), verbs.add_parser("run")
    packing.add_argument("--data", type=Path, required=True)
    packing.add_argument("--out", type=Path, required=True)
    packing.add_argument("--mib", type=float, default=60)
    running.add_argument("--packed", type=Path, required=True)
    running.add_argument("--out", type=Path, required=True)
    running.add_argument("--minutes", type=float, default=9)
    running.add_argument("--set", dest="overrides", action="append", default=[], help="for every network")
    running.add_argument("--device")
    given = parser.parse_args(arguments)
    if given.verb == "pack":
        sys.stdout.write(json.dumps(pack(given.data, given.out, given.mib)) + "\n")
        return
    with open_runtime(given.device) as runtime:
        sys.stdout.write(run(given.packed, given.out, given.minutes, runtime, given.overrides))


if __name__ == "__main__":
    run_command(main)
