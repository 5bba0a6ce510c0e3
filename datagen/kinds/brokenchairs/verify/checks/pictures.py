"""Is every picture a picture: not black, not blown out, sharp, on white, and only there once?"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from datagen.kinds.brokenchairs.behind import is_on_white
from datagen.kinds.brokenchairs.verify.evidence import ChairEvidence
from datagen.kinds.brokenchairs.verify.needs import QUERIES
from datagen.kinds.brokenchairs.verify.queries import QueryFacts
from datagen.verify.check import ERROR, CheckList, Finding
from datagen.verify.pictures import PictureFacts, open_picture, thumbnail_difference

CHECKS = CheckList[ChairEvidence]()
check = CHECKS.check


SHARPNESS = 0.45
"""Below it edges are blurred by 1.5 px and more; Cycles lies above 0.65, flat shading at 1."""
NEAR_BITS = 3
"""Difference hashes this near, of 256 bits, may be one picture: their thumbnails tell."""
ALIKE_LEVELS = 3.0
"""Grey levels by which thumbnails of one picture differ at most (`thumbnail_difference`)."""
CHUNKS = 8


@check(ERROR, "The loader drops the alpha channel and stretches what is not square.", of=QUERIES)
def pictures_plain(evidence: ChairEvidence) -> Iterator[Finding]:
    """RGB or grey without alpha, square, all of one size."""
    sizes: dict[tuple[int, int], int] = defaultdict(int)
    for query in evidence.queries:
        if query.picture:
            sizes[(query.picture.width, query.picture.height)] += 1
    usual = max(sizes, key=lambda size: sizes[size]) if sizes else (0, 0)
    for query in evidence.queries:
        picture = query.picture
        if picture is None:
            continue
        if picture.mode not in ("RGB", "L"):
            yield Finding(query.path, f"is stored as {picture.mode}: alpha is dropped, not composited")
        elif picture.width != picture.height:
            yield Finding(query.path, f"is {picture.width} x {picture.height}, not square")
        elif (picture.width, picture.height) != usual:
            yield Finding(query.path, f"is {picture.width} px, the others are {usual[0]} px")


@check(ERROR, "A black, empty or blown out picture shows no object.", of=QUERIES)
def pictures_exposed(evidence: ChairEvidence) -> Iterator[Finding]:
    """The loader's foreground is neither nothing, nor nearly everything, nor black; of other grounds: not all black."""
    for query in evidence.queries:
        fault = _exposure(query.picture) if is_on_white(evidence.recipe) else _darkness(query.picture)
        if fault:
            yield Finding(query.path, fault)


def _darkness(picture: PictureFacts | None) -> str:
    return "" if picture is None or max(picture.mean) >= 2 else "is black all over"


def _exposure(picture: PictureFacts | None) -> str:
    if picture is None:
        return ""
    if picture.object_share < 0.02:
        return f"only {picture.object_share:.1%} of the picture is darker than white: empty or blown out"
    if picture.object_highest < 24 or picture.object_median < 8:
        return f"its object is black (median {picture.object_median:.0f}, brightest {picture.object_highest:.0f})"
    if picture.object_share > 0.9:
        return f"{picture.object_share:.1%} of the picture is foreground"
    return ""


@check(ERROR, "A blurred picture hides small anomalies.", of=QUERIES)
def pictures_sharp(evidence: ChairEvidence) -> Iterator[Finding]:
    """Edges rise within about two pixels."""
    for query in evidence.queries:
        picture = query.picture
        # At other sizes the edge keeps its pixels: renderers filter in pixels, not in degrees.
        if picture and not _exposure(picture) and picture.sharpness < SHARPNESS:
            yield Finding(query.path, f"its edges are soft: sharpness {picture.sharpness:.2f} of {SHARPNESS}")


@check(ERROR, "The loader takes grey ground for object.", of=QUERIES)
def ground_white(evidence: ChairEvidence) -> Iterator[Finding]:
    """Corners above 230, an 8-pixel frame six sevenths above 230, the outermost pixels above 150."""
    for query in evidence.queries:
        picture = query.picture
        if picture is None or not is_on_white(evidence.recipe) or _exposure(picture).startswith("its object"):
            continue
        if picture.corners_lowest <= 230 or picture.border_white < 0.85 or picture.border_lowest < 150:
            yield Finding(
                query.path,
                f"ground is grey: corners down to {picture.corners_lowest:.0f}, "
                f"{picture.border_white:.0%} of the frame white, down to {picture.border_lowest:.0f}",
            )


@check(ERROR, "A picture that is there twice is counted twice, and may cross a split.", of=QUERIES)
def pictures_distinct(evidence: ChairEvidence) -> Iterator[Finding]:
    """No two queries are the same file or nearly the same picture: by hashes, mean colours and thumbnails.

    A station's cameras stand still: what one of them sees is nearly the same whenever nothing large differs.
    """
    seen: dict[str, str] = {}
    for query in evidence.queries:
        if query.picture is None:
            continue
        first = seen.setdefault(query.hashes[query.path], query.path)
        if first != query.path:
            yield Finding(query.path, f"is the very file {first}")
    if evidence.recipe and evidence.recipe.query.station:
        return
    usable = [q for q in evidence.queries if q.picture and not _exposure(q.picture)]
    for a, b in near_pairs(usable):
        if a.hashes[a.path] != b.hashes[b.path] and not _twins(a, b) and _differ_by(evidence, a, b) <= ALIKE_LEVELS:
            yield Finding(b.path, f"is nearly the picture of {a.path}")


def _differ_by(evidence: ChairEvidence, a: QueryFacts, b: QueryFacts) -> float:
    one, other = (open_picture(evidence.tree.files.read(query.path)) for query in (a, b))
    return thumbnail_difference(one, other)


def _twins(a: QueryFacts, b: QueryFacts) -> bool:
    """Whether two pictures show one scene with and without the anomaly, as their rows say."""
    pairs = [(x.row, y.row) for x, y in ((a, b), (b, a)) if x.is_twin]
    return any(twin and row and twin["detail"] == row["sample_id"] for twin, row in pairs)


def near_pairs(queries: Sequence[QueryFacts]) -> Iterator[tuple[QueryFacts, QueryFacts]]:
    """Pairs whose difference hashes are within NEAR_BITS and whose mean colours within one level.

    Hashes that near agree in at least one of eight interleaved chunks: only those pairs are compared.
    """
    buckets: dict[tuple[int, int], list[int]] = defaultdict(list)
    for k, query in enumerate(queries):
        assert query.picture
        for chunk in range(CHUNKS):
            bits = query.picture.fingerprint >> chunk & MASK
            buckets[(chunk, bits)].append(k)
    told: set[tuple[int, int]] = set()
    for members in buckets.values():
        for i, a in enumerate(members[:200]):
            for b in members[i + 1 : 200]:
                if (a, b) not in told and _near(queries[a], queries[b]):
                    told.add((a, b))
                    yield queries[a], queries[b]


MASK = int("00000001" * 32, 2)
"""Every eighth bit."""


def _near(a: QueryFacts, b: QueryFacts) -> bool:
    assert a.picture and b.picture
    if (a.picture.fingerprint ^ b.picture.fingerprint).bit_count() > NEAR_BITS:
        return False
    return all(abs(x - y) <= 1.0 for x, y in zip(a.picture.mean, b.picture.mean, strict=True))
