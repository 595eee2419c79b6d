"""The species of the creatures world: proportions and coats. Lengths are in head units, angles in degrees."""

from dataclasses import dataclass

Colour = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Ear:
    """A chain of three flat ellipsoids from a root in the skull to a tip."""

    root: tuple[float, float, float]
    """Of the ear on the right of the image."""

    angle: float
    """From upright outward; above 90 it hangs."""

    turned: float
    """How far its opening faces outward."""

    length: float
    """From the first to the last ellipsoid."""

    widths: tuple[float, float, float]
    """Half widths at root, middle and tip."""

    thickness: float = 0.06
    """Half of it."""

    hollow: float = 0.62
    """Part of its width that the inside takes; 0 for an ear seen from behind."""

    dark: float = 0.0
    """How much of its back and rim is in the dark colour."""


@dataclass(frozen=True, kw_only=True)
class Species:
    """What all animals of a kind share."""

    name: str
    skull: tuple[float, float, float]
    """Radii."""

    cheek: tuple[float, float, float, float]
    """x and y of the centre on the right of the image, half width, half height."""

    muzzle_v: float
    """Height of its centre."""

    muzzle: tuple[float, float, float]
    """Radii."""

    nose: tuple[float, float]
    """Half width and half height."""

    nose_light: float = 1.0
    """How bright its colour is; a large nose is darker."""

    eye_v: float
    eye_u: float
    eye_radius: float
    eye_slant: float
    """Outer corners up."""

    pale: tuple[float, float, float]
    """The pale field around the muzzle: height of its centre, half width, half height."""

    ring: tuple[float, float]
    """Half width and half height of dark fields around the eyes; 0 for none."""

    torso_dark: float = 0.0
    """How much of chest and shoulders is in the dark colour."""

    teeth: float
    """Whether two front teeth show in the open mouth."""

    ear: Ear
    coats: tuple[Colour, Colour, Colour, Colour]


