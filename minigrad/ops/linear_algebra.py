"""Matrix products and decompositions.

Sources of the decompositions' rules: M. Giles, "An extended collection of matrix derivative results
for forward and reverse mode algorithmic differentiation" (2008); J. Townsend, "Differentiating the
Singular Value Decomposition" (2016); I. Murray, "Differentiation of the Cholesky decomposition"
(2016). Axes before the last two count as a batch everywhere.
"""

from collections import namedtuple
from typing import Any

import numpy as np

from minigrad.engine.primitive import Primitive
from minigrad.engine.table import implements
from minigrad.engine.tensor import plain
from minigrad.ops.reductions import safe_sqrt
from minigrad.ops.shapes import axes_of, folded_last


def _t(x: Any) -> Any:
    """Transpose the last two axes."""
    return np.swapaxes(x, -1, -2)


# ---- products ----------------------------------------------------------------------------------

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
    return np.squeeze(product, (-2,) * x_is_vector + (-1,) * y_is_vector)


@implements(np.tensordot)
def tensordot(x: Any, y: Any, axes: Any = 2) -> Any:
    """Sum of products over the given axes of both."""
    if isinstance(axes, int):
        axes = (tuple(range(np.ndim(x) - axes, np.ndim(x))), tuple(range(axes)))
    folded_x = axes_of(x, axes[0], "tensordot: first axes")
    folded_y = axes_of(y, axes[1], "tensordot: second axes")
    if [np.shape(x)[a] for a in folded_x] != [np.shape(y)[a] for a in folded_y]:
        raise ValueError(
            f"tensordot needs axes of the same lengths. Received: axes {folded_x} of "
            f"{np.shape(x)} and {folded_y} of {np.shape(y)}"
        )
    kept_x = [a for a in range(np.ndim(x)) if a not in folded_x]
    kept_y = [a for a in range(np.ndim(y)) if a not in folded_y]
    shape = (*(np.shape(x)[a] for a in kept_x), *(np.shape(y)[a] for a in kept_y))
    size = int(np.prod([np.shape(x)[a] for a in folded_x]))
    left = np.transpose(x, (*kept_x, *folded_x))
    right = np.transpose(y, (*folded_y, *kept_y))
    rows = int(np.prod([np.shape(x)[a] for a in kept_x]))
    columns = int(np.prod([np.shape(y)[a] for a in kept_y]))
    # (kept x, folded) · (folded, kept y) → (kept x, kept y)
    return matmul_(left.reshape((rows, size)), right.reshape((size, columns))).reshape(shape)


@implements(np.dot)
def dot(x: Any, y: Any) -> Any:
    """Inner product of vectors, matrix product of matrices, as NumPy's for all ranks."""
    if np.ndim(x) == 0 or np.ndim(y) == 0:
        return x * y
    return tensordot(x, y, axes=((-1,), (-1 if np.ndim(y) == 1 else -2,)))


@implements(np.inner)
def inner(x: Any, y: Any) -> Any:
    """Sum of products over both last axes."""
    return x * y if np.ndim(x) == 0 or np.ndim(y) == 0 else tensordot(x, y, axes=((-1,), (-1,)))


# ---- systems of equations ------------------------------------------------------------------------

inv = Primitive(np.linalg.inv, lambda g, z, x: -_t(z) @ g @ _t(z))

solve_: Primitive = Primitive(
    np.linalg.solve,
    lambda g, z, a, b: -solve_(_t(a), g) @ _t(z),
    lambda g, z, a, b: solve_(_t(a), g),
)


@implements(np.linalg.solve)
def solve(a: Any, b: Any) -> Any:
    """The x of ``a x = b``; a vector b counts as a column."""
    if np.ndim(b) == 1:
        return np.squeeze(solve_(a, np.reshape(b, (-1, 1))), -1)
    return solve_(a, b)


