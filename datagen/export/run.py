"""One export from a dataset's folder to a folder of its own: whole, or not there."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from datagen.core.errors import DISK_FULL, DatagenError, StoppedEarly, UsageError
from datagen.export.counts import Exported
from datagen.export.protocol import Exporter, Options
from datagen.export.registry import BUILT_IN, find_exporter
from datagen.export.settings import parse_settings
from datagen.export.source import Source, open_source
from datagen.export.unfinished import Unfinished, export_key
from datagen.kinds.registry import Kind


def export_dataset(root: Path, to: str, out: Path, sets: Sequence[str] = ()) -> Exported:
    """Write what the dataset at `root` has committed into `out`, which is empty or not there yet.

    `sets` are texts `key=value` for the format. An export that was interrupted goes on; one that fails leaves nothing.
    Raises UsageError (unknown exporter, no dataset, nothing committed, `out` holds files or cannot be written, the
    kind of dataset lacks what the exporter needs), BrokenFile, and StoppedEarly where the disk is full.
    """
    exporter = find_exporter(to)
    settings = parse_settings(to, getattr(exporter, "settings", {}), sets)
    target = _free_folder(root, out)
    try:
        source = open_source(root)
    except OSError as error:
        raise StoppedEarly(
            f"the rows of {root} cannot be kept in the temporary folder ({error.strerror or error}); make room there, "
            "or name another one as TMPDIR, and run the same command again"
        ) from error
    kind, rows = source.kind, source.rows
    _check_needs(exporter, kind)
    kinds = kind.instances.kinds_in(rows) if kind.instances else ()
    goes_on = exporter in BUILT_IN
    try:
        with Unfinished(target, export_key(to, settings, rows), goes_on) as unfinished:
            options = Options(source.name, kind.name, kind.instances, kinds, unfinished.journal, settings)
            try:
                found = _written(exporter, source, unfinished.tree, options)
            except OSError as error:
                if error.errno not in DISK_FULL:
                    raise
                kept = f"{options.journal.counts.pictures} pictures are kept; " if goes_on else ""
                raise StoppedEarly(
                    f"--out {out}: {error.strerror}; {kept}make room and run the same command again"
                ) from error
            unfinished.finish()
    except OSError as error:
        raise UsageError(f"--out {out} cannot be written ({error.strerror or error}); choose another place") from error
    return replace(found, notes=(*source.notes, *found.notes))


def _written(exporter: Exporter, source: Source, part: Path, options: Options) -> Exported:
    """What an exporter wrote; one of another package is held to its word. Raises UsageError, BrokenFile, OSError."""
    if exporter in BUILT_IN:
        return exporter.write(source.files, source.rows, part, options)
    who = f"exporter {exporter.name} ({type(exporter).__module__})"
    try:
        found = exporter.write(source.files, source.rows, part, options)
        again = exporter.read_back(part)
    except (DatagenError, OSError):
        raise
    except Exception as error:
        raise UsageError(f"{who} fails: {type(error).__name__}: {error}; tell its author") from error
    if not isinstance(found, Exported):
        raise UsageError(f"{who} answers write with {type(found).__name__}, not Exported; tell its author")
    if again is not None and again != found:
        raise UsageError(f"{who} wrote {found} and reads back {again}; tell its author")
    return found


def _free_folder(root: Path, out: Path) -> Path:
    """`out` as an absolute path. Raises UsageError unless it is empty or absent, and outside the dataset."""
    target = out.resolve()
    if target.is_relative_to(root.resolve()):
        raise UsageError(f"--out {out} lies in the dataset {root}, whose files are its own; choose a place outside")
    try:
        first = next(iter(sorted(target.iterdir())), None) if target.exists() else None
    except NotADirectoryError as error:
        raise UsageError(f"--out {out} is a file; name a folder that is empty or not there yet") from error
    except OSError as error:
        raise UsageError(f"--out {out} cannot be read ({error.strerror}); choose another place") from error
    if first is not None:
        raise UsageError(f"--out {out} holds {first.name} already; name a folder that is empty or not there yet")
    return target


def _check_needs(exporter: Exporter, kind: Kind) -> None:
    has = kind.has | ({"masks", "boxes"} if kind.instances is not None else set())
    lacking = sorted(exporter.needs - has)
    if lacking:
        raise UsageError(
            f"exporter {exporter.name} needs {' and '.join(lacking)}, which datasets of kind {kind.name} do not hold; "
            "choose another --to"
        )
