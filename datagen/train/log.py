"""What a run writes beside its checkpoints: CSV, TensorBoard, Weights & Biases."""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from datagen.core.errors import MissingDependency, StoppedEarly
from datagen.store.files import write_whole
from datagen.train.config import TrainRecipe
from datagen.train.runtime import Runtime


class RunLog:
    """`train.csv` and `val.csv`, one row a step; only the leading process writes.

    On resume at step `start`, rows from that step on are dropped: they will be written again.
    """

    def __init__(self, run: Path, recipe: TrainRecipe, runtime: Runtime, start: int) -> None:
        self.run, self.recipe, self.leads, self.start = run, recipe, runtime.leads, start
        self._board: Any = None
        self._wandb: Any = None

    def __enter__(self) -> "RunLog":
        if not self.leads:
            return self
        self._cut("train.csv", self.start)
        self._cut("val.csv", self.start + 1)
        if self.recipe.log.tensorboard:
            try:
                from torch.utils.tensorboard import SummaryWriter
            except ImportError as error:
                raise MissingDependency("log.tensorboard needs tensorboard; pip install 'datagen[train]'") from error
            self._board = SummaryWriter(str(self.run / "tensorboard"), purge_step=self.start or None)
        if self.recipe.log.wandb:
            try:
                import wandb
            except ImportError as error:
                raise MissingDependency("log.wandb needs wandb; pip install 'datagen[wandb]'") from error
            self._wandb = wandb.init(
                project="datagen", name=self.recipe.name, dir=str(self.run), config=self.recipe.model_dump(mode="json")
            )
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Close what is open. Where an error is on its way already, another one here would hide it."""
        try:
            with full_disk_as_error(self.run):
                if self._board:
                    self._board.close()
                if self._wandb:
                    self._wandb.finish()
        except StoppedEarly:
            if kind is None:
                raise

    def step(self, step: int, values: dict[str, float]) -> None:
        """The values of one training step."""
        self._write("train.csv", step, values)

    def validation(self, step: int, values: dict[str, float]) -> None:
        """Metrics on the validation split after `step` steps."""
        self._write("val.csv", step, values)

    def _write(self, name: str, step: int, values: dict[str, float]) -> None:
        if not self.leads:
            return
        path = self.run / name
        row = io.StringIO()
        writer = csv.writer(row, lineterminator="\n")
        if not path.exists():
            writer.writerow(["step", *values])
        writer.writerow([step, *(repr(value) for value in values.values())])
        with full_disk_as_error(path), path.open("a", encoding="utf-8") as stream:
            stream.write(row.getvalue())
        # TensorBoard's writer reports in a later call what failed in its thread.
        with full_disk_as_error(self.run / "tensorboard"):
            for key, value in values.items():
                tag = f"{name.removesuffix('.csv')}/{key}"
                if self._board:
                    self._board.add_scalar(tag, value, step)
                if self._wandb:
                    self._wandb.log({tag: value}, step=step)

    def _cut(self, name: str, start: int) -> None:
        path = self.run / name
        if not path.exists():
            return
        if not path.stat().st_size:
            # A full disk may leave a file without its heading.
            path.unlink()
            return
        head, *rows = path.read_text(encoding="utf-8").splitlines()
        width = head.count(",")
        kept = [row for row in rows if row.count(",") == width and int(row.split(",")[0]) < start]
        write_whole(path, ("\n".join([head, *kept]) + "\n").encode())


@contextmanager
def full_disk_as_error(path: Path) -> Iterator[None]:
    """Turn an error of the disk into StoppedEarly that names `path`."""
    try:
        yield
    except OSError as error:
        raise StoppedEarly(f"{path}: {error.strerror or error}; make room and run again with --resume") from error


def read_log(path: Path) -> list[dict[str, float]]:
    """Rows of a CSV log."""
    with path.open(encoding="utf-8") as stream:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(stream)]
