"""Are the files there, whole, and the ones that were committed?"""

from collections import Counter
from collections.abc import Iterator

from datagen.formats.brokenchairs import SPLITS, UNSEEN
from datagen.kinds.brokenchairs.verify import needs
from datagen.kinds.brokenchairs.verify.evidence import ChairEvidence
from datagen.kinds.brokenchairs.verify.needs import FILES, QUERIES, ROWS
from datagen.verify.check import ERROR, WARNING, CheckList, Finding
from datagen.verify.numbered import unnumbered

CHECKS = CheckList[ChairEvidence]()
check = CHECKS.check


@check(ERROR, "Tables that cannot be read would hide everything else.")
def tables_readable(evidence: ChairEvidence) -> Iterator[Finding]:
    """run.json, split.json, shapes.json and the manifest parse; the manifest is not behind the logs."""
    for name, problem in evidence.tree.problems.items():
        yield Finding(name, problem)


@check(ERROR, "A committed sample whose file is gone is lost training data.", of=ROWS, needs=(needs.manifest,))
def files_present(evidence: ChairEvidence) -> Iterator[Finding]:
    """Every file that a row names is there."""
    for path in evidence.tree.hashes:
        if path not in evidence.tree.files.sizes:
            yield Finding(path, "is named by the manifest and not there")


@check(ERROR, "A row that was taken out takes its picture out of the count.", of=ROWS, needs=(needs.manifest,))
def rows_numbered(evidence: ChairEvidence) -> Iterator[Finding]:
    """The rows of every job are numbered without gaps."""
    yield from unnumbered(evidence.tree.rows)


@check(ERROR, "Bytes that changed after the commit are not what was checked.", of=ROWS, needs=(needs.manifest,))
def files_hash(evidence: ChairEvidence) -> Iterator[Finding]:
    """Every file has the SHA-256 that its row states."""
    found = evidence.file_hashes
    for path, digest in evidence.tree.hashes.items():
        if path in found and found[path] != digest:
            yield Finding(path, f"has SHA-256 {found[path][:12]}, the manifest says {digest[:12] or 'nothing'}")


@check(ERROR, "The published loader reads every file it finds, committed or not.", of=FILES, needs=(needs.manifest,))
def files_committed(evidence: ChairEvidence) -> Iterator[Finding]:
    """No file below images/, annotations/ and shapes/ that no row names."""
    for path in evidence.tree.files.sizes:
        if path not in evidence.tree.hashes:
            yield Finding(path, "lies in the dataset and no row names it")


@check(ERROR, "A doubled row counts a sample twice.", of=ROWS, needs=(needs.manifest,))
def rows_unique(evidence: ChairEvidence) -> Iterator[Finding]:
    """One row a (job, index), one sample an id and a picture; statuses agree with row types."""
    rows = evidence.tree.rows
    for (job, index), count in Counter((row["job_id"], row["index"]) for row in rows).items():
        if count > 1:
            yield Finding(job, f"has {count} rows of index {index}")
    for key in ("sample_id", "query_path"):
        for value, count in Counter(row[key] for row in evidence.tree.samples).items():
            if count > 1 or not value:
                yield Finding(value or key, f"is the {key} of {count} samples")
    expected = {"sample": "ok", "reference": "ok", "rejection": "rejected", "quarantine": "quarantined"}
    for row in rows:
        if expected.get(row["row_type"]) != row["status"]:
            yield Finding(row["job_id"], f"a {row['row_type']} row has the status {row['status']}")


@check(WARNING, "A partial build counts less than its plan.", of=ROWS, needs=(needs.manifest,))
def nothing_quarantined(evidence: ChairEvidence) -> Iterator[Finding]:
    """No job is in quarantine."""
    for row in evidence.tree.rows:
        if row["row_type"] == "quarantine":
            yield Finding(row["shape_id"], f"is quarantined: {row['reason']} {row['detail']}")


@check(WARNING, "Bytes compare only within one build of the libraries.", needs=(needs.manifest,))
def versions_uniform(evidence: ChairEvidence) -> Iterator[Finding]:
    """All rows were made by the same versions."""
    versions = Counter(row["versions"] for row in evidence.tree.rows)
    if len(versions) > 1:
        yield Finding("manifest.parquet", f"rows were made by {len(versions)} sets of versions")


@check(ERROR, "A name the published loader misreads is dropped, or stops it.", of=QUERIES)
def names_parse(evidence: ChairEvidence) -> Iterator[Finding]:
    """Names of files and depth of folders are the published ones."""
    for query in evidence.queries:
        if query.name.problem:
            yield Finding(query.path, query.name.problem)
        elif query.name.annotation != query.name.twin("info", ".json"):
            yield Finding(query.path, "the loader's replacements on the path would look for another annotation")


@check(ERROR, "split.json decides what a model may see.", needs=(needs.split,))
def split_file(evidence: ChairEvidence) -> Iterator[Finding]:
    """Three lists of ids AS STRINGS, and one of unseen categories; an integer would silently give an empty dataset."""
    split = evidence.tree.split
    recipe = evidence.recipe
    names = (*SPLITS, UNSEEN) if recipe is not None and recipe.split.unseen else SPLITS
    if not isinstance(split, dict) or set(split) != set(names):
        yield Finding("split.json", f"does not hold exactly the keys {', '.join(names)}")
        return
    for name, ids in split.items():
        if not isinstance(ids, list):
            yield Finding("split.json", f"'{name}' is no list")
        elif wrong := [i for i in ids if not isinstance(i, str)]:
            yield Finding("split.json", f"'{name}' holds {len(wrong)} ids that are no strings, {wrong[0]!r} first")


@check(ERROR, "A picture of a shape in no split is never loaded.", of=QUERIES, needs=(needs.split,))
def shapes_in_split(evidence: ChairEvidence) -> Iterator[Finding]:
    """Every query's shape stands in split.json."""
    for query in evidence.queries:
        if query.name.shape and query.name.shape not in evidence.tree.split_of:
            yield Finding(query.path, f"shape {query.name.shape} is in no split")


@check(ERROR, "A query without its reference views makes the loader return nothing.", of=QUERIES)
def references_exist(evidence: ChairEvidence) -> Iterator[Finding]:
    """Every query's shape has a reference bundle."""
    for query in evidence.queries:
        if query.name.shape and query.name.shape not in evidence.tree.bundles:
            yield Finding(query.path, f"shape {query.name.shape} has no shapes/shape_{query.name.shape}/mv_images")


@check(ERROR, "A file that cannot be read is a sample lost in silence.", of=QUERIES)
def files_readable(evidence: ChairEvidence) -> Iterator[Finding]:
    """Pictures, masks and annotations of queries, pictures and cameras of references can be decoded."""
    for query in evidence.queries:
        for path, problem in query.problems.items():
            yield Finding(query.path, f"{path.rsplit('/', 1)[-1]} {problem}")
    for bundle in evidence.bundles:
        for path, problem in bundle.problems.items():
            yield Finding(path, problem)
