"""The examples: shapes, balance, seeds, errors; the shipped digits; every way to the full MNIST.

The tests of the download talk to a server on this machine that offers a tiny data set. Those of
the real 70,000 look for mnist.npz in BYHAND_DATA, then beside the repository, and else are skipped.
"""

import gzip
import hashlib
import importlib.util
import os
import random
import struct
import subprocess
import sys
import threading
import time
import tracemalloc
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from byhand import _mnist
from byhand.data import blobs, digits, mnist, one_hot, rings, spirals, split, xor

ROOT = Path(__file__).parents[2]
GENERATORS = [blobs, rings, spirals]


def labels_of(Y):
    return Y[:, 0].astype(int) if Y.shape[1] == 1 else Y.argmax(axis=1)


# The drawings


def test_xor_is_the_truth_table_in_the_order_of_counting():
    X, Y = xor()
    assert X.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert Y.tolist() == [[0], [1], [1], [0]]
    assert X.dtype == Y.dtype == np.float64


@pytest.mark.parametrize("make", GENERATORS)
def test_defaults_give_float64_pairs_on_the_page_in_balanced_classes(make):
    X, Y = make()
    assert X.dtype == Y.dtype == np.float64
    assert X.ndim == Y.ndim == 2 and X.shape == (len(Y), 2)
    assert np.abs(X).max() <= 3
    assert len(set(np.bincount(labels_of(Y)))) == 1
    assert set(Y.ravel()) == {0, 1}


@pytest.mark.parametrize("make", [blobs, spirals])
@pytest.mark.parametrize("m, classes", [(2, 2), (7, 2), (101, 3), (40, 5)])
def test_classes_take_turns(make, m, classes):
    X, Y = make(m, classes)
    assert X.shape == (m, 2)
    assert Y.shape == (m, 1 if classes == 2 else classes)
    assert labels_of(Y).tolist() == [i % classes for i in range(m)]
    assert classes == 2 or (Y.sum(axis=1) == 1).all()


@pytest.mark.parametrize("make", GENERATORS)
def test_a_seed_repeats_and_another_seed_differs(make):
    assert np.array_equal(make(seed=3)[0], make(seed=3)[0])
    assert not np.array_equal(make(seed=3)[0], make(seed=4)[0])


def test_no_call_touches_global_random_state():
    before, before_python = np.random.get_state(), random.getstate()
    for make in GENERATORS:
        make()
    split(*blobs(), 50, 50)
    digits(3, 8)
    after = np.random.get_state()
    assert np.array_equal(before[1], after[1]) and before[2:] == after[2:]
    assert random.getstate() == before_python


@pytest.mark.parametrize("seed", range(10))
def test_blobs_of_small_spread_are_separated_by_the_line_between_their_centres(seed):
    X, Y = blobs(spread=0.3, seed=seed)
    side = X @ [np.cos(np.pi / 6), np.sin(np.pi / 6)] > 0
    assert np.array_equal(side, Y[:, 0] == 1)


def test_default_blobs_are_separated_by_no_line():
    # A line w·x + b = 0 can be turned and moved until it passes through two examples without
    # changing sides, so those lines are all that need trying.
    X, Y = blobs()
    y = Y[:, 0] == 1
    i, j = np.triu_indices(len(X), k=1)
    w = (X[j] - X[i])[:, ::-1] * [1, -1]
    z = X @ w.T - (X[i] * w).sum(axis=1)
    z[i, np.arange(len(i))] = z[j, np.arange(len(j))] = 0    # on the line: either side will do
    errors = np.minimum(((z > 0) & ~y[:, None] | (z < 0) & y[:, None]).sum(axis=0),
                        ((z < 0) & ~y[:, None] | (z > 0) & y[:, None]).sum(axis=0))
    assert 1 <= errors.min() <= 4


def test_rings_without_noise_keep_to_their_areas():
    X, Y = rings(20_000, noise=0)
    radius, outside = np.hypot(*X.T), Y[:, 0] == 1
    assert radius[~outside].max() <= 1
    assert 1.7 <= radius[outside].min() and radius[outside].max() <= 2.5
    # Even over the area: half of the disc's examples within the radius that halves its area.
    assert abs((radius[~outside] < np.sqrt(0.5)).mean() - 0.5) < 0.02


