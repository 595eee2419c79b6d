"""Who an animal of the creatures world is: factors that are independent of each other."""

from latentreel.worlds.world import Factor

IDENTITY_FACTORS = (
    Factor(name="species", low=0, high=7, levels=8, meaning="cat, dog, bear, fox, rabbit, mouse, panda, koala"),
    Factor(name="fur_colour", low=0, high=1, meaning="along the four natural coats of the species"),
    Factor(name="fur_lightness", low=-1, high=1, meaning="from dark to light"),
    Factor(name="second_colour", low=0, high=1, meaning="of muzzle, bib and blaze: white, silver, cream, tan"),
    Factor(
        name="marking",
        low=0,
        high=5,
        levels=6,
        meaning="plain, blaze, patch on the left eye, on the right eye, stripes, points",
    ),
    Factor(name="head_width", low=-1, high=1, meaning="from narrow to wide"),
    Factor(name="cheek_size", low=-1, high=1, meaning="from slim to fluffy"),
    Factor(name="ear_size", low=-1, high=1, meaning="from small to large"),
    Factor(name="ear_angle", low=-1, high=1, meaning="from upright to outward"),
    Factor(name="muzzle_length", low=-1, high=1, meaning="from short to long"),
    Factor(name="muzzle_width", low=-1, high=1, meaning="from narrow to wide"),
    Factor(name="nose_size", low=-1, high=1, meaning="from small to large"),
    Factor(name="nose_colour", low=0, high=1, meaning="black, brown, rose"),
    Factor(name="eye_size", low=-1, high=1, meaning="from small to large"),
    Factor(name="eye_colour", low=0, high=1, meaning="brown, amber, green, blue, violet"),
    Factor(name="eye_spacing", low=-1, high=1, meaning="from close to wide"),
    Factor(name="background_hue", low=0, high=1, circular=True, meaning="once around the colour circle, from red"),
    Factor(name="background_shift", low=-1, high=1, meaning="hue difference from the top to the bottom, in quarter circles"),
    Factor(name="background_lightness", low=0, high=1, meaning="from dark to light"),
)

IDENTITY_NAMES = tuple(factor.name for factor in IDENTITY_FACTORS)

MARKINGS = ("plain", "blaze", "left patch", "right patch", "stripes", "points")
"""The levels of the factor `marking`."""
