"""Bundles go to the hub and come back bit for bit, alone; whatever is wrong costs one line."""

import json
import os
import socket
import subprocess
import sys
import time

import pytest
import torch
from huggingface_hub import constants

import latentreel as lr
from latentreel.checkpoints.bundle import save_mocogan_hd
from latentreel.checkpoints.hub import pull_bundle, push_bundle
from latentreel.core.errors import InputError
from latentreel.image_generators.stylegan2.config import StyleGAN2Config
from latentreel.image_generators.stylegan2.generator import StyleGAN2Generator
from latentreel.mocogan_hd.latent_basis import LatentBasis
from latentreel.mocogan_hd.motion_generator import MotionGenerator
from latentreel.pipelines.video_pipeline import VideoPipeline

D = 6
NAME = "user/name"
PARTS = {"card.json", "basis.safetensors", "image_generator.safetensors", "motion_generator.safetensors"}


@pytest.fixture
def bundle(tmp_path):
    config = StyleGAN2Config(resolution=8, channels=(4, 3), z_dim=5, w_dim=D, mapping_layers=2)
    basis = LatentBasis(torch.linalg.qr(torch.randn(D, D))[0], torch.rand(D), torch.randn(D), torch.rand(D))
    motion = MotionGenerator(basis=basis, latent_dim=D, hidden_dim=7)
    save_mocogan_hd(StyleGAN2Generator(config), basis, motion, tmp_path / "bundle", origin="a test", fps=12.5)
    return tmp_path / "bundle"


@pytest.fixture
def pushed(hub, bundle):
    """The hub, with the bundle on it."""
    push_bundle(bundle, NAME)
    hub.requests.clear()
    return hub


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(problem, action, *words, **more):
    """The one line that an action is refused with, soon."""
    begun = time.monotonic()
    with pytest.raises(InputError, match=problem) as caught:
        action(*words, **more)
    assert time.monotonic() - begun < 15  # the library's own patience is from 23 seconds to without end
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- there and back --------------------------------------------------------------------------------------------------------


def test_a_bundle_returns_bit_for_bit(hub, bundle):
    address = push_bundle(bundle, NAME)
    assert address.startswith(f"{hub.url}/{NAME}/commit/")
    assert hub.repositories[NAME].newest == contents(bundle)
    assert contents(pull_bundle(NAME)) == contents(bundle)
    assert set(hub.downloads()) == PARTS


def test_what_is_there_already_is_not_sent_again(pushed, bundle):
    pull_bundle(NAME)
    pushed.requests.clear()
    push_bundle(bundle, NAME)
    pull_bundle(f"hf://{NAME}")
    assert len(pushed.repositories[NAME].commits) == 2  # the empty one, and the bundle's
    assert pushed.downloads() == []


def test_only_the_bundles_own_files_travel(hub, bundle):
    for name in ("notes.txt", "evil.pkl", "deeper/other.safetensors", ".hidden.safetensors"):
        (bundle / name).parent.mkdir(exist_ok=True)
        (bundle / name).write_bytes(b"not of the bundle")
    push_bundle(bundle, NAME)
    assert hub.repositories[NAME].newest.keys() == PARTS
    others = dict.fromkeys(["README.md", "evil.pkl", "deeper/evil.safetensors", "deeper/card.json"], b"evil")
    hub.repositories[NAME].commit(others)
    assert contents(pull_bundle(NAME)).keys() == PARTS
    assert set(hub.downloads()) == PARTS


def test_a_revision_can_be_pulled(pushed, bundle):
    old = list(pushed.repositories[NAME].commits)[-1]
    pushed.repositories[NAME].commit({"card.json": b"{}"})
    assert contents(pull_bundle(NAME, revision=old)) == contents(bundle)
    refused("lacks parts of a card", pull_bundle, NAME)
    assert "no-such" in refused("no such revision", pull_bundle, NAME, revision="no-such")


def test_whatever_takes_a_bundle_takes_one_on_the_hub(pushed, bundle):
    there, here = (lr.load_image_generator(source).state_dict() for source in (f"hf://{NAME}", bundle))
    assert all(torch.equal(there[key], tensor) for key, tensor in here.items())
    there, here = (VideoPipeline.load(source).motion_generator.state_dict() for source in (f"hf://{NAME}", bundle))
    assert all(torch.equal(there[key], tensor) for key, tensor in here.items())


def test_a_new_repository_can_be_private(hub, bundle, monkeypatch):
    push_bundle(bundle, NAME, private=True)
    assert hub.repositories[NAME].private
    push_bundle(bundle, "user/public")
    assert not hub.repositories["user/public"].private
    assert contents(pull_bundle(NAME)) == contents(bundle)
    monkeypatch.delenv("HF_TOKEN")
    refused("the hub has no user/name, or hides it.*hf auth login", pull_bundle, NAME, revision="main")


