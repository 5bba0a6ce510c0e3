"""The recipe's section on rendering: Cycles, spelt out, and the presets that fill in what a recipe leaves out."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from datagen.recipe.section import Section

Device = Literal["auto", "cpu", "cuda", "optix", "hip", "metal", "oneapi"]

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "draft": {"samples": 16, "ground_samples": 4, "prefilter": "none"},
    "standard": {"samples": 64, "ground_samples": 8, "prefilter": "none"},
    "paper": {"samples": 192, "ground_samples": 32, "prefilter": "none"},
}
"""What a preset sets; docs/rendering-cost.md has what each one costs and how near it comes to convergence."""


def filled_in(data: Any, presets: Mapping[str, Mapping[str, Any]]) -> Any:
    """A section as it was written, with what its preset sets where it says nothing itself."""
    if not isinstance(data, dict):
        return data
    # An unknown preset is left to the field's own check, which says so.
    return {**presets.get(str(data.get("preset", "standard")), presets["standard"]), **data}


def lower(value: object) -> object:
    """Text in lower case: a device may be written either way."""
    return value.lower() if isinstance(value, str) else value


class RenderRecipe(Section):
    """Cycles, spelt out: nothing is left to a default of the Blender version.

    A preset fills in what the recipe does not say itself: `preset: draft, samples: 24` takes 24 samples.
    """

    preset: Literal["draft", "standard", "paper"] = "standard"
    """Fills in `samples`, `ground_samples` and `prefilter` where the recipe does not (docs/rendering-cost.md)."""
    samples: Annotated[int, Field(ge=1)]
    """Samples a pixel of the object."""
    ground_samples: Annotated[int, Field(ge=0)]
    """Samples a pixel of the ground, which is rendered without the object in the way, smaller, and laid
    behind it; 0 renders the whole frame in one pass of `samples`."""
    ground_reduction: Annotated[int, Field(ge=1, le=8)] = 2
    """The ground is rendered this many times smaller: it holds nothing but soft shadows."""
    adaptive_threshold: Annotated[float, Field(ge=0.0)] = 0.0005
    """Noise below which a pixel of the object takes no more samples. So little that only pixels without the object
    stop early; 0 turns adaptive sampling off."""
    min_samples: Annotated[int, Field(ge=1)] = 8
    """What every pixel takes before it may stop."""
    denoiser: Literal["oidn", "none"] = "oidn"
    """OpenImageDenoise, or none."""
    prefilter: Literal["none", "fast", "accurate"]
    """How albedo and normal are cleaned before they guide the denoiser."""
    max_bounces: Annotated[int, Field(ge=0)] = 3
    """Bounces of a light path."""
    clamp_indirect: float = 3.0
    """Largest radiance of a bounced sample (against bright specks); 0 clamps nothing."""
    view_transform: Literal["Standard", "Filmic", "AgX", "Khronos PBR Neutral"] = "Standard"
    """How Blender turns radiance into pixel values."""
    device: Annotated[Device, BeforeValidator(lower)] = "cpu"
    """auto: the first of OptiX, CUDA, HIP, Metal and oneAPI that is there, else the CPU."""
    floor_radiance: Annotated[float, Field(gt=0.0)] = 1.1
    """Radiance of the lit ground: above 1 it is white in the picture."""
    floor_emission: Annotated[float, Field(ge=0.0, le=1.0)] = 0.35
    """Share of that radiance that the ground emits by itself, so that shadows stay bright."""
    floor_albedo: Annotated[float, Field(ge=0.0, le=1.0)] = 0.6
    """Reflectance of the ground."""

    @model_validator(mode="before")
    @classmethod
    def _filled_in(cls, data: Any) -> Any:
        return filled_in(data, PRESETS)
