"""datagen: conditional 3D anomaly-detection datasets from part-annotated meshes."""

import os
from typing import Any

# Our matrices are small: a second OpenBLAS thread only waits for work, at a quarter of a build's CPU time.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = "0.1.0"

_API = ("open_collection", "load_recipe", "build", "make_anomaly", "estimate")


def __getattr__(name: str) -> Any:
    """The verbs of `datagen.api`, loaded on first use so that importing datagen stays cheap."""
    if name in _API:
        from datagen import api

        return getattr(api, name)
    raise AttributeError(f"module 'datagen' has no attribute '{name}'")