def _pinv(g: Any, z: Any, x: Any, **options: Any) -> Any:
    """(1 − x z) gᵀ z zᵀ + zᵀ z gᵀ (1 − z x) − zᵀ g zᵀ: G. Golub and V. Pereyra (1973)."""
    left, right = _t(g) @ z @ _t(z), _t(z) @ z @ _t(g)
    return left - x @ (z @ left) + right - (right @ z) @ x - _t(z) @ g @ _t(z)


pinv_ = Primitive(np.linalg.pinv, _pinv)
implements(np.linalg.pinv)(lambda x, rcond=None, **options: pinv_(x, rcond=rcond, **options))


@implements(np.linalg.lstsq)
def lstsq(a: Any, b: Any, rcond: float | None = None) -> tuple[Any, ...]:
    """The smallest x for which ``a x`` is nearest to b; Σ (a x − b)²; rank; singular values."""
    _, residuals, rank, _ = np.linalg.lstsq(plain(a), plain(b), rcond)
    cut = np.finfo(a.dtype).eps * max(a.shape) if rcond is None else rcond  # as NumPy's
    x = pinv_(a, rcond=float(cut)) @ b
    if residuals.size:
        residuals = np.sum(np.square(a @ x - b), axis=0).reshape(residuals.shape)
    return x, residuals, rank, singular_values(a)


det = Primitive(np.linalg.det, lambda g, z, x: (g * z)[..., None, None] * _t(inv(x)))

log_determinant = Primitive(
    lambda x: np.linalg.slogdet(x)[1],
    lambda g, z, x: g[..., None, None] * _t(inv(x)),
    name="log_determinant",
)
SlogdetResult = namedtuple("SlogdetResult", "sign logabsdet")


@implements(np.linalg.slogdet)
def slogdet(x: Any) -> SlogdetResult:
    """Return the determinant's sign, a plain array, and ln |det x|, which never overflows."""
    return SlogdetResult(np.linalg.slogdet(plain(x))[0], log_determinant(x))


# ---- decompositions ------------------------------------------------------------------------------


def _cholesky(g: Any, z: Any, x: Any) -> Any:
    """½ (S + Sᵀ), S = L⁻ᵀ Φ(Lᵀ g) L⁻¹; Φ takes the lower triangle, with half its diagonal."""
    n = x.shape[-1]
    half = np.tri(n, dtype=x.dtype) - 0.5 * np.eye(n, dtype=x.dtype)
    inverse = inv(z)
    s = _t(inverse) @ (half * (_t(z) @ g)) @ inverse
    return (s + _t(s)) / 2


cholesky_ = Primitive(np.linalg.cholesky, _cholesky)
implements(np.linalg.cholesky)(
    lambda x, *, upper=False: _t(cholesky_(_t(x))) if upper else cholesky_(x)
)


def _gaps(values: Any) -> Any:
    """1 / (vⱼ − vᵢ) off the diagonal, 0 on it: (…, N) → (…, N, N)."""
    gaps = values[..., None, :] - values[..., :, None]
    here = np.eye(values.shape[-1], dtype=bool)
    return np.where(here, 0.0, 1 / np.where(here, 1.0, gaps))


def _symmetric(x: Any) -> Any:
    return (x + _t(x)) / 2


def _eigenvalues(g: Any, z: Any, x: Any) -> Any:
    """V diag(g) Vᵀ."""
    v = eigenvectors(x)
    return _symmetric((v * g[..., None, :]) @ _t(v))


def _eigenvectors(g: Any, z: Any, x: Any) -> Any:
    """V (F ∘ Vᵀ g) Vᵀ with F = 1 / (wⱼ − wᵢ): needs distinct eigenvalues."""
    return _symmetric(z @ (_gaps(eigenvalues(x)) * (_t(z) @ g)) @ _t(z))


