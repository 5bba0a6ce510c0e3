"""The recipe of odd-one-out scenes (Odd-One-Out, sections 4.1 and A.1; layout of the published sample scene)."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from datagen.recipe.anomalies import (
    BrokenRecipe,
    DeformRecipe,
    FractureRecipe,
    MaterialRecipe,
    MoveRecipe,
    OperatorSections,
    SimilarRecipe,
)
from datagen.recipe.render import Device, filled_in, lower
from datagen.recipe.section import LATER, DatasetRecipe, Fraction, Positive, Range, Section

SEEN_KEYS = ("unseen-test", "train", "seen-test")
"""Splits by category, in the published file's order: whoever trains takes the first key with `test` in it."""
SHAPE_KEYS = ("train", "test")
SECTIONS = {
    **{name: "fracture" for name in ("fracture", "crack")},
    **{name: "deform" for name in ("bump", "bend", "twist", "deformation")},
    **{name: "move" for name in ("translation", "rotation", "missing")},
    **{name: name for name in ("material", "similar", "broken")},
}
"""Kind of anomaly -> the key of its settings; the published kinds come first."""
DEFAULT_KINDS = tuple(SECTIONS)[:10]


class SceneSplitRecipe(Section):
    """How many scenes of which shapes. No shape is ever on both sides of a cut."""

    by: Literal["category", "shape"] = "category"
    """category: unseen-test, train, seen-test (Table 3). shape: train, test."""
    scenes: dict[str, Annotated[int, Field(ge=0)]] = Field(
        default_factory=lambda: {"unseen-test": 2, "train": 5, "seen-test": 1}
    )
    """Scenes of each split; the shapes of a split take turns."""
    shapes: Annotated[int, Field(ge=1)] | None = None
    """Use this many shapes of the collection, spread over the categories; null: all of them."""
    categories: tuple[str, ...] = ()
    """Use these categories alone; an empty list means all. A name's first word does (`ice` is ice_cream)."""
    unseen: tuple[str, ...] = ()
    """Categories of unseen-test. Where the collection has none of them, a share is drawn by hash."""
    unseen_share: Fraction = 12 / 51
    """Share of the categories that is drawn for unseen-test where none is named (Table 3: 12 of 51)."""
    test_share: Fraction = 1 / 6
    """Share of the (seen) shapes that are kept for testing: 1,000 of 6,000 scenes."""
    max_faces: Annotated[int, Field(ge=100)] = 400_000
    """Shapes of more triangles are quarantined: booleans on them take minutes."""

    @model_validator(mode="after")
    def _known_splits(self) -> "SceneSplitRecipe":
        known = SEEN_KEYS if self.by == "category" else SHAPE_KEYS
        for name in self.scenes:
            if name not in known:
                raise ValueError(f"no split is called '{name}'; by {self.by} they are {', '.join(known)}")
        return self

    @property
    def keys(self) -> tuple[str, ...]:
        """Split names in the order of the published file."""
        return SEEN_KEYS if self.by == "category" else SHAPE_KEYS


class SceneAnomalyRecipe(OperatorSections):
    """Which kinds, how many anomalous shapes."""

    sections: ClassVar[Mapping[str, str]] = SECTIONS

    kinds: dict[str, Annotated[float, Field(ge=0)]] = Field(default_factory=lambda: dict.fromkeys(DEFAULT_KINDS, 1.0))
    """Weights of the kinds over all anomalous shapes."""
    shapes: Annotated[float, Field(gt=0)] = 2.2333
    """Anomalous shapes a shape, on average (2,345 over 1,050)."""
    attempts: Annotated[int, Field(ge=1, le=100)] = 10
    """Proposals of one kind before the next kind is tried."""
    min_changed_px: Positive = 25.0
    """Changed pixels, at 256 px, from which a view shows an anomaly."""
    min_views: Annotated[float, Field(ge=0, le=1)] = 0.3
    """Share of a scene's views that have to show each anomaly, at least one, and one of each set of five of the
    protocol: of 20 views 6, so that five drawn at random show it with probability 0.87."""
    min_contrast: Annotated[float, Field(ge=0)] = 6.0
    """Grey levels (0 to 255) that a rendered picture varies by along the outline of the changed pixels (90th
    percentile): a view with less does not count as one that shows the anomaly."""
    plugin: str = ""
    """`package.module:function` of an own fracture source, such as a wrapper of fracture-modes."""
    fracture: FractureRecipe = FractureRecipe()
    deform: DeformRecipe = DeformRecipe()
    move: MoveRecipe = MoveRecipe()
    material: MaterialRecipe = MaterialRecipe()
    similar: SimilarRecipe = SimilarRecipe()
    broken: Annotated[BrokenRecipe, LATER] = BrokenRecipe()

    @property
    def made(self) -> tuple[str, ...]:
        """Kinds of anomaly that the recipe makes."""
        return tuple(kind for kind, weight in self.kinds.items() if weight)

    @model_validator(mode="after")
    def _known_kinds(self) -> "SceneAnomalyRecipe":
        self.refuse_unknown(self.kinds)
        if not any(self.kinds.values()):
            raise ValueError("every kind has weight 0; give at least one a share")
        return self


