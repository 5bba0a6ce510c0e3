"""Checks of what is there and how it is stored: files of scenes, files beside them, and run.json by itself."""

from collections.abc import Iterator

from datagen.core.ids import content_hash
from datagen.formats.oddoneout import FOLDER
from datagen.kinds.oddoneout.verify.checks import SCENES
from datagen.kinds.oddoneout.verify.evidence import SceneEvidence
from datagen.kinds.oddoneout.verify.listing import OURS
from datagen.kinds.oddoneout.verify.roots import CHECKS
from datagen.verify.check import ERROR, WARNING, Finding

LAYOUTS = ("loose", "shards")
BESIDE = ("split.json", "split-count.json", "protocol.json", "shapes.json", "README.md")
"""What a build writes beside its scenes as it ends, with the manifest."""


@CHECKS.check(ERROR, "A scene short of a mask is short of a label that a loader waits for.", SCENES)
def scene_files_there(e: SceneEvidence) -> Iterator[Finding]:
    """Every scene has what the layout has, as far as the dataset is of ours or another of its scenes has it."""
    anywhere = frozenset(OURS) if e.recipe is not None else frozenset[str]().union(*(s.listed.there for s in e.scenes))
    for scene in e.scenes:
        for name in (*sorted(anywhere - scene.listed.there), *scene.listed.missing):
            yield Finding(f"{scene.name}/{name}", "is missing")


@CHECKS.check(ERROR, "A loader that lists the folder takes every file for a view, and shifts those after it.", SCENES)
def scene_no_stray_files(e: SceneEvidence) -> Iterator[Finding]:
    """A scene's folder holds the files of its views and its tables alone; scenes/ holds scenes alone.

    Scenes that others published may have notes beside their tables: no loader lists that folder.
    """
    for scene in e.scenes:
        strays = (path for path in scene.listed.strays if e.made_here or "/" in path)
        for path in strays:
            yield Finding(f"{scene.name}/{path}", "is no file of its views; take it away")
    known = {scene.name for scene in e.scenes}
    others = {name.split("/")[1] for name in e.tree.files.sizes if name.startswith(f"{FOLDER}/")} - known
    for name in sorted(others):
        yield Finding(f"{FOLDER}/{name}", "is no scene: it has no scene3d.metadata.json")


@CHECKS.check(ERROR, "Loaders multiply by masks, take one channel and read any of an EXR's three.", SCENES)
def scene_files_plain(e: SceneEvidence) -> Iterator[Finding]:
    """Masks are one channel of 0 and 255, segmentations opaque with hard edges, depth alike in R, G and B, sky 1e10."""
    for scene in e.scenes:
        for name, told in scene.unplain.items():
            yield Finding(f"{scene.name}/{name}", told)


@CHECKS.check(ERROR, "Without its tables a dataset can be compared with nothing.")
def scene_tables_readable(e: SceneEvidence) -> Iterator[Finding]:
    """Tables beside the scenes can be read and, where datagen made the scenes, are all there."""
    for name, problem in e.tree.problems.items():
        yield Finding(name, problem)
    if not e.made_here:
        return
    card = e.tree.root / "README.md"
    if e.recipe is not None and card.is_file() and f"# {e.recipe.name}" not in card.read_text(errors="replace"):
        yield Finding(card.name, f"is not of {e.recipe.name}")
    for name in BESIDE if e.tree.rows_from == "manifest" else ():
        if not (e.tree.root / name).is_file():
            yield Finding(name, "is missing")
    if not e.tree.rows and "manifest.parquet" not in e.tree.problems:
        yield Finding("manifest.parquet", "is missing, and there are no logs")
    if e.recipe is None and "run.json" not in e.tree.problems:
        yield Finding("run.json", "is missing or holds no recipe of scenes that this version reads")


def _run(e: SceneEvidence) -> str:
    return "" if isinstance(e.tree.run, dict) and "recipe_hash" in e.tree.run else "there is no run.json of a build"


@CHECKS.check(ERROR, "A recipe that was edited is not what made the scenes.", needs=(_run,))
def scene_run_agrees(e: SceneEvidence) -> Iterator[Finding]:
    """run.json has its recipe's digest and seed, a layout, and the source and the renderer of its rows."""
    run = e.tree.run or {}
    recipe = run.get("recipe")
    if content_hash(recipe) != run["recipe_hash"]:
        yield Finding("run.json", "recipe_hash is not that of its recipe")
    if isinstance(recipe, dict) and recipe.get("seed") != run.get("seed"):
        yield Finding("run.json", f"says seed {run.get('seed')}, its recipe {recipe.get('seed')}")
    if run.get("layout") not in LAYOUTS:
        yield Finding("run.json", f"says the layout {run.get('layout')}")
    sources = {str(row["source"]) for row in e.tree.rows} - {str(run.get("source"))}
    for name in sorted(sources):
        yield Finding("run.json", f"says source {run.get('source')}, rows {name}")
    if e.tree.renderer is not None and e.tree.renderer != run.get("renderer"):
        yield Finding("run.json", f"says renderer {run.get('renderer')}, rows {e.tree.renderer}")


@CHECKS.check(WARNING, "Bytes compare only within one build of the libraries.")
def scene_versions_uniform(e: SceneEvidence) -> Iterator[Finding]:
    """All rows were made by the same versions."""
    versions = {str(row["versions"]) for row in e.tree.rows}
    if len(versions) > 1:
        yield Finding("manifest.parquet", f"rows were made by {len(versions)} sets of versions")


@CHECKS.check(WARNING, "Without its shapes nothing of a scene is made again: what was changed alike passes.")
def scene_shapes_fit(e: SceneEvidence) -> Iterator[Finding]:
    """The shapes that were given by --shapes are those of the dataset."""
    if e.source_options.get("shapes") and e.recipe is not None and e.plan is None:
        yield Finding(str(e.source_options["shapes"]), e.source_note)
