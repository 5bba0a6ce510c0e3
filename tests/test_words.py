"""General rooms know no kind of dataset by its words, and only tables of data keep a layout of their own."""

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
ROOT = REPOSITORY / "datagen"

KIND_WORDS = re.compile("brokenchairs|oddoneout|chair|scene_", re.IGNORECASE)
ROOMS_OF_KINDS = ("kinds/", "shapes/", "formats/", "recipe/")
"""Where such words belong: each kind's own folder, what shapes are, published layouts, recipes."""
HASHED = ("materials/procedural/",)
"""The version of generated textures is a hash of these sources, their comments included."""
READS_A_LAYOUT = re.compile(r"^from datagen\.formats\.\w+ import ")
"""Whoever reads the files of a published set imports its layout by its name, and says no more of it."""
NAMES_A_RECIPE = re.compile(r'"oddoneout(_[a-z0-9]+)*"')
"""A training recipe is a file, and named by the method that it is of."""


def sources() -> list[str]:
    """Every module of the program and every page template, as a path below datagen/."""
    found = [path for ending in ("py", "j2", "js", "css") for path in ROOT.rglob(f"*.{ending}")]
    return sorted(path.relative_to(ROOT).as_posix() for path in found)


@pytest.mark.parametrize("name", [n for n in sources() if not n.startswith((*ROOMS_OF_KINDS, *HASHED))])
def test_general_rooms_know_no_kind_by_its_words(name):
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    told = [(k, line) for k, line in enumerate(lines, 1) if KIND_WORDS.search(NAMES_A_RECIPE.sub("", line))]
    said = [f"{name}:{k}: {line.strip()}" for k, line in told if not READS_A_LAYOUT.match(line)]
    assert not said, "\n".join(["say it in general words, or move it to the folder of its kind:", *said])


LEFT_ALONE = re.compile(r"#\s*fmt:\s*(skip|off|on)")


def is_table(node: ast.expr | None) -> bool:
    """Whether a value is a literal of constants, or one call on such a literal, as `np.array([[0, 1]])`."""
    if isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords:
        node = node.args[0]
    if isinstance(node, ast.Dict):
        return all(key is not None and is_cell(key) for key in node.keys) and all(map(is_cell, node.values))
    return isinstance(node, ast.Tuple | ast.List | ast.Set) and all(map(is_cell, node.elts))


def is_cell(node: ast.expr) -> bool:
    """A constant, with a sign or without, or a table of them."""
    if isinstance(node, ast.UnaryOp):
        node = node.operand
    return isinstance(node, ast.Constant) or (not isinstance(node, ast.Call) and is_table(node))


def code_left_alone(source: str) -> list[int]:
    """Lines at which the formatter is told to leave alone what is no table of data."""
    ends = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign | ast.AnnAssign) and is_table(node.value):
            ends.add(node.end_lineno)
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    told = [t.start[0] for t in tokens if t.type == tokenize.COMMENT and LEFT_ALONE.match(t.string)]
    return [line for line in told if line not in ends]


def modules() -> list[str]:
    """Every module of the program and its tests, as a path below the repository."""
    found = [path for room in ("datagen", "tests") for path in (REPOSITORY / room).rglob("*.py")]
    return sorted(path.relative_to(REPOSITORY).as_posix() for path in found)


HASHED_MODULES = tuple(f"datagen/{name}" for name in HASHED)


@pytest.mark.parametrize("name", [n for n in modules() if not n.startswith(HASHED_MODULES)])
def test_only_tables_of_data_keep_a_layout_of_their_own(name):
    lines = code_left_alone((REPOSITORY / name).read_text(encoding="utf-8"))
    assert not lines, f"{name}: lines {lines}: name intermediate values until the formatter writes them well"


@pytest.mark.parametrize(
    "source, lines",
    [
        ("A = (\n (0, -1), (1, 2),\n)  # fmt: skip\n", []),
        ("A: dict = {\n 'a': [1], 'b': [2],\n}  # fmt: skip\n", []),
        ("A = np.array([\n [0, 1],\n])  # fmt: skip\n", []),
        ("A = [\n f(1), 2,\n]  # fmt: skip\n", [3]),
        ("A = f(\n 1, 2,\n)  # fmt: skip\n", [3]),
        ("f(\n 1,\n)  # fmt: skip\n", [3]),
        ("# fmt: off\nA = [1]\n", [1]),
        ("A = '# fmt: skip'\n", []),
    ],
)
def test_tables_are_told_from_code(source, lines):
    assert code_left_alone(source) == lines
