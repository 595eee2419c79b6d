"""Bundles on the Hugging Face hub, pushed and pulled as they are, safetensors and card, nothing else; and single files, pulled.

The address, the cache, the login and the patience are those of `huggingface_hub`, which reads HF_ENDPOINT, HF_HOME, HF_TOKEN,
HF_HUB_OFFLINE and HF_HUB_ETAG_TIMEOUT.
"""

import http.client
import logging
import re
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from latentreel.checkpoints.bundle import CARD, check_bundle
from latentreel.core.digests import file_digest
from latentreel.core.errors import InputError

if TYPE_CHECKING:
    from huggingface_hub import ModelInfo

PREFIX = "hf://"
_PART = r"(?!.*(?:--|\.\.|\.git$))[A-Za-z0-9_](?:[\w.-]{0,94}[A-Za-z0-9_])?"  # of a name, by the hub's rules
_NAME = re.compile(f"{_PART}/{_PART}", re.ASCII)
_FILES = [CARD, "*.safetensors"]
_PINNED = re.compile(r"(?P<place>.*)@sha256:(?P<digest>[0-9a-fA-F]{64})")
_DEEPER = "*/*"  # in the library's patterns, * stands for slashes as well

_log = logging.getLogger(__name__)


class _OutOfReachError(InputError):
    """The hub gives no answer, or none about the repository."""


def push_bundle(folder: Path, repository: str, *, private: bool = False) -> str:
    """Uploads a bundle; the repository is made if it does not exist.

    Args:
        folder: The bundle.
        repository: "user/name", with or without "hf://".
        private: Whether a new repository is private; else it is what the account makes of new ones.

    Returns:
        The address of the commit.

    Raises:
        InputError: It is no bundle, the hub refuses, or the repository is there and public where it should be private.
    """
    name = _repository(repository)
    card = check_bundle(folder)
    from huggingface_hub import HfApi
    from huggingface_hub.errors import RepositoryNotFoundError

    api = HfApi()
    with _hub_errors(name):
        try:
            public = not _look(name).private
        except RepositoryNotFoundError:
            public = False
        if private and public:
            raise InputError(f"{name} is there already, and public", fix="choose another name, or leave out private")
        api.create_repo(name, private=private or None, exist_ok=True)
        commit = api.upload_folder(
            repo_id=name,
            folder_path=folder,
            allow_patterns=[CARD, *card["files"]],
            ignore_patterns=_DEEPER,
            commit_message=f"a latentreel bundle of kind {card['kind']}",
        )
    return str(commit.commit_url)


def pull_bundle(repository: str, *, revision: str | None = None) -> Path:
    """Downloads a bundle into the hub's cache, or finds it there; without a network what is there will do.

    Args:
        repository: "user/name", with or without "hf://".
        revision: A branch, tag or commit; by default the newest.

    Returns:
        The bundle's folder, checked against its card. Other programs may have put other files of the repository there.

    Raises:
        InputError: There is no such repository, it is no bundle, or it is damaged.
    """
    name = _repository(repository)
    try:
        with _hub_errors(name, revision):
            files = [file.rfilename for file in _look(name, revision).siblings or []]
            if CARD not in files:
                raise InputError(
                    f"{name} holds no {CARD}: it is no bundle", fix="give a repository that a bundle was pushed to"
                )
            folder = _snapshot(name, revision, from_cache=False)
    except _OutOfReachError as error:
        folder = _cached(name, revision, instead_of=error)
    try:
        check_bundle(folder)
    except InputError as error:
        raise InputError(f"{PREFIX}{name}: {error}; if the cache is at fault, remove {folder.parents[1]}") from error
    return folder


def pull_file(source: str) -> Path:
    """A file of any repository. Where its digest is given and it is here already, nobody is asked; else the newest is had.

    Args:
        source: "hf://user/name/file"; with "@sha256:<64 digits>" behind it no other file is taken, so that what a script works
            with cannot change under it.

    Raises:
        InputError: There is none, the hub is out of reach and it is not here either, or it has another digest.
    """
    pinned = _PINNED.fullmatch(source)
    place, digest = (pinned["place"], pinned["digest"].lower()) if pinned else (source, None)
    parts = place.removeprefix(PREFIX).split("/")
    if len(parts) < 3 or not {"", ".", ".."}.isdisjoint(parts) or "@" in place:
        allowed = "hf://user/name/file, or hf://user/name/file@sha256:<64 hexadecimal digits>"
        raise InputError("that is no file of the hub", given=source, allowed=allowed)
    name, file = _repository("/".join(parts[:2])), "/".join(parts[2:])
    kept = _kept(name, file)
    if kept is not None and digest is not None and file_digest(kept) == digest:
        return kept
    try:
        with _hub_errors(name):
            path = _fetched(name, file)
    except _OutOfReachError as error:
        if kept is None:
            raise
        _tell_of_cache(error)
        path = kept
    if digest is not None and (found := file_digest(path)) != digest:
        raise InputError(f"{place} is another file than was asked for", given=f"sha256:{found}", allowed=f"sha256:{digest}")
    return path


