"""No module imports itself by way of others: import-linter's layers see rooms alone, circles grow inside rooms."""

import grimp


def circles(graph: grimp.ImportGraph) -> list[str]:
    """Largest sets of two and more modules that all reach each other, each as their sorted names; sorted.

    An import inside a function counts; a module that is named in a string does not.
    """
    found = set()
    for module in graph.modules:
        both_ways = graph.find_upstream_modules(module) & graph.find_downstream_modules(module)
        if both_ways:
            found.add(" ".join(sorted(both_ways | {module})))
    return sorted(found)


def test_no_module_imports_itself_by_way_of_others():
    found = circles(grimp.build_graph("datagen", cache_dir=None))
    assert not found, "\n".join(["modules import each other in a circle; move what they share below them:", *found])


def test_circles_are_found_and_chains_are_not():
    """A circle of three is one set; what only hangs on it is not part of it."""
    graph = grimp.ImportGraph()
    for importer, imported in ("ab", "bc", "ca", "ad", "ea", "fg", "gf"):
        graph.add_import(importer=importer, imported=imported)
    assert circles(graph) == ["a b c", "f g"]


def test_an_import_inside_a_function_counts(tmp_path, monkeypatch):
    """A lazy import hides a circle from Python, not from this test."""
    package = tmp_path / "lazy_circle"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "low.py").write_text("def late():\n    from lazy_circle import high\n\n    return high\n")
    (package / "high.py").write_text("from lazy_circle.low import late\n\nSTARTS = 'lazy_circle.other'\n")
    (package / "other.py").write_text("from lazy_circle import high\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert circles(grimp.build_graph("lazy_circle", cache_dir=None)) == ["lazy_circle.high lazy_circle.low"]
