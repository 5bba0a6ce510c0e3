"""What decoders raise on damaged or hostile files: findings of a check, never crashes of the program."""

import pickle
import struct
import zlib

import pyarrow as pa

from datagen.core.errors import DatagenError

DAMAGE: tuple[type[Exception], ...] = (
    DatagenError,
    OSError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    EOFError,
    SyntaxError,
    RuntimeError,
    MemoryError,
    ImportError,
    pickle.PickleError,
    struct.error,
    zlib.error,
    pa.ArrowException,
)
"""Pillow, numpy, pickle and pyarrow share no base class; these cover what their decoders are seen to raise."""
