"""The loop that all families share: it runs phases without knowing what they are."""

import logging
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Protocol

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from torch import Tensor

from latentreel.core.config import load_yaml, save_yaml
from latentreel.core.errors import InputError
from latentreel.core.files import remove_partials, require_writable
from latentreel.data.clip_sampling import ClipSampler
from latentreel.data.streamed_clips import StreamedClips
from latentreel.training.config import RunConfig
from latentreel.training.distribution import agree, all_finite, average, average_gradients, require_same_start
from latentreel.training.journal import Journal
from latentreel.training.phase import Batch, Phase
from latentreel.training.scores import Scorer, Scores
from latentreel.training.state import TrainState, saved_states

_log = logging.getLogger(__name__)


class Family(Protocol):
    """What a family of models (image generators, MoCoGAN-HD, ...) brings to the loop."""

    accelerator: Accelerator
    state: TrainState
    phases: list[Phase]

    @property
    def sampler(self) -> ClipSampler | StreamedClips:
        """Where its data comes from."""
        ...

    @property
    def config(self) -> RunConfig:
        """What the run was told."""
        ...

    def batch(self, step: int) -> Batch:
        """The real data and the randomness of a step."""
        ...

    def after_step(self) -> None:
        """Averages and whatever else follows the phases."""
        ...

    def save_samples(self, folder: Path) -> None:
        """Pictures or videos of fixed latents."""
        ...

    def save_bundle(self, folder: Path) -> None:
        """The trained model, ready for use."""
        ...


class TrainingDiverged(RuntimeError):  # noqa: N818
    """A loss or a weight is no longer a number."""


class Interrupted(RuntimeError):  # noqa: N818
    """A signal asked the run to stop; its state is saved."""

    def __init__(self, signal_number: int, state: Path) -> None:
        super().__init__(f"stopped by {signal.Signals(signal_number).name}; state saved: {state}; the same command resumes")
        self.signal_number = signal_number


OnStep = Callable[[TrainState], None]


def train(family: Family, *, on_step: OnStep = lambda _: None, scorer: Scorer | None = None) -> TrainState:
    """Trains until the items are seen or the minutes are over; resumes if the run's folder holds a state.

    Neither saving nor samples nor scores count as training time.

    Args:
        family: What is trained.
        on_step: Called after every step, for progress bars.
        scorer: Scores its bundles where the config asks for it; None: nothing does.

    Returns:
        The final state.

    Raises:
        InputError: The folder cannot be written to or holds another run, or the scorer does not give the score that decides.
        TrainingDiverged: A loss or a weight is not finite; the last good state stays.
        Interrupted: SIGTERM or Ctrl-C came; the state is saved.
    """
    config, state = family.config, family.state
    resume(family)
    journal = Journal(config.out / "journal.jsonl", family.accelerator, resumed_step=state.step)
    scores = Scores(config, state, family.accelerator, journal, scorer)
    with _signals() as received:
        if scores.are_due(
            done=is_done(config, state)
        ):  # the run was stopped before it had them, or they are asked for only now
            save(family)
            scores.take()
        elif is_done(config, state):
            _log.warning(
                "already trained for %d of %d items: give it more, in items or minutes, to go on",
                state.items,
                config.total_items,
            )
        while not is_done(config, state):
            started = time.perf_counter()
            batch = family.batch(state.step)
            due = [phase for phase in family.phases if phase.is_due(state.step)]
            for phase in due:
                journal.note(run_phase(phase, batch, family.accelerator))
            state.step += 1
            state.items += config.batch_size
            family.after_step()
            elapsed, signal_number = agree(family.accelerator, time.perf_counter() - started, max(received, default=0))
            state.seconds += elapsed
            if state.step % config.log_every == 0:
                state.figures = journal.write(step=state.step, items=state.items, seconds=state.seconds)
            done = is_done(config, state)
            if (done or state.step % config.sample_every == 0) and family.accelerator.is_main_process:
                family.save_samples(config.out / "samples")
            on_step(state)
            scored = scores.are_due(done=done)
            if signal_number or scored or state.step % config.save_every == 0 or done:
                path = save(family)
            if signal_number:
                raise Interrupted(signal_number, path)
            if scored:
                scores.take()
    return state


