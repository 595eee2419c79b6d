"""How well the models that ship move, by the factors behind the worlds' pictures; the tables go into docs/evidence.md."""

import dataclasses

from rich.progress import Progress

from evidence import write_table
from latentreel.checkpoints.load import shipped_names
from latentreel.pipelines.known_truth import measure_known_truth
from latentreel.pipelines.video_pipeline import VideoPipeline
from measure import write_result

MOTION_FROM = {"creatures": "faces"}


def main() -> None:
    """Measures every model that ships."""
    truths = {}
    with Progress() as bar:
        for name in shipped_names():
            task = bar.add_task(name, total=None)
            truths[name] = measure_known_truth(
                VideoPipeline.load(name),
                world=name,
                motion_world=MOTION_FROM.get(name, ""),
                progress=lambda done, total, task=task: bar.update(task, completed=done, total=total),
            )
    columns = ["identity drift", "(real)", "motion match", "(real)", "motion diversity", "motion transfer", "(other motions)"]
    rows = {}
    for name, truth in truths.items():
        told = truth.summary()
        rows[name] = [told["identity drift"], truth.real_identity_drift, told["motion match"], truth.real_motion_match]
        rows[name] += [told["motion diversity"], told["motion transfer"], truth.transfer_floor]
    write_table("known truth", columns, {name: [f"{value:.2f}" for value in row] for name, row in rows.items()})
    by_factor = {name: truth.transfer for name, truth in truths.items()}
    factors = sorted({factor for one in by_factor.values() for factor in one})
    cells = {name: [f"{one[factor]:.2f}" if factor in one else "" for factor in factors] for name, one in by_factor.items()}
    write_table("motion transfer", factors, cells)
    write_result("known_truth", {name: dataclasses.asdict(truth) for name, truth in truths.items()})


if __name__ == "__main__":
    main()
