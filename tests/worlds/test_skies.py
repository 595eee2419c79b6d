import numpy as np
import pytest

from latentreel.core.errors import InputError
from latentreel.worlds import sky_clouds
from latentreel.worlds.registry import WORLDS, open_world
from latentreel.worlds.skies import SkiesWorld
from latentreel.worlds.sky_factors import HORIZONS, IDENTITY_FACTORS
from latentreel.worlds.sky_light import MOODS
from latentreel.worlds.sky_motion import MOTION_FACTORS, PERIOD_WIDTHS, sample_motion

WORLD = SkiesWorld(resolution=64, num_frames=8, seed=3)
IDENTITY = {name: place for place, name in enumerate(WORLD.identity_names)}
MOTION = {name: place for place, name in enumerate(WORLD.motion_names)}
DRIFTS = ("drift_far", "drift_middle", "drift_near")
CIRCULAR = [factor for factor in (*IDENTITY_FACTORS, *MOTION_FACTORS) if factor.circular]


def view(**factors):
    identity = np.full(len(IDENTITY), 0.5, dtype=np.float32)
    defaults = {"horizon_kind": HORIZONS.index("hills"), "mood": mood("storm"), "sun_x": -1, "veil_amount": 0.8}
    for name, value in (defaults | factors).items():
        identity[IDENTITY[name]] = value
    return identity


def weather(**factors):
    motion = np.zeros(len(MOTION), dtype=np.float32)
    for name, value in factors.items():
        motion[MOTION[name]] = value
    return motion


def mood(name):
    return ("night", "dawn", "morning", "noon", "storm", "golden hour", "dusk", "twilight").index(name) / len(MOODS)


def render(identity, motion, resolution=64):
    return SkiesWorld(resolution=resolution).render(identity, motion)[0].astype(float)


def difference(a, b):
    return np.abs(a.astype(float) - b.astype(float))


def travelled(circular, period=PERIOD_WIDTHS):
    """Steps from frame to frame of positions on a circle."""
    steps = np.diff(circular.astype(float), axis=-1)
    return steps - period * np.round(steps / period)


@pytest.mark.parametrize("resolution", [16, 64, 128])
def test_a_frame_does_not_depend_on_its_batch(resolution):
    world = SkiesWorld(resolution=resolution)
    generators = [np.random.default_rng(seed) for seed in range(24)]
    identities = np.stack([world.sample_identity(generator) for generator in generators])
    motions = np.stack([sample_motion(1, 25.0, generator)[0] for generator in generators])
    together = world.render(identities, motions)
    assert len(np.unique(identities[:, IDENTITY["horizon_kind"]])) == len(HORIZONS)
    for place in range(len(identities)):
        assert np.array_equal(world.render(identities[place], motions[place])[0], together[place])
    assert np.array_equal(world.render(identities[5:16], motions[5:16]), together[5:16])


@pytest.mark.parametrize("kind", range(len(HORIZONS)), ids=HORIZONS)
def test_resolutions_show_the_same_picture(kind):
    identity, motion = view(horizon_kind=kind, mood=mood("dusk"), sun_x=0.3), weather(drift_near=0.3, evolution=0.1)
    small, large = render(identity, motion), render(identity, motion, resolution=256)
    error = difference(large.reshape(64, 4, 64, 4, 3).mean(axis=(1, 3)), small)
    assert error.mean() < 1.5 and (error > 40).mean() < 0.01


def test_small_pictures_are_averages():
    identity, motion = view(), weather(drift_far=0.7)
    for resolution in (16, 32):
        size = 64 // resolution
        means = render(identity, motion).reshape(resolution, size, resolution, size, 3).mean(axis=(1, 3))
        assert difference(means, render(identity, motion, resolution=resolution)).max() <= 1


@pytest.mark.parametrize("resolution", [16, 32, 512, 1024])
def test_every_resolution_is_drawn(resolution):
    frames = SkiesWorld(resolution=resolution).render(view(), weather())
    assert frames.shape == (1, resolution, resolution, 3) and frames.std() > 20


@pytest.mark.parametrize("factor", MOTION_FACTORS, ids=lambda factor: factor.name)
def test_every_motion_factor_shows(factor):
    low, high = factor.low, (factor.low + factor.high) / 2 if factor.circular else factor.high
    pictures = [render(view(), weather(**{factor.name: value})) for value in (low, high)]
    assert difference(*pictures).max() > 30


@pytest.mark.parametrize("factor", IDENTITY_FACTORS, ids=lambda factor: factor.name)
def test_every_identity_factor_shows(factor):
    low, high = factor.low, (factor.low + factor.high) / 2 if factor.circular else factor.high
    pictures = [render(view(**{factor.name: value}), weather()) for value in (low, high)]
    assert difference(*pictures).max() > 20


@pytest.mark.parametrize("layer", sky_clouds.LAYERS, ids=lambda layer: layer.name)
@pytest.mark.parametrize("pixels", [-12, 9])
def test_drift_moves_its_layer_by_the_documented_amount(layer, pixels, monkeypatch):
    monkeypatch.setattr(sky_clouds, "LAYERS", (layer,))
    start = 0.8
    cloudy = view(cloud_amount=0.7, cloud_scale=0.2, veil_amount=0.7)
    before, after = (render(cloudy, weather(**{f"drift_{layer.name}": place}))[:40] for place in (start, start + pixels / 64))
    errors = {}
    for shift in range(-20, 21):
        old, new = slice(max(0, -shift), 64 - max(0, shift)), slice(max(0, shift), 64 + min(0, shift))
        errors[shift] = difference(before[:, old], after[:, new]).mean()
    assert min(errors, key=errors.get) == pixels, "positive drift moves clouds to the right"
    assert errors[pixels] < 0.5 * errors[0], "they keep their shape"


