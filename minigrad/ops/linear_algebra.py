"""Matrix products."""

from typing import Any

import numpy as np

from minigrad.engine.primitive import Primitive
from minigrad.engine.table import implements


def _t(x: Any) -> Any:
    """Transpose the last two axes."""
    return np.swapaxes(x, -1, -2)


matmul_ = Primitive(
    np.matmul,
    lambda g, z, x, y: np.matmul(g, _t(y)),  # (…, N, M) · (…, M, K) → (…, N, K)
    lambda g, z, x, y: np.matmul(_t(x), g),  # (…, K, N) · (…, N, M) → (…, K, M)
)


@implements(np.matmul)
def matmul(x: Any, y: Any) -> Any:
    """Matrix product of tensors of any rank; a vector counts as a row before, a column after."""
    x_is_vector, y_is_vector = np.ndim(x) == 1, np.ndim(y) == 1
    if not (x_is_vector or y_is_vector):
        return matmul_(x, y)
    product = matmul_(
        np.reshape(x, (1, -1)) if x_is_vector else x, np.reshape(y, (-1, 1)) if y_is_vector else y
    )
    kept = list(product.shape)
    if y_is_vector:
        kept.pop(-1)
    if x_is_vector:
        kept.pop(-1 if y_is_vector else -2)
    return product.reshape(tuple(kept))
