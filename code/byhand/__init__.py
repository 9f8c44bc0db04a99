"""byhand: the code of *Neural Networks by Hand*, one short file a chapter.

Read the modules in this order: activations, losses, layers, network, backprop, descent, gradcheck,
data, plotting, widgets. Each imports only those before it. `import byhand` needs NumPy alone;
figures come with `from byhand.plotting import …`, sliders with
`from byhand.widgets import explore`.
"""

from byhand.activations import identity, relu, sigmoid, softmax, tanh
from byhand.backprop import Trace, backprop, evaluate
from byhand.data import blobs, digits, mnist, one_hot, rings, spirals, split, xor
from byhand.descent import History, descend, train
from byhand.gradcheck import check_function, check_gradients, numerical_gradient
from byhand.layers import Dense, he_normal, scaled_normal, standard_normal
from byhand.losses import accuracy, binary_cross_entropy, cross_entropy, mse
from byhand.network import Network

__all__ = [
    "sigmoid", "tanh", "relu", "identity", "softmax",
    "mse", "cross_entropy", "binary_cross_entropy", "accuracy",
    "Dense", "standard_normal", "scaled_normal", "he_normal", "Network",
    "Trace", "backprop", "evaluate", "History", "descend", "train",
    "numerical_gradient", "check_gradients", "check_function",
    "xor", "blobs", "rings", "spirals", "digits", "mnist", "one_hot", "split",
]
