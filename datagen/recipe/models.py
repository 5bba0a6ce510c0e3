"""The recipe of chairs as typed data. Magnitudes are relative to D, the shape's bounding-box diagonal."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from datagen.core.camera import FOCAL_PX_AT_256
from datagen.recipe.anomaly_slots import AnomalyRecipe
from datagen.recipe.background import BackgroundRecipe, read_background
from datagen.recipe.categories import Categories, built_in, built_in_names, read_category
from datagen.recipe.category import Category
from datagen.recipe.inspection import ToleranceRecipe, TrayRecipe, Units, VariationRecipe
from datagen.recipe.lamps import LampRecipe, refuse_lights
from datagen.recipe.materials import DEFAULT_CLASSES, MaterialSettings
from datagen.recipe.render import RenderRecipe
from datagen.recipe.section import LATER, DatasetRecipe, Fraction, Positive, Range, Section
from datagen.recipe.station import StationRecipe, read_station

PUBLISHED_RADIUS = 2.5
"""Distance of the published queries, which their focal length frames a shape at."""


def _category(value: object) -> object:
    """A category file's content in place of its path. Raises ValueError for what is neither a name nor a file."""
    if not isinstance(value, str | Mapping | Category):
        raise ValueError("it is one name or path, such as category=table; categories of --shapes tell their own")
    if not isinstance(value, str) or value in ("", *built_in_names()):
        return value
    if not Path(value).expanduser().is_file():
        raise ValueError(f"{value} is neither a file nor one of {', '.join(built_in_names())}")
    return read_category(Path(value).expanduser())


def _station(value: object) -> object:
    """The station of a file that a recipe names. Raises RecipeError."""
    return read_station(Path(value).expanduser()) if isinstance(value, str) else value


class NormalRecipe(Section):
    """Normal query images."""

    views: Annotated[dict[Annotated[int, Field(ge=0)], Positive], Field(min_length=1)] = Field(
        default_factory=lambda: {6: 1.0, 8: 2.0, 10: 3.0, 12: 3.0}
    )
    """Weights of the number of normal query images of a shape."""
    repair_share: Fraction = 0.5
    """Share of dresses in which one part passes the repair path, shape unchanged (leak control)."""


class QueryRecipe(Section):
    """Query cameras (paper, section 3.2)."""

    size_px: Annotated[int, Field(ge=32, le=4096)] = 256
    """Width and height of the query image, in pixels."""
    azimuth_step_deg: Positive = 18.0
    """Step between the azimuths that cameras are drawn from, in degrees."""
    azimuth: Annotated[Literal["grid", "continuous"], LATER] = "grid"
    """Azimuths: those of the grid in random order, as published, or as many drawn uniformly from [0, 360) to 0.01
    degrees, at least half a step apart: no reference view then stands at the query's own azimuth."""
    elevation_deg: Range = (20.0, 40.0)
    """Elevation of the camera, in degrees, drawn uniformly."""
    radius: Positive = 2.5
    """Distance of the camera from the centre of the object's box, in units of the scene."""
    scale: Positive = 0.833
    """Bounding-sphere radius of the object, so that no view is cut by the frame."""
    station: Annotated[StationRecipe | None, BeforeValidator(_station), LATER] = None
    """A camera station (docs/inspection.md), or the path of its file, which run.json then holds: views are from its
    cameras, in random order, in place of `azimuth`, `elevation_deg` and `radius`. Pictures are square cut-outs about
    the shape's middle, as `datagen predict` cuts photographs."""
    lights: Annotated[tuple[LampRecipe, ...], LATER] = ()
    """Lights of the station by millimetres (docs/inspection.md), each one of ring, bar, dome, backlight, point and
    room, in place of the set-ups of `light`; `room` keeps a share of those. Empty: those set-ups."""
    background: Annotated[BackgroundRecipe, BeforeValidator(read_background), LATER] = BackgroundRecipe()
    """What lies behind the part: `white`, `{colour: "#rrggbb"}`, `{photos: FOLDER}` or `{floor: MATERIAL}`."""

    @field_validator("lights")
    @classmethod
    def _together(cls, lights: tuple[LampRecipe, ...]) -> tuple[LampRecipe, ...]:
        refuse_lights(lights)
        return lights

    def focal_at(self, radius: float) -> float:
        """Focal length (px at 256 px) of a camera so far off; with a station it frames the shape at any distance."""
        return FOCAL_PX_AT_256 if self.station is None else FOCAL_PX_AT_256 * radius / PUBLISHED_RADIUS


