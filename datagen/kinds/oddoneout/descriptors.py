"""How alike shapes look: our geometric descriptor, or DINOv2 features from the user's own weights (section A.1)."""

import hashlib
import importlib.util
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from datagen.core.errors import MissingDependency
from datagen.core.ids import code_hash, content_hash
from datagen.core.shape import Mesh
from datagen.geometry.descriptor import describe, shaded
from datagen.recipe.scenes import SimilarRecipe
from datagen.store.files import write_cache

Meshes = Callable[[], Sequence[Mesh]]
SOURCES = ("geometry/descriptor.py", "models/dinov2.py")
NEEDED = ("torch", "kornia", "safetensors")


@dataclass(frozen=True)
class Descriptor:
    """Unit vectors (D,) float32 whose dot product says how alike two shapes look, kept in a folder by digest."""

    folder: Path
    vector: Callable[[Sequence[Mesh]], np.ndarray]

    def __call__(self, digest: str, meshes: Meshes) -> np.ndarray:
        """The vector of a shape by its digest; `meshes` loads it where the vector is not kept yet."""
        path = self.folder / f"{content_hash([code_hash(*SOURCES), digest])}.npy"
        try:
            return np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            found = self.vector(meshes()).astype(np.float32)
            buffer = io.BytesIO()
            np.save(buffer, found)
            write_cache(path, buffer.getvalue())
            return found


def check_descriptor(recipe: SimilarRecipe) -> None:
    """Raises MissingDependency where weights are named and they, or what reads them, are not here."""
    if not recipe.weights:
        return
    weights_digest(recipe.weights)
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingDependency(
            f"anomaly.similar.weights: {' and '.join(missing)} are not here; pip install 'datagen[train]', "
            "or clear the key and the geometric descriptor is used"
        )


def open_descriptor(recipe: SimilarRecipe, folder: Path) -> Descriptor:
    """The recipe's descriptor; vectors are kept below `folder`. Raises MissingDependency."""
    check_descriptor(recipe)
    if not recipe.weights:
        return Descriptor(folder / "geometry", describe)
    digest = weights_digest(recipe.weights)
    from datagen.models.dinov2 import SIZE_PX, image_features, load_dinov2  # torch is for who asks for it

    model = load_dinov2(Path(recipe.weights))

    def features(meshes: Sequence[Mesh]) -> np.ndarray:
        vector = image_features(model, shaded(meshes, SIZE_PX)).ravel()
        return vector / max(float(np.linalg.norm(vector)), 1e-9)

    return Descriptor(folder / digest[:16], features)


@lru_cache(maxsize=4)
def weights_digest(name: str) -> str:
    """SHA-256 of the weights file: it is part of what a scene is. Raises MissingDependency."""
    try:
        with Path(name).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise MissingDependency(
            f"anomaly.similar.weights {name}: {error.strerror}; give the path of a DINOv2 weights file "
            "(dinov2_vits14_pretrain.pth), or clear the key and the geometric descriptor is used"
        ) from error
