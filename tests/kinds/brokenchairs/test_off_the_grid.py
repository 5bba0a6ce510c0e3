"""Queries off the grid of azimuths and rings of reference views that are turned."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datagen.core.errors import RecipeError
from datagen.core.rng import stream
from datagen.formats.brokenchairs import parse_query, query_paths, query_tail, reference_name, reference_stem
from datagen.kinds.brokenchairs.verify.checks import CHECKS
from datagen.kinds.brokenchairs.verify.evidence import ChairEvidence
from datagen.kinds.registry import load_recipe, open_tree
from datagen.recipe.loader import recipe_hash
from datagen.recipe.models import QueryRecipe, ReferenceRecipe
from datagen.scenes.cameras import query_cameras, reference_azimuths, reference_cameras
from datagen.verify.check import FAIL
from tests.conftest import run_build
from tests.helpers.box_chairs import SMALL_PICTURES
from tests.kinds.brokenchairs import loader_rules as rules

OFF_GRID = ("query.azimuth=continuous", "reference.azimuth_offset=4.5", "reference.views=6")


@given(st.integers(0, 2**32))
def test_continuous_azimuths_are_distinct_in_range_and_survive_their_names(seed):
    cameras = query_cameras(QueryRecipe(azimuth="continuous"), stream(seed, "cameras"))
    azimuths = [camera.azimuth_deg for camera in cameras]
    ring = np.sort(azimuths)
    assert len(azimuths) == 20 and np.diff(ring, append=ring[0] + 360).min() > 8.98
    assert all(0 <= azimuth < 360 for azimuth in azimuths)
    for camera in cameras:
        name = parse_query(query_paths("7-n0", query_tail(7, 3, camera, 1, "normal"))["query"])
        assert not name.problem
        assert (name.azimuth_deg, name.elevation_deg) == (camera.azimuth_deg, camera.elevation_deg)


def test_continuous_azimuths_fill_the_circle_evenly():
    rings = [query_cameras(QueryRecipe(azimuth="continuous"), stream(0, "ring", k)) for k in range(200)]
    azimuths = [camera.azimuth_deg for ring in rings for camera in ring]
    counts = [sum(start <= azimuth < start + 90 for azimuth in azimuths) for start in range(0, 360, 90)]
    assert max(counts) - min(counts) < 0.15 * 1000


@given(st.integers(2, 40), st.floats(0, 0.999))
def test_a_turned_ring_keeps_its_step_and_its_names(views, share):
    offset = round(share * 360 / views, 2)
    recipe = ReferenceRecipe(views=views, azimuth_offset=offset if offset < 360 / views else 0.0)
    azimuths = reference_azimuths(recipe)
    assert all(0 <= azimuth < 360 for azimuth in azimuths)
    for (azimuth, camera), plain in zip(reference_cameras(recipe), range(views), strict=True):
        assert azimuth == pytest.approx(plain * 360 / views + recipe.azimuth_offset) and camera.azimuth_deg == -azimuth
        assert reference_name(reference_stem(7, 3.0, azimuth, 20.0))[1] == pytest.approx(azimuth, abs=1e-3)


def test_a_turn_by_a_step_or_more_is_refused():
    with pytest.raises(RecipeError, match="azimuth_offset"):
        load_recipe(None, ["reference.azimuth_offset=18"])


def test_on_the_grid_the_recipe_is_the_one_it_was():
    plain = load_recipe(None)
    same = load_recipe(None, ["query.azimuth=grid", "reference.azimuth_offset=0"])
    assert recipe_hash(plain) == recipe_hash(same) != recipe_hash(load_recipe(None, OFF_GRID[:1]))


def test_a_build_off_the_grid_is_read_and_verified(plain_chairs, tmp_path):
    run_build(tmp_path, 4, sets=(*SMALL_PICTURES, *OFF_GRID), collection=plain_chairs)
    samples = [s for mode in ("train", "val", "test") for s in rules.load_split(tmp_path, mode)]
    assert len(samples) == len(list(tmp_path.glob("images/*/*"))) > 10
    azimuths = [parse_query(s.path.removeprefix(f"{tmp_path}/")).azimuth_deg for s in samples]
    assert sum(azimuth % 18 != 0 for azimuth in azimuths) > 0.9 * len(azimuths)
    found = {view.stem.split("_")[2] for view in tmp_path.glob("shapes/*/mv_images/*_20.png")}
    assert found == {"4.5", "64.5", "124.5", "184.5", "244.5", "304.5"}
    results = {
        r.name: r for r in CHECKS.run(ChairEvidence(open_tree(tmp_path), source_options={"shapes": str(plain_chairs)}))
    }
    for name in ("views_in_range", "references_complete", "reference_cameras", "names_parse", "samples_replay"):
        assert results[name].status != FAIL, results[name].examples
