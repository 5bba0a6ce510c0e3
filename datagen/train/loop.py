"""The training loop, on one page. What a batch, a loss, a checkpoint and a log are stands in their own modules."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from datagen.core.errors import UsageError
from datagen.core.rng import stream
from datagen.datasets.dataset import SampleDataset
from datagen.datasets.online import GroupMaker
from datagen.datasets.sampler import BatchSampler
from datagen.train.checkpoint import checkpoint_of, read_checkpoint
from datagen.train.config import TrainRecipe
from datagen.train.infer import predict_split
from datagen.train.loaders import in_own_words, train_loader
from datagen.train.log import RunLog
from datagen.train.objective import Objective
from datagen.train.optim import guarded_step, learning_rate, total_steps
from datagen.train.runtime import Runtime, full_memory_as_error
from datagen.train.state import Training
from datagen.train.task import Task
from datagen.train.tasks.registry import find_task

ADVICE = (
    "lower optim.batch (and raise optim.accumulate) or the sizes in data, in another --out; "
    "--init RUN begins with this run's weights"
)


@dataclass(frozen=True)
class Event:
    """What a watcher is told after a step."""

    step: int
    steps: int
    loss: float
    samples_per_s: float
    memory_gib: float
    validation: float | None = None
    """After a validation its figure, by `measure`."""
    measure: str = "auc"


Watch = Callable[[Event], None]


def train(
    run: Path,
    data: Path,
    recipe: TrainRecipe,
    runtime: Runtime,
    watch: Watch,
    resume: bool = False,
    init: Path | None = None,
    online: GroupMaker | None = None,
) -> Training:
    """Train into the folder `run`; continues from its newest checkpoint when `resume`.

    A run that is started begins with the weights of `init`, a run or a checkpoint, where that is given. With `online`
    training samples are made as they are wanted, and `data` is what validates.
    Raises BadCheckpoint, Diverged, OutOfMemory, StoppedEarly (disk full), BrokenFile; the newest checkpoint stays
    usable.
    """
    torch.use_deterministic_algorithms(runtime.device.type == "cpu", warn_only=True)
    task = find_task(recipe.task)
    objective = task.make_objective(recipe).to(runtime.device)
    training = Training(run, recipe, objective, runtime)
    if init:
        training.begin_with(read_checkpoint(checkpoint_of(init)), str(init))
    if resume:
        training.restore()
    data_train = _training_samples(task, data, recipe, objective, online)
    data_val = task.open_data(data, "val", recipe, None)
    config = recipe.optim
    sampler = data_train.batches(config.batch, recipe.seed, runtime.rank, runtime.ranks)
    epoch_steps = max(1, len(sampler) // config.accumulate)
    steps = total_steps(config, epoch_steps)
    module = runtime.wrap(objective)
    batches = endless(data_train, sampler, recipe.data.workers, training.progress.step * config.accumulate)
    with RunLog(run, recipe, runtime, training.progress.step) as log, full_memory_as_error(ADVICE):
        for step in range(training.progress.step, steps):
            start, where = time.perf_counter(), f"step {step} of {run}"
            rate = learning_rate(config, step, epoch_steps)
            module.train()
            parts = [runtime.to_device(next(batches)) for _ in range(config.accumulate)]
            values: dict[str, float] = {}
            for phase in range(objective.phases):
                training.set_rate(rate)
                for number, batch in enumerate(parts):
                    with runtime.precision(recipe.optim.amp):
                        losses = module(batch, phase, draws(recipe.seed, step, phase, number, runtime.rank))
                        total = objective.total(losses) / config.accumulate
                    total.backward()
                    add_up(values, losses, total, config.accumulate)
                where_phase = f"{where}, losses {values}"
                values["grad_norm"] = guarded_step(training.optimiser, objective, config.clip_norm, where_phase)
                objective.after_phase(phase)
            training.count_step()
            seconds = time.perf_counter() - start
            speed = config.batch * config.accumulate * runtime.ranks / seconds
            log.step(step, values | {"lr": rate})
            last, score = step + 1 == steps, None
            if last or (step + 1) % (epoch_steps * recipe.log.validate_epochs) == 0:
                score = validate(training, task, data_val, log)
            if last or (step + 1) % recipe.log.checkpoint_steps == 0:
                training.save()
            watch(Event(step + 1, steps, values["loss"], speed, runtime.memory_gib(), score, objective.measure))
    return training


def _training_samples(
    task: Task, data: Path, recipe: TrainRecipe, objective: Objective, online: GroupMaker | None
) -> SampleDataset:
    if online is None:
        return task.open_data(data, "train", recipe, objective)
    if task.open_online is None:
        raise UsageError(f"task {task.name} learns from files alone; leave --online out")
    return task.open_online(online, recipe, objective)


def endless(data: SampleDataset, sampler: BatchSampler, workers: int, start: int) -> Iterator[dict[str, Tensor]]:
    """Batches for ever, from batch number `start` of the whole run on."""
    loader = train_loader(data, sampler, workers)
    sampler.epoch, sampler.start = divmod(start, len(sampler))
    while True:
        yield from in_own_words(loader)
        sampler.epoch, sampler.start = sampler.epoch + 1, 0


def draws(*keys: int) -> torch.Generator:
    """The generator of one forward pass: a function of seed, step, phase, part and rank."""
    generator = torch.Generator()
    generator.manual_seed(int(stream(keys[0], "forward", *keys[1:]).integers(2**62)))
    return generator


def add_up(values: dict[str, float], losses: dict[str, Tensor], total: Tensor, parts: int) -> None:
    """Collect what is logged: means over the accumulated parts, `loss` summed over phases."""
    for name, loss in losses.items():
        values[name] = values.get(name, 0.0) + float(loss.detach()) / parts
    values["loss"] = values.get("loss", 0.0) + float(total.detach())


def validate(training: Training, task: Task, data: SampleDataset, log: RunLog) -> float:
    """The objective's measure on validation; keeps the best network and the threshold that goes with it."""
    training.agree()
    with training.averaged():
        found = predict_split(task, training.objective, data, training.runtime, training.recipe)
    score = training.objective.quality(found)
    progress = training.progress
    log.validation(progress.step, {training.objective.measure: score})
    if math.isfinite(score) and score > progress.best_score:
        threshold = training.objective.threshold(found)
        training.progress = replace(progress, best_score=score, best_step=progress.step, threshold=threshold)
        training.save_best()
    return score
