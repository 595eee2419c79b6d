import itertools

import numpy as np
import pytest

from latentreel.core.errors import InputError
from latentreel.worlds.face_factors import IDENTITY_FACTORS
from latentreel.worlds.faces import FacesWorld
from latentreel.worlds.hair_styles import STYLES
from latentreel.worlds.head_motion import MOTION_FACTORS, sample_motion
from latentreel.worlds.registry import WORLDS, open_world
from latentreel.worlds.world import World

WORLD = FacesWorld(resolution=64, num_frames=8, seed=3)
IDENTITY = {name: place for place, name in enumerate(WORLD.identity_names)}
MOTION = {name: place for place, name in enumerate(WORLD.motion_names)}


def person(**factors):
    identity = WORLD.sample_identity(np.random.default_rng(5))
    identity[IDENTITY["glasses"]] = 0
    for name, value in factors.items():
        identity[IDENTITY[name]] = value
    return identity


def expression(**factors):
    motion = np.zeros(len(MOTION), dtype=np.float32)
    for name, value in factors.items():
        motion[MOTION[name]] = value
    return motion


def difference(a, b):
    return np.abs(a.astype(float) - b.astype(float))


def test_a_frame_does_not_depend_on_its_batch():
    identities = np.stack([person(hair_style=style, glasses=style % 2) for style in range(len(STYLES))])
    motions = sample_motion(40, 2.0, np.random.default_rng(0))[:: 40 // len(STYLES)][: len(STYLES)]
    together = WORLD.render(identities, motions)
    for identity, motion, frame in zip(identities, motions, together, strict=True):
        assert np.array_equal(WORLD.render(identity, motion)[0], frame)


@pytest.mark.parametrize("style", range(len(STYLES)))
def test_resolutions_show_the_same_picture(style):
    identity, motion = person(hair_style=style, glasses=style % 2), expression(yaw=20, pitch=-6, mouth_smile=0.7)
    small = WORLD.render(identity, motion)[0]
    large = FacesWorld(resolution=128).render(identity, motion)[0].astype(float)
    error = difference(large.reshape(64, 2, 64, 2, 3).mean(axis=(1, 3)), small)
    assert error.mean() < 1.5 and (error > 40).mean() < 0.01


@pytest.mark.parametrize(
    "resolution, num_pixels", [(resolution, resolution * resolution * 3) for resolution in (16, 32, 256, 1024)]
)
def test_every_resolution_is_drawn(resolution, num_pixels):
    frames = FacesWorld(resolution=resolution).render(person(), expression())
    assert frames.size == num_pixels and frames.std() > 20


@pytest.mark.parametrize("factor", MOTION_FACTORS, ids=lambda factor: factor.name)
def test_every_motion_factor_moves_pixels_of_the_same_person(factor):
    steps = np.linspace(factor.low, factor.high, 9)
    frames = WORLD.render(person(hair_style=0), np.stack([expression(**{factor.name: step}) for step in steps]))
    assert difference(frames[0], frames[-1]).max() > 30
    corners = frames[:, [0, 0], [0, 63]]
    assert (corners == corners[0]).all(), "the backdrop belongs to the person"


@pytest.mark.parametrize("factor", IDENTITY_FACTORS, ids=lambda factor: factor.name)
def test_every_identity_factor_shows(factor):
    low, high = (WORLD.render(person(**{factor.name: value}), expression(yaw=15))[0] for value in (factor.low, factor.high))
    if factor.name == "background_hue" or factor.name == "clothes_hue":  # the ends of a circle meet
        high = WORLD.render(person(**{factor.name: 0.5}), expression(yaw=15))[0]
    assert difference(low, high).max() > 12


def eye_whites(**factors):
    """Rows and columns of the whites of the eyes of a dark-skinned bald person, at 128 pixels."""
    identity = person(hair_style=5, skin_tone=1.0, hair_colour=0.0, clothes_lightness=0.0)
    frame = FacesWorld(resolution=128).render(identity, expression(**factors))[0]
    return np.nonzero(frame[30:75].min(axis=-1) > 200)


def test_the_eyes_follow_the_head_in_the_documented_directions():
    (row, column) = (places.mean() for places in eye_whites())
    assert eye_whites(yaw=30)[1].mean() > column + 8 and eye_whites(yaw=-30)[1].mean() < column - 8
    assert eye_whites(pitch=15)[0].mean() < row - 3 and eye_whites(pitch=-15)[0].mean() > row + 3


def test_the_far_eye_looks_narrower():
    columns = np.unique(eye_whites(yaw=35)[1])
    gap = np.argmax(np.diff(columns))
    near, far = np.ptp(columns[: gap + 1]), np.ptp(columns[gap + 1 :])
    assert 0.3 * near < far < 0.8 * near


def test_lids_close():
    whites = []
    for blink in np.linspace(0, 1, 6):
        whites.append(len(eye_whites(blink=blink)[0]))
    assert whites[0] > 30 and whites[-1] == 0
    assert all(a >= b for a, b in itertools.pairwise(whites))


def test_factors_stay_in_range_and_use_it():
    identities = np.stack([WORLD.sample_identity(np.random.default_rng(seed)) for seed in range(300)])
    motions = np.concatenate([sample_motion(32, 25.0, np.random.default_rng(seed)) for seed in range(200)])
    for factors, values in ((IDENTITY_FACTORS, identities), (MOTION_FACTORS, motions)):
        for factor, column in zip(factors, values.T, strict=True):
            assert factor.low <= column.min() and column.max() <= factor.high
            assert np.ptp(column) > 0.85 * (factor.high - factor.low)
            assert not factor.levels or len(np.unique(column)) == factor.levels


def test_motion_is_visible_and_smooth():
    motions = np.stack([sample_motion(32, 25.0, np.random.default_rng(seed)) for seed in range(300)])
    yaw = motions[:, :, MOTION["yaw"]]
    assert 20 < np.median(np.ptp(yaw, axis=1)) < 35
    assert np.abs(np.diff(yaw, axis=1)).max() < 10
    blink = motions[:, :, MOTION["blink"]]
    share = (blink.max(axis=1) > 0.9).mean()
    assert 0.35 < share < 0.75, "about half of such clips have a blink"
    assert (blink == 0).mean() > 0.75, "the eyes are open most of the time"


def test_worlds_open_by_name():
    world = open_world("faces", resolution=32, num_frames=4, seed=1)
    assert isinstance(world, World) and set(WORLDS) == {"faces", "creatures", "skies"}
    assert world.video(0).video.frames.shape == (4, 32, 32, 3)
    with pytest.raises(InputError, match="no such world; given: faeces; allowed: faces"):
        open_world("faeces")


@pytest.mark.parametrize(
    "fields", [{"resolution": 48}, {"resolution": 8}, {"resolution": 2048}, {"num_frames": 0}, {"fps": 0.0}, {"seed": -1}]
)
def test_fields_out_of_range_are_refused(fields):
    with pytest.raises(InputError, match="allowed"):
        FacesWorld(**fields)


def test_misfits_are_refused():
    with pytest.raises(InputError, match="before the first"):
        WORLD.video(-1)
    with pytest.raises(InputError, match=r"identity has the wrong shape; given: \[3\]"):
        WORLD.render(np.zeros(3), expression())
    with pytest.raises(InputError, match="motion factor yaw is out of range; given: 90"):
        WORLD.render(person(), expression(yaw=90))
    with pytest.raises(InputError, match="differ in length; given: 2 and 3"):
        WORLD.render(np.stack([person()] * 2), np.stack([expression()] * 3))
