"""What the command line says of kinds of dataset before it loads any: imports nothing, so that `--help` stays cheap."""

DEFAULT_RECIPE = "brokenchairs"
"""The built-in recipe of commands that need one and are told none."""
MADE = "chairs"
"""What is made where no recipe is named."""
MEASURED = "chairs"
"""What `datagen bench` measures rendering on: the option that says how many has this name."""
