"""Bundles on the Hugging Face hub: pushed and pulled as they are, safetensors and card, nothing else."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from latentreel.checkpoints.bundle import CARD, check_bundle, read_card
from latentreel.core.errors import InputError

PREFIX = "hf://"
_NAME = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}")
_FILES = [CARD, "*.safetensors"]


def push_bundle(folder: Path, repository: str, *, private: bool = False) -> str:
    """Uploads a bundle; the repository is made if it does not exist.

    Args:
        folder: The bundle.
        repository: "user/name", with or without "hf://".
        private: Whether a new repository is private.

    Returns:
        The address of the commit.

    Raises:
        InputError: It is no bundle, or the hub refuses.
    """
    name = _repository(repository)
    check_bundle(folder)
    from huggingface_hub import HfApi

    with _hub_errors(name):
        api = HfApi()
        api.create_repo(name, private=private, exist_ok=True)
        message = f"a latentreel bundle of kind {read_card(folder)['kind']}"
        commit = api.upload_folder(repo_id=name, folder_path=folder, allow_patterns=_FILES, commit_message=message)
    return str(commit.commit_url)


def pull_bundle(repository: str, *, revision: str | None = None) -> Path:
    """Downloads a bundle into the hub's cache, or finds it there; without a network what is there will do.

    Args:
        repository: "user/name", with or without "hf://".
        revision: A branch, tag or commit; by default the newest.

    Returns:
        The bundle's folder, checked against its card.

    Raises:
        InputError: There is no such repository, it is no bundle, or it is damaged.
    """
    name = _repository(repository)
    from huggingface_hub import snapshot_download

    with _hub_errors(name):
        folder = Path(snapshot_download(name, revision=revision, allow_patterns=_FILES))
    check_bundle(folder)
    return folder


def _repository(text: str) -> str:
    name = text.removeprefix(PREFIX)
    if not _NAME.fullmatch(name):
        raise InputError("that is no repository of the hub", given=text, allowed="user/name")
    return name


@contextmanager
def _hub_errors(name: str) -> Iterator[None]:
    """Turns what the hub's library raises into one line."""
    from huggingface_hub.errors import EntryNotFoundError, HFValidationError, HTTPError  # type: ignore[attr-defined]

    try:
        yield
    except (OSError, EntryNotFoundError, HFValidationError, HTTPError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError(f"the hub refuses {name}: {reason}", fix="see `hf auth login`, the name, and the network") from error