SPECIES = (
    Species(
        name="cat",
        skull=(0.486, 0.389, 0.432),
        cheek=(0.259, -0.162, 0.238, 0.162),
        muzzle_v=-0.184,
        muzzle=(0.201, 0.132, 0.15),
        nose=(0.064, 0.046),
        eye_v=0.03,
        eye_u=0.221,
        eye_radius=0.14,
        eye_slant=9.0,
        pale=(-0.238, 0.238, 0.162),
        ring=(0.0, 0.0),
        teeth=0.0,
        ear=Ear(root=(0.292, 0.248, -0.043), angle=22.0, turned=14.0, length=0.25, widths=(0.173, 0.11, 0.032)),
        coats=((0.88, 0.55, 0.24), (0.62, 0.60, 0.62), (0.93, 0.84, 0.70), (0.40, 0.36, 0.37)),
    ),
    Species(
        name="dog",
        skull=(0.443, 0.41, 0.454),
        cheek=(0.238, -0.173, 0.194, 0.184),
        muzzle_v=-0.194,
        muzzle=(0.219, 0.173, 0.24),
        nose=(0.086, 0.062),
        eye_v=0.06,
        eye_u=0.194,
        eye_radius=0.122,
        eye_slant=-4.0,
        pale=(-0.216, 0.227, 0.205),
        ring=(0.0, 0.0),
        teeth=0.0,
        ear=Ear(
            root=(0.37, 0.235, -0.02),
            angle=163.0,
            turned=-38.0,
            length=0.36,
            widths=(0.115, 0.16, 0.135),
            thickness=0.075,
            hollow=0.0,
            dark=0.55,
        ),
        coats=((0.86, 0.64, 0.36), (0.95, 0.90, 0.82), (0.58, 0.38, 0.25), (0.76, 0.46, 0.22)),
    ),
    Species(
        name="bear",
        skull=(0.486, 0.421, 0.443),
        cheek=(0.259, -0.184, 0.216, 0.173),
        muzzle_v=-0.184,
        muzzle=(0.219, 0.167, 0.19),
        nose=(0.094, 0.064),
        eye_v=0.06,
        eye_u=0.2,
        eye_radius=0.111,
        eye_slant=0.0,
        pale=(-0.205, 0.221, 0.184),
        ring=(0.0, 0.0),
        teeth=0.0,
        ear=Ear(
            root=(0.335, 0.292, -0.086), angle=40.0, turned=14.0, length=0.06, widths=(0.147, 0.158, 0.147), thickness=0.075
        ),
        coats=((0.55, 0.35, 0.21), (0.74, 0.52, 0.30), (0.93, 0.90, 0.84), (0.40, 0.28, 0.22)),
    ),
    Species(
        name="fox",
        skull=(0.443, 0.378, 0.432),
        cheek=(0.27, -0.175, 0.235, 0.145),
        muzzle_v=-0.205,
        muzzle=(0.155, 0.121, 0.3),
        nose=(0.064, 0.048),
        eye_v=0.035,
        eye_u=0.2,
        eye_radius=0.119,
        eye_slant=14.0,
        pale=(-0.30, 0.50, 0.235),
        ring=(0.0, 0.0),
        teeth=0.0,
        ear=Ear(root=(0.27, 0.248, -0.054), angle=18.0, turned=16.0, length=0.32, widths=(0.158, 0.105, 0.026), dark=0.9),
        coats=((0.90, 0.44, 0.14), (0.80, 0.32, 0.12), (0.60, 0.60, 0.66), (0.92, 0.66, 0.36)),
    ),
    Species(
        name="rabbit",
        skull=(0.41, 0.389, 0.41),
        cheek=(0.238, -0.194, 0.216, 0.173),
        muzzle_v=-0.184,
        muzzle=(0.184, 0.127, 0.15),
        nose=(0.055, 0.04),
        eye_v=0.03,
        eye_u=0.211,
        eye_radius=0.127,
        eye_slant=0.0,
        pale=(-0.227, 0.216, 0.162),
        ring=(0.0, 0.0),
        teeth=1.0,
        ear=Ear(
            root=(0.162, 0.292, -0.076), angle=11.0, turned=12.0, length=0.34, widths=(0.089, 0.116, 0.084), thickness=0.055
        ),
        coats=((0.95, 0.93, 0.91), (0.72, 0.56, 0.42), (0.64, 0.63, 0.66), (0.92, 0.80, 0.62)),
    ),
    Species(
        name="mouse",
        skull=(0.4, 0.367, 0.41),
        cheek=(0.216, -0.162, 0.205, 0.162),
        muzzle_v=-0.194,
        muzzle=(0.155, 0.127, 0.25),
        nose=(0.055, 0.046),
        eye_v=0.02,
        eye_u=0.178,
        eye_radius=0.114,
        eye_slant=4.0,
        pale=(-0.27, 0.205, 0.162),
        ring=(0.0, 0.0),
        teeth=1.0,
        ear=Ear(
            root=(0.335, 0.27, -0.108),
            angle=46.0,
            turned=12.0,
            length=0.15,
            widths=(0.179, 0.242, 0.21),
            thickness=0.045,
            hollow=0.74,
        ),
        coats=((0.62, 0.60, 0.62), (0.70, 0.52, 0.38), (0.94, 0.92, 0.90), (0.48, 0.45, 0.48)),
    ),
    Species(
        name="panda",
        skull=(0.508, 0.421, 0.443),
        cheek=(0.281, -0.184, 0.238, 0.184),
        muzzle_v=-0.194,
        muzzle=(0.19, 0.138, 0.16),
        nose=(0.077, 0.051),
        eye_v=0.04,
        eye_u=0.205,
        eye_radius=0.111,
        eye_slant=-6.0,
        pale=(-0.205, 0.205, 0.162),
        ring=(0.178, 0.216),
        torso_dark=0.85,
        teeth=0.0,
        ear=Ear(
            root=(0.356, 0.302, -0.086),
            angle=42.0,
            turned=14.0,
            length=0.06,
            widths=(0.147, 0.158, 0.147),
            thickness=0.075,
            hollow=0.0,
            dark=1.0,
        ),
        coats=((0.96, 0.95, 0.93), (0.93, 0.90, 0.84), (0.90, 0.84, 0.74), (0.80, 0.66, 0.50)),
    ),
    Species(
        name="koala",
        skull=(0.454, 0.4, 0.421),
        cheek=(0.238, -0.173, 0.216, 0.184),
        muzzle_v=-0.194,
        muzzle=(0.167, 0.144, 0.14),
        nose=(0.085, 0.118),
        nose_light=0.62,
        eye_v=0.055,
        eye_u=0.216,
        eye_radius=0.108,
        eye_slant=0.0,
        pale=(-0.335, 0.216, 0.13),
        ring=(0.0, 0.0),
        teeth=0.0,
        ear=Ear(
            root=(0.432, 0.162, -0.097),
            angle=66.0,
            turned=10.0,
            length=0.11,
            widths=(0.168, 0.21, 0.189),
            thickness=0.08,
            hollow=0.66,
        ),
        coats=((0.64, 0.65, 0.70), (0.54, 0.53, 0.56), (0.72, 0.64, 0.58), (0.80, 0.80, 0.82)),
    ),
)
