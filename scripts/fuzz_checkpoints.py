"""Feeds damaged and hostile checkpoints to the readers of foreign weights: each must load or be refused, and nothing may run.

    python scripts/fuzz_checkpoints.py [--minutes 10] [--seed 0] [files]

The files, by default the test fixtures, are changed at random: bytes are flipped, cut out, repeated or moved, and so are the
instructions of the pickles in them, among which calls of code are put. Anything but a result or an `InputError` of one short line
counts as a failure, and so does a case that takes too long, too much memory, starts a program, writes a file or unpickles. The
file of a failure is kept.
"""

import argparse
import contextlib
import faulthandler
import io
import pickletools
import random
import resource
import shutil
import signal
import struct
import sys
import tempfile
import time
import traceback
import zipfile
from pathlib import Path
from typing import Any

import torch

import latentreel as lr
from latentreel.checkpoints.describe import describe
from latentreel.checkpoints.load import load_discriminator, load_image_generator
from latentreel.core.errors import InputError
from latentreel.pipelines.mocogan_hd_release import read_numbers

FIXTURES = Path(__file__).resolve().parents[1] / "tests/fixtures"
SUFFIXES = (".pt", ".pth", ".pkl", ".npy")
SECONDS, HARD_SECONDS = 10, 120  # after so much work a case has failed; after so much time, of whatever kind, the program ends
GROWTH = 2**29  # bytes by which one case may raise the process's peak of memory
ADDRESS_SPACE = 2**33  # bytes beyond those in use at the start
LONGEST_MESSAGE = 3000
PICKLES = 5  # at most, at the beginning of a file of PyTorch's older form
RUNS = ("os.system", "os.exec", "os.fork", "os.posix_spawn", "os.putenv", "subprocess.", "socket.", "pickle.", "shutil.")


class Failure(BaseException):
    """Something that must never happen; not an `Exception`, so that no reader can swallow it."""


Steps = list[bytes]


class Source:
    """A fixture, taken apart: its bytes, and the instructions of the pickles in it."""

    def __init__(self, path: Path, data: bytes) -> None:
        self.path = path
        self.data = data
        self.members: dict[str, bytes] = {}
        self.index = ""
        if data.startswith(b"PK"):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                self.members = {name: archive.read(name) for name in archive.namelist()}
            self.index = next(name for name in self.members if name.endswith("/data.pkl"))
        pickled = self.members[self.index] if self.index else data if data[:1] == b"\x80" else b""
        self.steps, self.rest = _instructions(pickled)

    def changed(self, draws: random.Random) -> bytes:
        """Another file, made of this one."""
        if not self.steps or draws.random() < 0.3:
            return change_bytes(self.data, draws)
        pickled = b"".join(change_steps(self.steps, draws)) + self.rest
        if not self.index:
            return pickled
        members = self.members | {self.index: pickled}
        if draws.random() < 0.2:
            name = draws.choice(list(members))
            members[name] = change_bytes(members[name], draws)
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED if draws.random() < 0.02 else zipfile.ZIP_STORED) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return file.getvalue()


def sources(paths: list[Path]) -> list[Source]:
    """The fixtures, and the state dicts among them in PyTorch's older form as well."""
    found = [Source(path, path.read_bytes()) for path in paths]
    for source in list(found):
        if source.index:
            file = io.BytesIO()
            torch.save(torch.load(source.path, weights_only=True), file, _use_new_zipfile_serialization=False)
            found.append(Source(source.path, file.getvalue()))
    return found


def _instructions(pickled: bytes) -> tuple[Steps, bytes]:
    """The instructions of the pickles that lie one behind the other, and the bytes behind them."""
    file, done = io.BytesIO(pickled), 0
    steps: Steps = []
    for _ in range(PICKLES):
        if pickled[done : done + 1] != b"\x80":
            break
        file.seek(done)
        places = [place for _, _, place in pickletools.genops(file)]
        ends = [*places[1:], file.tell()]
        steps += [pickled[start:end] for start, end in zip(places, ends, strict=True)]
        done = file.tell()
    return steps, pickled[done:]


def _text(text: str) -> bytes:
    return b"X" + struct.pack("<I", len(text.encode())) + text.encode()


def _call(name: str, *arguments: str) -> bytes:
    module, _, attribute = name.rpartition(".")
    return f"c{module}\n{attribute}\n".encode() + b"(" + b"".join(map(_text, arguments)) + b"tR"


