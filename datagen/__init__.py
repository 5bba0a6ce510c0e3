"""datagen: conditional 3D anomaly-detection datasets from part-annotated meshes."""

from typing import Any

__version__ = "0.1.0"

_API = ("open_collection", "load_recipe", "build", "make_anomaly", "estimate")


def __getattr__(name: str) -> Any:
    """The verbs of `datagen.api`, loaded on first use so that importing datagen stays cheap."""
    if name in _API:
        from datagen import api

        return getattr(api, name)
    raise AttributeError(f"module 'datagen' has no attribute '{name}'")