class ReferenceRecipe(Section):
    """The reference bundle: pictures, depth and tracked points of the normal shape."""

    views: Annotated[int, Field(ge=2)] = 20
    """Reference views of a shape, evenly spread in azimuth."""
    elevation_deg: float = 20.0
    """Elevation of their cameras, in degrees."""
    radius: Positive = 3.0
    """Distance of their cameras from the object's centre; its bounding sphere has radius 1."""
    points: Annotated[int, Field(ge=64)] = 2000
    """Surface points that are tracked through all views (`pxy` of the .npy)."""
    duplicate_first: bool = False
    """Also write azimuth 360, as the published bundles do."""
    renderer: Literal["raycast", "pyrender"] = "raycast"
    """What draws the grey pictures: our ray caster, or pyrender (OpenGL)."""
    azimuth_offset: Annotated[float, Field(ge=0.0, lt=360.0), LATER] = 0.0
    """Degrees by which the ring of views is turned, less than the step between two of them."""
    counterfactual: Annotated[bool, LATER] = False
    """Also write the bundle of every anomalous shape and the normal twin of every anomalous picture, and list all
    pairs of query and reference in pairs.parquet."""
    at_query: Annotated[bool, LATER] = False
    """Also write the textureless view, depth, normals and part ids of the reference at every query's own camera."""
    maps: Annotated[bool, LATER] = False
    """Also write normals and part ids of every reference view, into `shapes/shape_<id>/maps`. Those of a query's own
    camera come with `at_query`."""
    repair_share: Annotated[Fraction, LATER] = 0.0
    """Share of bundles of normal shapes in which one part passes the repair path, shape unchanged (leak control)."""

    @model_validator(mode="after")
    def _within_a_step(self) -> "ReferenceRecipe":
        if self.azimuth_offset >= 360 / self.views:
            raise ValueError(f"azimuth_offset has to be less than {360 / self.views:g}, the step between views")
        return self


class LightRecipe(Section):
    """Light set-ups named by index."""

    worlds: tuple[str, ...] = (
        "studio",
        "courtyard",
        "city",
        "forest",
        "interior",
        "sunset",
        "sunrise",
        "night",
    )
    """Environments that light the scene, in turn over the set-ups: stock ones of Blender by name, or image files."""
    setups: Annotated[int, Field(ge=1)] = 8
    """Number of light set-ups. Every query image uses one of them."""
    sun_share: Fraction = 0.45
    """Share of the light that comes from suns; the rest comes from the environment."""
    suns: tuple[int, int] = (1, 3)
    """Fewest and most suns of a set-up."""


class JointRecipe(Section):
    """Shapes with joints (PartNet-Mobility): an open drawer or a turned knob is normal, in queries of either label."""

    share: Fraction = 0.5
    """How often a joint is away from rest, joint by joint; reference views show all at rest."""
    hinge: Range = (0.1, 1.0)
    """How far a hinge is then open, as shares of its limit; less, where the part would leave the picture."""
    slider: Range = (0.1, 1.0)
    """The same of what slides."""
    unlike: Fraction = 0.5
    """A moved or turned part is refused if a motion of its own joint comes nearer to it than this share of its move."""

    @field_validator("hinge", "slider")
    @classmethod
    def _within_limits(cls, shares: Range) -> Range:
        if not 0 <= shares[0] <= shares[1] <= 1:
            raise ValueError("the shares of a joint's limit go from 0 to 1, the lower first")
        return shares


class QualityRecipe(Section):
    """Checks after rendering. Levels are in 8-bit grey."""

    ground_level: float = 230.0
    """Grey above which the ground counts as white."""
    ground_share: Fraction = 0.90
    """Least share of the ground that has to be white."""
    ground_floor: float = 150.0
    """No pixel of the ground may be darker than this grey."""
    object_level: float = 230.0
    """Grey below which the object counts as not blown out."""
    object_share: Fraction = 0.95
    """Least share of the object that has to be below `object_level`."""
    margin_px: float = 16.0
    """A box whose centre lies this near the frame is rejected, at 256 px."""
    min_object_share: Fraction = 0.02
    """Least share of the picture that the object fills."""
    min_contrast: float = 6.0
    """Least local contrast (90th percentile) along the outline of the changed pixels."""


class SplitRecipe(Section):
    """Shares of train, validation and test (paper, section 3.2: 138 : 13 : 26)."""

    train: Positive = 138.0
    """Weight of training."""
    val: Positive = 13.0
    """Weight of validation."""
    test: Positive = 26.0
    """Weight of test."""
    use_published: bool = True
    """Use PartNet's own lists where they lie beside the shapes, instead of the weights."""
    unseen: Annotated[tuple[str, ...], LATER] = ()
    """Categories that are kept for a split of their own, `unseen`: no shape of theirs is trained on."""


