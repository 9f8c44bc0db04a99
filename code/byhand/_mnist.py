"""Where the digits come from: the file that ships with the book, a file of yours, or a download.

A helper of `data.py`; nothing here is needed to understand the course. Both functions return
images (m, 784) and labels (m,) of integers from 0 to 255, and both check what they read: the
SHA-256 of the bytes of each array must be the one written down here, wherever the file comes from.

MNIST is by Yann LeCun, Corinna Cortes and Christopher J. C. Burges, licence CC BY-SA 3.0; see
`mnist5000.LICENSE.txt`. The shipped file is made by `book/tools/make_digits.py`.
"""

import functools
import gzip
import hashlib
import io
import os
import tempfile
import warnings
from pathlib import Path

import numpy as np

SHIPPED = {
    "images": "8dd3617c621c617ad1e9db36bdac6efb1490715fee053a8753e808017bef1b69",
    "labels": "9778ec24210fab0cce850a3c43bb67c65cba31e570cc67574fad43d931fbc96a",
}
FULL = {
    "x_train": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
    "y_train": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
    "x_test": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
    "y_test": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
}
# One npz file, as Keras uses it; and a folder with the four original files, as torchvision does.
MIRRORS = (
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
)
ORIGINAL_FILES = {
    "x_train": "train-images-idx3-ubyte.gz",
    "y_train": "train-labels-idx1-ubyte.gz",
    "x_test": "t10k-images-idx3-ubyte.gz",
    "y_test": "t10k-labels-idx1-ubyte.gz",
}


@functools.cache
def shipped():
    """The 5,000 digits of the book: images (5000, 784), labels (5000,). Read once, so read-only."""
    file = Path(__file__).with_name("mnist5000.npz")
    arrays = read(file.read_bytes(), SHIPPED, file)
    for array in arrays.values():
        array.setflags(write=False)
    return arrays["images"], arrays["labels"]


def full(progress):
    """All 70,000: images (70000, 784), labels (70000,); the 10,000 test examples come last."""
    if os.environ.get("BYHAND_DATA"):
        file = given_file(os.environ["BYHAND_DATA"])
        return _joined(read(file.read_bytes(), FULL, file))
    cached = cache_folder() / "mnist.npz"
    try:
        return _joined(read(cached.read_bytes(), FULL, cached))
    except (OSError, ValueError):
        pass    # not there yet, or broken: fetch it (again)
    arrays = download(progress)
    try:
        save(arrays, cached)
    except OSError as error:
        warnings.warn(f"MNIST is here, but could not be kept in {cached}: {error}", stacklevel=3)
    return _joined(arrays)


def given_file(name):
    """What BYHAND_DATA names: the file, or mnist.npz in that folder."""
    path = Path(name).expanduser()
    path = path / "mnist.npz" if path.is_dir() else path
    if not path.exists():
        raise FileNotFoundError(
            f"expected BYHAND_DATA to name the file mnist.npz or its folder, got {name}: "
            f"there is no file {path}"
        )
    return path


def cache_folder():
    """~/.cache/byhand, or where the platform keeps such files."""
    if os.name == "nt":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "byhand"


def read(content, expected, source):
    """The arrays in the bytes of an npz file, checked; ValueError if it is broken or another."""
    try:
        # np.load would take whatever is not an npz file for a pickle, and say so.
        with np.lib.npyio.NpzFile(io.BytesIO(content)) as archive:
            arrays = {name: archive[name] for name in expected}
    except Exception as error:    # a broken file can fail in nearly any way
        raise ValueError(
            f"expected an npz file with the arrays {', '.join(expected)}, got {source}: {error}"
        ) from error
    return check(arrays, expected, source)


def check(arrays, expected, source):
    """The same arrays, if each is made of the expected bytes."""
    for name, digest in expected.items():
        received = hashlib.sha256(np.ascontiguousarray(arrays[name])).hexdigest()
        if arrays[name].dtype != np.uint8 or received != digest:
            raise ValueError(
                f"expected the original MNIST, {name} of uint8 with SHA-256 {digest[:16]}…, "
                f"got {arrays[name].dtype} with {received[:16]}… from {source}"
            )
    return arrays


def download(progress):
    """The four arrays from the first mirror that delivers them whole."""
    failures = []
    for url in MIRRORS:
        try:
            if url.endswith("/"):
                files = {name: _fetch(url + f, progress) for name, f in ORIGINAL_FILES.items()}
                return check({name: _idx(files[name]) for name in files}, FULL, url)
            return read(_fetch(url, progress), FULL, url)
        except Exception as error:    # whatever went wrong, the next mirror may do better
            failures.append(f"- {url}: {type(error).__name__}: {error}")
    raise OSError("\n".join([
        "the full MNIST could not be downloaded:", *failures,
        f"Get the file {MIRRORS[0]} in another way and set the environment variable BYHAND_DATA "
        "to its path, or to the folder it is in. mnist() without full=True needs no download.",
    ]))


def save(arrays, file):
    """Write the npz file in one step: another process sees all of it or nothing."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, unfinished = tempfile.mkstemp(dir=file.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            np.savez_compressed(stream, **arrays)
        os.replace(unfinished, file)
    except BaseException:    # an interrupt too must leave nothing behind
        os.unlink(unfinished)
        raise


def _joined(arrays):
    images = np.concatenate([arrays["x_train"], arrays["x_test"]])
    return images.reshape(len(images), -1), np.concatenate([arrays["y_train"], arrays["y_test"]])


def _fetch(url, progress):
    """The bytes behind the address."""
    from urllib.request import urlopen  # slow to import, and only needed here

    with urlopen(url, timeout=30) as reply:
        size = reply.length    # None if the server does not say
        chunks = iter(lambda: reply.read(1 << 16), b"")
        content = b"".join(_with_bar(chunks, size, url) if progress else chunks)
    if size is not None and len(content) != size:
        raise OSError(f"expected {size:,} bytes, got {len(content):,}")
    return content


def _with_bar(chunks, size, url):
    from tqdm.auto import tqdm

    with tqdm(total=size, desc=url.rsplit("/", 1)[1], unit="B", unit_scale=True) as bar:
        for chunk in chunks:
            bar.update(len(chunk))
            yield chunk


def _idx(content):
    """An array as the original files hold it: bytes 0, 0, 8, n, then n sizes, then the pixels."""
    content = gzip.decompress(content)
    n = content[3]
    shape = np.frombuffer(content, ">u4", count=n, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * n).reshape(shape)
