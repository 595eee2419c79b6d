"""The journal of a packing, and the frames files that grow beside it: what is done, at any moment."""

import json
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Any

from latentreel.core.errors import InputError
from latentreel.data.packed_frames import FRAMES, UNFINISHED

JOURNAL_FORMAT = "latentreel packing 1"

SYNC_SECONDS = 1.0
"""How much work may be lost when the power fails, or the process is killed."""

PARTIAL_FRAMES = f"{FRAMES}.partial"

Entry = Mapping[str, Any]


class PackingJournal:
    """What is done: a line per clip, in the order of the plan; and the frames files that grow beside it."""

    def __init__(self, out: Path, plan: str) -> None:
        self.out, self.plan = out, plan
        self.entries: list[Entry] = []
        self._size: list[int] | None = None
        self._parts: dict[str, IO[bytes]] = {}
        self._waiting: list[str] = []
        self._written = 0
        self._synced = time.monotonic()
        self._open = ExitStack()

    def __enter__(self) -> "PackingJournal":
        path = self.out / UNFINISHED
        kept = self._read(path) if path.exists() else 0
        self._file = self._open.enter_context(path.open("ab", buffering=0))
        self._file.truncate(kept)
        self._written = kept
        if not kept:
            self._waiting.append(json.dumps({"format": JOURNAL_FORMAT, "plan": self.plan}) + "\n")
            self._sync()
        for part, size in self._bytes_of_parts().items():
            frames = self._frames_of(part)
            if frames.seek(0, os.SEEK_END) < size:
                fix = f"delete {self.out} and begin anew"
                raise InputError(f"{self.out / part} has lost frames that were packed already", fix=fix)
            frames.truncate(size)
            frames.seek(size)
        return self

    def __exit__(self, *_: object) -> None:
        with self._open, suppress(OSError):
            self._sync()

    def add(self, entry: Entry, frames: IO[bytes] | None = None) -> None:
        """Appends a clip's frames to its part, and its entry to the journal when they are on the disk.

        Args:
            entry: Of a clip {"clip": fields of `PackedClip`, "size": [H, W]}; else {"left_out": [name, reason]}.
            frames: The clip's, raw; closed at the end.

        Raises:
            OSError: The disk is full, or fails. What was there before is whole.
        """
        if frames is not None:
            with frames as pixels:
                self._size = self._size or entry["size"]
                if entry["size"] != self._size:
                    reason = f"it has other proportions: {_shown(entry['size'])}, not {_shown(self._size)}"
                    entry = {"left_out": [entry["clip"]["name"], reason]}
                else:
                    self._append(entry["clip"]["part"], pixels)
        self.entries.append(entry)
        self._waiting.append(json.dumps(entry) + "\n")
        if time.monotonic() - self._synced > SYNC_SECONDS:
            self._sync()

    def finish(self) -> None:
        """Gives the frames files their final names."""
        self._sync()
        for part, size in self._bytes_of_parts().items():
            partial_frames = self.out / part / PARTIAL_FRAMES
            if size and partial_frames.exists():
                partial_frames.replace(self.out / part / FRAMES)

    def _append(self, part: str, pixels: IO[bytes]) -> None:
        out = self._frames_of(part)
        start = out.tell()
        pixels.seek(0)
        try:
            while block := pixels.read(2**20):
                _write_all(out, block)
        except OSError:
            out.truncate(start)
            raise

    def _frames_of(self, part: str) -> IO[bytes]:
        if part not in self._parts:
            folder = self.out / part
            folder.mkdir(exist_ok=True)
            final, growing = folder / FRAMES, folder / PARTIAL_FRAMES
            if final.exists():  # stopped between the last clip and the manifest
                final.replace(growing)
            growing.touch()
            self._parts[part] = self._open.enter_context(growing.open("r+b", buffering=0))
        return self._parts[part]

    def _sync(self) -> None:
        for file in self._parts.values():
            os.fsync(file.fileno())
        lines = "".join(self._waiting).encode()
        try:
            _write_all(self._file, lines)
            os.fsync(self._file.fileno())
        except OSError:
            self._file.truncate(self._written)
            raise
        self._written += len(lines)
        self._waiting.clear()
        self._synced = time.monotonic()

    def _read(self, path: Path) -> int:
        """Takes the entries over; gives the bytes that are whole lines, 0 where not even the first is."""
        lines = path.read_bytes().splitlines(keepends=True)
        whole = [line for line in lines if line.endswith(b"\n")]
        if not whole:
            return 0
        try:
            head, *entries = (json.loads(line) for line in whole)
            if head.get("plan") != self.plan:
                fix = "give the same settings as before, or choose another folder"
                raise InputError(
                    f"the source or the settings have changed since the packing in {self.out} was stopped", fix=fix
                )
            self.entries = entries
            sizes = [entry["size"] for entry in entries if "clip" in entry]
        except (ValueError, AttributeError, KeyError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{path} is damaged: {error}", fix=f"delete {self.out} and begin anew") from error
        self._size = sizes[0] if sizes else None
        return sum(map(len, whole))

    def _bytes_of_parts(self) -> dict[str, int]:
        sizes: dict[str, int] = {}
        for entry in self.entries:
            if "clip" in entry:
                height, width = entry["size"]
                clip = entry["clip"]
                sizes[clip["part"]] = sizes.get(clip["part"], 0) + clip["frames"] * height * width * 3
        return sizes


def _write_all(file: IO[bytes], data: bytes) -> None:
    """Writes to a file without a buffer, which may take a part only where the disk is nearly full."""
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]


def _shown(size: Sequence[int]) -> str:
    return f"{size[1]}x{size[0]}"