LEAST_OBJECTS = 3
"""So many have a majority and one that differs."""


class LayoutRecipe(Section):
    """What stands where. Metres."""

    objects: dict[int, Positive] = Field(default_factory=lambda: {3: 4.0, 4: 3.0, 5: 2.0, 6: 1.0})
    """Weights of the number of objects."""
    normal_share: Fraction = 0.1
    """Share of the scenes without an anomaly."""
    reach_m: Range = (0.20, 0.205)
    """Largest vertex coordinate of the normal object, in metres, drawn for each scene."""
    max_height_m: Positive = 0.32
    """Taller objects are scaled down, in metres: the published volume sees no higher."""
    spread: Positive = 1.6
    """Edge of the square that objects are dealt over: spread * footprint * sqrt(objects)."""
    gap_m: Positive = 0.01
    """Least distance between the footprints of two objects, in metres."""
    poses: Literal["rigid_body", "shared", "stable", "upright"] = "rigid_body"
    """rigid_body: dropped in Blender. shared: the same for normal objects; odd ones lie as near to that pose as they
    stay stable, and the scene's normal ones take the odd ones' poses, so that no pose tells them. stable: the nearest
    quasi-static pose. upright: as the source has it."""
    lean_deg: Annotated[float, Field(ge=0, le=45)] = 5.0
    """With `poses: shared`, how far a normal object may lean from a pose in which it is stable, in degrees; an anomaly
    that makes it lie further off is refused."""
    start: Literal["upright", "random"] = "upright"
    """How a shape is turned before it is dropped."""
    tilt_deg: Annotated[float, Field(ge=0, le=90)] = 2.0
    """Largest random tilt before the drop, in degrees."""
    drops: Annotated[int, Field(ge=1, le=50)] = 5
    """Drops of a normal shape, each tilted towards another side; it lies as it comes to lie most often."""
    joint_drop: bool = False
    """Drop all objects together: they may lean on each other and are checked for contact, not for footprints."""
    attempts: Annotated[int, Field(ge=1, le=100)] = 6
    """Layouts tried until every anomaly shows in enough views."""
    majority: Annotated[Literal["normal", "swap"], LATER] = "normal"
    """swap: scenes come in twos of one shape A and one anomalous shape A' of it, once with A and once with A' in the
    majority, so that an object by itself does not tell whether it is odd (Figure 6)."""

    @model_validator(mode="after")
    def _room_for_a_majority(self) -> "LayoutRecipe":
        few = [count for count in self.objects if count < LEAST_OBJECTS]
        if few or not self.objects:
            told = f"a scene of {few[0]} has none" if few else "no number is given"
            raise ValueError(
                f"objects: odd is what differs from a majority, of {LEAST_OBJECTS} objects at least; {told}"
            )
        return self

    @model_validator(mode="after")
    def _poses_to_share(self) -> "LayoutRecipe":
        if self.joint_drop and self.poses == "shared":
            raise ValueError("objects dropped together lie as they fall; set joint_drop: false or poses: rigid_body")
        return self


class OrbitRecipe(Section):
    """Cameras on an orbit about the scene, as in the published sample scene."""

    views: Annotated[int, Field(ge=1)] = 20
    """Views of a scene."""
    size_px: Annotated[int, Field(ge=16, le=4096)] = 256
    """Width and height of a view, in pixels."""
    closed: bool = False
    """true: the first and the last view share an azimuth, as published."""
    margin_m: Positive = 0.29
    """Part of the camera's radius (see `per_object_m`), in metres."""
    per_object_m: float = 0.0
    """Radius = largest |x| or |y| of any object + `per_object_m` * count + `margin_m` + 0 to `sway_m`."""
    least_radius_m: Positive = 0.79
    """The camera's radius is never less than this, in metres, before it sways."""
    sway_m: float = 0.10
    """How far the camera's radius sways along the orbit, in metres."""
    height_m: Range = (0.40, 0.46)
    """Height of the camera in metres at a radius of 0.7 m; it grows with the radius."""
    height_with_radius: Fraction = 1.0
    """How much of a larger radius the height follows: 0 stays, 1 grows in proportion."""
    whole: Fraction = 0.0
    """Share of a scene's views, at least, that hold every object whole: their cameras step back."""


