"""How a category tells unlabelled parts by where they stand, and which way its shapes stand."""

from datagen.recipe.section import Positive, Section


class BoxRule(Section):
    """Bounds on a part's box, as shares of the shape's box; heights go from 0 to 1. What is not given does not count.

    Thin is the narrower horizontal side over the shape's wider one, broad the wider side over it, flat the height over
    the part's narrower side.
    """

    part_class: str
    """The class of a part within the bounds."""
    among: str = ""
    """Only parts that have this class by now; '' for any."""
    low_above: float | None = None
    """Its lower end lies above this."""
    low_below: float | None = None
    """Its lower end lies below this."""
    high_above: float | None = None
    """Its upper end lies above this."""
    tall_above: float | None = None
    """Its height."""
    thin_below: float | None = None
    """Its narrower side."""
    broad_above: float | None = None
    """Its wider side."""
    flat_below: float | None = None
    """Its height over its narrower side."""
    over_anchor: float | None = None
    """Its lower end lies above the anchor's middle plus this."""
    reaches_over_anchor: float | None = None
    """Its upper end lies above the anchor's middle plus this."""


class AnchorRule(Section):
    """The part that others are told by: the broadest one within the bounds, or the next of `anchors`."""

    flat: Positive | None = None
    """Its height is less than this many times its narrower side."""
    low: float
    """Its lower end lies above this share of the height."""
    footprint: float
    """It covers at least this share of the shape's footprint."""
    prefer_high: float = 0.0
    """How much being at the top counts beside being broad."""


class Geometry(Section):
    """Classes of unlabelled parts by where they stand."""

    anchor: str
    """The class of the part that others are told by; a shape without such a part has class Other throughout."""
    anchors: tuple[AnchorRule, ...]
    """How to find it; the first that finds one counts."""
    rules: tuple[BoxRule, ...] = ()
    """The first that a part is within tells its class."""
    single: tuple[BoxRule, ...] = ()
    """Rules that count where exactly one part is within."""


class Upright(Section):
    """Which way is up, by the classes of named parts."""

    above: str
    """This class lies above the other."""
    below: str
    """Two or more parts of it are asked for."""


class Front(Section):
    """Which way is front, by part classes: away from `back`, seen from `middle`."""

    back: tuple[str, ...]
    """Classes that lie behind."""
    middle: str
    """The class that they lie behind of."""