def is_done(config: RunConfig, state: TrainState) -> bool:
    """Whether all items are seen or the time is over."""
    return state.items >= config.total_items or (config.minutes is not None and state.seconds >= 60 * config.minutes)


def run_phase(phase: Phase, batch: Batch, accelerator: Accelerator) -> dict[str, Tensor]:
    """One network's turn: losses, gradients, a step of its optimiser.

    Returns:
        Its losses and figures, as "phase/name".
    """
    phase.module.requires_grad_(True)
    outcome = phase.objective(batch)
    total = torch.stack([loss.float() for loss in outcome.losses.values()]).sum()
    if not all_finite([average(accelerator, total)]):
        values = ", ".join(f"{name} {loss.item():.3g}" for name, loss in outcome.losses.items())
        raise TrainingDiverged(
            f"step {batch.step}, phase {phase.name}: a loss is not finite ({values}); the last good state is kept; "
            "lower the learning rate or use --precision fp32"
        )
    total.backward()  # type: ignore[no-untyped-call]
    average_gradients(accelerator, phase.module)
    phase.optimizer.step()
    phase.optimizer.zero_grad(set_to_none=True)
    phase.module.requires_grad_(False)
    return {f"{phase.name}/{name}": value.detach() for name, value in {**outcome.losses, **outcome.figures}.items()}


def save(family: Family) -> Path:
    """Saves bundle and state, unless the weights are broken. The state comes last: while it is missing, to resume does all again.

    Raises:
        TrainingDiverged: A weight is not finite; the last good state stays.
    """
    config, state = family.config, family.state
    if not state.is_finite():
        raise TrainingDiverged(
            f"step {state.step}: a weight is not finite; the last good state is kept; lower the learning rate"
        )
    if isinstance(family.sampler, StreamedClips):
        state.positions = gather_object([family.sampler.place()])
    if family.accelerator.is_main_process:
        family.save_bundle(config.out / "bundle")
        state.save(config.out / "state")
    family.accelerator.wait_for_everyone()
    return config.out / "state" / f"step-{state.step:09d}.pt"


def resume(family: Family) -> None:
    """Prepares the run's folder; goes on from its newest state if there is one.

    Raises:
        InputError: As for `open_folder`, or the state is damaged, or the processes do not see the same one, or the same data.
    """
    config, state = family.config, family.state
    states = open_folder(config, family.accelerator)
    if states:
        state.load(states[0])
    if isinstance(family.sampler, StreamedClips):
        family.sampler.go_on(state.positions)
    require_same_start(family.accelerator, step=state.step, inputs=state.inputs, folder=config.out)
    if family.accelerator.is_main_process:
        save_yaml(config, config.out / "config.yaml")
    for phase in family.phases:
        phase.module.requires_grad_(False)


def open_folder(config: RunConfig, accelerator: Accelerator) -> list[Path]:
    """Makes sure that a run's folder can be written to and holds no other run; clears away what a killed one left behind.

    Returns:
        The states to resume from, newest first.

    Raises:
        InputError: The folder cannot be written to, or holds a run of another kind or with other settings.
    """
    out, fix = require_writable(config.out), "use another --out, or delete that folder"
    states = saved_states(out / "state")
    if states:
        try:
            other = load_yaml(type(config), out / "config.yaml")
        except InputError as error:
            raise InputError(f"{out} holds a run of another kind, or without a sound config.yaml", fix=fix) from error
        for name, (here, there) in config.differences(other).items():
            raise InputError(f"{out} holds a run with another {name}", given=here, allowed=there, fix=fix)
    if accelerator.is_main_process:
        for folder in (out, out / "state", out / "samples"):
            remove_partials(folder)
    return states


@contextmanager
def _signals() -> Iterator[list[int]]:
    """Collects SIGTERM and SIGINT instead of dying of them."""
    received: list[int] = []

    def remember(number: int, _: FrameType | None) -> None:
        received.append(number)

    try:
        before = {number: signal.signal(number, remember) for number in (signal.SIGTERM, signal.SIGINT)}
    except ValueError:  # not the main thread: whoever runs it handles signals
        yield received
        return
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
