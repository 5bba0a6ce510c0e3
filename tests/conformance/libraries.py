"""The seam `materials.library.MaterialLibrary`."""

from pathlib import Path

import pytest

from datagen.core.errors import MaterialError
from datagen.core.material import MATERIAL_CLASSES
from datagen.materials.library import MaterialLibrary


class LibraryConformance:
    """A subclass says how to open its library; `classes` are those that its materials may have."""

    classes = MATERIAL_CLASSES

    def open(self, tmp_path) -> MaterialLibrary:
        raise NotImplementedError

    def test_materials_are_sorted_unique_and_of_known_classes(self, tmp_path):
        materials = self.open(tmp_path).materials
        ids = [material.material_id for material in materials]
        assert ids and ids == sorted(set(ids))
        assert {material.material_class for material in materials} <= set(self.classes)
        assert all(material.source and material.licence for material in materials)

    def test_a_prepared_material_has_its_maps_on_disk(self, tmp_path):
        library = self.open(tmp_path)
        ready = library.prepare(library.materials[0].material_id)
        assert ready.material_id == library.materials[0].material_id
        assert ready.maps and all(Path(path).is_file() for path in ready.maps.values())

    def test_an_unknown_material_is_refused_by_its_name(self, tmp_path):
        with pytest.raises(MaterialError, match="nosuch"):
            self.open(tmp_path).prepare("nosuch")

    def test_what_is_left_out_is_told(self, tmp_path):
        library = self.open(tmp_path)
        assert all(isinstance(text, str) and ": " in text for text in library.warnings)
        assert all(len(entry) == 2 for entry in library.left_out)