def test_arms_of_a_spiral_are_the_same_arm_turned():
    X, Y = spirals(300, 3, noise=0)
    first, second = X[Y[:, 0] == 1], X[Y[:, 1] == 1]
    c, s = np.cos(2 * np.pi / 3), np.sin(2 * np.pi / 3)
    assert np.allclose(first @ np.array([[c, s], [-s, c]]), second)
    assert np.hypot(*first[-1]) == pytest.approx(2.7)


@pytest.mark.parametrize("call, words", [
    (lambda: blobs(0), "m to be a whole number from 1 up, got 0"),
    (lambda: blobs(10.5), "got 10.5"),
    (lambda: blobs(classes=1), "got 1"),
    (lambda: blobs(3, classes=4), "expected 2 to m = 3 classes, got 4"),
    (lambda: blobs(spread=-1), "expected spread to be a number from 0 up, got -1"),
    (lambda: rings(noise=float("nan")), "expected noise to be a number from 0 up, got nan"),
    (lambda: rings(1), "expected 2 to m = 1"),
    (lambda: spirals(classes="two"), "got 'two'"),
    (lambda: spirals(noise=[1, 2]), "got [1, 2]"),
])
def test_drawings_refuse_what_they_cannot_draw(call, words):
    with pytest.raises(ValueError) as error:
        call()
    assert words in str(error.value)


# one_hot and split


@pytest.mark.parametrize("dtype", [int, np.uint8, float])
def test_one_hot(dtype):
    Y = one_hot(np.array([2, 0, 1], dtype), 3)
    assert np.array_equal(one_hot([2, 0, 1], 3), Y)
    assert Y.tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0]]
    assert Y.dtype == np.float64


@pytest.mark.parametrize("labels, n, words", [
    ([0, 3], 3, "expected whole numbers from 0 to 2 as labels, got 3"),
    ([0, -1], 3, "got -1"),
    ([0, 1.5], 3, "got 1.5"),
    ([0, np.nan], 3, "got nan"),
    (["0", "1"], 3, "got dtype <U1"),
    ([[0], [1]], 3, "expected labels of shape (m,), got (2, 1)"),
    (1, 3, "got ()"),
    ([0], 0, "expected n to be a whole number from 1 up, got 0"),
    ([0], 2.0, "got 2.0"),
])
def test_one_hot_refuses(labels, n, words):
    with pytest.raises(ValueError) as error:
        one_hot(labels, n)
    assert words in str(error.value)


def test_split_gives_disjoint_shuffled_parts_with_their_targets():
    X = np.arange(100.0)[:, None]
    (X1, Y1), (X2, Y2), (X3, Y3) = split(X, X + 1000, 60, 20, 15, seed=1)
    assert [len(part) for part in (X1, X2, X3)] == [60, 20, 15]
    for A, B in ((X1, Y1), (X2, Y2), (X3, Y3)):
        assert np.array_equal(A + 1000, B)
    together = np.concatenate([X1, X2, X3]).ravel()
    assert len(set(together)) == 95
    assert not np.array_equal(together, np.sort(together))
    assert np.array_equal(split(X, X, 60, seed=1)[0][0], X1)
    assert not np.array_equal(split(X, X, 60, seed=2)[0][0], X1)
    X1[:] = -1
    assert X.min() == 0


@pytest.mark.parametrize("X, Y, sizes, words", [
    (np.ones((5, 2)), np.ones((5, 1)), (3, 3), "at most m = 5, got (3, 3)"),
    (np.ones((5, 2)), np.ones((5, 1)), (), "got ()"),
    (np.ones((5, 2)), np.ones((5, 1)), (0, 2), "each size to be a whole number from 1 up, got 0"),
    (np.ones((5, 2)), np.ones((5, 1)), (0.8, 0.2), "got 0.8"),
    (np.ones((5, 2)), np.ones((4, 1)), (3,), "got (5, 2) and (4, 1)"),
    (np.ones(()), np.ones((4, 1)), (3,), "got () and (4, 1)"),
])
def test_split_refuses(X, Y, sizes, words):
    with pytest.raises(ValueError) as error:
        split(X, Y, *sizes)
    assert words in str(error.value)


# The shipped digits


