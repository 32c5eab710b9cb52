"""The real data: where each file comes from, and a verified copy of it on this machine.

`data/registry.txt` lists every file with its SHA-256 and the address, pinned to a commit, that it is downloaded from. A
file is taken from the folder that the environment variable `SEISBOOK_DATA_DIR` names, if it is set, and else from the
user's cache, which is filled on first use. Either way its hash is checked before anything reads it.
"""

import hashlib
import logging
import os
import time
from pathlib import Path

import pooch
import requests
import urllib3
from tqdm import tqdm

from seisbook.catalogues.texts import lines_of
from seisbook.errors import DataError, UserError
from seisbook.files import locked, write_whole
from seisbook.paths import DATA

REGISTRY = DATA / "registry.txt"
SECONDS_OF_SILENCE, SECONDS_IN_ALL = 30, 600  # after which a download is given up
PIECE = 65536  # bytes
FOLDERS = {"ridgecrest_august": "ridgecrest-waveforms", "mexico": "openeew"}
"""Folder of a network's files, where it is not called after the network."""
REMEDY = 'connect to the internet, set SEISBOOK_DATA_DIR to a folder that holds it, or work with source="simulated"'
log = logging.getLogger(__name__)


def registry() -> dict[str, tuple[str, str]]:
    """The registered files: `{name: (sha256, address)}`.

    Raises
    ------
    DataError
        If a line of the registry does not hold a name, a hash and an address.
    """
    files = {}
    for number, line in enumerate(lines_of(REGISTRY), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if len(line.split()) != 3:
            raise DataError(
                f"{REGISTRY}:{number}: expected 'name sha256 address'; restore the file from the repository"
            )
        name, sha256, address = line.split()
        files[name] = (sha256, address)
    return files


def network_files(network: str) -> list[str]:
    """Names of the registered files of a network (empty if the book has no real data for it)."""
    return sorted(name for name in registry() if name.startswith(f"{FOLDERS.get(network, network)}/"))


def data_folder() -> Path | None:
    """The folder that `SEISBOOK_DATA_DIR` names, or None if it is not set."""
    folder = os.environ.get("SEISBOOK_DATA_DIR")
    return Path(folder) if folder else None


def cache_folder() -> Path:
    """The folder of the user's cache that downloads go to."""
    return Path(pooch.os_cache("seisbook")) / "data"


def is_whole(path: Path, sha256: str) -> bool:
    """Whether `path` is a file with that SHA-256."""
    return path.is_file() and pooch.file_hash(str(path)) == sha256


def is_available(network: str) -> bool:
    """Whether every file of a network's bulletin is on this machine; never touches the internet."""
    names = network_files(network)
    if data_folder():
        return bool(names) and all((data_folder() / name).is_file() for name in names)
    files = registry()
    return bool(names) and all(is_whole(cache_folder() / name, files[name][0]) for name in names)


def fetch(name: str, progress: bool = True) -> Path:
    """The verified path of a registered file, downloaded if need be.

    Parameters
    ----------
    name : str
        As in the registry, e.g. `"colombia/rsnc-2018-02.out"`.
    progress : bool
        Say that it downloads, and show a bar.

    Raises
    ------
    UserError
        If the name is not registered, `SEISBOOK_DATA_DIR` lacks the file, or the download fails.
    DataError
        If the file is not, byte for byte, the registered one.
    """
    files = registry()
    if name not in files:
        raise UserError(f"{name}: not in {REGISTRY}; choose one of its names")
    sha256, address = files[name]
    if data_folder():
        return _from_folder(data_folder() / name, sha256)
    return _from_cache(name, sha256, address, progress)


def fetch_all(network: str | None = None, progress: bool = True) -> list[Path]:
    """Fetch every file of a network, or of all networks.

    Raises
    ------
    UserError
        If the book has no real data for the network, or as `fetch` does.
    """
    names = sorted(registry()) if network is None else network_files(network)
    if not names:
        networks = {folder: name for name, folder in FOLDERS.items()}
        known = sorted({networks.get(name.split("/")[0], name.split("/")[0]) for name in registry()})
        raise UserError(f"no real data for the network '{network}': choose one of {', '.join(known)}")
    bar = tqdm(names, desc="real data", unit="file", disable=None if progress else True)
    return [fetch(name, progress=False) for name in bar]


def _from_folder(path, sha256):
    if not path.is_file():
        raise UserError(f"{path}: missing; complete the folder, or unset SEISBOOK_DATA_DIR to have the file downloaded")
    if not is_whole(path, sha256):
        raise DataError(
            f"{path}: SHA-256 differs from the registered {sha256[:12]}...; "
            "replace the file, or unset SEISBOOK_DATA_DIR to have it downloaded"
        )
    return path


def _from_cache(name, sha256, address, progress):
    path = cache_folder() / name
    if is_whole(path, sha256):
        return path
    log.log(logging.INFO if progress else logging.DEBUG, "downloading %s", address)
    with locked(path):  # another run may be downloading it
        if not is_whole(path, sha256):
            write_whole(path, lambda file: _download(name, address, sha256, file, progress))
    return path


def download(name, address, file, progress=True):
    """Write what an address sends into an open file, for a source whose content is checked when it is read.

    Raises
    ------
    UserError
        If the download fails.
    """
    with tqdm(desc=Path(name).name, unit="B", unit_scale=True, disable=None if progress else True) as bar:
        for part in _pieces(name, address, bar):
            file.write(part)
            bar.update(len(part))


def _download(name, address, sha256, file, progress):
    """Write what an address sends into an open file, and check its hash."""
    digest = hashlib.sha256()
    with tqdm(desc=Path(name).name, unit="B", unit_scale=True, disable=None if progress else True) as bar:
        for part in _pieces(name, address, bar):
            digest.update(part)
            file.write(part)
            bar.update(len(part))
    if digest.hexdigest() != sha256:
        raise DataError(
            f"{name}: what {address} sent is not the registered file (SHA-256 {digest.hexdigest()[:12]}..., "
            f"not {sha256[:12]}...); try again later, or set SEISBOOK_DATA_DIR to a folder that holds it"
        )


def _pieces(name, address, bar):
    """Yield what an address sends, as it arrives."""
    start = time.monotonic()
    try:
        with requests.get(address, stream=True, timeout=SECONDS_OF_SILENCE) as answer:
            answer.raise_for_status()
            size = answer.headers.get("Content-Length", "")
            bar.reset(int(size) if size.isdecimal() else None)
            while part := answer.raw.read1(PIECE, decode_content=True):
                if time.monotonic() - start > SECONDS_IN_ALL:
                    raise requests.Timeout(f"not complete after {SECONDS_IN_ALL:.0f} s")
                yield part
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise UserError(f"{name}: cannot be downloaded ({_said(error)}); {REMEDY}") from None


def _said(error):
    """What the server said, or what happened instead."""
    answer = getattr(error, "response", None)
    if answer is not None:
        return f"the server answered {answer.status_code} {answer.reason}"
    return f"{type(error).__name__}: {_first_sentence(error)}"


def _first_sentence(error):
    return " ".join(str(error).split())[:120]


def folder(network: str) -> Path:
    """The folder with all verified files of a network, fetched if need be; raises as `fetch_all` does."""
    fetch_all(network)
    return (data_folder() or cache_folder()) / FOLDERS.get(network, network)
