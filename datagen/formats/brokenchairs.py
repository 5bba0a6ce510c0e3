"""The published BrokenChairs-180K tree: names, annotation JSON, split.json; written here, and read back.

Everything on disk is in the published frame: y up, front +z, OpenGL cameras.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from datagen.core.camera import Camera
from datagen.formats.cameras import camera_json
from datagen.formats.encode import json_bytes, number

SPLITS = ("train", "val", "test")
UNSEEN = "unseen"
"""A fourth list of split.json, which the published set does not have: categories that nothing is trained on."""
KINDS = ("position", "rotation", "broken", "swapped", "missing")
"""The five kinds of the paper, section 3.1, in the published order."""
TYPE_OF_KIND = {
    "position": "position",
    "rotation": "rotate",
    "broken": "damaged",
    "swapped": "swapped",
    "missing": "missing",
}
"""Kind -> the word that `config.type` of an annotation holds. A kind that the paper does not have is its own word."""
KIND_OF_TYPE = {word: kind for kind, word in TYPE_OF_KIND.items()}
"""config.type of an annotation -> kind of anomaly."""
TWIN, COUNTERFACTUAL = "twin", "counterfactual"
"""`reason` of the row of a normal twin, whose `detail` is its anomalous picture's sample_id, and of the row of an
anomalous shape's bundle, whose `detail` lists the changed pixels of its views."""
FOLDERS = ("annotations", "images", "shapes")
"""Folders of data below a dataset's root."""


def in_order(kinds: Iterable[str]) -> tuple[str, ...]:
    """The five published kinds, then the others named, sorted: how tables and figures list them."""
    return (*KINDS, *sorted(set(kinds) - {*KINDS, "", "normal", "reference", "anomaly"}))


def query_tail(shape: int, texture: int, camera: Camera, light: int, label: str) -> str:
    """`<shape>_<texture>_<radius>_<azimuth>_<elevation>_<light>_<label>`, label normal or anomaly."""
    view = "_".join(number(v) for v in (camera.radius, camera.azimuth_deg, camera.elevation_deg))
    return f"{shape}_{texture}_{view}_{light}_{label}"


def query_paths(folder: str, tail: str) -> dict[str, str]:
    """Relative paths of a query's picture, annotation and masks: one sub-folder level, shared."""
    return {
        "query": f"images/{folder}/render_{tail}.png",
        "annotation": f"annotations/{folder}/info_{tail}.json",
        "mask_new": f"annotations/{folder}/mask_new_{tail}.png",
        "mask_old": f"annotations/{folder}/mask_old_{tail}.png",
    }


def mask_of_one(path: str, number: int) -> str:
    """Path of the mask of one of several anomalies, counted from 0, beside the mask of their union."""
    folder, _, name = path.rpartition("/")
    return f"{folder}/each_{number}_{name}"


def annotation_json(
    kind: str,
    bbox_xywh_512: Iterable[float],
    iou: float,
    camera: Camera,
    texture_id: int,
    config: Mapping[str, Any],
) -> bytes:
    """`info_*.json` of an anomalous query; `config.type` holds the published word."""
    return json_bytes(
        {
            "2d_bbox": list(bbox_xywh_512),
            "IoU": iou,
            "camera_parameters": {
                **camera_json(camera),
                "azimuth": camera.azimuth_deg,
                "elevation": camera.elevation_deg,
                "radius": camera.radius,
            },
            "texture_id": texture_id,
            "examplar_id": texture_id,
            "config": {"type": TYPE_OF_KIND.get(kind, kind), **config},
        }
    )


def at_query_path(folder: str, side: str, tail: str, suffix: str) -> str:
    """A file of the textureless view at a query's own camera; side `old` is the normal shape, `new` the anomalous."""
    return f"annotations/{folder}/view_{side}_{tail}{suffix}"


AT_QUERY_SUFFIXES = (".png", "_depth.npy", "_normal.png", "_parts.png")
"""Files of a textureless view at a query's camera: grey picture, z-depth, normals in camera axes, part ids."""


def counterfactual_id(shape: int, slot: int) -> str:
    """The id of the anomalous shape of a slot as a reference: no integer, so it is no other shape's."""
    return f"{shape}-a{slot}"


def base_shape(reference: str) -> str:
    """The id of the shape that a reference is of or, for a counterfactual one, was made from."""
    return reference.partition("-a")[0]


def reference_folder(shape: int | str) -> str:
    """Relative folder of a shape's reference bundle."""
    return f"shapes/shape_{shape}"


def reference_stem(shape: int | str, radius: float, azimuth_deg: float, elevation_deg: float) -> str:
    """`<shape>_3.0_<azimuth>_<elevation>`; the published radius keeps its decimal."""
    return f"{shape}_{radius:.1f}_{number(azimuth_deg)}_{number(elevation_deg)}"


def reference_map(shape: int | str, stem: str, suffix: str) -> str:
    """A file of normals or part ids of a reference view; beside its folder, where loaders list pictures."""
    return f"{reference_folder(shape)}/maps/{stem.rsplit('/', 1)[1]}{suffix}"


def split_json(splits: Mapping[int, str]) -> bytes:
    """split.json: three lists of ids AS STRINGS, sorted by number, and a fourth where some are unseen."""
    names = (*SPLITS, UNSEEN) if UNSEEN in splits.values() else SPLITS
    ids = {name: [str(i) for i in sorted(splits) if splits[i] == name] for name in names}
    return json_bytes(ids)


def reference_name(stem: str) -> tuple[float | None, float | None, float | None]:
    """(radius, azimuth, elevation) of `<id>_<radius>_<azimuth>_<elevation>`; None where it says no number."""
    fields = stem.rsplit("/", 1)[-1].split("_")[-3:]
    try:
        radius, azimuth, elevation = map(float, fields)
    except ValueError:
        return None, None, None
    return radius, azimuth, elevation


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
        return self.path.rsplit("/", 1)[-1].removeprefix("render_").removesuffix(".png")

    def twin(self, prefix: str, suffix: str) -> str:
        """The path of a file that belongs to this query: `annotations/<folder>/<prefix>_<tail><suffix>`."""
        return f"annotations/{self.folder}/{prefix}_{self.tail}{suffix}"

    @property
    def annotation(self) -> str:
        """Where the published loader looks for the annotation: three plain replacements on the whole path."""
        path = "/" + self.path
        path = path.replace("/images/", "/annotations/").replace("/render_", "/info_").replace(".png", ".json")
        return path[1:]


def parse_query(path: str) -> QueryName:
    """The fields of a query's path below the dataset's folder; never raises."""
    base = path.rsplit("/", 1)[-1]
    fields = base.removesuffix(".png").split("_")
    label = int("anomaly" in base)
    if len(fields) < 2:
        return QueryName(path, "", label, problem="has no '_': the published loader stops with an IndexError")
    problem = ""
    if path.count("/") != 2:
        problem = "is not exactly one folder below images/: the published loader never sees it"
    elif not base.endswith(".png") or fields[0] != "render":
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
