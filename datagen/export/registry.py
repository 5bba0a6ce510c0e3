"""Which exporters there are: the built-in ones, and those of installed packages."""

from importlib.metadata import EntryPoint, entry_points

from datagen.core.errors import UsageError
from datagen.core.plugins import load
from datagen.export.bop import Bop
from datagen.export.coco import Coco
from datagen.export.hub import Hub
from datagen.export.kaputt import Kaputt
from datagen.export.mad import Mad
from datagen.export.mvtec import MVTec
from datagen.export.mvtec3d import MVTec3D
from datagen.export.points import Points
from datagen.export.poses import Poses
from datagen.export.protocol import NEEDS, Exporter
from datagen.export.webdataset import WebDataset

GROUP = "datagen.exporters"
BUILT_IN: tuple[Exporter, ...] = (
    Bop(),
    Coco(),
    Hub(),
    Kaputt(),
    Mad(),
    MVTec(),
    MVTec3D(),
    Points(),
    Poses(),
    WebDataset(),
)


def exporter_names() -> tuple[str, ...]:
    """Every name that `find_exporter` knows, sorted. No package is loaded."""
    return tuple(
        sorted({*(exporter.name for exporter in BUILT_IN), *(point.name for point in entry_points(group=GROUP))})
    )


def find_exporter(name: str) -> Exporter:
    """The exporter of a name; of the installed packages the one that gives it is loaded, no other.

    Raises UsageError for an unknown name, for a name given twice, and for an entry point that gives no exporter.
    """
    built_in = [exporter for exporter in BUILT_IN if exporter.name == name]
    points = [point for point in entry_points(group=GROUP) if point.name == name]
    if len(built_in) + len(points) > 1:
        values = ", ".join(point.value for point in points)
        raise UsageError(f"exporter {name} is given more than once; uninstall the package of one of {values}")
    if built_in:
        return built_in[0]
    if not points:
        told = "; ".join(f"{known} ({_about(known)})" for known in exporter_names())
        raise UsageError(f"no exporter {name}; choose one with --to: {told}")
    return _loaded(points[0])


def _about(name: str) -> str:
    try:
        return find_exporter(name).about.rstrip(".")
    except UsageError:
        return "of a package that is broken"


def _loaded(point: EntryPoint) -> Exporter:
    where = f"the entry point {point.name} = {point.value} of {GROUP}"
    given = load([point])
    if given.broken:
        raise UsageError(f"no exporter {point.name}{given.hint}")
    exporter = given.found[point.name]
    if isinstance(exporter, type) or not isinstance(exporter, Exporter) or exporter.name != point.name:
        raise UsageError(f"{where} is no exporter of that name; it has to name an object such as `MyExporter()`")
    unknown = sorted(exporter.needs - set(NEEDS))
    if unknown:
        raise UsageError(f"{where} needs {', '.join(unknown)}; an exporter may need {', '.join(NEEDS)}")
    return exporter