class SceneLightRecipe(Section):
    """Environments and floors, drawn as pairs."""

    worlds: tuple[str, ...] = ("forest", "courtyard", "city", "interior", "studio", "sunset", "sunrise")
    """Stock environments of Blender (photographs), image files, folders of .hdr and .exr, or `procedural:<n>` (painted,
    and they look it)."""
    strength: Range = (0.7, 0.9)
    """Strength of the environment once its light on the floor is normalised, drawn for each scene."""
    floors: tuple[str, ...] = ("procedural",)
    """`procedural`, or folders of PBR image sets."""


SCENE_PRESETS: Mapping[str, Mapping[str, Any]] = {
    "draft": {"samples": 16, "adaptive_threshold": 0.02, "min_samples": 16},
    "standard": {"samples": 64, "adaptive_threshold": 0.02, "min_samples": 16},
    "paper": {"samples": 192, "adaptive_threshold": 0.01, "min_samples": 32},
}
"""What a preset of scenes sets; docs/rendering-cost.md has what each one costs and how near it comes to convergence."""


class SceneRenderRecipe(Section):
    """Cycles, spelt out.

    A preset fills in what the recipe does not say itself: `preset: draft, samples: 24` takes 24 samples.
    """

    preset: Literal["draft", "standard", "paper"] = "standard"
    """Fills in `samples`, `adaptive_threshold` and `min_samples` where the recipe does not (docs/rendering-cost.md)."""
    samples: Annotated[int, Field(ge=1)]
    """Samples a pixel."""
    adaptive_threshold: Annotated[float, Field(ge=0.0)]
    """Noise below which a pixel takes no more samples; 0 turns adaptive sampling off."""
    min_samples: Annotated[int, Field(ge=1)]
    """Samples that every pixel takes before it may stop."""
    denoiser: Literal["oidn", "none"] = "oidn"
    """OpenImageDenoise, or none."""
    prefilter: Literal["none", "fast", "accurate"] = "accurate"
    """How albedo and normal are cleaned before they guide the denoiser."""
    max_bounces: Annotated[int, Field(ge=0)] = 4
    """Bounces of a light path."""
    clamp_indirect: float = 6.0
    """Largest radiance of a bounced sample (against bright specks); 0 clamps nothing."""
    view_transform: Literal["Standard", "Filmic", "AgX", "Khronos PBR Neutral"] = "Filmic"
    """How Blender turns radiance into pixel values."""
    device: Annotated[Device, BeforeValidator(lower)] = "cpu"
    """auto: the first of OptiX, CUDA, HIP, Metal and oneAPI that is there, else the CPU."""

    @model_validator(mode="before")
    @classmethod
    def _filled_in(cls, data: Any) -> Any:
        return filled_in(data, SCENE_PRESETS)


class SceneMaterialRecipe(Section):
    """Materials of shapes that bring none of their own."""

    libraries: tuple[str, ...] = ("procedural",)
    """'procedural' for the built-in 400, or folders of image sets; several are joined."""
    classes: dict[str, Positive] = Field(
        default_factory=lambda: {"plastic": 4.0, "metal": 1.5, "wood": 2.0, "fabric": 0.5, "leather": 0.5}
    )
    """Material class -> weight."""
    scale: Positive = 0.6
    """Texture repeats relative to a chair's: toys are smaller."""


class SceneRecipe(DatasetRecipe):
    """A whole dataset of scenes."""

    name: str = "oddoneout"
    """The dataset's name, on its card."""
    kind: Literal["oddoneout"] = "oddoneout"
    """Scenes of several objects, some of them odd, in the format of ToysAD-8K and PartsAD-15K."""
    shapes: str = ""
    """The collection to use where --shapes is not given."""
    naming: Literal["toys", "parts"] = "toys"
    """Scene ids: `<category>_<shape>-<scene>` or the published form of ABC's."""
    bbox: Literal["world", "published"] = "world"
    """What `bbox` of a scene's objects carries: the world axis-aligned box, or location and local dimensions."""
    split: SceneSplitRecipe = SceneSplitRecipe()
    layout: LayoutRecipe = LayoutRecipe()
    anomaly: SceneAnomalyRecipe = SceneAnomalyRecipe()
    camera: OrbitRecipe = OrbitRecipe()
    light: SceneLightRecipe = SceneLightRecipe()
    materials: SceneMaterialRecipe = SceneMaterialRecipe()
    render: SceneRenderRecipe = Field(default_factory=lambda: SceneRenderRecipe.model_validate({}))

    @property
    def swaps(self) -> bool:
        """Whether scenes come in twos with swapped majorities."""
        return self.layout.majority == "swap"

    @model_validator(mode="after")
    def _twos(self) -> "SceneRecipe":
        if self.swaps:
            if self.layout.normal_share:
                raise ValueError("layout.majority swap has an odd object in every scene: set layout.normal_share to 0")
            uneven = [split for split, count in self.split.scenes.items() if count % 2]
            if uneven:
                raise ValueError(f"layout.majority swap makes scenes in twos: split.scenes.{uneven[0]} has to be even")
        return self
