"""What drawing frames with a StyleGAN-V costs beside drawing as many pictures with a StyleGAN2 of the same widths, in turns.

Both at full width, 256 px, batch 8. The StyleGAN-V draws 8 neighbouring frames of a clip, its noise and motion codes included.
"""

import torch

import latentreel as lr
from latentreel.pipelines.stylegan_v_pipeline import StyleGANVPipeline
from latentreel.stylegan_v.config import StyleGANVConfig
from latentreel.stylegan_v.generator import StyleGANVGenerator
from latentreel.stylegan_v.motion_codes import motion_noise
from measure import best_seconds, convolution_ceiling, generator_flop, write_result

RESOLUTION, BATCH, ROUNDS = 256, 8, 4


def main() -> None:
    """Measures in float32."""
    torch.manual_seed(0)
    images = lr.build_image_generator("stylegan2", resolution=RESOLUTION).eval().requires_grad_(False)
    videos = StyleGANVPipeline(StyleGANVGenerator(StyleGANVConfig(resolution=RESOLUTION))).generator
    w = images.map(torch.randn(BATCH, images.z_dim))
    t = torch.arange(float(BATCH))[None]
    flop = generator_flop(images.config) * BATCH
    result: dict[str, object] = {"resolution": RESOLUTION, "batch": BATCH}
    lr.set_precision("fp32")

    def codes() -> torch.Tensor:
        window = videos.motion.window(t)
        noise = motion_noise([0], window, videos.config.motion_dim)
        return videos.motion_codes(noise, t, first_anchor=window.first)[0]

    def pictures() -> None:
        images.synthesize(w)

    def frames() -> None:
        videos.pictures(w, codes())

    with torch.no_grad():
        turns = [(best_seconds(pictures, repeats=1), best_seconds(frames, repeats=1)) for _ in range(ROUNDS)]
        coding = best_seconds(codes, repeats=ROUNDS)
    image, video = (min(times) for times in zip(*turns, strict=True))
    result["fp32"] = {
        "stylegan2_seconds_per_frame": image / BATCH,
        "stylegan_v_seconds_per_frame": video / BATCH,
        "ratio": video / image,
        "ratios_by_turn": [one / other for other, one in turns],
        "motion_codes_seconds_per_frame": coding / BATCH,
        "fraction_of_ceiling": flop / video / convolution_ceiling(torch.float32),
    }
    write_result("stylegan_v_speed", result)


if __name__ == "__main__":
    main()
