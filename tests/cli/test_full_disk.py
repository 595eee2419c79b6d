"""A disk that fills up costs one line, never a file that is half there; once there is space, the same command goes on.

The disk is simulated by a limit on the size of a file.
"""

import pytest
from full_disk import files_of_at_most

TRAIN = ["train", "image", "debug", "--device", "cpu", "--out", "run", "--sample-every", "100"]


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize(
    ("size", "words", "problem"),
    [
        (400, TRAIN, "cannot write run/config.yaml: File too large; free some space or"),
        (900, TRAIN, "cannot write the journal in run: File too large; free some space; the same command resumes"),
        (900, [*TRAIN, "--tracker", "tensorboard"], "cannot write the journal in run: File too large"),
        (20_000, TRAIN, "cannot write run/bundle: File too large"),
        (20_000, [*TRAIN, "--sample-every", "2"], "cannot write run/samples/000000_kimg.png: File too large"),
        (100_000, TRAIN, "cannot write run/state/step-000000005.pt: File too large"),
    ],
)
def test_training(size, words, problem, debug_runs, run_cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with files_of_at_most(size):
        code, _, errors = run_cli(*words)
    assert code == 2, errors
    assert len(errors) == 1, errors
    assert problem in errors[0]
    assert not list(tmp_path.rglob("*.pt"))
    assert not list(tmp_path.rglob("*.partial"))
    assert run_cli(*words)[0] == 0
    bundles = [folder / "bundle" / "image_generator.safetensors" for folder in (tmp_path / "run", debug_runs / "image")]
    assert bundles[0].read_bytes() == bundles[1].read_bytes()


@pytest.mark.parametrize(
    ("size", "words", "out"),
    [
        (1000, ["generate", "{runs}/motion", "--device", "cpu", "--frames", "20"], "clip.mp4"),
        (3000, ["generate", "{runs}/motion", "--device", "cpu", "--frames", "20"], "clip.gif"),
        (500, ["basis", "{runs}/image", "--samples", "99"], "basis.safetensors"),
    ],
)
def test_results(size, words, out, debug_runs, run_cli, tmp_path):
    words = [*(word.format(runs=debug_runs) for word in words), "--out", tmp_path / out]
    with files_of_at_most(size):
        code, _, errors = run_cli(*words)
    assert (code, len(errors)) == (2, 1), errors
    assert f"{out}: File too large" in errors[0]
    assert list(tmp_path.iterdir()) == []
    assert run_cli(*words)[0] == 0
    assert (tmp_path / out).stat().st_size > size
