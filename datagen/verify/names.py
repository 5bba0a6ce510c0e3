"""What a query's file name says (formats/brokenchairs.md, 1.3), read as the published loader reads it."""

from dataclasses import dataclass

SUFFIX = ".png"


@dataclass(frozen=True)
class QueryName:
    """Fields of `render_<shape>_<texture>_<radius>_<azimuth>_<elevation>_<light>_<label>.png`.

    Angles in degrees. A field that cannot be read is None; `problem` says what is wrong with the name.
    """

    path: str
    shape: str
    label: int
    texture: str | None = None
    radius: float | None = None
    azimuth_deg: float | None = None
    elevation_deg: float | None = None
    light: str | None = None
    problem: str = ""

    @property
    def folder(self) -> str:
        """The one sub-folder below images/."""
        return self.path.split("/")[1]

    @property
    def tail(self) -> str:
        """What follows `render_`, without the suffix."""
        return self.path.rsplit("/", 1)[-1].removeprefix("render_").removesuffix(SUFFIX)

    def twin(self, prefix: str, suffix: str) -> str:
        """The path of a file that belongs to this query: `annotations/<folder>/<prefix>_<tail><suffix>`."""
        return f"annotations/{self.folder}/{prefix}_{self.tail}{suffix}"

    @property
    def annotation(self) -> str:
        """Where the published loader looks for the annotation: three plain replacements on the whole path."""
        path = "/" + self.path
        path = path.replace("/images/", "/annotations/").replace("/render_", "/info_").replace(SUFFIX, ".json")
        return path[1:]


def parse_query(path: str) -> QueryName:
    """The fields of a query's path below the dataset's folder; never raises."""
    base = path.rsplit("/", 1)[-1]
    fields = base.removesuffix(SUFFIX).split("_")
    label = int("anomaly" in base)
    if len(fields) < 2:
        return QueryName(path, "", label, problem="has no '_': the published loader stops with an IndexError")
    problem = ""
    if path.count("/") != 2:
        problem = "is not exactly one folder below images/: the published loader never sees it"
    elif not base.endswith(SUFFIX) or fields[0] != "render":
        problem = "is no render_*.png: its annotation is looked for in the wrong place"
    numbers = [_number(text) for text in fields[3:6]]
    if len(fields) < 8 or None in numbers or not fields[1].isdigit():
        problem = problem or "lacks fields of render_<shape>_<texture>_<radius>_<azimuth>_<elevation>_<light>_<label>"
    numbers += [None] * (3 - len(numbers))
    return QueryName(
        path,
        fields[1],
        label,
        fields[2] if len(fields) > 2 else None,
        numbers[0],
        numbers[1],
        numbers[2],
        fields[6] if len(fields) > 6 else None,
        problem,
    )


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
