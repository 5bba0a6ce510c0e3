"""verify of scenes: what was changed alike in record, rows and paths is told by the shapes and the recipe alone."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter
from scipy.spatial.transform import Rotation

from datagen.formats.oddoneout import MODE_OF_KIND
from datagen.verify.check import FAIL, PASS
from tests.kinds.oddoneout.faults import edit, edit_rows, odd_of, odd_scene, run_named

NAMES = (
    *("scene_anomalies_replayed", "scene_as_planned", "scene_colors_of_materials"),
    *("scene_views_recast", "scene_boxes_recast"),
)


@pytest.mark.parametrize("name", NAMES)
def test_clean_scenes_pass(tiny_scenes: Path, name: str) -> None:
    result = run_named(tiny_scenes, name)
    assert result.status == PASS, result.examples


def change_rows(root: Path, **columns: object) -> None:
    """The row of the odd object, changed."""
    folder = odd_scene(root).name

    def change(rows: list[dict]) -> None:
        for row in rows:
            if row["row_type"] == "object" and row["label"] and folder in row["query_path"]:
                row.update(columns)

    edit_rows(root, change)


def of_another_kind(root: Path) -> None:
    """Kind in path, record, anomaly, spec and row."""

    def change(table: dict) -> None:
        odd = odd_of(table)
        kind = "twist" if odd["kind"] != "twist" else "bend"
        head, _, tail = odd["path"].split("-")
        odd.update(kind=kind, path=f"{head}-{MODE_OF_KIND[kind]}-{tail}")
        odd["anomaly"]["kind"] = odd["anomaly"]["spec"]["kind"] = kind

    edit(odd_scene(root), change)
    change_rows(root, kind="bend")


def thrice_as_severe(root: Path) -> None:
    def change(table: dict) -> None:
        odd = odd_of(table)
        odd["severity"] = odd["anomaly"]["severity"] = 3 * odd["severity"]

    edit(odd_scene(root), change)


def other_words(root: Path) -> None:
    edit(odd_scene(root), lambda table: odd_of(table)["anomaly"].update(method="vertex"))
    change_rows(root, method="vertex")


def other_parts(root: Path) -> None:
    edit(odd_scene(root), lambda table: odd_of(table)["anomaly"]["part_ids"].append(77))


def other_measures(root: Path) -> None:
    edit(odd_scene(root), lambda table: odd_of(table)["anomaly"].update(measures={"angle_deg": 400.0}))


def other_names(root: Path) -> None:
    edit(odd_scene(root), lambda table: table["objects"][0]["parts"].update({"1": "propeller"}))


def other_materials(root: Path) -> None:
    change_rows(root, material_ids=["wood_000"])


def other_frame(root: Path) -> None:
    change_rows(root, T_shape_source=np.eye(4).ravel().tolist())


def other_part(root: Path) -> None:
    change_rows(root, part="propeller")


REPLAYED = (
    *(of_another_kind, thrice_as_severe, other_words, other_parts),
    *(other_measures, other_names, other_materials, other_frame, other_part),
)


@pytest.mark.parametrize("fault", REPLAYED, ids=lambda f: f.__name__)
def test_words_that_are_not_the_shapes_are_told(spoiled: Path, fault) -> None:
    fault(spoiled)
    assert run_named(spoiled, "scene_anomalies_replayed").status == FAIL


def another_world(table: dict) -> None:
    table["scene"]["background_hdr"] = "another.exr"


def another_floor(table: dict) -> None:
    table["scene"]["floor_pbr"] = "floor_99_wood"


def another_slot(table: dict) -> None:
    odd = odd_of(table)
    odd["path"] = odd["path"].rsplit("-", 1)[0] + "-099.blend"


def one_less(table: dict) -> None:
    table["objects"].pop()


@pytest.mark.parametrize(
    "change",
    [
        *(another_world, another_floor, another_slot, one_less),
        lambda table: table["datagen"].update(category="cup"),
        lambda table: table["datagen"].update(split="seen-test_"),
        lambda table: table["datagen"].update(five_views=[[0], [1]]),
        lambda table: table["datagen"].update(background_rotation_deg=1.0),
        lambda table: table["objects"][0].update(name="thing"),
        lambda table: [thing.update(shape_id="cup/cup_001") for thing in table["objects"]],
    ],
)
def test_a_scene_that_the_recipe_does_not_draw_is_told(spoiled: Path, change) -> None:
    edit(odd_scene(spoiled), change)
    assert run_named(spoiled, "scene_as_planned").status == FAIL


def test_a_scene_in_another_split_or_of_no_recipe_is_told(spoiled: Path) -> None:
    one, two = sorted(path.name for path in (spoiled / "scenes").iterdir())
    edit(spoiled, lambda split: split.update({key: [*names, one] for key, names in split.items()}), "split.json")
    assert one in {finding.subject for finding in run_named(spoiled, "scene_as_planned").examples}
    (spoiled / "scenes" / two).rename(spoiled / "scenes" / "cup_001-009")
    told = {finding.subject: finding.message for finding in run_named(spoiled, "scene_as_planned").examples}
    assert told["cup_001-009"] == "is no scene of the recipe"


def test_channels_exchanged_in_every_view_of_a_scene_are_told(spoiled: Path) -> None:
    folder = odd_scene(spoiled)
    for path in (folder / "RGB").iterdir():
        with Image.open(path) as image:
            red, green, blue, alpha = image.split()
        Image.merge("RGBA", (blue, green, red, alpha)).save(path)
    (finding,) = run_named(spoiled, "scene_colors_of_materials").examples
    assert finding.subject == folder.name


def test_pictures_that_the_fake_renderer_does_not_paint_are_told(spoiled: Path) -> None:
    folder = odd_scene(spoiled)
    for path in (folder / "RGB").iterdir():
        with Image.open(path) as image:
            image.filter(ImageFilter.GaussianBlur(0.5)).save(path)
    told = run_named(spoiled, "scene_views_recast").examples
    assert len(told) == 2 and all("picture is not the meshes'" in finding.message for finding in told)


def test_an_object_turned_in_every_form_of_its_pose_is_told(spoiled: Path) -> None:
    def change(table: dict) -> None:
        thing = table["objects"][0]
        T = np.array(thing["rotation_matrix"])
        T[:3, :3] = Rotation.from_euler("z", 0.4).as_matrix() @ T[:3, :3]
        thing["rotation_matrix"] = T.tolist()
        thing["rotation_euler"] = Rotation.from_matrix(T[:3, :3]).as_euler("xyz").tolist()

    edit(odd_scene(spoiled), change)
    told = run_named(spoiled, "scene_boxes_recast").examples
    assert [finding.message.split(" mm")[0].rsplit(" ", 1)[0] for finding in told] == ["its published box is"]
