"""Colours are those that the standards say; see ITU-R BT.601, BT.709, BT.2020."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from latentreel.core.errors import InputError
from latentreel.media.decode import load_video, open_video
from latentreel.media.frame_conversion import FrameConverter
from latentreel.media.limits import DEFAULT_LIMITS, DecodeLimits

TOLERANCE = 1
"""Of 255: swscale counts in fixed point, and takes 10 bits of full range times 1/4, not 255/1023."""

LUMA = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 6: (0.299, 0.114), 7: (0.212, 0.087), 9: (0.2627, 0.0593)}
"""Kr and Kb of each matrix, by its number in ITU-T H.273."""


def plain_rgb(planes: list[np.ndarray], matrix: int, full_range: bool, bits: int) -> np.ndarray:
    """Y', Cb, Cr [H, W], [h, w], [h, w] to R'G'B' [H, W, 3] as the standards define it; chroma is repeated."""
    height, width = planes[0].shape
    y, cb, cr = (np.kron(p, np.ones((-(-height // p.shape[0]), -(-width // p.shape[1]))))[:height, :width] for p in planes)
    unit, top = 2 ** (bits - 8), 2**bits - 1
    y = y / top if full_range else (y - 16 * unit) / (219 * unit)
    cb, cr = ((c - 128 * unit) / (top if full_range else 224 * unit) for c in (cb, cr))
    kr, kb = LUMA[matrix]
    red, blue = y + 2 * (1 - kr) * cr, y + 2 * (1 - kb) * cb
    green = (y - kr * red - kb * blue) / (1 - kr - kb)
    return np.clip(np.rint(255 * np.stack([red, green, blue], axis=-1)), 0, 255)


def read_planes(frame: av.VideoFrame, bits: int) -> list[np.ndarray]:
    kind = np.uint8 if bits == 8 else np.uint16
    return [np.frombuffer(p, kind).reshape(p.height, -1)[:, : p.width].astype(float) for p in frame.planes]


def random_frame(pix_fmt: str, bits: int, height: int = 32, width: int = 48) -> av.VideoFrame:
    """Patches of 16 by 16 pixels. Chroma takes half of its range: colours pass the ends of theirs no further than codecs do."""
    rng, frame = np.random.default_rng(0), av.VideoFrame(width, height, pix_fmt)
    for index, plane in enumerate(frame.planes):
        kind = np.uint8 if bits == 8 else np.uint16
        low, high = (2**bits // 4, 2**bits * 3 // 4) if index in (1, 2) else (0, 2**bits)
        patch = (16 * plane.height // height, 16 * plane.width // width) if height % 16 == width % 16 == 0 else (1, 1)
        values = rng.integers(low, high, (plane.height, plane.line_size // kind().itemsize), dtype=kind)
        patches = np.kron(values, np.ones(patch, kind))[: plane.height, : plane.line_size // kind().itemsize]
        plane.update(np.ascontiguousarray(patches).tobytes())
    return frame


def errors(shown: np.ndarray, frame: av.VideoFrame, matrix: int, full_range: bool, bits: int) -> np.ndarray:
    """In the middle of every patch, where it does not matter how chroma is interpolated."""
    expected = plain_rgb(read_planes(frame, bits), matrix, full_range, bits)
    middle = np.arange(16) // 4 % 3 != 0  # 4 to 11
    rows, columns = (np.resize(middle, side) for side in shown.shape[:2])
    return np.abs(shown - expected)[np.ix_(rows, columns)]


def convert(frame: av.VideoFrame, notes: list[str] | None = None, aspect: Fraction | None = None, **limits: int) -> np.ndarray:
    return FrameConverter(Path("clip"), aspect, DecodeLimits(**limits), [] if notes is None else notes)(frame)


@pytest.mark.parametrize(
    ("pix_fmt", "bits"), [("yuv420p", 8), ("yuv422p", 8), ("yuv444p", 8), ("yuv420p10le", 10), ("yuv444p12le", 12)]
)
@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("matrix", sorted(LUMA))
def test_colours_are_those_of_a_plain_conversion(pix_fmt, bits, full_range, matrix):
    frame = random_frame(pix_fmt, bits)
    frame.colorspace, frame.color_range = matrix, 2 if full_range else 1
    assert errors(convert(frame), frame, matrix, full_range, bits).max() <= TOLERANCE


@pytest.mark.parametrize("size", [(47, 31), (48, 32)])
def test_a_ramp_of_colours_stays_a_ramp(size):
    frame = av.VideoFrame(*size, "yuv420p")
    for plane in frame.planes:
        columns = np.linspace(96, 160, plane.line_size, dtype=np.uint8)
        plane.update(np.tile(columns, (plane.height, 1)).tobytes())
    frame.colorspace, frame.color_range = 5, 1
    shown = convert(frame)
    assert shown.shape == (*size[::-1], 3)
    assert np.abs(shown - plain_rgb(read_planes(frame, 8), 5, False, 8)).max() <= 6  # 3 steps of chroma


@pytest.mark.parametrize(("size", "matrix"), [((576, 720), 5), ((720, 960), 1), ((512, 1040), 1), ((704, 1024), 5)])
def test_untagged_colours_are_bt601_up_to_standard_definition_and_bt709_above(size, matrix):
    frame = random_frame("yuv420p", 8, *size)
    frame.colorspace, frame.color_range = 2, 0
    assert errors(convert(frame), frame, matrix, False, 8).max() <= TOLERANCE


def test_the_old_full_range_layouts_need_no_tag():
    frame = random_frame("yuvj420p", 8)
    frame.colorspace, frame.color_range = 5, 0
    assert errors(convert(frame), frame, 5, True, 8).max() <= TOLERANCE


def test_grey_and_rgb_stay_as_they_are():
    grey = random_frame("gray", 8)
    assert np.array_equal(convert(grey), np.repeat(read_planes(grey, 8)[0][..., None], 3, axis=-1))
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    for pix_fmt in ("rgb24", "bgr24", "bgra", "gbrp"):
        notes: list[str] = []
        assert np.array_equal(
            convert(av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=pix_fmt), notes), pixels
        )
        assert not notes


@pytest.mark.parametrize("pix_fmt", ["rgba", "yuva444p"])
def test_what_is_transparent_lies_on_black(pix_fmt):
    pixels = np.full((4, 256, 4), 200, np.uint8)
    pixels[..., 3] = np.arange(256)
    notes: list[str] = []
    shown = convert(av.VideoFrame.from_ndarray(pixels, format="rgba").reformat(format=pix_fmt), notes)
    assert np.abs(shown - np.rint(200 * np.arange(256) / 255)[:, None]).max() <= TOLERANCE
    assert notes == ["alpha dropped onto black"]


def test_the_width_is_scaled_where_pixels_are_not_square():
    ramp = np.broadcast_to(np.linspace(0, 255, 30, dtype=np.uint8)[None, :, None], (8, 30, 3))
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(ramp))
    notes: list[str] = []
    shown = convert(frame, notes, Fraction(4, 3))
    assert shown.shape == (8, 40, 3)
    assert np.abs(shown[0, :, 0] - np.interp((np.arange(40) + 0.5) * 0.75 - 0.5, np.arange(30), ramp[0, :, 0])).max() < 5
    assert notes == ["pixels of 4:3 made square"]


def test_pixels_of_an_absurd_shape_are_not_believed():
    notes: list[str] = []
    assert convert(random_frame("rgb24", 8), notes, Fraction(1, 500)).shape == (32, 48, 3)
    assert notes == ["pixels of 1:500 are not believed: left as stored"]


def test_a_frame_is_measured_before_and_after_its_pixels_are_made_square():
    convert(random_frame("rgb24", 8), max_frame_pixels=32 * 48)
    for aspect, given in ((Fraction(2), "96x32"), (Fraction(1, 2), "48x32")):
        with pytest.raises(
            InputError, match=f"clip declares too large a frame; given: {given}; allowed: 1000 pixels; raise max_f"
        ):
            convert(random_frame("rgb24", 8), aspect=aspect, max_frame_pixels=1000)


def test_high_dynamic_range_is_noted():
    frame, notes = random_frame("yuv420p10le", 10), list[str]()
    frame.colorspace, frame.color_trc = 9, 16
    convert(frame, notes)
    assert notes == ["high dynamic range (PQ) as stored: not mapped to a screen's"]


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_video_is_upright(tmp_path, write_clip, degrees, mirrored):
    frames = np.random.default_rng(0).integers(0, 256, (1, 6, 10, 3), np.uint8)
    clip = write_clip(tmp_path / "clip.mov", frames, codec="png", pix_fmt="rgb24", turn=(degrees, mirrored))
    stream = open_video(clip)
    expected = np.rot90(frames[0], degrees // 90)  # counterclockwise
    assert np.array_equal(next(stream.frames), expected[:, ::-1] if mirrored else expected)
    turned = [f"turned clockwise by {360 - degrees} degrees"] if degrees else []
    assert stream.notes == (["mirrored"] if mirrored else turned)


def test_a_video_that_lies_askew_is_left_so(tmp_path, write_clip):
    frames = np.zeros((1, 6, 10, 3), np.uint8)
    stream = open_video(write_clip(tmp_path / "clip.mov", frames, codec="png", pix_fmt="rgb24", turn=(30, False)))
    assert next(stream.frames).shape == (6, 10, 3)
    assert "left as stored" in stream.notes[0]


@pytest.mark.parametrize(
    ("pix_fmt", "bits", "full_range", "matrix"),
    [("yuv420p", 8, True, 1), ("yuv420p10le", 10, False, 9), ("yuv422p10le", 10, False, 5), ("yuv444p", 8, False, 6)],
)
def test_a_file_keeps_the_colours_that_it_declares(tmp_path, write_clip, pix_fmt, bits, full_range, matrix):
    frames = np.random.default_rng(0).integers(60, 200, (2, 2, 3, 3), np.uint8).repeat(16, axis=1).repeat(16, axis=2)
    clip = write_clip(tmp_path / "clip.mp4", frames, pix_fmt=pix_fmt, full_range=full_range, matrix=matrix)
    with av.open(str(clip)) as container:
        decoded = list(container.decode(video=0))
    shown = load_video(clip).frames
    for pixels, frame in zip(shown, decoded, strict=True):
        assert errors(pixels, frame, matrix, full_range, bits).max() <= 3  # patches are no longer flat
    assert np.abs(shown.astype(int) - frames).mean() < 6


def test_ten_bits_become_eight(shared_data):
    path = shared_data / "decoder" / "h264_10bits.mp4"
    with av.open(str(path)) as container:
        expected = [plain_rgb(read_planes(frame, 10), 5, False, 10) for frame in container.decode(video=0)]
    for frame, colours in zip(open_video(path, limits=DEFAULT_LIMITS).frames, expected, strict=True):
        assert np.median(np.abs(frame - colours)) <= TOLERANCE
        assert np.abs(frame - colours).mean() < 6
