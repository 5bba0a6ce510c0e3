"""Jobs, rows and bundles: what is planned, what is committed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Job:
    """The unit of work and of commit. `slot` counts jobs of one type within a shape."""

    job_id: str
    job_type: str
    """anomaly | normal | reference | scene"""
    shape_id: str
    slot: int
    kind: str
    """normal, one of KINDS, reference, or scene."""
    views: int
    split: str
    public_id: int


@dataclass(frozen=True)
class Row:
    """One line of manifest.parquet: a sample, a rejection, a reference bundle, an object or a quarantined job."""

    job_id: str
    index: int
    row_type: str
    """sample | rejection | reference | quarantine; of scenes also scene and object (a sample is a view there)"""
    status: str
    """ok | rejected | quarantined"""
    shape_id: str
    public_id: int
    split: str
    source: str
    seed: int
    sample_id: str = ""
    stage: str = ""
    """Where a rejection fell: proposal | view | picture."""
    reason: str = ""
    detail: str = ""
    label: int = 0
    kind: str = "normal"
    part: str = ""
    part_class: str = ""
    part_id: int = 0
    severity: float = 0.0
    method: str = ""
    spec: str = ""
    """Canonical JSON of the accepted or rejected anomaly spec."""
    query_path: str = ""
    annotation_path: str = ""
    mask_new_path: str = ""
    mask_old_path: str = ""
    bbox_xywh_512: tuple[float, ...] = ()
    iou: float = 0.0
    azimuth_deg: float = 0.0
    elevation_deg: float = 0.0
    radius: float = 0.0
    K: tuple[float, ...] = ()
    T_world_camera: tuple[float, ...] = ()
    T_shape_source: tuple[float, ...] = ()
    query_scale: float = 0.0
    light_id: int = -1
    texture_id: int = -1
    material_ids: tuple[str, ...] = ()
    visible_px: int = 0
    changed_px: int = 0
    repaired_part_id: int = 0
    sha256: Mapping[str, str] = field(default_factory=dict)
    versions: str = ""
    warnings: tuple[str, ...] = ()
    """What reading the shape left out, `kind: detail`; in the row of its bundle or scene."""
    category: str = ""
    """What the shape is, such as table. The column is there where rows say it."""
    anomalies: str = ""
    """Canonical JSON of `config.anomalies`, where an object has several."""
    pose: str = ""
    """Canonical JSON of the joints that are not at rest: name -> radians or object units."""
    jitter: str = ""
    """Canonical JSON of how parts lie off their nominal place, within tolerance: part id -> shift (3) in mm and turn
    (3) as a rotation vector in degrees, about the part's centre, in the shape's axes."""
    tray: str = ""
    """Canonical JSON of how the whole lies on the tray: [turn about the vertical in degrees, x in mm, y in mm]."""
    looks: str = ""
    """Canonical JSON of how materials vary: part id -> tint (3) of the base colour, and wear in 0..1."""
    lens: str = ""
    """Canonical JSON of what distorts a picture before `K`: Brown's coefficients as OpenCV has them, and `turn` (9),
    from the picture's camera axes to the lens's where these differ."""
    background: str = ""
    """Canonical JSON of what lies behind the object in a picture, where that is not white."""
    stress: str = ""
    """Canonical JSON of how reflections of a stressed picture are moved: `light_deg`, and of `parts` by id `rougher`
    and `tilt_deg`."""
    magnitude: float = 0.0
    """Size of an anomaly in `magnitude_unit`, measured on the meshes."""
    magnitude_unit: str = ""
    """mm, deg or mm3."""
    deviation_mm: float = 0.0
    """How far the part's centre lies off its nominal place; of a normal sample, of the part nearest to its limit."""
    deviation_deg: float = 0.0
    """How far that part is turned from its nominal place."""
    surface_mm: float = 0.0
    """How far the part's surface lies off the one that it had before the anomaly."""
    tolerance_mm: float = 0.0
    """What the drawing allows of the centre; 0 where it says nothing."""
    tolerance_deg: float = 0.0
    """What it allows of the turn."""
    tolerance_ratio: float = 0.0
    """The largest deviation over its tolerance: above 1 is a defect; 0 where nothing is allowed or measured."""

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary. Its values are the row's own: change none in place."""
        return dict(vars(self))


@dataclass(frozen=True, eq=False)
class Bundle:
    """A finished job: files by path below the dataset's folder, and its rows."""

    job: Job
    files: Mapping[str, bytes]
    rows: tuple[Row, ...]
    cost: Mapping[str, Any] = field(default_factory=dict)
    """CPU-seconds by phase, peak_rss_bytes and host."""
