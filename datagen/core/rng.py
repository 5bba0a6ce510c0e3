"""Randomness is an argument: every generator is made here, from the seed and named keys."""

import hashlib

import numpy as np


def stream(seed: int, *keys: str | int) -> np.random.Generator:
    """A generator that depends on (seed, keys) alone, never on order, worker, host or clock."""
    words = hashlib.sha256("\x1f".join(str(key) for key in keys).encode()).digest()
    entropy = [seed, *np.frombuffer(words, dtype="<u4").tolist()]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))


def unit_vector(rng: np.random.Generator) -> np.ndarray:
    """A direction uniform on the sphere, shape (3,)."""
    vector = rng.normal(size=3)
    return vector / np.linalg.norm(vector)


def random_rotation(rng: np.random.Generator) -> np.ndarray:
    """A rotation uniform over SO(3), shape (3, 3): a normalised Gaussian quaternion."""
    w, x, y, z = (quaternion := rng.normal(size=4)) / np.linalg.norm(quaternion)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
