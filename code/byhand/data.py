"""Examples to learn from: four points, three drawings, and real handwritten digits.

Everything here comes as X (m, n_0) and Y (m, n_L), floats, always 2-D, one example a row. Two
classes make one column of 0 and 1; more classes make one column each ("one-hot"). Every random
choice has a seed, and no call touches NumPy's global one.

The digits are MNIST, by Yann LeCun, Corinna Cortes and Christopher J. C. Burges, under the licence
CC BY-SA 3.0. The book ships 5,000 of its 60,000 training images: the first 500 of each digit. How
they are stored, and how the full set is found or downloaded, is in `_mnist.py`.
"""

import numpy as np

from byhand import _mnist


def xor():
    """The four points no line can separate (chapter 2): X (4, 2), Y (4, 1).

    >>> X, Y = xor()
    >>> np.hstack([X, Y]).astype(int).tolist()      # x1, x2, y
    [[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]]
    """
    X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    return X, (X[:, :1] != X[:, 1:]).astype(float)


def blobs(m=100, classes=2, spread=0.75, seed=0):
    """One round normal cloud a class, centred on a circle of radius 1.4: X (m, 2).

    Row i is of class i mod classes, so the classes take turns and are of equal size (±1).
    Two classes: Y (m, 1); more: (m, classes). spread: standard deviation of each coordinate. At
    0.75 the two clouds overlap a little, and with seed 0 no line separates them; at 0.3 one does.
    """
    labels, rng = _taking_turns(m, classes), np.random.default_rng(seed)
    angle = 2 * np.pi * labels / classes + 7 / 6 * np.pi      # class 0 at the lower left
    X = 1.4 * _point(angle) + _normal("spread", spread, m, rng)
    return X, _targets(labels, classes)


def rings(m=200, noise=0.1, seed=0):
    """A disc of radius 1 (class 0) inside a ring of radii 1.7 to 2.5 (class 1): X (m, 2), Y (m, 1).

    Examples are spread evenly over each area, then moved by normal noise of that standard
    deviation in each coordinate. The classes take turns.
    """
    labels, rng = _taking_turns(m, 2), np.random.default_rng(seed)
    inner, outer = np.array([[0.0, 1.0], [1.7, 2.5]])[labels].T
    # Area grows with the square of the radius: draw the square evenly, then take the root.
    radius = np.sqrt(rng.uniform(inner**2, outer**2))
    X = radius[:, None] * _point(rng.uniform(0, 2 * np.pi, m))
    return X + _normal("noise", noise, m, rng), _targets(labels, 2)


