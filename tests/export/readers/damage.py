"""Ways in which an export would be wrong without a word from its writer; the readers of the tools have to notice."""

import io
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

Spoil = Callable[[Path], None]


def dotted_keys(out: Path) -> None:
    """Names as the dataset has them, with dots: readers cut a key at its first dot, and samples run into one."""
    for path in out.glob("*.tar"):
        with tarfile.open(path) as archive:
            members = [(m.name, archive.extractfile(m).read()) for m in archive]
        with tarfile.open(path, "w") as archive:
            for name, data in members:
                header = tarfile.TarInfo(f"render_2.5_{name}")
                header.size = len(data)
                archive.addfile(header, io.BytesIO(data))


def dotted_names(out: Path) -> None:
    """A picture with a dot before its suffix: its cloud is looked for under another name."""
    for path in sorted(out.glob("*/*/*/rgb/*.png")):
        name = f"{path.stem[:6]}.5_{path.stem[7:]}"
        path.rename(path.with_name(f"{name}.png"))
        for side, suffix in (("xyz", "tiff"), ("gt", "png")):
            twin = path.parents[1] / side / f"{path.stem}.{suffix}"
            if twin.exists():
                twin.rename(twin.with_name(f"{name}.{suffix}"))


def empty_class(out: Path) -> None:
    """A class of anomaly whose pictures are gone, and whose masks are not."""
    folder = next(path for path in sorted(out.glob("*/test/*")) if path.name != "good")
    shutil.rmtree(folder)
    folder.mkdir()


def good_only(out: Path) -> None:
    """A category whose test pictures are all normal."""
    for category in out.iterdir():
        for folder in (*category.glob("test/*"), *category.glob("ground_truth/*")):
            if folder.name != "good":
                shutil.rmtree(folder)


def no_template(out: Path) -> None:
    """A class of clouds with nothing to learn from."""
    shutil.rmtree(next(out.glob("pcd/*/train")))


DAMAGES: tuple[tuple[str, str, str, Spoil], ...] = (
    ("webdataset", "chairs", "a name with dots", dotted_keys),
    ("mvtec3d", "chairs", "a name with dots", dotted_names),
    ("mvtec", "chairs", "an empty class", empty_class),
    ("mad", "chairs", "an empty class", empty_class),
    ("mvtec", "scenes", "a good-only category", good_only),
    ("mvtec3d", "chairs", "a good-only category", good_only),
    ("points", "chairs", "a class without templates", no_template),
)
