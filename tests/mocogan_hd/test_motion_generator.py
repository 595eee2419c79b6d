"""Trajectories start where they are told, take bounded steps along the basis, and can be walked step by step."""

import itertools

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from latentreel.core.errors import InputError
from latentreel.mocogan_hd.motion_generator import MotionGenerator, MotionGeneratorConfig

N, D, K, HIDDEN = 3, 10, 7, 8


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(num_frames=st.integers(1, 12), scale=st.floats(0, 100), seed=st.integers(0, 1000))
def test_trajectories_start_at_w_and_take_bounded_steps(motion, basis, num_frames, scale, seed):
    w = scale * torch.randn(N, D, generator=torch.Generator().manual_seed(seed))
    trajectory = motion(w, num_frames)
    assert trajectory.latents.shape == (N, num_frames, D)
    assert trajectory.noise.shape == trajectory.reconstructed_noise.shape == (N, num_frames - 1, D)
    assert torch.equal(trajectory.latents[:, 0], w)
    steps = trajectory.latents.diff(dim=1)
    rounding = 1e-5 * (1 + scale)
    coefficients = steps @ basis.components.T / basis.stdev  # in standard deviations
    assert (coefficients.abs() <= motion.config.step_size + rounding / basis.stdev).all()
    off_basis = steps - (coefficients * basis.stdev) @ basis.components
    assert off_basis.abs().max() <= rounding if num_frames > 1 else True


def test_the_largest_step_is_reached_and_scales_with_the_step_size(motion, basis):
    with torch.no_grad():
        motion.to_components.bias.fill_(100.0)
    steps = motion(torch.zeros(N, D), 3).latents.diff(dim=1)
    assert torch.allclose(steps, 0.3 * basis.directions.sum(dim=0).expand_as(steps), atol=1e-4)


def test_walking_step_by_step_is_the_whole_walk(motion):
    w, noise = torch.randn(N, D), torch.randn(N, 5, D)
    whole = motion(w, 6, noise)
    state = motion.begin(w)
    for t, eps in enumerate(noise.unbind(dim=1), start=1):
        state = motion.advance(state, eps)
        assert torch.equal(state.latent, whole.latents[:, t])
    assert torch.equal(motion(w, 4, noise[:, :3]).latents, whole.latents[:, :4])  # a shorter clip begins like a longer one


def test_noise_drives_the_motion_and_the_same_noise_the_same_motion(motion):
    w = torch.randn(1, D).expand(2, -1)
    torch.manual_seed(5)
    first = motion(w, 8)
    torch.manual_seed(5)
    assert torch.equal(motion(w, 8).latents, first.latents)
    assert not torch.allclose(first.latents[0, 1], first.latents[1, 1])  # one content, two motions
    assert torch.equal(motion(w, 8, first.noise).latents, first.latents)


def test_gradients_reach_every_parameter_from_the_last_frame(motion):
    trajectory = motion(torch.randn(N, D), 4)
    (trajectory.latents[:, -1].square().sum() + trajectory.reconstructed_noise.square().sum()).backward()
    idle = [name for name, p in motion.named_parameters() if p.grad is None or not p.grad.abs().max() > 0]
    assert idle == ["encoder.weight_hh"]  # the encoder takes one step, from the state 0


def test_a_fresh_one_has_orthogonal_gates_and_small_steps(basis):
    motion = MotionGenerator(basis=basis, latent_dim=D, hidden_dim=HIDDEN)
    for cell in (motion.encoder, motion.decoder):
        for gate in [*cell.weight_ih.chunk(4), *cell.weight_hh.chunk(4)]:
            assert torch.allclose(gate @ gate.T, torch.eye(HIDDEN), atol=1e-5)
        assert not cell.bias_ih.any()
        assert not cell.bias_hh.any()
    for layer in (motion.reconstruction[0], motion.reconstruction[2]):
        assert torch.allclose(layer.weight @ layer.weight.T, torch.eye(D), atol=1e-5)
    assert motion.to_components.weight.std().item() == pytest.approx(0.02, rel=0.4)
    assert "directions" not in motion.state_dict()  # the basis travels in a file of its own


