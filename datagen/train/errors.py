"""How a training can fail, with the step where it did and what to do."""

from datagen.core.errors import EXIT_STOPPED_EARLY, DatagenError, UsageError


class Diverged(UsageError):
    """The loss or its gradient is no longer a number."""


class OutOfMemory(DatagenError):
    """The device has no room for a step of this recipe."""

    exit_code = EXIT_STOPPED_EARLY


class BadCheckpoint(UsageError):
    """A checkpoint that is missing, torn or made by another recipe."""
