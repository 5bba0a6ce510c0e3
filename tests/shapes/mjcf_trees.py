"""Random MuJoCo models for the oracle test: nested classes, frames, replicas, every spelling of a pose."""

from xml.sax.saxutils import quoteattr

from hypothesis import strategies as st

TETRAHEDRON = "v 0 0 0\nv 1 0 0\nv 0 2 0\nv 0 0 3\nf 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n"
MESHES = ("a", "b", "c", "inline")
CLASSES = ("main", "k1", "k2", "k3")

_coordinate = st.integers(-40, 40).map(lambda n: n / 10)
_angle = st.integers(-36, 36).map(lambda n: n * 5.0)


def _words(values) -> str:
    return " ".join(f"{value:g}" for value in values)


def _vector(count: int, of=_coordinate):
    return st.lists(of, min_size=count, max_size=count)


def _long(values) -> bool:
    return sum(v * v for v in values) > 0.1


def _spread(values) -> bool:
    a, b = values[:3], values[3:]
    cross = (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])
    return _long(a) and _long(b) and _long(cross)


@st.composite
def poses(draw, radians: bool) -> dict[str, str]:
    unit = 0.0174532925199 if radians else 1.0
    found = {}
    if draw(st.booleans()):
        found["pos"] = _words(draw(_vector(3)))
    kind = draw(st.sampled_from(["", "quat", "axisangle", "euler", "xyaxes", "zaxis"]))
    if kind == "quat":
        found[kind] = _words(draw(_vector(4).filter(_long)))
    elif kind == "axisangle":
        found[kind] = _words([*draw(_vector(3).filter(_long)), draw(_angle) * unit])
    elif kind == "euler":
        found[kind] = _words([a * unit for a in draw(_vector(3, _angle))])
    elif kind == "xyaxes":
        found[kind] = _words(draw(_vector(6).filter(_spread)))
    elif kind == "zaxis":
        found[kind] = _words(draw(_vector(3).filter(_long)))
    return found


def element(tag: str, attributes: dict[str, str], *children: str) -> str:
    said = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
    return f"<{tag}{said}>{''.join(children)}</{tag}>"


@st.composite
def _look(draw) -> dict[str, str]:
    """Whether a geom is seen."""
    found = {}
    if draw(st.booleans()):
        found["group"] = str(draw(st.integers(0, 5)))
    if draw(st.booleans()):
        found["rgba"] = f"1 0 0 {draw(st.sampled_from([0, 0.5, 1]))}"
    return found


@st.composite
def _default_geom(draw, radians: bool) -> dict[str, str]:
    found = draw(_look()) | (draw(poses(radians)) if draw(st.booleans()) else {})
    if draw(st.integers(0, 7)) == 7:
        found |= {"type": "mesh", "mesh": draw(st.sampled_from(MESHES))}
    return found


_scale = st.lists(st.sampled_from([-1.5, -1.0, 0.3, 1.0, 2.0]), min_size=3, max_size=3).map(_words)


@st.composite
def _default(draw, radians: bool) -> str:
    def one(name: str, *inner: str) -> str:
        own = [element("geom", draw(_default_geom(radians)))] if draw(st.booleans()) else []
        own += [element("mesh", {"scale": draw(_scale)})] if draw(st.booleans()) else []
        return element("default", {"class": name} if name else {}, *own, *inner)

    if draw(st.booleans()):
        return one("", one("k1", one("k2")), one("k3"))
    return one("main", one("k1"), one("k2", one("k3")))


@st.composite
def _geom(draw, radians: bool) -> str:
    look = draw(poses(radians)) | draw(_look())
    if draw(st.booleans()):
        look["class"] = draw(st.sampled_from(CLASSES))
    kind = draw(st.sampled_from(["mesh", "mesh", "box", "ellipsoid", "capsule"]))
    if kind == "mesh":
        return element("geom", look | {"type": "mesh", "mesh": draw(st.sampled_from(MESHES))})
    look = {k: v for k, v in look.items() if k != "mesh"} | {"type": kind, "size": "0.2 0.4 0.7"}
    if draw(st.booleans()):
        look = {k: v for k, v in look.items() if k in ("group", "rgba", "class", "type", "size")}
        look["fromto"] = _words(draw(_vector(6).filter(lambda v: _long([v[k] - v[k + 3] for k in range(3)]))))
    # A mesh that a class gives would be fitted by the primitive: such geoms are refused elsewhere.
    return element("geom", look)


@st.composite
def _content(draw, radians: bool, depth: int) -> list[str]:
    found = draw(st.lists(_geom(radians), max_size=2))
    if depth == 0:
        return found
    for _ in range(draw(st.integers(0, 2))):
        kind = draw(st.sampled_from(["body", "frame", "replicate"]))
        inner = draw(_content(radians, depth - 1))
        attributes = {"childclass": draw(st.sampled_from(CLASSES))} if draw(st.booleans()) else {}
        if kind == "replicate":
            unit = 0.0174532925199 if radians else 1.0
            attributes["count"] = str(draw(st.integers(0, 3)))
            attributes["offset"] = _words(draw(_vector(3)))
            attributes["euler"] = _words([a * unit for a in draw(_vector(3, _angle))])
        else:
            attributes |= draw(poses(radians))
        found.insert(draw(st.integers(0, len(found))), element(kind, attributes, *inner))
    return found


@st.composite
def models(draw) -> str:
    """MJCF text over a.obj beside the model, b.obj in `sub/`, c.obj by a class, and an inline mesh."""
    radians = draw(st.booleans())
    compiler = {"angle": "radian"} if radians else {}
    if draw(st.booleans()):
        compiler["eulerseq"] = "".join(draw(_vector(3, st.sampled_from("xyzXYZ"))))
    meshes = []
    for name, more in (
        ("a", {"file": "a.obj"}),
        ("b", {"file": "sub/b.obj"}),
        ("c", {"file": "sub\\c.obj"}),
        ("inline", {"name": "inline", "vertex": "0 0 0 1 0 0 0 1 0 0 0 1", "face": "0 2 1 0 1 3 0 3 2 1 2 3"}),
    ):
        attributes = dict(more, inertia="shell")
        if draw(st.booleans()):
            attributes["name"] = name
        if draw(st.booleans()):
            attributes["class"] = draw(st.sampled_from(CLASSES))
        if draw(st.booleans()):
            attributes["scale"] = draw(_scale)
        if draw(st.booleans()):
            attributes["refpos"] = _words(draw(_vector(3)))
        if draw(st.booleans()):
            attributes["refquat"] = _words(draw(_vector(4).filter(_long)))
        meshes.append(element("mesh", attributes))
    sections = [
        element("compiler", compiler),
        draw(_default(radians)),
        element("asset", {}, *meshes[:2]),
        element("asset", {}, *meshes[2:]),
        element("worldbody", {}, *draw(_content(radians, 2))),
        element("worldbody", {}, *draw(_content(radians, 1))),
    ]
    return element("mujoco", {}, *draw(st.permutations(sections)))
