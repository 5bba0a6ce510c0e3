"""What a recipe of chairs names outside itself."""

from pathlib import Path

from datagen.anomalies.fracture import open_plugin
from datagen.core.errors import MissingDependency
from datagen.kinds.brokenchairs.drawing import check_drawing
from datagen.kinds.brokenchairs.plan import ChairPlan, open_part_materials
from datagen.pipeline.warned import Warned
from datagen.scenes.backdrops import check_photos, open_background_floors
from datagen.scenes.skies import check_image_world


def check_assets(plan: ChairPlan) -> tuple[Warned, ...]:
    """Environments, photos, floors, a fracture source and wrong variants of a recipe, and that its drawing fits.

    Returns what a user should know of how they fit. Raises MissingDependency, UsageError.
    """
    for name in plan.recipe.light.worlds:
        # Stock environments are known by name to the renderer alone.
        if Path(name).suffix and not Path(name).expanduser().is_file():
            raise MissingDependency(f"light.worlds: {name} is not there; name a file or one of Blender's own")
        if Path(name).suffix:
            check_image_world(name)
    if plan.recipe.anomaly.plugin:
        open_plugin(plan.recipe.anomaly.plugin)
    background = plan.recipe.query.background
    if background.photos is not None:
        check_photos(background.photos)
    if background.floor is not None:
        open_background_floors(background.floor, plan.recipe.seed)
    open_part_materials(plan)
    if plan.recipe.units or plan.recipe.materials.by_part:
        return check_drawing(plan)
    return ()