def spirals(m=300, classes=3, noise=0.1, seed=0):
    """One arm of a spiral a class, each three quarters of a turn, out to radius 2.7: X (m, 2).

    Along an arm the examples are evenly spaced, then moved by normal noise of that standard
    deviation in each coordinate. The classes take turns, from the centre outwards. Two classes:
    Y (m, 1); more: (m, classes).
    """
    labels, rng = _taking_turns(m, classes), np.random.default_rng(seed)
    t = (np.arange(m) // classes + 1) / (-(-m // classes))    # 0 < t ≤ 1 along the arm
    X = 2.7 * t[:, None] * _point(2 * np.pi * (labels / classes + 0.75 * t))
    return X + _normal("noise", noise, m, rng), _targets(labels, classes)


def mnist(full=False, dtype=float, progress=True):
    """Handwritten digits: X (m, 784), grey values 0 (paper) to 1 (ink); Y (m, 10), one-hot.

    A row of X is an image of 28 × 28, row by row: `X[i].reshape(28, 28)` is the picture.

    full=False: the 5,000 shipped digits, 500 of each, in a fixed shuffled order.
    full=True: all 70,000 in their original order, X[:60000] to train and X[60000:] to test. They
    are read from the file or folder named by the environment variable BYHAND_DATA if it is set;
    else from an earlier download; else downloaded (11 MB), with a bar unless progress=False.
    The 5,000 are the first 500 of each digit among the 60,000; none is among the 10,000.

    dtype: a float type. Of float64 the full X takes 440 MB, of np.float32 220 MB.
    Each call returns arrays of its own. OSError if the full set cannot be had, ValueError if a
    file is not the original MNIST.
    """
    dtype = _float_type(dtype)
    images, labels = _mnist.full(progress) if full else _mnist.shipped()
    return np.divide(images, 255, dtype=dtype), one_hot(labels, 10).astype(dtype, copy=False)


def digits(*classes, dtype=float):
    """The shipped digits of these classes only, in the order of `mnist()`.

    digits(3, 8): X (1000, 784), Y (1000, 1) with 0 for a three and 1 for an eight.
    digits(3, 5, 8): X (1500, 784), Y (1500, 3), one-hot in the order given.
    """
    dtype = _float_type(dtype)
    possible = all(c in range(10) for c in classes)
    if not possible or len(classes) < 2 or len(set(classes)) < len(classes):
        raise ValueError(f"expected two or more different digits from 0 to 9, got {classes}")
    images, labels = _mnist.shipped()
    chosen = np.isin(labels, classes)
    Y = labels[chosen][:, None] == np.array(classes[1:] if len(classes) == 2 else classes)
    return np.divide(images[chosen], 255, dtype=dtype), Y.astype(dtype)


def one_hot(labels, n):
    """Labels (m,) from 0 to n − 1 as Y (m, n): a 1 in the label's column, 0 elsewhere.

    >>> one_hot([2, 0], 3)
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """
    n, labels = _count("n", n), np.asarray(labels)
    if labels.ndim != 1:
        raise ValueError(f"expected labels of shape (m,), got {labels.shape}")
    if labels.dtype.kind not in "biuf":
        raise ValueError(f"expected whole numbers as labels, got dtype {labels.dtype}")
    wrong = labels[~np.isin(labels, np.arange(n))]
    if wrong.size:
        raise ValueError(f"expected whole numbers from 0 to {n - 1} as labels, got {wrong[0]}")
    return (labels[:, None] == np.arange(n)).astype(float)


def split(X, Y, *sizes, seed=0):
    """Shuffled parts of the given sizes, no example in two of them: [(X_1, Y_1), (X_2, Y_2), …].

    >>> X, Y = blobs(100)
    >>> (X_train, Y_train), (X_test, Y_test) = split(X, Y, 80, 20, seed=0)
    >>> X_train.shape, Y_test.shape
    ((80, 2), (20, 1))
    """
    X, Y = np.asarray(X), np.asarray(Y)
    if X.ndim == 0 or Y.ndim == 0 or len(X) != len(Y):
        raise ValueError(f"expected X and Y with one row an example, got {X.shape} and {Y.shape}")
    ends = np.cumsum([_count("each size", size) for size in sizes])
    if len(sizes) == 0 or ends[-1] > len(X):
        raise ValueError(f"expected sizes that add up to at most m = {len(X):,}, got {sizes}")
    order = np.random.default_rng(seed).permutation(len(X))[: ends[-1]]
    return [(X[part], Y[part]) for part in np.split(order, ends[:-1])]


def _taking_turns(m, classes):
    """Labels 0, 1, …, classes − 1, 0, 1, …: m of them."""
    m, classes = _count("m", m), _count("classes", classes)
    if not 2 <= classes <= m:
        raise ValueError(f"expected 2 to m = {m} classes, got {classes}")
    return np.arange(m) % classes


def _targets(labels, classes):
    """Y (m, 1) for two classes, else (m, classes)."""
    return labels[:, None].astype(float) if classes == 2 else one_hot(labels, classes)


def _point(angle):
    """The points (cos, sin) of the unit circle: (m, 2)."""
    return np.column_stack([np.cos(angle), np.sin(angle)])


def _normal(name, deviation, m, rng):
    """Normal noise (m, 2) of that standard deviation."""
    if not (np.isscalar(deviation) and np.isfinite(deviation) and deviation >= 0):
        raise ValueError(f"expected {name} to be a number from 0 up, got {deviation!r}")
    return deviation * rng.standard_normal((m, 2))


def _float_type(dtype):
    if np.dtype(dtype).kind != "f":
        raise ValueError(f"expected dtype to be a float type, got {np.dtype(dtype)}")
    return np.dtype(dtype)


def _count(name, n):
    if not isinstance(n, (int, np.integer)) or n < 1:
        raise ValueError(f"expected {name} to be a whole number from 1 up, got {n!r}")
    return int(n)
