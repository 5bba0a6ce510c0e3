"""`--help`, `-h`, `--version` and shell completion, and that they cost next to nothing."""

import dataclasses
import os
import subprocess
import sys

import pytest
import typer

from datagen import __version__
from datagen.cli.main import app
from datagen.cli.options import BuildOptions

COMMANDS = typer.main.get_command(app).commands


def datagen(*words, **environment):
    return subprocess.run(
        [sys.executable, "-m", "datagen.cli.main", *words],
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "200", **environment},
    )


@pytest.mark.parametrize("words", [[], *([name] for name in COMMANDS)], ids=lambda words: " ".join(words) or "datagen")
def test_h_is_help_for_every_command(words, capsys):
    code = app([*words, "-h"], standalone_mode=False)
    assert not code and "Usage:" in capsys.readouterr().out


def test_the_version_is_the_packages():
    done = datagen("--version")
    assert (done.returncode, done.stdout) == (0, f"datagen {__version__}\n")


def test_options_of_build_are_those_of_its_dataclass_in_groups():
    options = COMMANDS["build"].params
    assert [option.name for option in options] == [field.name for field in dataclasses.fields(BuildOptions)]
    groups = list(dict.fromkeys(option.rich_help_panel for option in options))
    assert groups == ["Shapes", "Recipe", "Where it runs", "Cluster", "Output"]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_a_sentence(name):
    for option in COMMANDS[name].params:
        assert option.help and option.help[-1] == ".", option.name


@pytest.mark.parametrize("word, found", [("bui", "build"), ("mer", "merge")])
def test_a_shell_completes_commands(word, found):
    done = datagen(_DATAGEN_COMPLETE="complete_bash", COMP_WORDS=f"datagen {word}", COMP_CWORD="1")
    assert done.stdout.split() == [found], done.stderr


def test_help_is_fast_and_loads_nothing_heavy():
    code = (
        "import sys, runpy, resource; sys.argv = ['datagen', '--help']\n"
        "try: runpy.run_module('datagen.cli.main', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'bpy', 'ray', 'torch', 'pymeshlab', 'pyarrow', 'trimesh', 'scipy', 'pydantic'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "used = resource.getrusage(resource.RUSAGE_SELF)\n"
        "assert used.ru_utime + used.ru_stime < 1, used"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "build" in result.stdout