def test_nothing_private_is_pushed_to_a_public_repository(pushed, bundle):
    refused("user/name is there already, and public", push_bundle, bundle, NAME, private=True)


# --- without a hub ---------------------------------------------------------------------------------------------------------


def test_what_is_in_the_cache_loads_offline(pushed, bundle, monkeypatch):
    folder = pull_bundle(NAME)
    pushed.requests.clear()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert pull_bundle(NAME) == folder
    assert lr.load_image_generator(f"hf://{NAME}").w_dim == D
    assert contents(folder) == contents(bundle)
    refused("user/other.*offline", pull_bundle, "user/other")
    refused("user/name.*offline", push_bundle, bundle, NAME)
    assert pushed.requests == []


@pytest.mark.parametrize("broken", [(500, "<p>sorry"), (503, ""), (429, ""), (200, "<p>Log in to this airport")])
def test_a_broken_hub_does_not_keep_from_the_cache(pushed, bundle, monkeypatch, caplog, broken):
    folder = pull_bundle(NAME)
    pushed.broken = broken
    assert pull_bundle(NAME) == folder
    assert "the copy in the cache" in caplog.text
    refused("user/other", pull_bundle, "user/other")
    refused("user/name", push_bundle, bundle, NAME)


def test_a_hub_that_is_down_is_named(pushed, bundle, visit):
    folder = pull_bundle(NAME)
    with socket.socket() as nobody:  # bound, but not listening
        nobody.bind(("127.0.0.1", 0))
        visit(f"http://127.0.0.1:{nobody.getsockname()[1]}")
        assert pull_bundle(NAME) == folder
        refused("user/other.*127.0.0.1.*refused", pull_bundle, "user/other")
        refused("user/name.*127.0.0.1.*refused", push_bundle, bundle, NAME)


