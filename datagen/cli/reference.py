"""Pages of docs/reference, written from the program itself: `python -m datagen.cli.reference`, or `make docs`.

Commands come from typer's tree, recipe keys from the fields of the models and the text below each, checks from their
registries. tests/test_reference.py fails when a page is not what this module writes.
"""

import inspect
import types
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer
import yaml
from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from datagen.cli.main import app
from datagen.core.folders import PACKAGE
from datagen.kinds.registry import BUILT_IN, Kind
from datagen.recipe.categories import built_in, built_in_names
from datagen.recipe.category import Category
from datagen.recipe.section import Section
from datagen.shapes.built_in import STAND_INS
from datagen.shapes.standins.collection import COUNT, GENERATORS

FOLDER = PACKAGE.parent / "docs" / "reference"
NOTICE = "*Written by `make docs` from the program; edit the texts there, not here.*"
PLAIN = {
    Any: "value",
    str: "text",
    int: "integer",
    float: "number",
    bool: "true or false",
    Path: "path",
    type(None): "null",
}
KINDS: Sequence[Kind] = sorted(BUILT_IN, key=lambda kind: kind.name)
WIDE = 60
"""Characters of a default beyond which it stands below its table."""
RECIPES_INTRODUCTION = """\
A recipe is a YAML file. Unknown keys are refused. `--set section.key=value` changes one value. \
The default is what a recipe that leaves the key out gets.

A range is a list of two numbers, the least and the most. D is the diagonal of an object's bounding box."""
CATEGORIES_INTRODUCTION = """\
A category file says what the parts of shapes are, which get anomalies, and what they are made of \
([extending/category.md](../extending/category.md)). The built-in ones lie in `datagen/shapes/categories/`; \
`--set category=my.yaml` names one of yours. Unknown keys are refused."""
CHECKS_INTRODUCTION = """\
`datagen verify` runs these checks ([verify.md](../verify.md)). A failed check of level error makes the \
verdict FAIL, a warning does not. A check is skipped where what it looks at is not there."""


def pages() -> dict[str, str]:
    """File name -> content of every page."""
    return {
        "commands.md": commands_page(),
        "recipes.md": recipes_page(),
        "categories.md": categories_page(),
        "checks.md": checks_page(),
    }


def commands_page() -> str:
    """Every command with its arguments and options, as typer has them."""
    root: Any = typer.main.get_command(app)
    lines = ["# Commands", "", NOTICE, "", root.help, "", *_table(("option", "meaning"), _root_options(root))]
    for name, command in root.commands.items():
        lines += ["", f"## datagen {name}", "", inspect.cleandoc(command.help)]
        for panel, rows in _options_by_panel(command).items():
            lines += ["", *([f"### {panel}", ""] if panel else [])]
            lines += _table(("option", "value", "default", "meaning"), rows)
    return "\n".join(lines) + "\n"


def _root_options(root: Any) -> list[tuple[str, str]]:
    options = [(_code(*param.opts), str(param.help)) for param in root.params]
    return [*options, ("`-h` `--help`", "Show the help of `datagen` or of a command, and exit.")]


def _options_by_panel(command: Any) -> dict[str, list[tuple[str, ...]]]:
    """Rows of the table of each heading, in the order of `--help`; '' for options without a heading."""
    signature = inspect.signature(command.callback)
    found: dict[str, list[tuple[str, ...]]] = {}
    for param in command.params:
        annotation = signature.parameters[param.name].annotation
        argument = param.param_type_name == "argument"
        name = _code(param.name.upper() if argument else param.opts[0])
        value = "" if getattr(param, "is_flag", False) else _bounded(_words(_without_null(annotation)), param)
        found.setdefault(param.rich_help_panel or "", []).append((name, value, _default_of(param), param.help))
    return found


def _without_null(annotation: Any) -> Any:
    """`X` out of `X | None`, which says that an option may be left out."""
    bare = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
    left = [kind for kind in get_args(bare) if kind is not type(None)] if _is_union(bare) else [bare]
    return left[0]


def _bounded(words: str, param: Any) -> str:
    if param.min is not None and param.max is not None:
        return f"{words}, {param.min} to {param.max}"
    return words if param.min is None else f"{words}, at least {param.min}"


def _default_of(param: Any) -> str:
    if param.required:
        return "required"
    if isinstance(param.show_default, str):
        return str(param.show_default)
    return "" if param.default in (None, False, "") else _code(str(param.default))


def recipes_page() -> str:
    """Every key of the recipe of every built-in kind of dataset."""
    lines = ["# Recipes", "", NOTICE, "", RECIPES_INTRODUCTION]
    for kind in KINDS:
        model = kind.building.recipe
        lines += [
            "",
            f"## kind: {kind.name}",
            "",
            str(model.model_fields["kind"].description),
            *_section(model.model_validate({}), ""),
        ]
    return "\n".join(lines) + "\n"


