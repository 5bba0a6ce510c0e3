"""The error tree. Each error names the thing, the cause and the next step."""

import errno

EXIT_OK = 0
EXIT_BUG = 1
EXIT_USAGE = 2
EXIT_QUARANTINED = 3
EXIT_VERIFY_FAILED = 4
EXIT_MISSING = 5
EXIT_OTHER_RECIPE = 6
EXIT_STOPPED_EARLY = 75
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What a disk says that has no room."""


class DatagenError(Exception):
    """Base of every error a user can act on; `exit_code` is what the command ends with."""

    exit_code = EXIT_BUG

    def __str__(self) -> str:
        return f"{type(self).__name__}: {super().__str__()}"


class UsageError(DatagenError):
    """The command, the recipe or a path given by the user cannot be used."""

    exit_code = EXIT_USAGE


class RecipeError(UsageError):
    """A recipe file that cannot be read or holds an unknown or impossible value."""


class EmptyCollection(UsageError):
    """A `--shapes` folder in which no shape was recognised."""


class UnplacedParts(UsageError):
    """Part files that all lie in their own local frame with nothing to place them."""


class MissingDependency(DatagenError):
    """A library, device, asset or licence that this job needs is not here."""

    exit_code = EXIT_MISSING


class BrokenFile(UsageError):
    """A file of a dataset that cannot be used; going on with the rest would hide it."""


class OtherRecipe(DatagenError):
    """The output folder belongs to a run with another recipe, seed or collection."""

    exit_code = EXIT_OTHER_RECIPE


class StoppedEarly(DatagenError):
    """A full disk, an I/O error or a signal stopped the build; running it again goes on."""

    exit_code = EXIT_STOPPED_EARLY


class ShapeError(DatagenError):
    """One shape cannot be used; the build quarantines it and goes on."""

    exit_code = EXIT_QUARANTINED


class MeshLoadError(ShapeError):
    """A mesh file that is missing, unreadable, empty, non-finite or out of bounds."""


class MaterialError(DatagenError):
    """A material folder or texture that cannot be used."""

    exit_code = EXIT_QUARANTINED


class PluginError(DatagenError):
    """Code of another package failed on one job; the build quarantines the job and goes on."""

    exit_code = EXIT_QUARANTINED


class RenderError(DatagenError):
    """The renderer failed or died on one job; the build quarantines the job."""

    exit_code = EXIT_QUARANTINED
