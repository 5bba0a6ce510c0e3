"""The matching task, as the training loop and the commands are given it."""

from datagen.formats.brokenchairs import FOLDERS
from datagen.train.task import Task
from datagen.train.tasks.matching.data import open_online, open_split, require_samples
from datagen.train.tasks.matching.networks import make_objective
from datagen.train.tasks.matching.page import blocks
from datagen.train.tasks.matching.paired import pairs_report
from datagen.train.tasks.matching.predict import Judge
from datagen.train.tasks.matching.predictions import collect
from datagen.train.tasks.matching.published import read_published
from datagen.train.tasks.matching.recipe import MatchingRecipe
from datagen.train.tasks.matching.rendered import with_renders
from datagen.train.tasks.matching.report import matching_report, sensitivity

RECIPES = {
    "": "cmt",
    "cmt": "cmt",
    "resnet_fpn": "resnet_fpn",
    "resnet_fpn_sa": "resnet_fpn_sa",
    "vit": "vit",
    "retrieval": "retrieval_lfd",
    "viewpoint": "viewpoint",
    "comparator": "comparator",
    "cmt_residual": "cmt_residual",
    "residual": "residual",
}

MATCHING = Task(
    name="matching",
    recipe=MatchingRecipe,
    open_data=open_split,
    make_objective=make_objective,
    open_online=open_online,
    require_data=require_samples,
    prepare=with_renders,
    collect=collect,
    report=matching_report,
    more=pairs_report,
    blocks=blocks,
    sweep=sensitivity,
    judge=Judge,
    read_published=read_published,
    recipes=RECIPES,
    folders=FOLDERS,
)
