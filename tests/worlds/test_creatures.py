import itertools

import numpy as np
import pytest

from latentreel.worlds.creature_factors import IDENTITY_FACTORS, MARKINGS
from latentreel.worlds.creature_species import SPECIES
from latentreel.worlds.creatures import CreaturesWorld
from latentreel.worlds.faces import FacesWorld
from latentreel.worlds.head_motion import MOTION_FACTORS
from latentreel.worlds.registry import open_world

WORLD = CreaturesWorld(resolution=64, num_frames=8, seed=3)
IDENTITY = {name: place for place, name in enumerate(WORLD.identity_names)}
MOTION = {name: place for place, name in enumerate(WORLD.motion_names)}
NAMES = [species.name for species in SPECIES]


def animal(species="cat", /, **factors):
    identity = WORLD.sample_identity(np.random.default_rng(5))
    identity[IDENTITY["species"]], identity[IDENTITY["marking"]] = NAMES.index(species), MARKINGS.index("plain")
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


def test_the_world_opens_by_name_and_moves_by_the_factors_of_faces():
    world = open_world("creatures", resolution=32, num_frames=4, seed=1)
    assert isinstance(world, CreaturesWorld) and world.video(0).video.frames.shape == (4, 32, 32, 3)
    assert CreaturesWorld.MOTION_FACTORS is FacesWorld.MOTION_FACTORS
    for place in range(3):
        draws = (type_().sample_motion(np.random.default_rng(place)) for type_ in (CreaturesWorld, FacesWorld))
        assert np.array_equal(*draws), "the same performance in either world"


def test_the_levels_have_their_names():
    factors = {factor.name: factor for factor in IDENTITY_FACTORS}
    assert factors["species"].meaning == ", ".join(NAMES) and factors["species"].levels == len(NAMES)
    assert factors["marking"].levels == len(MARKINGS)


def test_a_frame_does_not_depend_on_its_batch():
    generator = np.random.default_rng(0)
    identities = np.stack([WORLD.sample_identity(generator) for _ in range(24)])
    identities[:, IDENTITY["species"]], identities[:, IDENTITY["marking"]] = np.arange(24) % 8, np.arange(24) % 6
    motions = np.concatenate([WORLD.sample_motion(generator) for _ in range(3)])
    together = WORLD.render(identities, motions)
    for identity, motion, frame in zip(identities, motions, together, strict=True):
        assert np.array_equal(WORLD.render(identity, motion)[0], frame)


@pytest.mark.parametrize("species", NAMES)
def test_resolutions_show_the_same_picture(species):
    identity = animal(species, marking=NAMES.index(species) % len(MARKINGS))
    motion = expression(yaw=20, pitch=-6, mouth_smile=0.7, mouth_open=0.4)
    small = WORLD.render(identity, motion)[0]
    large = CreaturesWorld(resolution=128).render(identity, motion)[0].astype(float)
    error = difference(large.reshape(64, 2, 64, 2, 3).mean(axis=(1, 3)), small)
    assert error.mean() < 1.5 and (error > 40).mean() < 0.01


@pytest.mark.parametrize("resolution", (16, 32, 256))
def test_every_resolution_is_drawn(resolution):
    frames = CreaturesWorld(resolution=resolution).render(animal(), expression())
    assert frames.shape == (1, resolution, resolution, 3) and frames.std() > 20


def of_every_species(**factors):
    return np.stack([animal(species, **factors) for species in NAMES])


@pytest.mark.parametrize("factor", MOTION_FACTORS, ids=lambda factor: factor.name)
def test_every_motion_factor_moves_pixels_of_the_same_animals(factor):
    low, high = (WORLD.render(of_every_species(), expression(**{factor.name: end})) for end in (factor.low, factor.high))
    assert difference(low, high).max(axis=(1, 2, 3)).min() > 60
    assert np.array_equal(low[:, 0, 0], high[:, 0, 0]), "the backdrop belongs to the animal"


@pytest.mark.parametrize("factor", IDENTITY_FACTORS, ids=lambda factor: factor.name)
def test_every_identity_factor_shows(factor):
    ends = (factor.low, 0.5 if factor.circular else factor.high)  # the ends of a circle meet
    low, high = (WORLD.render(of_every_species(**{factor.name: end}), expression(yaw=15)) for end in ends)
    assert difference(low, high).max(axis=(1, 2, 3)).min() > 25


def test_every_species_and_marking_looks_different():
    marked = np.stack([of_every_species(marking=level) for level in range(len(MARKINGS))], axis=1)
    for identities in (of_every_species(), *marked):
        frames = WORLD.render(identities, expression())
        for one, other in itertools.combinations(frames, 2):
            assert (difference(one, other).max(axis=-1) > 25).sum() > 25


def plain(world):
    """Sixteen identities of a world without what might hide a movement, and the pixel rows of their eyes and mouths."""
    identities = np.stack([world.sample_identity(np.random.default_rng(seed)) for seed in range(16)])
    names = list(world.identity_names)
    if "species" in names:
        identities[:, names.index("species")] = np.arange(16) % len(NAMES)
        return identities, slice(22, 37), slice(36, 52)
    identities[:, names.index("glasses")] = 0
    identities[:, names.index("hair_style")] = 0
    return identities, slice(24, 36), slice(37, 52)


