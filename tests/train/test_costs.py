"""What a step of the comparator costs, by part."""

import pytest

from datagen.train.recipes import load_train_recipe
from datagen.train.tasks.matching.costs import main, measured

SMALL = ["data.image_px=64", "data.views=3", "optim.batch=4", "data.queries_per_shape=2", "model.encoder_width=4"]


def test_every_part_of_a_step_is_measured(capsys):
    main(["--set", SMALL[0], *(word for value in SMALL[1:] for word in ("--set", value))])
    printed = capsys.readouterr().out
    assert "2 x 3 views to the same" in printed and "whole step" in printed and "GiB" in printed
    found = measured(load_train_recipe("comparator_64", overrides=SMALL))
    assert all(value > 0 for value in found.values())


def test_another_network_is_refused():
    with pytest.raises(ValueError, match="query_64 is no recipe of the comparator"):
        measured(load_train_recipe("query_64", overrides=[]))
