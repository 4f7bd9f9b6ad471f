import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minigrad.ops import tiles

SIZES = st.tuples(st.integers(0, 90), st.integers(1, 96), st.sampled_from([1, 3, 8, 32, 64]))


@settings(max_examples=100, deadline=None)
@given(
    sizes=SIZES, alone=st.sampled_from([1, 2000, 20000, tiles.ALONE]), columns_first=st.booleans()
)
def test_tiles_make_up_the_products(sizes, alone, columns_first):
    rows, size, columns = sizes
    generator = np.random.default_rng(0)
    a = (
        generator.normal(size=(size, rows)).T
        if columns_first
        else generator.normal(size=(rows, size))
    )
    b, g = generator.normal(size=(size, columns)), generator.normal(size=(rows, columns))
    out = np.full((columns, rows), np.nan).T if columns_first else np.full((rows, columns), np.nan)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiles, "ALONE", alone)
        tiles.product(a, b, out)
        summed = tiles.folded(a, g)
    np.testing.assert_allclose(out, a @ b, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(summed, a.T @ g, rtol=1e-10, atol=1e-12)


def test_a_product_writes_into_columns_of_a_larger_matrix():
    a, b, z = np.ones((500, 80)), np.ones((80, 32)), np.zeros((500, 40))
    tiles.product(a, b, z[:, 4:36])
    assert z[:, 4:36].min() == z.max() == 80
    assert z[:, :4].max() == z[:, 36:].max() == 0


@settings(max_examples=60, deadline=None)
@given(rows=st.integers(0, 300), columns=st.integers(1, 40), alone=st.sampled_from([1, 100, 9216]))
def test_sums_over_rows_are_made_in_parts(rows, columns, alone):
    a = np.random.default_rng(0).normal(size=(rows, columns))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiles, "ALONE_WITH_A_VECTOR", alone)
        found = tiles.summed(a)
    np.testing.assert_allclose(found, a.sum(axis=0), rtol=1e-10, atol=1e-12)
