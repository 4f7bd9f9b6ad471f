"""Matrix products cut into tiles that BLAS computes on the thread that asks for them.

OpenBLAS, which NumPy's wheels bring, spreads a product over threads of its own if it takes more
than `ALONE` multiplications, and lets one such product wait for the other. So two threads that both
multiply large matrices take turns; two that multiply tiles run side by side. `np.matmul` goes
through a stack of tiles without returning to Python. Each tile costs a call of BLAS: tiles are a
tenth to a quarter slower than one product on one thread. With another BLAS all of it works as well.

A single product on several threads would do harm beyond its own time: for some 20 ms after it,
OpenBLAS's threads wait for the next by spinning, and take the processors from ours.

The plain forms are ``out[...] = a @ b``, ``a.T @ b`` and ``a.sum(axis=0)``.
"""

from typing import Any

import numpy as np

# The number of multiplications of OpenBLAS's smallest product on several threads.
ALONE = 65536 * 4
# The same for a vector times a matrix: the elements of the matrix.
ALONE_WITH_A_VECTOR = 2304 * 4
# The columns of a tile, where all of them at once would leave it few rows.
WIDTH = 32
# Tiles of fewer rows spend their time on what BLAS does before it multiplies.
FEWEST_ROWS = 8
# The most rows of a tile of `folded`: the more square a tile, the less BLAS copies.
HIGHEST = 72


def product(a: Any, b: Any, out: Any) -> None:
    """Write ``a @ b`` into `out`: (M, K) · (K, N) → (M, N)."""
    size, columns = b.shape
    wide = size * columns * WIDTH > ALONE
    width = WIDTH if wide and columns % WIDTH == 0 else columns
    rows = ALONE // max(size * width, 1) // 4 * 4
    if rows < FEWEST_ROWS or not len(a):
        np.matmul(a, b, out=out)
        return
    # (column tiles, 1, K, width)
    right = b.reshape(size, -1, width).swapaxes(0, 1)[:, None]
    whole = len(a) // rows * rows
    for part, height in ((slice(whole), rows), (slice(whole, None), len(a) - whole)):
        if len(a[part]):
            # (row tiles, height, K) · (column tiles, 1, K, width)
            tiles = out[part].reshape(-1, height, columns // width, width).transpose(2, 0, 1, 3)
            np.matmul(a[part].reshape(-1, height, size), right, out=tiles)


def folded(a: Any, b: Any) -> Any:
    """Return ``a.T @ b``, summed over the rows: (M, K), (M, N) → (K, N)."""
    (rows, size), columns = a.shape, b.shape[1]
    height = max(n for n in range(1, min(size, HIGHEST) + 1) if size % n == 0)
    width = WIDTH if columns % WIDTH == 0 else columns
    depth = ALONE // (height * width) // 16 * 16
    if rows * size * columns <= ALONE or depth < FEWEST_ROWS or height < min(size, FEWEST_ROWS):
        return np.matmul(a.T, b)
    total = np.zeros((size // height, columns // width, height, width), np.result_type(a, b))
    whole = rows // depth * depth
    for part, deep in ((slice(whole), depth), (slice(whole, None), rows - whole)):
        if len(a[part]):
            # (depths, row tiles, 1, height, deep) · (depths, 1, column tiles, deep, width)
            left = a[part].reshape(-1, deep, size // height, 1, height).transpose(0, 2, 3, 4, 1)
            right = b[part].reshape(-1, deep, 1, columns // width, width).transpose(0, 2, 3, 1, 4)
            total += np.matmul(left, right).sum(axis=0)
    return total.transpose(0, 2, 1, 3).reshape(size, columns)


def summed(a: Any) -> Any:
    """Return the sums over the rows: (M, N) → (N,). NumPy's own are slow where rows are short."""
    rows, columns = a.shape
    height = max(ALONE_WITH_A_VECTOR // max(columns, 1), 1)
    ones = np.ones((1, height), a.dtype)
    whole = rows // height * height
    # (1, height) · (tiles, height, N) → (tiles, 1, N)
    total = np.matmul(ones, a[:whole].reshape(-1, height, columns)).sum(axis=(0, 1))
    return total + np.matmul(ones[0, : rows - whole], a[whole:])