eigenvalues = Primitive(lambda x: np.linalg.eigh(x)[0], _eigenvalues, name="eigenvalues")
implements(np.linalg.eigvalsh)(eigenvalues)
eigenvectors = Primitive(lambda x: np.linalg.eigh(x)[1], _eigenvectors, name="eigenvectors")
EighResult = namedtuple("EighResult", "eigenvalues eigenvectors")


@implements(np.linalg.eigh)
def eigh(x: Any) -> EighResult:
    """Eigenvalues and eigenvectors of a symmetric matrix.

    The eigenvectors' derivative needs distinct eigenvalues; their signs are arbitrary.
    """
    return EighResult(eigenvalues(x), eigenvectors(x))


def _part(index: int) -> Any:
    return lambda x: np.linalg.svd(x, full_matrices=False)[index]


def _singular_values(g: Any, z: Any, x: Any) -> Any:
    """U diag(g) Vᵀ."""
    return (left_vectors(x) * g[..., None, :]) @ right_vectors(x)


def _left_vectors(g: Any, z: Any, x: Any) -> Any:
    """[U (F ∘ (Uᵀg − gᵀU)) S + (1 − UUᵀ) g S⁻¹] Vᵀ with F = 1 / (sⱼ² − sᵢ²)."""
    s, vt = singular_values(x), right_vectors(x)
    inner_part = _gaps(s * s) * (_t(z) @ g - _t(g) @ z) * s[..., None, :]
    rest = (g - z @ (_t(z) @ g)) / s[..., None, :]
    return (z @ inner_part + rest) @ vt


def _right_vectors(g: Any, z: Any, x: Any) -> Any:
    """U [S (F ∘ (Vᵀh − hᵀV)) Vᵀ + S⁻¹ hᵀ (1 − VVᵀ)] with h = gᵀ, as the result is Vᵀ."""
    u, s = left_vectors(x), singular_values(x)
    v, h = _t(z), _t(g)
    inner_part = s[..., :, None] * (_gaps(s * s) * (_t(v) @ h - _t(h) @ v))
    rest = (g - (g @ v) @ z) / s[..., :, None]
    return u @ (inner_part @ z + rest)


left_vectors = Primitive(_part(0), _left_vectors, name="left_vectors")
singular_values = Primitive(_part(1), _singular_values, name="singular_values")
implements(np.linalg.svdvals)(singular_values)
right_vectors = Primitive(_part(2), _right_vectors, name="right_vectors")
SVDResult = namedtuple("SVDResult", "U S Vh")


@implements(np.linalg.svd)
def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """Reduced singular value decomposition; derivatives of U and Vh need distinct values."""
    if not compute_uv:
        return singular_values(x)
    if full_matrices and x.shape[-1] != x.shape[-2]:
        raise NotImplementedError(
            "np.linalg.svd of a Tensor is the reduced one: pass full_matrices=False"
        )
    return SVDResult(left_vectors(x), singular_values(x), right_vectors(x))


def _qr(g: Any, x: Any, of_q: bool) -> Any:
    """(gQ + Q copyltu(M)) R⁻ᵀ, M = R gRᵀ − gQᵀ Q; copyltu mirrors a triangle: S. Walter (2012)."""
    q, r = q_factor(x), r_factor(x)
    m = -_t(g) @ q if of_q else r @ _t(g)
    change = q @ (np.tril(m) + _t(np.tril(m, -1)))
    return _t(solve_(r, _t(g + change if of_q else change)))


q_factor = Primitive(lambda x: np.linalg.qr(x)[0], lambda g, z, x: _qr(g, x, True), name="q_factor")
r_factor = Primitive(
    lambda x: np.linalg.qr(x)[1], lambda g, z, x: _qr(g, x, False), name="r_factor"
)
QRResult = namedtuple("QRResult", "Q R")