def test_a_hub_that_never_answers_is_not_waited_for(pushed, bundle, visit, monkeypatch):
    folder = pull_bundle(NAME)
    monkeypatch.setattr(constants, "HF_HUB_ETAG_TIMEOUT", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        visit(f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert pull_bundle(NAME) == folder
        refused("user/other.*timed out", pull_bundle, "user/other")
        refused("user/name.*timed out", push_bundle, bundle, NAME)


# --- refusals --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["nonsense", "a/b/c", "../x", "x/..", "a/-b", "a/b.git", "a--b/c", "a/", "", "é/x", "a/b c"])
def test_a_bad_name_is_refused_before_anything_is_asked(hub, bundle, name):
    for prefix in ("", "hf://"):
        refused("no repository of the hub; given: .*; allowed: user/name", pull_bundle, prefix + name)
        refused("no repository of the hub; given: .*; allowed: user/name", push_bundle, bundle, prefix + name)
    assert hub.requests == []


@pytest.mark.parametrize("token", ["", "hf_forged"])
def test_no_login_no_push(hub, bundle, monkeypatch, token):
    monkeypatch.setenv("HF_TOKEN", token)
    refused("user/name.*401.*hf auth login", push_bundle, bundle, NAME)
    assert hub.repositories == {}


def test_a_forged_login_is_refused_though_a_copy_is_in_the_cache(pushed, monkeypatch):
    pull_bundle(NAME)
    monkeypatch.setenv("HF_TOKEN", "hf_forged")
    refused("user/name.*401.*Invalid credentials.*hf auth login", pull_bundle, NAME)


@pytest.mark.parametrize("token", ["", "hf_stand_in"])
def test_a_missing_repository_is_named(hub, monkeypatch, token):
    monkeypatch.setenv("HF_TOKEN", token)
    refused("the hub has no user/missing", pull_bundle, "user/missing")
    refused("the hub has no user/missing", lr.load_image_generator, "hf://user/missing")


def test_a_repository_without_a_card_is_left_there(pushed):
    pushed.repositories["user/other"] = pushed.repositories[NAME].__class__()
    pushed.repositories["user/other"].commit({"model.safetensors": b"gigabytes"})
    refused("user/other holds no card.json", pull_bundle, "user/other")
    assert pushed.downloads() == []


def test_weights_other_than_the_cards_are_refused(pushed):
    content = bytearray(pushed.repositories[NAME].newest["basis.safetensors"])
    content[-1] ^= 1
    pushed.repositories[NAME].commit({"basis.safetensors": bytes(content)})
    line = refused("basis.safetensors is not the file that its card describes", pull_bundle, NAME)
    assert NAME in line


@pytest.mark.parametrize("name", ["../../evil.safetensors", "/etc/passwd", "deeper/basis.safetensors", "evil.pkl", "*", "\0"])
def test_a_card_that_names_foreign_files_is_refused(pushed, name):
    card = json.loads(pushed.repositories[NAME].newest["card.json"])
    card["files"][name] = "0" * 64
    pushed.repositories[NAME].commit(
        {"card.json": json.dumps(card).encode(), "evil.pkl": b"evil", "deeper/basis.safetensors": b""}
    )
    refused("names a file that no bundle has", pull_bundle, NAME)
    assert set(pushed.downloads()) == PARTS


def test_what_is_no_bundle_is_not_pushed(hub, bundle):
    (bundle / "basis.safetensors").write_bytes(b"damaged")
    refused("basis.safetensors is not the file that its card describes", push_bundle, bundle, NAME)
    refused("is no bundle", push_bundle, bundle.parent, NAME)
    assert hub.requests == []


def test_a_cache_that_cannot_be_written_is_named(pushed, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "file" / "hub"))
    refused("user/name: cannot use .*file.*: Not a directory.*HF_HOME", pull_bundle, NAME)


# --- commands --------------------------------------------------------------------------------------------------------------


def test_push_and_pull_by_command(hub, bundle, tmp_path, run_cli):
    code, output, _ = run_cli("weights", "push", bundle, NAME)
    assert code == 0
    assert output.strip().startswith(f"{hub.url}/{NAME}/commit/")
    code, output, _ = run_cli("weights", "pull", NAME, "--out", tmp_path / "new" / "pulled")
    assert code == 0
    assert output.strip() == str(tmp_path / "new" / "pulled")
    assert contents(tmp_path / "new" / "pulled") == contents(bundle)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["pulled"]


def test_pulled_files_stand_alone_and_are_the_bundles_own(pushed, bundle, tmp_path, run_cli):
    cached = pull_bundle(NAME)
    for name in ("evil.pkl", "README.md"):  # as another program leaves them there, that downloads whole repositories
        (cached / name).write_bytes(b"evil")
    out = tmp_path / "out"
    for _ in range(2):  # the second replaces the first
        assert run_cli("weights", "pull", f"hf://{NAME}", "--out", out)[0] == 0
        assert contents(out) == contents(bundle)
    assert not any(path.is_symlink() for path in [out, *out.iterdir()])
    assert {path.stat().st_mode for path in out.iterdir()} == {path.stat().st_mode for path in bundle.iterdir()}
    (out / "card.json").write_text("changed")
    assert contents(pull_bundle(NAME))["card.json"] == contents(bundle)["card.json"]


def test_a_folder_with_other_files_is_refused_before_anything_is_asked(pushed, tmp_path, run_cli):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("precious")
    code, _, errors = run_cli("weights", "pull", NAME, "--out", tmp_path / "mine")
    assert (code, len(errors)) == (2, 1)
    assert "thesis.tex" in errors[0]
    assert pushed.requests == []
    assert contents(tmp_path / "mine") == {"thesis.tex": b"precious"}


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["pull", "user/missing", "--out", "{out}"], "the hub has no user/missing"),
        (["pull", "nonsense", "--out", "{out}"], "no repository of the hub; given: nonsense; allowed: user/name"),
        (["pull", NAME, "--out", "{out}", "--revision", "v9"], "no such revision; given: v9"),
        (["push", "{out}", NAME], "no such bundle"),
        (["push", "hf://user/missing", NAME], "the hub has no user/missing"),
        (["push", "faces", "../x"], "no repository of the hub"),
        (["show", "hf://user/missing"], "the hub has no user/missing"),
    ],
)
def test_a_refusal_is_one_line(pushed, tmp_path, run_cli, words, problem):
    code, output, errors = run_cli("weights", *(word.format(out=tmp_path / "out") for word in words))
    assert (code, output, len(errors)) == (2, "", 1), errors
    assert problem in errors[0]
    assert not (tmp_path / "out").exists()


def test_the_settings_of_the_hubs_library_are_heeded(pushed, bundle, tmp_path):
    """In a process of its own: the library reads them once."""
    settings = {"HF_ENDPOINT": pushed.url, "HF_HOME": str(tmp_path / "home")}
    words = ["-m", "latentreel.cli.main", "weights", "pull", NAME, "--out", str(tmp_path / "out")]
    subprocess.run([sys.executable, *words], env={**os.environ, **settings}, check=True, capture_output=True)
    assert contents(tmp_path / "out") == contents(bundle)
    assert (tmp_path / "home" / "hub" / "models--user--name").is_dir()
