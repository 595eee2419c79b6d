"""`latentreel COMMAND`: finds the command's module, and turns what a user got wrong into one line and exit code 2."""

import importlib
import os
import signal
import sys

import latentreel
from latentreel.core.errors import InputError
from latentreel.core.memory import keep_freed_memory

COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("latentreel.cli.demo", "the main job on the embedded default: train, generate, report, in minutes"),
    "train": ("latentreel.cli.train", "train an image generator, a motion generator for one, or a StyleGAN-V"),
    "generate": ("latentreel.cli.generate", "make videos with a trained model"),
    "interpolate": ("latentreel.cli.interpolate", "the same with more frames between the same ones"),
    "transfer": ("latentreel.cli.transfer", "save the motion of a clip or of a video; move other contents as it says"),
    "invert": ("latentreel.cli.invert", "find the latent whose picture is nearest to a given one"),
    "project": ("latentreel.cli.project", "find the clip of a StyleGAN-V that is nearest to a given one"),
    "predict": ("latentreel.cli.predict", "go on from a picture, or from the beginning of a video, and score it"),
    "edit": ("latentreel.cli.edit", "what the components of the latent basis change: sheets, walks, directions to keep"),
    "evaluate": ("latentreel.cli.evaluate", "score generated clips against real ones by a named protocol; compare results"),
    "report": (
        "latentreel.cli.report",
        "one page, videos and all, that shows a run, an evaluation, a model or a folder of videos",
    ),
    "compare": ("latentreel.cli.compare", "a preference study: people see clips of A and B side by side and vote"),
    "basis": ("latentreel.cli.basis", "compute the latent basis of an image generator"),
    "data": ("latentreel.cli.data", "check and prepare videos for training; make a procedural world's"),
    "weights": ("latentreel.cli.weights", "show, import, export, push and pull weights of any known format"),
    "bench": ("latentreel.cli.bench", "measure speed against plain references in the same run"),
}


def main() -> None:
    """The program's entry."""
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_overview())
        return
    if arguments[0] == "--version":
        print(f"latentreel {latentreel.__version__}")
        return
    try:
        name = arguments[0]
        if name not in COMMANDS:
            raise InputError("there is no such command", given=name, allowed=", ".join(COMMANDS))
        keep_freed_memory()
        importlib.import_module(COMMANDS[name][0]).run(arguments[1:])
    except InputError as error:
        sys.exit(_fail(str(error), code=2))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read our output has left: no more of it
        sys.exit(1)
    except OSError as error:
        if error.filename is None:
            raise
        sys.exit(_fail(f"cannot use {error.filename}: {error.strerror}", code=2))
    except KeyboardInterrupt:
        print("latentreel: stopped by Ctrl-C", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)


def _overview() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {text}" for name, (_, text) in COMMANDS.items()]
    head = "latentreel: make videos with image generators\n\nusage: latentreel COMMAND [--help] ...\n\ncommands:"
    return "\n".join([head, *lines, "", "`latentreel COMMAND --help` says more; `latentreel --version` says which version."])


def _fail(message: str, *, code: int) -> int:
    print(f"latentreel: error: {' '.join(message.split())}", file=sys.stderr)
    return code


if __name__ == "__main__":
    main()