@implements(np.linalg.qr)
def qr(x: Any, mode: str = "reduced") -> Any:
    """Orthonormal columns Q, and the upper triangle R by which they give x."""
    rows, columns = x.shape[-2:]
    if mode not in ("reduced", "r") and not (mode == "complete" and rows <= columns):
        raise NotImplementedError(f"np.linalg.qr of a Tensor has no mode {mode!r}: use 'reduced'")
    q, r = q_factor(x[..., :rows]), r_factor(x[..., :rows])
    if columns > rows:
        r = np.concatenate([r, _t(q) @ x[..., rows:]], axis=-1)
    return r if mode == "r" else QRResult(q, r)


# ---- norms ---------------------------------------------------------------------------------------


@implements(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Length of vectors or matrices: L1, L2, max, any p; Frobenius, spectral and nuclear.

    The derivative of a length at 0 is taken as 0.
    """
    if axis is None and ord is None:
        return safe_sqrt(np.sum(np.square(x), keepdims=keepdims))
    axes = axes_of(x, axis, "norm")
    if len(axes) == 1:
        return _vector_norm(x, 2 if ord is None else ord, axes[0], keepdims)
    if len(axes) != 2:
        raise ValueError(f"a norm is of vectors or matrices. Received: axes {axes}")
    return _matrix_norm(x, "fro" if ord is None else ord, (axes[0], axes[1]), keepdims)


def _vector_norm(x: Any, ord: Any, axis: int, keepdims: bool) -> Any:
    if ord == 2:
        return safe_sqrt(np.sum(np.square(x), axis=axis, keepdims=keepdims))
    size = np.abs(x)
    if ord == np.inf:
        return np.max(size, axis=axis, keepdims=keepdims)
    if ord == -np.inf:
        return np.min(size, axis=axis, keepdims=keepdims)
    if ord == 0:  # how many are not 0
        return np.sum(np.square(np.sign(x)), axis=axis, keepdims=keepdims)
    if ord == 1:
        return np.sum(size, axis=axis, keepdims=keepdims)
    if isinstance(ord, int | float):
        if ord < 1:  # the power of 0 has no derivative there, and gets 0
            at_zero = 0.0 if ord > 0 else np.inf
            powers = np.where(size > 0, np.where(size > 0, size, 1.0) ** float(ord), at_zero)
        else:
            powers = size ** float(ord)
        total = np.sum(powers, axis=axis, keepdims=keepdims)
        there = total > 0  # as in safe_sqrt: at 0, where it has none, the derivative is 0
        return np.where(there, np.where(there, total, 1.0) ** (1 / ord), 0.0)
    raise ValueError(f"no vector norm of order {ord!r} with a derivative")


def _matrix_norm(x: Any, ord: Any, axes: tuple[int, int], keepdims: bool) -> Any:
    if ord == "fro":
        return safe_sqrt(np.sum(np.square(x), axis=axes, keepdims=keepdims))
    x = np.moveaxis(x, axes, (-2, -1))
    if ord in (1, -1, np.inf, -np.inf):
        sums = np.sum(np.abs(x), axis=-2 if abs(ord) == 1 else -1)
        result = np.max(sums, axis=-1) if ord > 0 else np.min(sums, axis=-1)
    elif ord in (2, -2):
        result = (np.max if ord == 2 else np.min)(singular_values(x), axis=-1)
    elif ord == "nuc":
        result = np.sum(singular_values(x), axis=-1)
    else:
        raise ValueError(f"no matrix norm of order {ord!r}")
    if keepdims:
        places = tuple(sorted(axis % x.ndim for axis in axes))
        result = np.expand_dims(result, places)
    return result


@implements(np.linalg.vector_norm)
def vector_norm(x: Any, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """Length of all elements as one vector, or of those along some axes."""
    rows, folded = folded_last(x, axis)
    length = _vector_norm(rows, ord, -1, False)
    return np.expand_dims(length, tuple(folded)) if keepdims else length


@implements(np.linalg.matrix_norm)
def matrix_norm(x: Any, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """Size of the matrices in the last two axes."""
    return _matrix_norm(x, ord, (x.ndim - 2, x.ndim - 1), keepdims)