_CANARY = "open('CANARY', 'w')"
HOSTILE = [
    *(_call(name, "touch CANARY") for name in ("os.system", "posix.system", "subprocess.call", "torch.os.system")),
    *(_call(name, _CANARY) for name in ("builtins.eval", "builtins.exec", "__builtin__.eval", "torch.jit.CompilationUnit")),
    *(_call(name, "evil.pt") for name in ("torch.load", "numpy.load", "importlib.import_module", "builtins.__import__")),
    _text("torch") + _text("os.system") + b"\x93" + _text("touch CANARY") + b"\x85R",
    _text("builtins") + _text("getattr") + b"\x93",
    b"ccollections\nOrderedDict\n(]](" + b")\x85" * 2000 + b"K\x01eatR",  # a key so deep that to hash it would end Python
    b"cpathlib\nPosixPath\n" + _text("x" * 999) + b"q\xff" + (b"0cpathlib\nPosixPath\nh\xffh\xff\x86Rq\xff") * 40,
    b"ios\nsystem\n",
    b"\x82\x01",
    b"]" * 1000,
    b"}q\xfeh\xfeN\x87",
    b"]q\xfeh\xfea",
    b"\x8d" + b"\xff" * 8,
    b"\x8e" + b"\xff" * 8,
    b"\x8b\xff\xff\xff\x7f",
    b"\x8a\xff" + b"\x7f" * 255,
    b"r\xff\xff\xff\xff",
    b"G\x7f\xf8" + b"\0" * 6,
    _text("\x1b[31m\n" * 99),
    _text("𝕏" * 99999),
]
NUMBERS = [0, 1, 2, 255, 2**16, 2**31 - 1, -1, -(2**31)]