def _kept(name: str, file: str) -> Path | None:
    """The copy of a file in the cache."""
    from huggingface_hub import constants, try_to_load_from_cache

    path = try_to_load_from_cache(name, file, cache_dir=constants.HF_HUB_CACHE)
    return Path(path) if isinstance(path, str) else None


def _fetched(name: str, file: str) -> Path:
    from huggingface_hub import constants, hf_hub_download

    files = [sibling.rfilename for sibling in _look(name).siblings or []]
    if file not in files:
        raise InputError(f"{name} has no such file", given=file, allowed=_shortened(", ".join(files)))
    return Path(hf_hub_download(name, file, cache_dir=constants.HF_HUB_CACHE))


def _tell_of_cache(error: InputError) -> None:
    """Says that an older copy serves, unless the user wants no network."""
    from huggingface_hub import constants

    if not constants.HF_HUB_OFFLINE:
        _log.warning("%s; the copy in the cache is used", error)


def _repository(text: str) -> str:
    name = text.removeprefix(PREFIX)
    if not _NAME.fullmatch(name):
        raise InputError("that is no repository of the hub", given=text, allowed="user/name")
    return name


def _look(name: str, revision: str | None = None) -> "ModelInfo":
    """Asks about a repository: the one request to which the library lets us set a time limit, and so always the first."""
    from huggingface_hub import HfApi, constants

    return HfApi().model_info(name, revision=revision, timeout=constants.HF_HUB_ETAG_TIMEOUT)


def _snapshot(name: str, revision: str | None, *, from_cache: bool) -> Path:
    from huggingface_hub import snapshot_download

    return Path(
        snapshot_download(name, revision=revision, local_files_only=from_cache, allow_patterns=_FILES, ignore_patterns=_DEEPER)
    )


def _cached(name: str, revision: str | None, *, instead_of: InputError) -> Path:
    """The bundle's folder in the cache, where the hub is out of reach; `instead_of` is raised if it is not there."""
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = _snapshot(name, revision, from_cache=True)
    except LocalEntryNotFoundError:
        raise instead_of from None
    _tell_of_cache(instead_of)
    return folder


@contextmanager
def _hub_errors(name: str, revision: str | None = None) -> Iterator[None]:
    """Turns what the hub's library raises into one line.

    It may be anything: the library's own, or of those it stands on, which change with its version (requests, httpx, hf_xet).
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        raise _in_one_line(error, name, revision) from error


def _in_one_line(error: Exception, name: str, revision: str | None) -> InputError:
    from huggingface_hub import constants
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    if isinstance(error, OfflineModeIsEnabled):
        return _OutOfReachError(f"cannot reach {name}: the hub's library is set offline", fix="unset HF_HUB_OFFLINE")
    if isinstance(error, GatedRepoError):
        return InputError(f"{name} is given on request only", fix=f"ask at {constants.ENDPOINT}/{name}, then `hf auth login`")
    if isinstance(error, RepositoryNotFoundError):
        return InputError(f"the hub has no {name}, or hides it from you", fix="check the name; if private, `hf auth login`")
    if isinstance(error, RevisionNotFoundError):
        return InputError(f"{name} has no such revision", given=revision, allowed="a branch, tag or commit")
    if isinstance(error, OSError) and error.errno is not None and not isinstance(error, ConnectionError | TimeoutError):
        place = error.filename or constants.HF_HUB_CACHE
        return InputError(f"{name}: cannot use {place}: {error.strerror}", fix="free some space, or choose another HF_HOME")
    where = f"{name}, at {constants.ENDPOINT}"
    if not isinstance(error, HfHubHTTPError) or error.response is None:
        said = f"{type(error).__name__}: {_shortened(error)}"
        return _OutOfReachError(f"{where}: {said}", fix="check the network and HF_ENDPOINT")
    status = error.response.status_code
    said = f"{status} {http.client.responses.get(status, '')} {_shortened(error.server_message or '')}".strip()
    if status in (401, 403):
        return InputError(f"{where}: {said}", fix="see `hf auth login`, and what your token allows")
    if status == 429 or status >= 500:
        return _OutOfReachError(f"{where}: {said}", fix="try again later")
    return InputError(f"{where}: {said}")


def _shortened(message: object) -> str:
    """On one line, for a hub's stand-in may say anything at any length."""
    return textwrap.shorten(str(message), 300, placeholder=" ...")