@pytest.mark.parametrize("dtype", [float, np.float32])
def test_shipped_digits(dtype):
    X, Y = mnist(dtype=dtype)
    assert X.shape == (5000, 784) and Y.shape == (5000, 10)
    assert X.dtype == Y.dtype == dtype
    assert X.min() == 0 and X.max() == 1
    assert Y.sum(axis=0).tolist() == [500] * 10
    assert (Y.sum(axis=1) == 1).all()
    assert Y[:10].argmax(axis=1).tolist() == [7, 4, 2, 0, 9, 1, 3, 4, 7, 9]
    assert np.array_equal(X * 255, (X * 255).round())


def test_shipped_order_is_that_of_the_hash_of_the_pixels():
    images, _ = _mnist.shipped()
    hashes = [hashlib.sha256(image).digest() for image in images]
    assert hashes == sorted(hashes)


def test_any_thousand_shipped_digits_in_a_row_hold_enough_of_each():
    _, Y = mnist()
    for start in range(0, 5000, 1000):
        assert Y[start : start + 1000].sum(axis=0).min() >= 70


def test_each_call_returns_arrays_of_its_own():
    X, Y = mnist()
    X[:], Y[:] = 7, 7
    A, B = digits(0, 1)
    A[:], B[:] = 7, 7
    assert mnist()[0].max() == 1 and mnist()[1].max() == 1
    assert digits(0, 1)[0].max() == 1


def test_digits_of_two_classes_have_one_column():
    X, Y = digits(3, 8)
    assert X.shape == (1000, 784) and Y.shape == (1000, 1)
    assert Y.sum() == 500
    everything, labels = mnist()[0], labels_of(mnist()[1])
    assert np.array_equal(X, everything[(labels == 3) | (labels == 8)])
    assert np.array_equal(X[Y[:, 0] == 1], everything[labels == 8])
    assert np.array_equal(digits(8, 3)[1], 1 - Y)
    assert digits(3, 8, dtype=np.float32)[0].dtype == np.float32


def test_digits_of_three_classes_have_three_columns_in_the_order_given():
    X, Y = digits(8, 1, 4)
    everything, labels = mnist()[0], labels_of(mnist()[1])
    assert X.shape == (1500, 784) and Y.shape == (1500, 3)
    for column, digit in enumerate([8, 1, 4]):
        assert np.array_equal(X[Y[:, column] == 1], everything[labels == digit])


@pytest.mark.parametrize(
    "classes", [(), (3,), (3, 3), (3, 10), (-1, 3), (3, 4.5), ([3, 8],), "38"], ids=str
)
def test_digits_refuses(classes):
    with pytest.raises(ValueError, match="expected two or more different digits from 0 to 9, got"):
        digits(*classes)


@pytest.mark.parametrize("dtype", [int, np.uint8, bool, complex])
@pytest.mark.parametrize("load", [mnist, lambda dtype: digits(1, 2, dtype=dtype)])
def test_only_float_types(load, dtype):
    with pytest.raises(ValueError, match="expected dtype to be a float type, got"):
        load(dtype=dtype)


def test_shipped_file_is_small_credited_and_quick_to_read():
    file = Path(_mnist.__file__).with_name("mnist5000.npz")
    assert file.stat().st_size < 900_000
    credit = file.with_name("mnist5000.LICENSE.txt").read_text(encoding="utf-8")
    assert all(word in credit for word in ("LeCun", "Cortes", "Burges", "CC BY-SA 3.0"))
    seconds = []
    for _ in range(3):
        _mnist.shipped.cache_clear()
        start = time.perf_counter()
        mnist()
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.3


def test_shipped_digits_need_neither_network_nor_progress_bar():
    program = ("import sys; from byhand.data import mnist; mnist(); "
               "print({'tqdm', 'urllib.request', 'matplotlib'} & set(sys.modules))")
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (run.stdout.strip(), run.stderr) == ("set()", "")


def test_the_script_writes_the_shipped_arrays_the_same_each_time(tmp_path):
    script = ROOT / "book" / "tools" / "make_digits.py"
    spec = importlib.util.spec_from_file_location("make_digits", script)
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
    images, labels = _mnist.shipped()
    by_label = np.argsort(labels, kind="stable")    # as the source has them, more or less
    arrays = make.shuffled(np.column_stack([images, labels])[by_label])
    make.write(arrays, tmp_path / "one.npz")
    make.write(arrays, tmp_path / "two.npz")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    _mnist.read((tmp_path / "one.npz").read_bytes(), _mnist.SHIPPED, "one.npz")