def flow(world, factor, low, high, rows, columns):
    """How far a part of the picture moves between two values of a factor: to the right and down, in pixels (Lucas, Kanade)."""
    identities, _, _ = plain(world)
    before, after = (
        world.render(identities, expression(**{factor: value})).mean(axis=-1)[:, rows, columns] for value in (low, high)
    )
    down, right = np.gradient((before + after) / 2, axis=(1, 2))
    change = after - before
    matrix = [[(right * right).sum(), (right * down).sum()], [(right * down).sum(), (down * down).sum()]]
    return np.linalg.solve(matrix, [-(right * change).sum(), -(down * change).sum()])


WORLDS = pytest.mark.parametrize("world", (FacesWorld(), WORLD), ids=("faces", "creatures"))
EVERYWHERE, MIDDLE = slice(0, 64), slice(16, 48)


@WORLDS
def test_the_head_moves_in_the_directions_of_faces(world):
    assert flow(world, "yaw", -3, 3, slice(22, 48), MIDDLE)[0] > 0.5
    assert flow(world, "pitch", -3, 3, slice(22, 48), MIDDLE)[1] < -0.5
    assert flow(world, "roll", -3, 3, slice(10, 34), MIDDLE)[0] > 0.3
    assert flow(world, "shift_x", -0.01, 0.01, EVERYWHERE, EVERYWHERE)[0] > 0.8
    assert flow(world, "shift_y", -0.01, 0.01, EVERYWHERE, EVERYWHERE)[1] < -0.8


@WORLDS
def test_the_features_move_in_the_directions_of_faces(world):
    _, eyes, mouth = plain(world)
    assert flow(world, "gaze_x", -8, 8, eyes, MIDDLE)[0] > 0.1
    assert flow(world, "gaze_y", -8, 8, eyes, MIDDLE)[1] < -0.05
    assert flow(world, "brow_raise", -0.3, 0.3, slice(16, 32), MIDDLE)[1] < -0.05
    for corner in (slice(24, 29), slice(35, 40)):
        assert flow(world, "mouth_smile", -0.3, 0.3, mouth, corner)[1] < -0.05


@WORLDS
def test_lids_close_and_mouths_open_as_those_of_faces_do(world):
    identities, eyes, mouth = plain(world)
    closed = world.render(identities, expression())[:, mouth, MIDDLE]
    bright, opened, rows = [], [], []
    for share in np.linspace(0, 1, 5):
        looking = world.render(identities, expression(blink=share))[:, eyes, MIDDLE].astype(int)
        bright.append(((looking.min(axis=-1) > 225) & (np.ptp(looking, axis=-1) < 20)).sum())
        talking = world.render(identities, expression(mouth_open=share))[:, mouth, MIDDLE]
        changed = difference(talking, closed).max(axis=-1) > 40
        opened.append(changed.sum() / len(identities))
        rows.append(np.nonzero(changed)[1].mean() if share else 0.0)
    assert all(a >= b for a, b in itertools.pairwise(bright)) and bright[0] > 2 * bright[-1]
    assert all(a < b for a, b in itertools.pairwise(opened)) and opened[-1] > 12
    assert rows[1] < rows[-1], "mouths open downward"


def test_ears_and_markings_turn_with_the_head():
    for species in ("rabbit", "cat", "fox"):
        ears, muzzle = flow_of(species, slice(4, 18)), flow_of(species, slice(34, 44))
        assert muzzle > 0.4 and ears < 0.4 * muzzle, "ears sit above the axis about which the muzzle swings"
    striped = animal("cat", marking=MARKINGS.index("stripes"))
    plainer = animal("cat", marking=MARKINGS.index("plain"))
    places = []
    for yaw in (-20, 0, 20):
        frames = WORLD.render(np.stack([striped, plainer]), expression(yaw=yaw))
        places.append(np.nonzero(difference(*frames)[8:30].max(axis=-1) > 30)[1].mean())
    assert places[0] < places[1] - 2 and places[2] > places[1] + 2


def flow_of(species, rows):
    """How far the middle of these rows moves to the right as the head turns to the right, in pixels."""
    before, after = WORLD.render(animal(species), np.stack([expression(yaw=-1), expression(yaw=1)])).mean(axis=-1)[
        :, rows, MIDDLE
    ]
    right = np.gradient((before + after) / 2, axis=1)
    return -(right * (after - before)).sum() / (right * right).sum()


def test_nothing_pops_between_neighbouring_poses():
    for species in NAMES:
        yaws = np.concatenate([np.arange(start, start + 8, 0.2) for start in (-40, -4, 32)])
        frames = WORLD.render(animal(species), np.stack([expression(yaw=yaw, mouth_open=0.3) for yaw in yaws])).astype(int)
        assert np.abs(np.diff(frames.reshape(3, 40, 64, 64, 3), axis=1)).max() < 60, species


def test_factors_stay_in_range_and_use_it():
    identities = np.stack([WORLD.sample_identity(np.random.default_rng(seed)) for seed in range(300)])
    for factor, column in zip(IDENTITY_FACTORS, identities.T, strict=True):
        assert factor.low <= column.min() and column.max() <= factor.high
        assert np.ptp(column) > 0.85 * (factor.high - factor.low)
        assert not factor.levels or len(np.unique(column)) == factor.levels


def test_the_ends_of_all_ranges_are_drawn():
    generator = np.random.default_rng(2)

    def ends(factors):
        return np.stack([generator.choice([factor.low, factor.high], size=64) for factor in factors], axis=1)

    with np.errstate(all="raise", under="ignore"):
        frames = WORLD.render(ends(IDENTITY_FACTORS), ends(MOTION_FACTORS))
    assert frames.std(axis=(1, 2, 3)).min() > 20
