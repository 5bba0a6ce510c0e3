"""A small STEP writer (AP214): boxes as solids, colours on solids or faces, units, assemblies with instances."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

UNITS = {"mm": ".MILLI.,.METRE.", "cm": ".CENTI.,.METRE.", "m": "$,.METRE."}
_SIGNS = [(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)]
_FACES = (
    ((0, 1, 3, 2), (-1, 0, 0)), ((4, 6, 7, 5), (1, 0, 0)), ((0, 4, 5, 1), (0, -1, 0)),
    ((2, 3, 7, 6), (0, 1, 0)), ((0, 2, 6, 4), (0, 0, -1)), ((1, 5, 7, 3), (0, 0, 1)),
)  # fmt: skip


@dataclass
class Step:
    """A STEP file under construction. Lengths in its own unit."""

    unit: str = "mm"
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        context = self.add("APPLICATION_CONTEXT('automotive design')")
        self.add(f"APPLICATION_PROTOCOL_DEFINITION('','automotive_design',2000,#{context})")
        self.product_context = self.add(f"PRODUCT_CONTEXT('',#{context},'mechanical')")
        self.definition_context = self.add(f"PRODUCT_DEFINITION_CONTEXT('part definition',#{context},'design')")
        if self.unit == "inch":
            metre = self.add("(LENGTH_UNIT()NAMED_UNIT(*)SI_UNIT(.MILLI.,.METRE.))")
            size = self.add("DIMENSIONAL_EXPONENTS(1.,0.,0.,0.,0.,0.,0.)")
            measure = self.add(f"LENGTH_MEASURE_WITH_UNIT(LENGTH_MEASURE(25.4),#{metre})")
            length = self.add(f"(CONVERSION_BASED_UNIT('INCH',#{measure})LENGTH_UNIT()NAMED_UNIT(#{size}))")
        else:
            length = self.add(f"(LENGTH_UNIT()NAMED_UNIT(*)SI_UNIT({UNITS[self.unit]}))")
        angle = self.add("(NAMED_UNIT(*)PLANE_ANGLE_UNIT()SI_UNIT($,.RADIAN.))")
        solid = self.add("(NAMED_UNIT(*)SI_UNIT($,.STERADIAN.)SOLID_ANGLE_UNIT())")
        fine = self.add(f"UNCERTAINTY_MEASURE_WITH_UNIT(LENGTH_MEASURE(1.E-06),#{length},'','')")
        self.context = self.add(
            f"(GEOMETRIC_REPRESENTATION_CONTEXT(3)GLOBAL_UNCERTAINTY_ASSIGNED_CONTEXT((#{fine}))"
            f"GLOBAL_UNIT_ASSIGNED_CONTEXT((#{length},#{angle},#{solid}))REPRESENTATION_CONTEXT('',''))"
        )
        self.origin = self.placement((0, 0, 0))

    def add(self, text: str) -> int:
        """An entity; returns its number."""
        self.lines.append(text)
        return len(self.lines)

    def triple(self, kind: str, values: Sequence[float]) -> int:
        """A CARTESIAN_POINT or DIRECTION."""
        return self.add(f"{kind}('',({','.join(f'{float(v):.6E}' for v in values)}))")

    def placement(self, at: Sequence[float], z: Sequence[float] = (0, 0, 1), x: Sequence[float] = (1, 0, 0)) -> int:
        """An AXIS2_PLACEMENT_3D."""
        point, axis, side = (
            self.triple(k, v) for k, v in (("CARTESIAN_POINT", at), ("DIRECTION", z), ("DIRECTION", x))
        )
        return self.add(f"AXIS2_PLACEMENT_3D('',#{point},#{axis},#{side})")

    def box(self, low: Sequence[float], high: Sequence[float]) -> tuple[int, list[int]]:
        """(MANIFOLD_SOLID_BREP, its six faces)."""
        corners = [[low[k] + s[k] * (high[k] - low[k]) for k in range(3)] for s in _SIGNS]
        points = [self.triple("CARTESIAN_POINT", c) for c in corners]
        vertices = [self.add(f"VERTEX_POINT('',#{p})") for p in points]
        edges: dict[tuple[int, int], int] = {}
        faces = []
        for loop, normal in _FACES:
            oriented = []
            for a, b in zip(loop, loop[1:] + loop[:1], strict=True):
                key = (min(a, b), max(a, b))
                if key not in edges:
                    way = [corners[key[1]][k] - corners[key[0]][k] for k in range(3)]
                    length = sum(w * w for w in way) ** 0.5
                    direction = self.triple("DIRECTION", [w / length for w in way])
                    vector = self.add(f"VECTOR('',#{direction},1.)")
                    line = self.add(f"LINE('',#{points[key[0]]},#{vector})")
                    edges[key] = self.add(f"EDGE_CURVE('',#{vertices[key[0]]},#{vertices[key[1]]},#{line},.T.)")
                oriented.append(self.add(f"ORIENTED_EDGE('',*,*,#{edges[key]},.{'T' if a < b else 'F'}.)"))
            bound = self.add(f"EDGE_LOOP('',({','.join(f'#{o}' for o in oriented)}))")
            outer = self.add(f"FACE_OUTER_BOUND('',#{bound},.T.)")
            side = (0, 0, 1) if normal[2] == 0 else (1, 0, 0)
            plane = self.add(f"PLANE('',#{self.placement(corners[loop[0]], normal, side)})")
            faces.append(self.add(f"ADVANCED_FACE('',(#{outer}),#{plane},.T.)"))
        shell = self.add(f"CLOSED_SHELL('',({','.join(f'#{f}' for f in faces)}))")
        return self.add(f"MANIFOLD_SOLID_BREP('',#{shell})"), faces

    def product(self, name: str, solids: Sequence[int]) -> tuple[int, int]:
        """(PRODUCT_DEFINITION, representation) of a part with solids, or of an assembly without."""
        product = self.add(f"PRODUCT('{name}','{name}','',(#{self.product_context}))")
        formation = self.add(f"PRODUCT_DEFINITION_FORMATION('','',#{product})")
        definition = self.add(f"PRODUCT_DEFINITION('design','',#{formation},#{self.definition_context})")
        shape = self.add(f"PRODUCT_DEFINITION_SHAPE('','',#{definition})")
        kind = "ADVANCED_BREP_SHAPE_REPRESENTATION" if solids else "SHAPE_REPRESENTATION"
        items = ",".join(f"#{i}" for i in (self.origin, *solids))
        representation = self.add(f"{kind}('{name}',({items}),#{self.context})")
        self.add(f"SHAPE_DEFINITION_REPRESENTATION(#{shape},#{representation})")
        return definition, representation

    def instance(self, whole: tuple[int, int], part: tuple[int, int], name: str, at: Sequence[float]) -> None:
        """A part placed in an assembly."""
        place = self.placement(at)
        usage = self.add(f"NEXT_ASSEMBLY_USAGE_OCCURRENCE('{name}','{name}','',#{whole[0]},#{part[0]},$)")
        shape = self.add(f"PRODUCT_DEFINITION_SHAPE('','',#{usage})")
        moved = self.add(f"ITEM_DEFINED_TRANSFORMATION('','',#{self.origin},#{place})")
        relation = self.add(
            f"(REPRESENTATION_RELATIONSHIP('','',#{part[1]},#{whole[1]})"
            f"REPRESENTATION_RELATIONSHIP_WITH_TRANSFORMATION(#{moved})SHAPE_REPRESENTATION_RELATIONSHIP())"
        )
        self.add(f"CONTEXT_DEPENDENT_SHAPE_REPRESENTATION(#{relation},#{shape})")

    def color(self, item: int, rgb: Sequence[float]) -> None:
        """A colour on a solid or a face."""
        colour = self.add(f"COLOUR_RGB('',{','.join(f'{c:.6f}' for c in rgb)})")
        fill = self.add(f"FILL_AREA_STYLE_COLOUR('',#{colour})")
        area = self.add(f"FILL_AREA_STYLE('',(#{fill}))")
        style = self.add(f"SURFACE_STYLE_FILL_AREA(#{area})")
        side = self.add(f"SURFACE_SIDE_STYLE('',(#{style}))")
        usage = self.add(f"SURFACE_STYLE_USAGE(.BOTH.,#{side})")
        assignment = self.add(f"PRESENTATION_STYLE_ASSIGNMENT((#{usage}))")
        styled = self.add(f"STYLED_ITEM('',(#{assignment}),#{item})")
        self.add(f"MECHANICAL_DESIGN_GEOMETRIC_PRESENTATION_REPRESENTATION('',(#{styled}),#{self.context})")

    def write(self, path: Path) -> Path:
        """The file."""
        head = "ISO-10303-21;\nHEADER;\nFILE_DESCRIPTION((''),'2;1');\nFILE_NAME('','',(''),(''),'','','');\n"
        head += "FILE_SCHEMA(('AUTOMOTIVE_DESIGN { 1 0 10303 214 1 1 1 1 }'));\nENDSEC;\nDATA;\n"
        body = "".join(f"#{k}={line};\n" for k, line in enumerate(self.lines, 1))
        path.write_text(head + body + "ENDSEC;\nEND-ISO-10303-21;\n")
        return path