@pytest.mark.parametrize("name", [*DRIFTS, "evolution"])
def test_the_land_stays_when_the_clouds_move(name):
    steps = np.linspace(0, 1, 6, endpoint=False)
    frames = WORLD.render(view(horizon_height=1, ruggedness=0), np.stack([weather(**{name: step}) for step in steps]))
    land, sky = frames[:, 48:], frames[:, :36]
    assert (land == land[0]).all() and difference(sky, sky[:1]).max() > 30


@pytest.mark.parametrize("kind", range(len(HORIZONS)), ids=HORIZONS)
def test_the_horizon_is_an_edge_that_light_does_not_move(kind):
    edges = []
    for hour in (-1, 1):
        picture = render(view(horizon_kind=kind, mood=mood("noon"), cloud_amount=0, veil_amount=0), weather(hour=hour))
        lightness = picture.mean(axis=-1)
        edges.append(np.abs(np.diff(lightness[32:], axis=0)).argmax(axis=0))
    assert (np.abs(edges[0] - edges[1]) <= 1).mean() > 0.85


@pytest.mark.parametrize("factor", CIRCULAR, ids=lambda factor: factor.name)
def test_the_ends_of_a_circle_meet(factor):
    def picture(value):
        identity = view(**{factor.name: value} if factor.name in IDENTITY else {})
        return render(identity, weather(**{factor.name: value} if factor.name in MOTION else {}))

    assert np.array_equal(picture(factor.low), picture(factor.high))
    span = factor.high - factor.low
    across = difference(picture(factor.low + 1e-3 * span), picture(factor.high - 1e-3 * span))
    elsewhere = difference(picture(factor.low + 0.301 * span), picture(factor.low + 0.299 * span))
    assert across.mean() < 4 * elsewhere.mean() + 0.5


def test_factors_stay_in_range_and_use_it():
    identities = np.stack([WORLD.sample_identity(np.random.default_rng(seed)) for seed in range(300)])
    motions = np.concatenate([sample_motion(32, 25.0, np.random.default_rng(seed)) for seed in range(200)])
    for factors, values in ((IDENTITY_FACTORS, identities), (MOTION_FACTORS, motions)):
        for factor, column in zip(factors, values.T, strict=True):
            assert factor.low <= column.min() and column.max() <= factor.high
            assert np.ptp(column) > 0.85 * (factor.high - factor.low)
            assert not factor.levels or len(np.unique(column)) == factor.levels


def test_a_long_clip_stays_in_range():
    for seed in range(20):
        motion = sample_motion(1000, 25.0, np.random.default_rng(seed))
        for factor, column in zip(MOTION_FACTORS, motion.T, strict=True):
            assert factor.low <= column.min() and column.max() <= factor.high


def test_clouds_drift_steadily_in_one_direction_and_the_far_ones_slower():
    motions = np.stack([sample_motion(32, 25.0, np.random.default_rng(seed)) for seed in range(300)])
    steps = {name: travelled(motions[:, :, MOTION[name]]) for name in DRIFTS}
    ways = {name: step.sum(axis=1) for name, step in steps.items()}
    near = np.abs(ways["drift_near"])
    assert 0.15 < near.min() < 0.25 and 0.45 < near.max() < 0.65
    assert 0.35 < (ways["drift_near"] > 0).mean() < 0.65, "to the left as often as to the right"
    assert (np.abs(ways["drift_far"]) < np.abs(ways["drift_middle"])).all()
    assert (np.abs(ways["drift_middle"]) < near).all()
    for name, step in steps.items():
        assert (np.sign(step) == np.sign(ways["drift_near"])[:, None]).mean() > 0.995, name
    turns = travelled(motions[:, :, MOTION["evolution"]], period=1).sum(axis=1)
    assert np.abs(turns).min() > 0.02 and np.abs(turns).max() < 0.07


def test_motion_is_visible_and_nothing_flickers():
    world = SkiesWorld(num_frames=32, seed=1)
    for index in range(12):
        frames = world.video(index).video.frames.astype(float)
        steps = difference(frames[1:], frames[:-1]).mean(axis=(1, 2, 3))
        assert steps.max() < 8 and steps.max() < 3 * np.median(steps)
        assert np.abs(np.diff(frames.mean(axis=(1, 2, 3)))).max() < 2.5, "the light changes slowly"
        assert difference(frames[30], frames[0]).mean() > 3


def test_neighbouring_frames_of_a_still_sky_are_equal():
    frames = WORLD.render(view(), np.stack([weather()] * 3))
    assert (frames == frames[0]).all()


def test_windows_are_lit_at_night_only():
    city = {"horizon_kind": HORIZONS.index("city"), "horizon_height": 1, "cloud_amount": 0, "veil_amount": 0}
    for name, expected in (("night", True), ("noon", False)):
        land = render(view(**city, mood=mood(name)), weather())[52:]
        assert bool(((land[..., 0] - land[..., 2]) > 60).any()) is expected


def test_the_world_opens_by_name():
    world = open_world("skies", resolution=32, num_frames=4, seed=1)
    assert WORLDS["skies"] is SkiesWorld is type(world)
    assert world.video(0).video.frames.shape == (4, 32, 32, 3)


def test_misfits_are_refused():
    with pytest.raises(InputError, match=r"identity has the wrong shape; given: \[3\]"):
        WORLD.render(np.zeros(3), weather())
    with pytest.raises(InputError, match=r"motion factor drift_near is out of range; given: 2\.5"):
        WORLD.render(view(), weather(drift_near=2.5))
