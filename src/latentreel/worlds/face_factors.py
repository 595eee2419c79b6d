"""Who a person of the faces world is: factors that are independent of each other, and how they are drawn."""

from latentreel.worlds.world import Factor

IDENTITY_FACTORS = (
    Factor(name="skin_tone", low=0, high=1, meaning="from light to dark"),
    Factor(name="skin_warmth", low=-1, high=1, meaning="from rosy to golden"),
    Factor(name="hair_colour", low=0, high=1, meaning="black, brown, auburn, ginger, blond, silver"),
    Factor(name="hair_style", low=0, high=5, levels=6, meaning="short, long, bob, bun, curly, receding"),
    Factor(
        name="hair_side", low=-1, high=1, levels=2, meaning="-1 or 1: the image side that the fringe falls to, left or right"
    ),
    Factor(name="face_width", low=-1, high=1, meaning="from narrow to wide"),
    Factor(name="face_length", low=-1, high=1, meaning="from short to long"),
    Factor(name="eye_size", low=-1, high=1, meaning="from small to large"),
    Factor(name="eye_colour", low=0, high=1, meaning="brown, hazel, green, blue, grey"),
    Factor(name="eye_spacing", low=-1, high=1, meaning="from close to wide"),
    Factor(name="brow_thickness", low=-1, high=1, meaning="from thin to bushy"),
    Factor(name="nose_size", low=-1, high=1, meaning="from small to large"),
    Factor(name="mouth_width", low=-1, high=1, meaning="from narrow to wide"),
    Factor(name="lip_fullness", low=-1, high=1, meaning="from thin to full"),
    Factor(name="glasses", low=0, high=1, levels=2, meaning="0 without, 1 with"),
    Factor(name="clothes_hue", low=0, high=1, circular=True, meaning="once around the colour circle, from red"),
    Factor(name="clothes_lightness", low=0, high=1, meaning="from dark to light"),
    Factor(name="background_hue", low=0, high=1, circular=True, meaning="once around the colour circle, from red"),
    Factor(name="background_shift", low=-1, high=1, meaning="hue difference from the top to the bottom, in quarter circles"),
    Factor(name="background_lightness", low=0, high=1, meaning="from dark to light"),
)

IDENTITY_NAMES = tuple(factor.name for factor in IDENTITY_FACTORS)

RARE = {"glasses": 0.3}
"""The part of the people who wear glasses."""
