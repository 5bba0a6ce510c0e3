"""How often the published set shows each kind on each part class (figure of part statistics)."""

CLASSES = (
    *("Leg", "BackSurface", "Arm", "SeatSurface", "BackFrame", "SeatFrame", "SeatSupport"),
    *("SurfaceBase", "BackSupport", "Footrest", "Other"),
)
IMAGES = {
    "position": (6130, 2720, 2860, 2110, 1160, 810, 840, 440, 500, 480, 510),
    "rotation": (6110, 2900, 2530, 2330, 1220, 790, 790, 460, 480, 430, 490),
    "broken": (7900, 2610, 2460, 400, 1620, 950, 400, 600, 500, 50, 370),
    "swapped": (5590, 3490, 3090, 2990, 1080, 750, 240, 230, 290, 320, 370),
    "missing": (5990, 3650, 2790, 1820, 1200, 650, 440, 600, 380, 380, 530),
}
PUBLISHED: dict[str, dict[str, float]] = {
    kind: dict(zip(CLASSES, map(float, counts), strict=True)) for kind, counts in IMAGES.items()
}
"""kind -> part class -> images, used as weights of the classes of a chair."""