def categories_page() -> str:
    """Every key of a category file, and the built-in categories."""
    lines = ["# Categories", "", NOTICE, "", CATEGORIES_INTRODUCTION, "", "## Built-in categories", ""]
    rows = []
    for name in built_in_names():
        category = built_in(name)
        made = "assets" if f"partnet/{name}" == STAND_INS else f"{COUNT} on demand" if name in GENERATORS else ""
        labels = len(category.labels) + len(category.names)
        rows.append((_code(name), category.words.many, made, str(labels), ", ".join(category.classes)))
    lines += _table(("name", "shapes", "stand-ins", "labels", "part classes"), rows)
    lines += ["", "## Keys of a file"]
    waiting: list[type[Section]] = [Category]
    for model in waiting:
        lines += ["", f"### {model.__name__}", "", inspect.cleandoc(model.__doc__ or ""), ""]
        keys = []
        for name, field in model.model_fields.items():
            default = "required" if field.is_required() else _code(_yaml(field.get_default(call_default_factory=True)))
            keys.append((_code(name), _value_of(field), default, " ".join((field.description or "").split())))
            waiting += [inner for inner in _sections_in(field.annotation) if inner not in waiting]
        lines += _table(("key", "value", "default", "meaning"), keys)
    return "\n".join(lines) + "\n"


def _sections_in(annotation: Any) -> list[type[Section]]:
    """Sections that a type is made of."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return [annotation]
    return [found for inner in get_args(annotation) for found in _sections_in(inner)]


def _section(values: Section, path: str) -> Iterator[str]:
    """Lines on one section and those below it; `values` holds the defaults, `path` is '' or ends with a point."""
    rows, below, wide = [], [], []
    for name, field in type(values).model_fields.items():
        value = getattr(values, name)
        if isinstance(value, Section):
            below.append((value, f"{path}{name}."))
            continue
        default = _yaml(value)
        if len(default) > WIDE:
            wide += ["", f"Default of `{path}{name}`:", "", "```yaml", *_yaml_lines(value), "```"]
        default = _code(default) if len(default) <= WIDE else "below"
        rows.append((_code(path + name), _value_of(field), default, " ".join((field.description or "").split())))
    yield ""
    yield from _table(("key", "value", "default", "meaning"), rows)
    yield from wide
    for section, inside in below:
        yield from ("", f"### {inside[:-1]}", "", inspect.cleandoc(type(section).__doc__ or ""))
        yield from _section(section, inside)


def _value_of(field: FieldInfo) -> str:
    return _with_limits(_words(field.annotation), field.metadata)


def _words(annotation: Any) -> str:
    """A type in words: `number, 0 to 1`, `range`, `list of text`, `one of a, b`."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _with_limits(_words(arguments[0]), arguments[1:])
    if origin is Literal:
        return " or ".join(_code(str(value)) for value in arguments)
    if _is_union(annotation):
        return " or ".join(_words(kind) for kind in arguments)
    if origin is tuple and arguments[-1] is not Ellipsis:
        return "range" if arguments == (float, float) else f"range of {_words(arguments[0])}s"
    if origin in (tuple, list):
        return f"list of {_words(arguments[0])}"
    if origin is not None and issubclass(origin, Mapping):
        return f"mapping of {_words(arguments[0])} to {_words(arguments[1])}"
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation.__name__
    return PLAIN[annotation]


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, types.UnionType)


def _with_limits(words: str, metadata: Sequence[Any]) -> str:
    limits: dict[str, Any] = {}
    for item in metadata:
        # A Field inside a mapping or a union keeps its limits one level deeper.
        for limit in item.metadata if isinstance(item, FieldInfo) else [item]:
            for kind, name in ((Ge, "ge"), (Gt, "gt"), (Le, "le"), (Lt, "lt")):
                if isinstance(limit, kind):
                    limits[name] = getattr(limit, name)
    if "ge" in limits and "le" in limits:
        return f"{words}, {limits['ge']:g} to {limits['le']:g}"
    named = (("ge", "at least"), ("gt", "above"), ("le", "at most"), ("lt", "below"))
    return ", ".join([words, *(f"{word} {limits[name]:g}" for name, word in named if name in limits)])


def checks_page() -> str:
    """Every check of every built-in kind of dataset."""
    lines = ["# Checks", "", NOTICE, "", CHECKS_INTRODUCTION]
    for kind in KINDS:
        rows = [
            (_code(check.name), check.level, check.of.name, inspect.cleandoc(check.run.__doc__ or ""), check.protects)
            for check in kind.examination.checks.checks.values()
        ]
        head = ("check", "level", "looks at", "what has to hold", "what it protects")
        lines += ["", f"## kind: {kind.name}", "", *_table(head, rows)]
    return "\n".join(lines) + "\n"


def _plain(value: Any) -> Any:
    """Values as YAML has them, numbers to six digits."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    return float(f"{value:g}") if isinstance(value, float) else value


def _yaml(value: Any) -> str:
    text = yaml.safe_dump(_plain(value), default_flow_style=True, width=10_000, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...")


def _yaml_lines(value: Any) -> list[str]:
    """One line for each entry of a mapping or list."""
    if isinstance(value, Mapping):
        return [f"{key}: {_yaml(inner)}" for key, inner in value.items()]
    return [f"- {_yaml(inner)}" for inner in value]


def _code(*words: str) -> str:
    return " ".join(f"`{word}`" for word in words)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table; bars inside a cell are escaped."""
    cells = [[" ".join(cell.split()).replace("|", "\\|") for cell in row] for row in rows]
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *cells)]


def main() -> None:
    """Write the pages into docs/reference of the checkout."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
