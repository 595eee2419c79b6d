"""What D_V and D_I are shown of a clip."""

import pytest
import torch

from latentreel.core.errors import InputError
from latentreel.mocogan_hd.image_discriminator import PairDiscriminator
from latentreel.mocogan_hd.objectives import mutual_information
from latentreel.mocogan_hd.video_discriminator import VideoDiscriminator, reverse_some

N, T = 3, 6


def clips(size=16):
    return torch.randn(N, T, 3, size, size)


@pytest.mark.usefixtures("fp32")
@pytest.mark.parametrize(("domain", "channels", "frames"), [("in", 6, T - 1), ("cross", 3, T)])
def test_in_domain_each_frame_stands_beside_the_first(domain, channels, frames):
    discriminator, x = VideoDiscriminator(domain=domain, base_width=2), clips()
    shown = discriminator.present(x)
    assert shown.shape == (N, channels, frames, 16, 16)
    assert torch.equal(shown[:, -3:].transpose(1, 2), x[:, T - frames :])
    if domain == "in":
        assert torch.equal(shown[:, :3], x[:, :1].transpose(1, 2).expand(-1, -1, frames, -1, -1))
    assert [logits.shape[:2] for logits in discriminator(shown)] == [(N, 1)] * 2


def test_a_pair_is_the_first_and_any_later_frame():
    discriminator, x = PairDiscriminator(base_width=2), clips()
    for draw, later in [(0.0, 1), (0.199, 1), (0.2, 2), (0.5, 3), (0.9999, T - 1)]:
        pair = discriminator.present(x, torch.full([N], draw))
        assert torch.equal(pair, torch.cat([x[:, 0], x[:, later]], dim=1))
    mixed = discriminator.present(x, torch.tensor([0.0, 0.5, 0.9]))
    assert torch.equal(mixed[:, 3:], torch.stack([x[0, 1], x[1, 3], x[2, 5]]))


def test_large_frames_are_averaged_down_to_128():
    x = clips(256)
    expected = x.unflatten(-1, (128, 2)).unflatten(-3, (128, 2)).mean(dim=(-1, -3))
    assert torch.allclose(VideoDiscriminator(domain="cross", base_width=2).present(x).transpose(1, 2), expected, atol=1e-6)
    assert torch.allclose(PairDiscriminator(base_width=2).present(x, torch.zeros(N))[:, :3], expected[:, 0], atol=1e-6)


def test_clips_are_reversed_as_wholes_where_the_draw_is_low():
    x = clips()
    shown = reverse_some(x, torch.tensor([0.0, 0.4999, 0.5]))
    assert torch.equal(shown, torch.stack([x[0].flip(0), x[1].flip(0), x[2]]))


def test_what_is_no_clip_is_refused():
    for wrong in (torch.zeros(N, 3, 16, 16), torch.zeros(N, 3, T, 16, 16)):
        with pytest.raises(InputError, match=r"clips has the wrong shape.*\[N, T, 3, H, W\]"):
            VideoDiscriminator(base_width=2).present(wrong)
        with pytest.raises(InputError, match="clips has the wrong shape"):
            PairDiscriminator(base_width=2).present(wrong, torch.zeros(N))


def test_mutual_information_is_the_mean_cosine():
    noise = torch.randn(N, T, 8)
    assert mutual_information(noise, 5 * noise).item() == pytest.approx(1)
    assert mutual_information(noise, -noise).item() == pytest.approx(-1)
    half = torch.cat([noise[:, :3], -2 * noise[:, 3:]], dim=1)
    assert mutual_information(noise, half).item() == pytest.approx(0, abs=1e-6)


def test_a_video_discriminator_of_changes_sees_no_content():
    network = VideoDiscriminator(domain="cross", base_width=2, sees="changes")
    clips = torch.rand(2, 6, 3, 32, 32) * 2 - 1
    shown = network.present(clips)
    assert shown.shape == (2, 3, 5, 32, 32)
    torch.testing.assert_close(network.present(clips + 0.3), shown, rtol=1e-4, atol=1e-4)
    assert network.present(clips[:, :1].expand(-1, 6, -1, -1, -1)).abs().max() == 0
    torch.testing.assert_close(network.present(clips.flip(1)), -shown.flip(2))
    assert [scale.shape[0] for scale in network(shown)] == [2, 2]