def change_bytes(data: bytes, draws: random.Random) -> bytes:
    """Flips, cuts, repeats, moves and truncates."""
    changed = bytearray(data)
    for _ in range(draws.choice([1, 1, 1, 2, 4, 16])):
        if not changed:
            break
        # Half of the changes go where the headers and lists are.
        edge = min(len(changed), 2000)
        start = draws.choice([draws.randrange(len(changed)), draws.randrange(edge), len(changed) - 1 - draws.randrange(edge)])
        some = draws.choice([1, 2, 4, 8, 64, 1000])
        match draws.randrange(7):
            case 0:
                changed[start] ^= 1 << draws.randrange(8)
            case 1:
                changed[start : start + some] = draws.randbytes(min(some, 8))
            case 2:
                del changed[start : start + some]
            case 3:
                changed[start:start] = changed[start : start + some] * draws.choice([1, 1, 50])
            case 4:
                other = draws.randrange(len(changed))
                changed[start : start + some] = changed[other : other + some]
            case 5:
                changed[start : start + 4] = draws.choice(
                    [b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f", b"\0\0\0\x80"]
                )
            case 6 if draws.random() < 0.3:
                del changed[start:]
    return bytes(changed)


def change_steps(steps: Steps, draws: random.Random) -> Steps:
    """Changes the instructions of a pickle, so that it stays one for as long as possible."""
    changed = list(steps)
    for _ in range(draws.choice([1, 1, 2, 4])):
        at = draws.randrange(len(changed))
        some = draws.choice([1, 1, 2, 5, 20, 200])
        other = draws.randrange(len(changed))
        match draws.randrange(8):
            case 0:
                changed[at] = changed[other]
            case 1:
                changed[at : at + some] = []
            case 2:
                changed[at:at] = changed[at : at + some] * draws.choice([1, 1, 50])
            case 3:
                changed[at], changed[other] = changed[other], changed[at]
            case 4:
                changed[at:at] = changed[other : other + some]
            case 5:
                changed[at:at] = [draws.choice(HOSTILE)]
            case 6:
                changed[at] = _other_argument(changed[at], changed, draws)
            case 7:
                kind = changed[at][:1]  # an instruction of the same kind from elsewhere: names, numbers, references
                changed[at] = draws.choice([step for step in changed[:: draws.choice([1, 7])] if step[:1] == kind] or [b"N"])
    return changed


def _other_argument(step: bytes, steps: Steps, draws: random.Random) -> bytes:
    match step[:1]:
        case b"c":
            return draws.choice([b"cos\nsystem\n", b"cbuiltins\neval\n", b"ctorch\nload\n", b"ctorch\nSize\n"])
        case b"J" | b"K" | b"M":
            return b"J" + struct.pack("<i", draws.choice(NUMBERS))
        case b"X" | b"\x8c":
            return draws.choice([_text("system"), _text("os"), _text(""), _text("module.x"), b"K\x05"])
        case b"\x8a" | b"B" | b"C" | b"h" | b"q" | b"r" | b"j" | b"\x95":
            return step[:1] + draws.randbytes(len(step) - 1)
    return draws.choice([bytes([draws.randrange(256)]), draws.choice(steps)])


def read(path: Path, source: Path, draws: random.Random) -> None:
    """One of the ways in which a file of this kind is opened."""
    if source.suffix == ".npy":
        read_numbers(path)
    elif source.name.startswith("modelR") and draws.random() < 0.7:
        lr.import_mocogan_hd(image_generator=source.parent / "image_generator_rosinality.pt", motion=path, basis=source.parent)
    else:
        draws.choice([describe, describe, load_image_generator, load_discriminator])(path)


def check_message(message: str) -> None:
    """A refusal is one short line without control characters."""
    if not message.isprintable() or len(message) > LONGEST_MESSAGE:
        raise Failure(f"a message of {len(message)} characters: {message[:200]!r}")


def watch(allowed: Path) -> None:
    """From now on every program that is started, file that is written and pickle that is loaded is a failure."""

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if not watching:
            return
        writes = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
        if event.startswith(RUNS) or (writes and not str(arguments[0]).startswith(str(allowed))):
            raise Failure(f"{event}: {arguments}")

    sys.addaudithook(hook)


watching: list[bool] = []


def on_alarm(*_: object) -> None:
    """A case takes too long."""
    raise Failure(f"more than {SECONDS} seconds of work")


def peak() -> int:
    """Most bytes of memory that the process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def attempt(path: Path, source: Path, draws: random.Random) -> str:
    """Opens a file; "loaded", "refused", or a description of what went wrong."""
    before = peak()
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    faulthandler.dump_traceback_later(HARD_SECONDS, exit=True)
    watching.append(True)
    try:
        read(path, source, draws)
        result = "loaded"
    except InputError as error:
        result = "refused"
        try:
            check_message(str(error))
        except Failure as failure:
            return str(failure)
    except (Exception, Failure):
        return traceback.format_exc()
    finally:
        watching.clear()
        signal.setitimer(signal.ITIMER_PROF, 0)
        faulthandler.cancel_dump_traceback_later()
    if Path("CANARY").exists():
        return "code was run: the canary is there"
    grown = peak() - before
    return result if grown < GROWTH else f"{grown / 1e6:.0f} MB of memory"


def main() -> None:
    """Runs until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path("fuzz-failures"))
    options = parser.parse_args()
    draws = random.Random(options.seed)
    paths = options.files or sorted(path for path in FIXTURES.glob("*/*") if path.suffix in SUFFIXES)
    material, folder = sources(paths), Path(tempfile.mkdtemp(prefix="fuzz-checkpoints-"))
    for path in paths:
        for _ in range(10):
            with contextlib.suppress(InputError):
                read(path, path, draws)  # imports what is imported on first use
    signal.signal(signal.SIGPROF, on_alarm)
    faulthandler.enable()
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + ADDRESS_SPACE, used + ADDRESS_SPACE))
    watch(folder)
    start_memory = peak()
    counts: dict[str, int] = {"loaded": 0, "refused": 0, "failed": 0}
    slowest, slowest_case = 0.0, ""
    end = time.monotonic() + 60 * options.minutes
    while time.monotonic() < end:
        source = draws.choice(material)
        case = folder / f"case-{sum(counts.values())}{source.path.suffix}"
        case.write_bytes(source.changed(draws))
        before = time.process_time()
        result = attempt(case, source.path, draws)
        seconds = time.process_time() - before
        if seconds > slowest:
            slowest, slowest_case = seconds, f"{source.path.name}, {result.splitlines()[-1]}"
        counts[result if result in counts else "failed"] += 1
        if result not in counts:
            options.keep.mkdir(parents=True, exist_ok=True)
            shutil.copy(case, options.keep / f"{source.path.stem}-{case.name}")
            print(f"FAILED {options.keep / f'{source.path.stem}-{case.name}'}\n{result}", flush=True)
        case.unlink()
    shutil.rmtree(folder)
    cases = ", ".join(f"{count} {result}" for result, count in counts.items())
    memory = f"peak memory {peak() / 1e6:.0f} MB, {start_memory / 1e6:.0f} MB at the start"
    print(f"{sum(counts.values())} cases: {cases}; slowest {slowest:.2f} s of work ({slowest_case}); {memory}")
    sys.exit(1 if counts["failed"] else 0)


if __name__ == "__main__":
    main()
