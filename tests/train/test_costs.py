"""What a step of the comparator costs, by part."""

from importlib import import_module

import pytest

from datagen.core.command import run_command
from datagen.core.errors import UsageError
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
    with pytest.raises(UsageError, match="query_64 is no recipe of the comparator"):
        measured(load_train_recipe("query_64", overrides=[]))
    with pytest.raises(UsageError, match="--recipe oddoneout is of task detector; give one of task matching"):
        main(["--recipe", "oddoneout"])


@pytest.mark.parametrize(
    ("module", "words", "told"),
    [
        ("costs", ["--recipe", "query_64"], "UsageError: query_64 is no recipe of the comparator"),
        ("paired_study", ["--data", "x", "--out", "y", "--seeds", "0"], "argument --seeds: 0 is too few"),
        (
            "paired_study",
            ["--data", "x", "--out", "y", "--with-pairs", "vit"],
            "--with-pairs vit: not among --networks",
        ),
        ("study", ["--data", "x", "--out", "y", "--recipe", "oddoneout"], "oddoneout is a recipe of task detector"),
        ("study", ["--data", "nowhere", "--out", "y"], "nowhere"),
    ],
)
def test_what_a_user_can_mend_is_one_line(module, words, told, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        run_command(import_module(f"datagen.train.tasks.matching.{module}").main, words)
    printed = capsys.readouterr().err
    assert ended.value.code == 2 and told in printed and "Traceback" not in printed
