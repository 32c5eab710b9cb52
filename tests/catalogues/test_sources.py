import hashlib
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from seisbook.catalogues import sources
from seisbook.errors import DataError, UserError
from tests.breaking import killed

WHOLE = b"the whole bulletin\n" * 200


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/slow":
            return self.drip()
        body = {"/whole": WHOLE, "/changed": WHOLE[:-1] + b"!", "/truncated": WHOLE[:1000]}.get(self.path)
        self.send_response(200 if body else 404)
        # a connection that breaks half way: the length announced is that of the whole file
        self.send_header("Content-Length", str(len(WHOLE if self.path == "/truncated" else body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def drip(self):
        """Send a byte now and then, so that the server is never silent."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(WHOLE)))
        self.end_headers()
        with suppress(OSError):  # whoever asked has given up
            for byte in WHOLE:
                self.wfile.write(bytes([byte]))
                time.sleep(0.02)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def address():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.delenv("SEISBOOK_DATA_DIR", raising=False)
    monkeypatch.setattr(sources, "cache_folder", lambda: tmp_path / "cache")
    return tmp_path / "cache"


@pytest.fixture
def register(tmp_path, monkeypatch):
    def register(*addresses):
        sha256 = hashlib.sha256(WHOLE).hexdigest()
        lines = [f"net/file-{i}.out {sha256} {address}" for i, address in enumerate(addresses)]
        (tmp_path / "registry.txt").write_text("# name hash address\n" + "\n".join(lines) + "\n")
        monkeypatch.setattr(sources, "REGISTRY", tmp_path / "registry.txt")

    return register


def files_in(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_download_is_checked_kept_and_reused(cache, register, address):
    register(f"{address}/whole")
    assert not sources.is_available("net")
    path = sources.fetch("net/file-0.out", progress=False)
    assert path.read_bytes() == WHOLE
    assert sources.is_available("net")
    register("http://127.0.0.1:9/gone")  # a second fetch must not need the address
    assert sources.fetch("net/file-0.out", progress=False) == path


@pytest.mark.parametrize("what", ["changed", "truncated"])
def test_wrong_bytes_leave_nothing_behind(cache, register, address, what):
    register(f"{address}/{what}")
    with pytest.raises(UserError, match=r"net/file-0\.out") as caught:
        sources.fetch("net/file-0.out", progress=False)
    assert "SEISBOOK_DATA_DIR" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert files_in(cache) == []
    assert not sources.is_available("net")


def test_changed_file_is_a_data_error(cache, register, address):
    register(f"{address}/changed")
    with pytest.raises(DataError, match="not the registered file"):
        sources.fetch("net/file-0.out", progress=False)


def test_damaged_cache_is_downloaded_again(cache, register, address):
    register(f"{address}/whole")
    path = sources.fetch("net/file-0.out", progress=False)
    path.write_bytes(WHOLE[:50])
    assert not sources.is_available("net")
    assert sources.fetch("net/file-0.out", progress=False).read_bytes() == WHOLE


def test_no_network_names_the_remedy(cache, register):
    register("http://127.0.0.1:9/nobody-listens")
    with pytest.raises(UserError, match='source="simulated"'):
        sources.fetch("net/file-0.out", progress=False)


def test_missing_page_is_a_user_error(cache, register, address):
    register(f"{address}/nowhere")
    with pytest.raises(UserError, match=r"cannot be downloaded \(the server answered 404 Not Found\); connect"):
        sources.fetch("net/file-0.out", progress=False)
    assert files_in(cache) == []


def test_a_download_that_never_ends_is_given_up(cache, register, address, monkeypatch):
    monkeypatch.setattr(sources, "SECONDS_IN_ALL", 0.2)
    register(f"{address}/slow")
    with pytest.raises(UserError, match=r"cannot be downloaded \(Timeout: not complete after 0 s\); connect"):
        sources.fetch("net/file-0.out", progress=False)
    assert files_in(cache) == []


def test_a_server_that_is_silent_is_given_up(cache, register, address, monkeypatch):
    monkeypatch.setattr(sources, "SECONDS_OF_SILENCE", 0.005)
    register(f"{address}/slow")
    with pytest.raises(UserError, match="cannot be downloaded") as caught:
        sources.fetch("net/file-0.out", progress=False)
    assert "\n" not in str(caught.value)
    assert files_in(cache) == []


def test_a_killed_download_is_cleared_away_by_the_next_one(cache, register, address, breaker):
    register(f"{address}/whole")
    steps = breaker.stop(-1, None, lambda: sources.fetch("net/file-0.out", progress=False))
    left = 0
    for at in range(1, steps + 1):
        for path in files_in(cache):
            path.unlink()
        killed(breaker, at, lambda: sources.fetch("net/file-0.out", progress=False))
        left += bool(files_in(cache))
        assert sources.fetch("net/file-0.out", progress=False).read_bytes() == WHOLE
        assert [path.name for path in files_in(cache)] == ["file-0.out"] or sources.is_available("net")
    assert left


def test_a_full_disk_is_not_the_servers_fault(small_disk, register, address, monkeypatch):
    monkeypatch.delenv("SEISBOOK_DATA_DIR", raising=False)
    monkeypatch.setattr(sources, "cache_folder", lambda: small_disk)
    (small_disk / "filler").write_bytes(bytes(64_000))
    register(f"{address}/whole")
    with pytest.raises(UserError, match=r"No space left on device\): make room there"):
        sources.fetch("net/file-0.out", progress=False)
    assert [path.name for path in files_in(small_disk)] == ["filler"]


def test_folder_is_checked(tmp_path, monkeypatch, register):
    register("http://127.0.0.1:9/never-asked")
    monkeypatch.setenv("SEISBOOK_DATA_DIR", str(tmp_path))
    with pytest.raises(UserError, match="missing; complete the folder"):
        sources.fetch("net/file-0.out")
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "file-0.out").write_bytes(WHOLE + b"edited")
    with pytest.raises(DataError, match=r"file-0\.out: SHA-256 differs"):
        sources.fetch("net/file-0.out")
    (tmp_path / "net" / "file-0.out").write_bytes(WHOLE)
    assert sources.fetch("net/file-0.out").read_bytes() == WHOLE


def test_fetch_all(cache, register, address):
    register(f"{address}/whole", f"{address}/whole")
    paths = sources.fetch_all("net", progress=False)
    assert [path.name for path in paths] == ["file-0.out", "file-1.out"]
    with pytest.raises(UserError, match="choose one of net"):
        sources.fetch_all("nowhere", progress=False)


def test_unregistered_name_and_broken_registry(tmp_path, monkeypatch):
    with pytest.raises(UserError, match=r"colombia/other\.out: not in"):
        sources.fetch("colombia/other.out")
    broken = tmp_path / "registry.txt"
    broken.write_text("# fine\nname only-a-hash\n")
    monkeypatch.setattr(sources, "REGISTRY", broken)
    with pytest.raises(DataError, match=r"registry\.txt:2"):
        sources.registry()


def test_shipped_registry_is_pinned():
    files = sources.registry()
    assert len(sources.network_files("colombia")) == 3
    assert len(sources.network_files("ridgecrest")) == 4
    assert len(sources.network_files("iceland")) == 27 * 4 + 2
    assert len(sources.network_files("uturuncu")) == 2 * 50 + 1
    assert len(sources.network_files("ridgecrest_august")) == 3 * 4 + 1
    assert len(sources.network_files("mexico")) == 309
    for sha256, address in files.values():
        assert len(sha256) == 64
        assert address.startswith("https://raw.githubusercontent.com/")
        assert len(address.split("/")[5]) == 40  # a commit, never a branch


def test_real_data_are_the_registered_files(real_data):
    for network in ("colombia", "ridgecrest", "iceland", "uturuncu", "ridgecrest_august", "mexico"):
        assert sources.is_available(network)
    assert len(sources.fetch_all(progress=False)) == len(sources.registry())
