"""Toy vehicles: car, bus, train, airplane, boat. z up, driving along +x."""

import numpy as np

from datagen.shapes.procedural.things.solids import Solid, ball, box, chain, hull, lathe, prism, rod, wheel

Rng = np.random.Generator


def _wheels(xs: list[float], track: float, radius: float, width: float) -> list[Solid]:
    pieces = []
    for k, x in enumerate(xs):
        for side in (-1, 1):
            at = (x, side * track / 2, radius)
            tyre = wheel(radius, width, at)
            cap = wheel(0.45 * radius, width * 1.15, at)
            pieces.append(Solid(f"wheel_{k}_{'lr'[side > 0]}", tyre - cap, "wheel"))
            pieces.append(Solid(f"hub_{k}_{'lr'[side > 0]}", cap, "trim"))
    return pieces


def car(rng: Rng) -> list[Solid]:
    """A saloon, van or pick-up of rounded blocks."""
    length, width = rng.uniform(1.6, 2.2), rng.uniform(0.8, 1.0)
    radius, height = rng.uniform(0.18, 0.26), rng.uniform(0.3, 0.42)
    base = radius * 0.9
    body = box((length, width, height), (0, 0, base + height / 2), 0.09)
    cab_length, cab_height = length * rng.uniform(0.4, 0.62), rng.uniform(0.3, 0.45)
    shift = length * rng.uniform(-0.15, 0.05)
    foot = box((cab_length, width * 0.9, 0.06), (shift, 0, base + height), 0.02)
    top = box(
        (cab_length * rng.uniform(0.6, 0.9), width * 0.8, 0.06), (shift - 0.03, 0, base + height + cab_height), 0.02
    )
    cabin = hull(foot, top)
    band = box((cab_length * 0.72, width * 1.2, cab_height * 0.45), (shift, 0, base + height + cab_height * 0.5), 0.03)
    windows = cabin.scale((1.015, 1.02, 1.0)) ^ band
    xs = [-length * 0.31, length * 0.31]
    pieces = [Solid("body", body, "body"), Solid("cabin", cabin - windows, "body"), Solid("windows", windows, "glass")]
    pieces += _wheels(xs, width * 0.98, radius, width * 0.18)
    lights = [ball(0.07, (length / 2 - 0.01, s * width * 0.3, base + height * 0.6), (0.6, 1, 1), 24) for s in (-1, 1)]
    pieces += [Solid(f"light_{k}", solid, "light") for k, solid in enumerate(lights)]
    if rng.random() < 0.5:
        bar = box((0.14, width * 0.5, 0.09), (shift, 0, base + height + cab_height + 0.05), 0.03)
        pieces.append(Solid("roof_bar", bar, "light"))
    pieces.append(Solid("bumper", box((0.09, width * 0.92, 0.1), (length / 2 + 0.02, 0, base + 0.07), 0.035), "trim"))
    return pieces


def bus(rng: Rng) -> list[Solid]:
    """A bus with a row of windows."""
    length, width, height = rng.uniform(2.2, 3.0), rng.uniform(0.8, 1.0), rng.uniform(0.85, 1.15)
    radius = rng.uniform(0.17, 0.23)
    base = radius * 0.8
    body = box((length, width, height), (0, 0, base + height / 2), 0.12)
    count = int(rng.integers(3, 6))
    panes = [
        box(
            (0.7 * length / count, width * 1.03, height * 0.34),
            (-length / 2 + (k + 0.5) * length / count, 0, base + height * 0.66),
            0.03,
        )
        for k in range(count)
    ]
    pieces = [Solid("body", body, "body")]
    pieces += [Solid(f"window_{k}", pane, "glass") for k, pane in enumerate(panes)]
    pieces.append(
        Solid(
            "windscreen", box((0.06, width * 0.8, height * 0.36), (length / 2, 0, base + height * 0.62), 0.02), "glass"
        )
    )
    pieces.append(Solid("stripe", box((length * 0.96, width * 1.02, 0.07), (0, 0, base + height * 0.36)), "trim"))
    if rng.random() < 0.6:
        pieces.append(
            Solid("roof_box", box((length * 0.35, width * 0.6, 0.16), (0, 0, base + height + 0.05), 0.04), "trim")
        )
    return pieces + _wheels([-length * 0.32, length * 0.32], width, radius, 0.16)