def test_a_config_takes_the_first_components_of_a_basis(basis):
    config = MotionGeneratorConfig(latent_dim=D, hidden_dim=HIDDEN, num_components=4, step_size=0.5)
    motion = MotionGenerator.from_config(config, basis=basis)
    assert motion.config == config
    assert torch.equal(motion.directions, basis.directions[:4])
    with pytest.raises(InputError, match=f"basis is too small; given: {K} components; allowed: 8"):
        MotionGenerator.from_config(MotionGeneratorConfig(latent_dim=D, hidden_dim=HIDDEN, num_components=8), basis=basis)


@pytest.mark.parametrize("sizes", [{"latent_dim": 0}, {"hidden_dim": -1}, {"num_components": 0}, {"step_size": 0.0}])
def test_sizes_out_of_range_are_refused(sizes):
    with pytest.raises(InputError, match="positive numbers"):
        MotionGeneratorConfig(**sizes)


def test_inputs_that_do_not_fit_are_refused(motion, basis):
    w = torch.randn(N, D)
    with pytest.raises(InputError, match=r"w has the wrong shape.*D=10"):
        motion(torch.randn(N, D + 1))
    with pytest.raises(InputError, match="given: 0; allowed: num_frames of at least 1"):
        motion(w, 0)
    for shape in [(N, 6, D), (N + 1, 5, D), (N, 5, D - 1)]:
        with pytest.raises(InputError, match="motion noise has the wrong shape"):
            motion(w, 6, torch.randn(shape))
    with pytest.raises(InputError, match=r"basis's components.*D=512"):
        MotionGenerator(basis=basis)


def walk(basis, **form):
    """A motion generator with large coefficients, first latents, and the recurrent states and latents of six frames."""
    motion = MotionGenerator(basis=basis, latent_dim=D, step_size=0.3, **{"hidden_dim": HIDDEN, **form})
    if motion.to_components is not None:
        torch.nn.init.normal_(motion.to_components.weight, std=3)
    states = [motion.begin(torch.randn(N, D))]
    for _ in range(5):
        states.append(motion.advance(states[-1], torch.randn(N, D)))
    return motion, states


def test_in_the_papers_form_the_state_itself_is_the_step(basis):
    motion, states = walk(basis, residual="paper", hidden_dim=K)
    for before, after in itertools.pairwise(states):
        assert torch.allclose(after.latent - before.latent, 0.3 * after.hidden @ basis.components, atol=1e-5)
    assert motion.config == MotionGeneratorConfig(latent_dim=D, hidden_dim=K, num_components=K, step_size=0.3, residual="paper")
    with pytest.raises(InputError, match=f"hidden_dim {HIDDEN}, num_components {K}; allowed: equal numbers"):
        walk(basis, residual="paper")


def test_without_eq_2_a_latent_does_not_depend_on_the_one_before(basis):
    motion, states = walk(basis, residual="none")
    moved = motion.advance(states[-2]._replace(latent=states[-2].latent + 100), torch.zeros(N, D))
    stayed = motion.advance(states[-2], torch.zeros(N, D))
    assert torch.equal(moved.latent, stayed.latent)
    coefficients = (stayed.latent - basis.mean) @ basis.components.T / basis.stdev
    assert torch.allclose(coefficients, motion.to_components(stayed.hidden), atol=1e-3)
    assert coefficients.abs().max() > 1  # not bounded by a step


def test_noise_may_be_reconstructed_from_the_state_alone(basis):
    motion, _ = walk(basis, noise_from="state")
    w, noise = torch.randn(N, D), torch.randn(N, 1, D)
    state = motion.advance(motion.begin(w), noise[:, 0])
    assert torch.allclose(motion(w, 2, noise).reconstructed_noise[:, 0], motion.reconstruction(state.hidden), atol=1e-6)
    again = MotionGenerator.from_config(motion.config, basis=basis)
    again.load_state_dict(motion.state_dict())
    assert torch.equal(again(w, 2, noise).latents, motion(w, 2, noise).latents)