class Recipe(DatasetRecipe):
    """A whole dataset."""

    name: str = "brokenchairs"
    """The dataset's name, on its card."""
    kind: Literal["brokenchairs"] = "brokenchairs"
    """Chairs, or shapes of other categories, with one anomalous part, in the format of BrokenChairs-180K."""
    category: Annotated[Category | str, BeforeValidator(_category), LATER] = ""
    """Category of shapes that do not say their own, and what its parts are: a built-in one by name (`datagen doctor`
    lists them), or the path of a file of yours (docs/extending/category.md), which run.json then holds."""
    split: SplitRecipe = SplitRecipe()
    anomaly: AnomalyRecipe = AnomalyRecipe()
    normal: NormalRecipe = NormalRecipe()
    query: QueryRecipe = QueryRecipe()
    reference: ReferenceRecipe = ReferenceRecipe()
    light: LightRecipe = LightRecipe()
    materials: MaterialSettings = MaterialSettings()
    joints: Annotated[JointRecipe, LATER] = JointRecipe()
    units: Annotated[Units, LATER] = ""
    """Unit of the files of shapes, so that sizes are true millimetres: `file` is what STEP and glTF or collection.json
    say; mm, cm, m or inch that of files that say none, and of glTF that says it wrongly. Empty: nothing is measured."""
    tolerance: Annotated[ToleranceRecipe, LATER] = ToleranceRecipe()
    variation: Annotated[VariationRecipe, LATER] = VariationRecipe()
    render: RenderRecipe = Field(default_factory=lambda: RenderRecipe.model_validate({}))
    quality: QualityRecipe = QualityRecipe()

    @model_validator(mode="after")
    def _one_in_pairs(self) -> "Recipe":
        if self.reference.counterfactual and set(self.anomaly.per_image) != {1}:
            raise ValueError("reference.counterfactual compares single anomalies; leave anomaly.per_image at {1: 1}")
        return self

    @model_validator(mode="after")
    def _has_cameras_for_all_views(self) -> "Recipe":
        station, step = self.query.station, self.query.azimuth_step_deg
        cameras = round(360 / step) if station is None else station.count
        asked = {"normal.views": self.normal.views, "anomaly.views": self.anomaly.views}
        asked |= {f"anomaly.views_by_kind.{kind}": views for kind, views in self.anomaly.views_by_kind.items()}
        for key, views in asked.items():
            if max(views) > cameras:
                there = f"query.azimuth_step_deg {step:g} leaves" if station is None else "query.station has"
                fewer = "ask for fewer, or take a smaller step" if station is None else "ask for fewer"
                raise ValueError(f"{key} asks for {max(views)} views, {there} {cameras} cameras; {fewer}")
        return self

    @model_validator(mode="after")
    def _can_be_backed(self) -> "Recipe":
        asked = {"query.lights": bool(self.query.lights), "query.background": not self.query.background.is_white}
        key = next((name for name, is_set in asked.items() if is_set), "")
        if key and not self.render.ground_samples:
            raise ValueError(f"{key} needs a pass of the ground; leave render.ground_samples above 0")
        if key and self.render.view_transform != "Standard":
            raise ValueError(f"{key} keeps the background's colours under render.view_transform: Standard alone")
        return self

    @model_validator(mode="after")
    def _measurable(self) -> "Recipe":
        if not self.units and (needing := self._needing_units()):
            raise ValueError(f"{needing} is in millimetres; say units: file, mm, cm, m or inch")
        self.anomaly.refuse_within(self.tolerance)
        if self.reference.counterfactual and self.variation.tray != TrayRecipe():
            raise ValueError("reference.counterfactual shows shapes in one frame; leave variation.tray out")
        return self

    def _needing_units(self) -> str:
        """The first key that is set and says millimetres; '' where none is."""
        band = self.tolerance != ToleranceRecipe()
        told = {"tolerance": band, "variation.tray": bool(self.variation.tray.shift_mm)}
        told |= {"query.station": self.query.station is not None, "query.lights": bool(self.query.lights)}
        told["materials.by_part"] = any(look.tile_mm for look in self.materials.by_part.values())
        return next((name for name, is_set in (*self.anomaly.in_millimetres(), *told.items()) if is_set), "")

    @model_validator(mode="after")
    def _known_kinds_of_category(self) -> "Recipe":
        if isinstance(self.category, Category):
            for key, named in (("liable", self.category.liable), ("weights", self.category.weights)):
                try:
                    self.anomaly.refuse_unknown(named)
                except ValueError as error:
                    raise ValueError(f"category {self.category.name}: {key}: {error}") from error
        return self

    @model_validator(mode="after")
    def _known_roles(self) -> "Recipe":
        if set(self.materials.classes) != set(DEFAULT_CLASSES):
            own = {*self.category.rows} if isinstance(self.category, Category) else set()
            self.materials.refuse_unknown(own.union(*(built_in(name).rows for name in built_in_names())))
        return self

    @property
    def categories(self) -> Categories:
        """What shapes may be, that of the recipe first."""
        if isinstance(self.category, Category):
            return Categories(self.category)
        return Categories(built_in(self.category) if self.category else None)