def train(rng: Rng) -> list[Solid]:
    """A steam engine: boiler, cab, funnel, dome, wheels."""
    length, width = rng.uniform(1.7, 2.2), rng.uniform(0.7, 0.85)
    radius = rng.uniform(0.17, 0.22)
    deck = radius * 1.7
    boiler_r = width * rng.uniform(0.36, 0.44)
    frame = box((length, width, 0.14), (0, 0, deck), 0.04)
    boiler = rod(length * 0.62, boiler_r).rotate((0, 90, 0)).translate((-length * 0.12, 0, deck + boiler_r + 0.03))
    nose = ball(boiler_r, (length * 0.5, 0, deck + boiler_r + 0.03), (0.3, 1, 1))
    cab_h = boiler_r * 2 + rng.uniform(0.25, 0.4)
    cab = box((length * 0.3, width, cab_h), (-length * 0.33, 0, deck + cab_h / 2 + 0.04), 0.03)
    hole = box((length * 0.17, width * 1.5, cab_h * 0.3), (-length * 0.33, 0, deck + cab_h * 0.72), 0.02)
    roof = box((length * 0.38, width * 1.12, 0.08), (-length * 0.33, 0, deck + cab_h + 0.06), 0.035)
    tall = rng.uniform(0.28, 0.42)
    funnel = lathe([(0, 0), (0.09, 0), (0.08, tall * 0.7), (0.15, tall), (0, tall)]).translate(
        (length * 0.34, 0, deck + 2 * boiler_r - 0.02)
    )
    dome = ball(0.13, (length * 0.08, 0, deck + 2 * boiler_r), (1, 1, 0.9))
    pieces = [
        Solid("frame", frame, "trim"),
        Solid("boiler", boiler, "body"),
        Solid("nose", nose, "trim"),
        Solid("cab", cab - hole, "cab"),
        Solid("roof", roof, "trim"),
        Solid("funnel", funnel, "trim"),
        Solid("dome", dome, "light"),
    ]
    plough = prism([(0, -width * 0.45), (0.22, 0), (0, width * 0.45)], 0.2, (length / 2 - 0.02, 0, 0.05))
    pieces.append(Solid("plough", plough, "light"))
    return pieces + _wheels([-length * 0.33, 0.0, length * 0.33], width * 0.95, radius, 0.12)


def airplane(rng: Rng) -> list[Solid]:
    """A propeller plane on its gear."""
    length, r = rng.uniform(1.8, 2.4), rng.uniform(0.2, 0.28)
    span, lift = rng.uniform(1.8, 2.4), 0.3
    spine = [
        (-length / 2, 0, lift + r * 1.3),
        (-length * 0.1, 0, lift + r),
        (length * 0.32, 0, lift + r),
        (length / 2, 0, lift + r),
    ]
    body = chain(spine, [r * 0.3, r * 0.9, r, r * 0.75], 32)
    high = rng.random() < 0.5
    z = lift + (1.75 * r if high else 0.7 * r)
    wing = hull(
        box((0.42, span, 0.06), (length * 0.08, 0, z), 0.028),
        box((0.3, span * 1.02, 0.05), (length * 0.06, 0, z), 0.022),
    )
    tail = box((0.26, span * 0.36, 0.05), (-length * 0.45, 0, lift + r * 1.35), 0.02)
    fin = (
        prism([(0, 0), (0.3, 0), (0.1, 0.42), (-0.02, 0.42)], 0.05)
        .rotate((90, 0, 0))
        .translate((-length * 0.53, 0.025, lift + r * 1.3))
    )
    spinner = ball(r * 0.4, (length / 2 + r * 0.66, 0, lift + r), (1.3, 1, 1), 28)
    blade = box((0.04, 0.1, r * 3.6), (length / 2 + r * 0.72, 0, lift + r), 0.018).rotate((0, 0, 0))
    canopy = ball(r * 0.75, (length * 0.14, 0, lift + 1.75 * r), (1.5, 0.8, 0.8))
    pieces = [
        Solid("fuselage", body, "body"),
        Solid("wing", wing, "cab"),
        Solid("tailplane", tail, "cab"),
        Solid("fin", fin, "cab"),
        Solid("spinner", spinner, "light"),
        Solid("propeller", blade, "trim"),
        Solid("canopy", canopy, "glass"),
    ]
    for side in (-1, 1):
        leg = chain([(length * 0.18, side * 0.1, lift + 0.3 * r), (length * 0.18, side * 0.32, 0.13)], 0.032)
        pieces.append(Solid(f"leg_{side}", leg, "trim"))
        pieces.append(Solid(f"wheel_{side}", wheel(0.13, 0.08, (length * 0.18, side * 0.33, 0.13)), "wheel"))
    return pieces