# Ways to the full set, tried with a tiny one


class Server:
    """Files on a server of this machine: path -> bytes, or (bytes, a false Content-Length)."""

    def __init__(self):
        self.files, self.asked, server = {}, [], self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server.asked.append(self.path)
                if self.path not in server.files:
                    return self.send_error(404)
                content = server.files[self.path]
                content, size = content if isinstance(content, tuple) else (content, len(content))
                self.send_response(200)
                if size is not None:
                    self.send_header("Content-Length", str(size))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def close(self):
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


def tiny_arrays(seed=0):
    rng = np.random.default_rng(seed)
    return {"x_train": rng.integers(0, 256, (6, 28, 28), dtype=np.uint8),
            "y_train": np.array([5, 0, 4, 1, 9, 2], np.uint8),
            "x_test": rng.integers(0, 256, (2, 28, 28), dtype=np.uint8),
            "y_test": np.array([7, 2], np.uint8)}


def npz_bytes(folder, arrays):
    np.savez(folder / "made.npz", **arrays)
    return (folder / "made.npz").read_bytes()


def idx_bytes(array):
    head = struct.pack(">BBBB", 0, 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    return gzip.compress(head + array.tobytes(), mtime=0)


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A tiny MNIST that passes for the real one, on two mirrors; an empty cache."""
    arrays = tiny_arrays()
    server = Server()
    server.arrays, server.cache = arrays, tmp_path / "cache" / "byhand"
    server.files["/mnist.npz"] = npz_bytes(tmp_path, arrays)
    for name, file in _mnist.ORIGINAL_FILES.items():
        server.files[f"/idx/{file}"] = idx_bytes(arrays[name])
    digests = {name: hashlib.sha256(array).hexdigest() for name, array in arrays.items()}
    monkeypatch.setattr(_mnist, "FULL", digests)
    monkeypatch.setattr(_mnist, "MIRRORS", (server.url + "mnist.npz", server.url + "idx/"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("BYHAND_DATA", raising=False)
    yield server
    server.close()


def assert_is_tiny(X, Y):
    assert X.shape == (8, 784) and Y.shape == (8, 10)
    assert labels_of(Y).tolist() == [5, 0, 4, 1, 9, 2, 7, 2]
    first = tiny_arrays()["x_train"][0].ravel()
    assert np.array_equal(X[0] * 255, first)


def test_download_then_cache(tiny):
    assert_is_tiny(*mnist(full=True, progress=False))
    assert tiny.asked == ["/mnist.npz"]
    assert [file.name for file in tiny.cache.iterdir()] == ["mnist.npz"]
    assert_is_tiny(*mnist(full=True, progress=False))
    assert tiny.asked == ["/mnist.npz"]


def test_a_bar_when_asked_and_nothing_else_printed(tiny, capsys):
    mnist(full=True)
    out, err = capsys.readouterr()
    assert out == "" and "mnist.npz" in err and "100%" in err
    (tiny.cache / "mnist.npz").unlink()
    mnist(full=True, progress=False)
    assert capsys.readouterr() == ("", "")


def truncated(content):
    return content[: len(content) // 2]


@pytest.mark.parametrize("break_first", [
    lambda content: None,                                            # 404
    lambda content: b"<html>please log in</html>",                   # a portal's page
    lambda content: b"",
    lambda content: truncated(content),                              # honest about its length
    lambda content: (truncated(content), len(content)),              # cut off on the way
    lambda content: (truncated(content), None),                      # length not told
    lambda content: content[:-400] + b"\0" * 300 + content[-100:],   # damaged at the end
    lambda content: content[:1000] + b"!" + content[1001:],          # one pixel
], ids=["404", "html", "empty", "short", "cut off", "cut off, no length", "damaged", "one byte"])
def test_second_mirror_when_the_first_fails(tiny, break_first):
    broken = break_first(tiny.files.pop("/mnist.npz"))
    if broken is not None:
        tiny.files["/mnist.npz"] = broken
    assert_is_tiny(*mnist(full=True, progress=False))
    assert tiny.asked == ["/mnist.npz"] + [f"/idx/{f}" for f in _mnist.ORIGINAL_FILES.values()]
    _mnist.read((tiny.cache / "mnist.npz").read_bytes(), _mnist.FULL, "the cache")


def test_other_content_is_refused_from_both_mirrors(tiny, tmp_path):
    other = tiny_arrays(seed=1)
    tiny.files["/mnist.npz"] = npz_bytes(tmp_path, other)
    tiny.files["/idx/train-images-idx3-ubyte.gz"] = idx_bytes(other["x_train"])
    with pytest.raises(OSError) as error:
        mnist(full=True, progress=False)
    message = str(error.value)
    assert message.count("expected the original MNIST, x_train of uint8 with SHA-256") == 2
    assert all(url in message for url in _mnist.MIRRORS) and "BYHAND_DATA" in message
    assert not tiny.cache.exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"no gzip", gzip.compress(b"abc", mtime=0), gzip.compress(b"", mtime=0)],
    ids=["empty", "no gzip", "no array", "empty gzip"],
)
def test_broken_original_files_are_refused(tiny, content):
    del tiny.files["/mnist.npz"]
    tiny.files["/idx/t10k-labels-idx1-ubyte.gz"] = content
    with pytest.raises(OSError, match="could not be downloaded"):
        mnist(full=True, progress=False)
    assert not tiny.cache.exists()


def test_without_network_the_error_says_what_to_do(tiny, monkeypatch):
    closed = Server()
    closed.close()
    monkeypatch.setattr(_mnist, "MIRRORS", (closed.url + "mnist.npz", closed.url + "idx/"))
    with pytest.raises(OSError) as error:
        mnist(full=True, progress=False)
    message = str(error.value)
    assert f"{closed.url}mnist.npz: URLError" in message
    assert f"{closed.url}idx/: URLError" in message
    assert "set the environment variable BYHAND_DATA" in message
    assert mnist()[0].shape == (5000, 784)


@pytest.mark.parametrize("damage", [
    truncated,
    lambda content: b"",
    lambda content: b"not a zip file",
    lambda content: content[:600] + bytes([content[600] ^ 1]) + content[601:],
])
def test_a_broken_cached_file_is_fetched_anew(tiny, damage):
    mnist(full=True, progress=False)
    cached = tiny.cache / "mnist.npz"
    cached.write_bytes(damage(cached.read_bytes()))
    assert_is_tiny(*mnist(full=True, progress=False))
    assert tiny.asked == ["/mnist.npz", "/mnist.npz"]
    _mnist.read(cached.read_bytes(), _mnist.FULL, cached)


@pytest.mark.parametrize("failure", [KeyboardInterrupt, MemoryError])
def test_an_interrupt_while_writing_leaves_no_file(tiny, monkeypatch, failure):
    def interrupted(stream, **arrays):
        stream.write(b"half")
        raise failure

    with monkeypatch.context() as patch, pytest.raises(failure):
        patch.setattr(np, "savez_compressed", interrupted)
        mnist(full=True, progress=False)
    assert list(tiny.cache.iterdir()) == []
    assert_is_tiny(*mnist(full=True, progress=False))


def test_an_interrupt_while_downloading_stops_and_leaves_no_file(tiny, monkeypatch):
    def interrupted(url, progress):
        raise KeyboardInterrupt

    monkeypatch.setattr(_mnist, "_fetch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        mnist(full=True, progress=False)
    assert not tiny.cache.exists()


def test_a_failed_write_keeps_the_older_file(tiny, monkeypatch):
    tiny.cache.mkdir(parents=True)
    (tiny.cache / "mnist.npz").write_bytes(b"broken, but whole")

    def full_disk(stream, **arrays):
        raise OSError("no space left")

    monkeypatch.setattr(np, "savez_compressed", full_disk)
    with pytest.warns(UserWarning, match="could not be kept in .* no space left"):
        assert_is_tiny(*mnist(full=True, progress=False))
    assert [file.read_bytes() for file in tiny.cache.iterdir()] == [b"broken, but whole"]


def test_no_place_for_a_cache_costs_a_warning_only(tiny, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="could not be kept in"):
        assert_is_tiny(*mnist(full=True, progress=False))


@pytest.mark.parametrize("as_folder", [False, True])
def test_byhand_data_names_a_file_or_its_folder(tiny, tmp_path, monkeypatch, as_folder):
    folder = tmp_path / "my data"
    folder.mkdir()
    (folder / "mnist.npz").write_bytes(tiny.files["/mnist.npz"])
    monkeypatch.setenv("BYHAND_DATA", str(folder if as_folder else folder / "mnist.npz"))
    assert_is_tiny(*mnist(full=True))
    assert tiny.asked == [] and not tiny.cache.exists()


@pytest.mark.parametrize("name", ["nowhere", "nowhere.npz", "."])
def test_byhand_data_without_a_file(tiny, tmp_path, monkeypatch, name):
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("BYHAND_DATA", str(tmp_path / "empty" / name))
    with pytest.raises(FileNotFoundError, match="expected BYHAND_DATA to name the file mnist.npz"):
        mnist(full=True)
    assert tiny.asked == []


@pytest.mark.parametrize("make, words", [
    (lambda arrays: arrays | {"y_test": np.array([7, 3], np.uint8)}, "y_test of uint8 with SHA"),
    (lambda arrays: arrays | {"y_test": arrays["y_test"].view(np.int8)}, "got int8 with"),
    (lambda arrays: {"x_train": arrays["x_train"]}, "y_train"),
    (lambda arrays: arrays | {"y_test": np.array([7, None])}, "arrays x_train, y_train"),
])
def test_byhand_data_with_wrong_content(tiny, tmp_path, monkeypatch, make, words):
    np.savez(tmp_path / "wrong.npz", **make(tiny.arrays))
    monkeypatch.setenv("BYHAND_DATA", str(tmp_path / "wrong.npz"))
    with pytest.raises(ValueError) as error:
        mnist(full=True)
    assert words in str(error.value) and "wrong.npz" in str(error.value)
    assert tiny.asked == []


def test_byhand_data_that_is_no_npz_file(tiny, tmp_path, monkeypatch):
    (tmp_path / "mnist.npz").write_text("hello")
    monkeypatch.setenv("BYHAND_DATA", str(tmp_path))
    with pytest.raises(ValueError, match="expected an npz file with the arrays .*not a zip file"):
        mnist(full=True)


def test_cache_folder_without_settings_is_in_the_home_folder(monkeypatch, tmp_path):
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    expected = ("AppData", "Local") if os.name == "nt" else (".cache",)
    assert _mnist.cache_folder() == tmp_path.joinpath(*expected, "byhand")


# The real 70,000


def full_file():
    for place in (os.environ.get("BYHAND_DATA"), ROOT.parent / "shared" / "data" / "mnist.npz"):
        if place and Path(place).exists():
            return str(place)
    return None


needs_full = pytest.mark.skipif(
    full_file() is None, reason="no mnist.npz in BYHAND_DATA or in ../shared/data"
)


@pytest.fixture(scope="module")
def full_set():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BYHAND_DATA", full_file())
        tracemalloc.start()
        X, Y = mnist(full=True, dtype=np.float32)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return X, Y, peak


@needs_full
def test_full_set_is_mnist_in_its_original_order(full_set):
    X, Y, _ = full_set
    assert X.shape == (70000, 784) and Y.shape == (70000, 10)
    assert X.dtype == Y.dtype == np.float32
    assert X.min() == 0 and X.max() == 1
    labels = labels_of(Y)
    assert labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert labels[60000:60010].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert np.bincount(labels[60000:]).tolist() == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@needs_full
def test_full_set_needs_little_memory_beyond_itself(full_set):
    X, Y, peak = full_set
    assert peak < 2 * (X.nbytes + Y.nbytes)


@needs_full
def test_shipped_digits_are_the_first_500_of_each_in_the_training_set(full_set):
    X, Y, _ = full_set
    labels = labels_of(Y[:60000])
    first = np.concatenate([np.flatnonzero(labels == digit)[:500] for digit in range(10)])
    shipped, shipped_Y = mnist(dtype=np.float32)
    rows = {X[i].tobytes(): labels[i] for i in first}
    assert len(rows) == 5000
    assert [rows[x.tobytes()] for x in shipped] == labels_of(shipped_Y).tolist()


@needs_full
def test_an_original_file_holds_the_same_pixels(full_set):
    # The MD5 sum of the original file t10k-images-idx3-ubyte, unpacked.
    X, Y, _ = full_set
    head = struct.pack(">BBBBIII", 0, 0, 8, 3, 10000, 28, 28)
    pixels = (X[60000:] * 255).round().astype(np.uint8).tobytes()
    assert hashlib.md5(head + pixels).hexdigest() == "2646ac647ad5339dbf082846283269ea"
