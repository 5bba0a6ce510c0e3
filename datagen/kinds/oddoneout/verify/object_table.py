"""The entries of `objects` in scene3d.metadata.json, checked for what is used of them."""

from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Len
from pydantic import BaseModel, FiniteFloat, ValidationError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


def object_records(objects: Any, problems: dict[str, str]) -> list[dict[str, Any]]:
    """The entries of `objects` without what cannot be used of them, which is noted."""
    records, wrong = [], []
    for k, record in enumerate(objects if isinstance(objects, list) else []):
        try:
            _ObjectTable.model_validate(record)
        except ValidationError as error:
            wrong += [f"objects[{k}] {_told(e)}" for e in error.errors()]
            bad = {e["loc"][0] for e in error.errors() if e["loc"]}
            record = {key: v for key, v in record.items() if key not in bad} if isinstance(record, dict) else {}
        records.append(record)
    if not records or wrong:
        problems["scene3d.metadata.json"] = "; ".join(wrong[:3]) or "names no objects"
    return records


def _told(error: "ErrorDetails") -> str:
    return f"{'.'.join(map(str, error['loc']))}: {error['msg'].lower()}".removeprefix(": ")


Triple = Annotated[tuple[FiniteFloat, ...], Len(3, 3)]
Box = Annotated[tuple[Triple, ...], Len(2, 2)]
Matrix = Annotated[tuple[Annotated[tuple[FiniteFloat, ...], Len(4, 4)], ...], Len(4, 4)]


class _Anomaly(BaseModel):
    """The part of `anomaly` that checks use."""

    changed_px: list[int] | None = None


class _ObjectTable(BaseModel):
    """What checks use of an entry of `objects`; ours beside the published keys are optional."""

    name: str
    path: str
    rotation_matrix: Matrix
    bbox: Box
    bbox_world: Box | None = None
    bbox_published: Box | None = None
    anomaly: _Anomaly | None = None
    part_labels: dict[str, int] | None = None
