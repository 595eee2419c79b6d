"""A small assembler of pickles, the three forms of file they lie in, and what is said when one is refused. For tests."""

import io
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest

import latentreel as lr
from latentreel.checkpoints.describe import describe
from latentreel.checkpoints.torch_file import MAGIC
from latentreel.core.errors import InputError

FIXTURES = Path(__file__).parents[1] / "fixtures"
RELEASE = FIXTURES / "mocogan_hd"
GENERATOR, MOTION, VIDEO = (
    RELEASE / f"{name}" for name in ("image_generator_rosinality.pt", "modelR_epoch_0.pth", "modelD_3d_in_domain.pth")
)
NETWORK = FIXTURES / "stylegan2_ada" / "network-snapshot.pkl"
CANARY = "canary"


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def packed(value: bytes) -> bytes:
    return b"B" + struct.pack("<I", len(value)) + value


def number(value: int) -> bytes:
    return b"\x8a\x10" + value.to_bytes(16, "little", signed=True)


def group(*parts: bytes) -> bytes:
    return b"(" + b"".join(parts) + b"t"


def named(name: str) -> bytes:
    module, _, attribute = name.rpartition(".")
    return f"c{module}\n{attribute}\n".encode()


def call(name: str, *arguments: bytes) -> bytes:
    return named(name) + group(*arguments) + b"R"


def numbers_of(key: str = "0", length: int = 4) -> bytes:
    """A storage beside the pickle."""
    return group(text("storage"), named("torch.FloatStorage"), text(key), text("cpu"), number(length)) + b"Q"


def tensor(storage: bytes, shape: list[int], stride: list[int], offset: int = 0) -> bytes:
    sizes = [group(*map(number, numbers)) for numbers in (shape, stride)]
    return call("torch._utils._rebuild_tensor_v2", storage, number(offset), *sizes, b"\x89", b"}")


def as_zip(body: bytes, storages: dict[str, bytes] | None = None) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + body + b".")
        for key, data in (storages or {}).items():
            archive.writestr(f"archive/data/{key}", data)
    return file.getvalue()


def as_plain(body: bytes, storages: dict[str, bytes] | None = None) -> bytes:
    storages = storages or {}
    head = b"".join(pickle.dumps(part, 2) for part in (MAGIC, 1001, {"little_endian": True}))
    tail = b"".join(struct.pack("<Q", len(data) // 4) + data for data in storages.values())
    return head + b"\x80\x02" + body + b"." + pickle.dumps(list(storages), 2) + tail


def as_network(body: bytes, storages: dict[str, bytes] | None = None) -> bytes:
    return b"\x80\x04" + body + b"."


FORMS = {"zip": as_zip, "plain": as_plain, "network": as_network}
every_form = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)


def refusal(path: Path, read: Any = describe) -> str:
    """What is said of a file, which must be one line that can be shown."""
    with pytest.raises(InputError) as caught:
        read(path)
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 2000
    return message


def zipped(files: dict[str, bytes], **options: Any) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **options) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


def as_motion(path: Path) -> None:
    lr.import_mocogan_hd(image_generator=GENERATOR, motion=path, basis=RELEASE)