def boat(rng: Rng) -> list[Solid]:
    """A tug or sailing boat."""
    length, width, deep = rng.uniform(1.8, 2.3), rng.uniform(0.65, 0.85), rng.uniform(0.32, 0.42)
    outline = [
        (-length / 2, -width * 0.4),
        (-length * 0.1, -width / 2),
        (length * 0.25, -width * 0.4),
        (length / 2, 0),
        (length * 0.25, width * 0.4),
        (-length * 0.1, width / 2),
        (-length / 2, width * 0.4),
    ]
    small = [(x * 0.82, y * 0.7) for x, y in outline]
    inner = [(x * 0.93, y * 0.86) for x, y in outline]
    full = hull(prism(small, 0.02), prism(outline, 0.02, (0, 0, deep)))
    body = full - prism(inner, 1.0, (0, 0, deep - 0.08))
    pieces = [Solid("hull", body, "body"), Solid("deck", prism(inner, 0.03, (0, 0, deep - 0.09)), "cab")]
    if rng.random() < 0.5:
        cab_h = rng.uniform(0.35, 0.5)
        cab = box((length * 0.3, width * 0.55, cab_h), (-length * 0.08, 0, deep + cab_h / 2 - 0.06), 0.04)
        port = box((length * 0.18, width, cab_h * 0.3), (-length * 0.08, 0, deep + cab_h * 0.62), 0.03)
        pieces += [
            Solid("cabin", cab - port, "light"),
            Solid("ports", (cab ^ port).scale((1, 0.98, 1)), "glass"),
            Solid(
                "roof",
                box((length * 0.34, width * 0.62, 0.06), (-length * 0.08, 0, deep + cab_h - 0.02), 0.025),
                "trim",
            ),
            Solid("funnel", rod(0.32, 0.09, 0.11, (-length * 0.3, 0, deep - 0.07)), "trim"),
        ]
    else:
        mast = rod(rng.uniform(1.1, 1.5), 0.035, 0.025, (0.05, 0, deep - 0.1), 20)
        tall = mast.bounding_box()[5]
        sail = (
            prism([(0, 0), (-length * 0.36, 0), (0, tall - deep - 0.25)], 0.03)
            .rotate((90, 0, 0))
            .translate((0.03, 0.015, deep + 0.12))
        )
        jib = (
            prism([(0, 0), (length * 0.34, 0), (0, (tall - deep) * 0.72)], 0.03)
            .rotate((90, 0, 0))
            .translate((0.075, 0.015, deep + 0.1))
        )
        pieces += [Solid("mast", mast, "trim"), Solid("sail", sail, "light"), Solid("jib", jib, "light")]
    pieces.append(Solid("bollard", rod(0.14, 0.05, 0.07, (length * 0.36, 0, deep - 0.09), 20), "trim"))
    return pieces
