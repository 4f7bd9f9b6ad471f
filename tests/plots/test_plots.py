import numpy as np
import pytest

from minigrad import plots

HISTORY = {
    "loss": [3.0, 2.0, 1.5],
    "data": [2.0, 1.5, 1.2],
    "a/activity": [1.0, 0.5, 0.3],
    "val_loss": [3.1, 2.2, 1.7],
    "val_data": [2.1, 1.6, 1.3],
}
ROWS = [
    {"parameter": "a/kernel", "term": "data", "share": 0.6, "cosine": 1.0, "has_path": True},
    {"parameter": "a/kernel", "term": "a/l1", "share": 0.4, "cosine": -0.9, "has_path": True},
    {"parameter": "b/bias", "term": "data", "share": 1.0, "cosine": 1.0, "has_path": True},
    {"parameter": "b/bias", "term": "a/l1", "share": 0.0, "cosine": np.nan, "has_path": False},
]


def texts(figure):
    figure.draw_without_rendering()
    return [text.get_text() for text in figure.findobj(lambda a: hasattr(a, "get_text"))]


def test_every_figure_shows_itself_as_a_png():
    assert plots.learning_curves(HISTORY)._repr_png_().startswith(b"\x89PNG")


def test_learning_curves_name_each_term_and_stack_to_the_loss():
    figure = plots.learning_curves(HISTORY)
    shown = texts(figure)
    assert {"data", "a/activity", "validation loss"} <= set(shown)
    left = figure.axes[0]
    top = left.collections[-1].get_paths()[0].vertices[:, 1].max()
    assert top == pytest.approx(3.0)


def test_learning_curves_need_epochs_of_one_number():
    with pytest.raises(ValueError, match="at least one epoch"):
        plots.learning_curves({})
    with pytest.raises(ValueError, match="one length"):
        plots.learning_curves({"loss": [1.0], "data": [1.0, 2.0]})
    assert plots.learning_curves({"loss": [1.0]}).axes


def test_reconstructions_have_a_row_for_the_originals_and_each_model():
    images = np.random.default_rng(0).uniform(0, 1, (4, 6))
    figure = plots.reconstructions(images, {"PCA": images * 0.5}, (2, 3))
    assert len(figure.axes) == 8
    np.testing.assert_allclose(figure.axes[5].images[0].get_array(), images[1].reshape(2, 3) * 0.5)
    assert {"original", "PCA"} <= set(texts(figure))
    with pytest.raises(ValueError, match=r"shape \(images, 6\)"):
        plots.reconstructions(images[:, :5], {}, (2, 3))
    with pytest.raises(ValueError, match="PCA has 2 images"):
        plots.reconstructions(images, {"PCA": images[:2]}, (2, 3))


def test_filters_show_living_units_first_on_a_symmetric_scale():
    kernel = np.random.default_rng(0).normal(size=(4, 17))
    dead = np.arange(17) >= 3
    figure = plots.filters(kernel, (2, 2), dead)
    shown = [axes.images[0] for axes in figure.axes if axes.images]
    low, high = shown[0].get_clim()
    assert low == -high
    strongest = int(np.argmax(np.linalg.norm(kernel[:, :3], axis=0)))
    np.testing.assert_allclose(shown[0].get_array(), kernel[:, strongest].reshape(2, 2))
    assert any("3 living units" in text and "14 dead" in text for text in texts(figure))
    with pytest.raises(ValueError, match=r"dead must have shape \(17,\)"):
        plots.filters(kernel, (2, 2), dead[:3])
    assert plots.filters(np.zeros((4, 1)), (2, 2)).axes
    assert plots.filters(kernel, (2, 2), np.ones(17, bool)).axes


def test_activity_distribution_counts_every_sample():
    figure = plots.activity_distribution({"sparse": [3, 4, 4], "twin": [80, 90, 85]}, budget=10)
    heights = sum(patch.get_height() for patch in figure.axes[0].patches)
    assert heights == 6
    assert {"sparse: mean 3.7", "twin: mean 85.0", "budget of 10"} <= set(texts(figure))
    with pytest.raises(ValueError, match="at least one model"):
        plots.activity_distribution({})


def test_comparison_has_a_bar_for_each_model_and_measure():
    figure = plots.comparison([{"name": "sparse", "active": 11, "error": 0.0138},
                               {"name": "PCA", "active": 10, "error": 0.0192}])  # fmt: skip
    assert [len(axes.patches) for axes in figure.axes] == [2, 2]
    assert {"11.0", "0.0138", "PCA"} <= set(texts(figure))
    with pytest.raises(ValueError, match="at least one row"):
        plots.comparison([])


def test_contributions_show_shares_that_add_up_and_cosines():
    figure = plots.contributions(ROWS)
    bars = [patch for patch in figure.axes[0].patches if patch.get_width() > 0]
    assert sum(bar.get_width() for bar in bars) == pytest.approx(2)
    assert {"60%", "40%", "100%", "-0.90", "a/kernel", "b/bias"} <= set(texts(figure))
    with pytest.raises(ValueError, match="no term reaches"):
        plots.contributions([ROWS[3]])


def test_a_term_has_the_same_colour_in_all_figures():
    assert plots.term_colours(["data", "a", "b"])["b"] == plots.term_colours(["a", "b"])["b"]
    many = plots.term_colours(["data", *"abcdefg"])
    assert len(set(many.values())) == 8
