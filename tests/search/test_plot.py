import numpy as np
import pytest

from minigrad.plots.path import regularization_path
from minigrad.search import PathTable

VALUES = (0.0, 0.001, 0.01, 0.1)


def path(inputs=9, seeds=(0, 1), l2=(0.0, 0.5), shape=None):
    """Return a table whose error is l1 + seed, with kernels of constant weights."""
    rows, kernels = [], []
    for first in VALUES:
        for second in l2:
            for seed in seeds:
                rows.append(
                    {"l1": first, "l2": second, "seed": seed, "data": 9.0, "val_data": first + seed,
                     "codings/active": 5.0 + second, "codings/kernel_norm": 3.0,
                     "pixels/kernel_norm": 4.0, "error": None}
                )  # fmt: skip
                kernels.append(np.full(shape or (inputs, 20), 1 - first, np.float32))
    return PathTable(rows, ["l1", "l2"], kernels)


def texts(figure):
    figure.draw_without_rendering()
    return [text.get_text() for text in figure.findobj(lambda a: hasattr(a, "get_text"))]


def filters(figure):
    return [image.get_array() for axes in figure.axes for image in axes.images]


def panels(figure):
    return [axes for axes in figure.axes if axes.lines]


def test_lines_go_through_the_means_over_seeds_with_zero_left_of_the_axis():
    figure = path().plot()
    error = panels(figure)[0]
    solid = next(
        line for line in error.lines if line.get_linestyle() == "-" and len(line.get_xdata()) == 3
    )
    np.testing.assert_allclose(solid.get_xdata(), [-3, -2, -1])
    np.testing.assert_allclose(solid.get_ydata(), np.array(VALUES[1:]) + 0.5)
    assert error.get_xticks().tolist() == [-4, -3, -2, -1]
    assert [label.get_text() for label in error.get_xticklabels()] == ["0", "0.001", "0.01", "0.1"]


def test_every_panel_and_every_line_is_named():
    figure = path().plot()
    shown = texts(figure)
    assert len(panels(figure)) == 3
    assert {"held-out error (val_data)", "active units per sample", "l2=0", "l2=0.5"} <= set(shown)
    assert {"codings/kernel", "pixels/kernel", "l1=0", "l1=0.1"} <= set(shown) | {
        f"{name}/kernel" for name in shown
    }
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_filters_are_one_path_of_the_same_units():
    figure = path().plot()
    images = filters(figure)
    assert len(images) == 4 * 14
    assert images[0].shape == (3, 3)
    np.testing.assert_allclose([np.mean(image) for image in images[::14]], 1 - np.array(VALUES))


def test_filters_of_convolutions_and_of_given_shapes_are_drawn_and_others_left_out():
    def sizes(table, **options):
        return {image.shape for image in filters(table.plot(**options))}

    assert sizes(path(inputs=6), image_shape=(2, 3)) == {(2, 3)}
    assert sizes(path(inputs=6)) == set()
    assert sizes(path(shape=(3, 2, 1, 5))) == {(3, 2)}
    assert sizes(path(shape=(3, 2, 5))) == set()
    with pytest.raises(ValueError, match=r"image_shape \(2, 2\) does not hold the 9 inputs"):
        path().plot(image_shape=(2, 2))


def test_of_folds_the_first_ones_filters_are_shown_and_said_to_be():
    rows = [{"l1": 1.0, "seed": 3, "fold": fold, "data": 1.0, "error": None} for fold in (0, 1)]
    figure = regularization_path(rows, ["l1"], [np.full((4, 2), fold) for fold in (5, 6)])
    assert any("(seed=3, fold=0)" in text for text in texts(figure))
    assert {float(image.max()) for image in filters(figure)} == {5}


def test_errors_below_zero_are_inside_and_others_stand_on_zero():
    def limits(values):
        rows = [{"l1": value, "data": error, "error": None} for value, error in values.items()]
        return panels(regularization_path(rows, ["l1"]))[0].get_ylim()

    assert limits({0.1: -0.9, 1.0: -0.5})[0] < -0.9
    assert limits({0.1: 0.9, 1.0: 0.5})[0] == 0


def test_lines_of_many_strengths_can_be_told_apart():
    rows = [
        {"l1": first, "l2": float(second), "data": 1.0, "error": None}
        for first in (0.1, 1.0)
        for second in range(8)
    ]
    figure = regularization_path(rows, ["l1", "l2"], strength="l1")
    lines = figure.legends[0].legend_handles
    assert len({(line.get_color(), line.get_marker()) for line in lines}) == 8


def test_the_strength_on_the_axis_and_the_error_can_be_chosen():
    figure = path().plot(strength="l2", error="data")
    assert {"training error (data)", "l1=0.001"} <= set(texts(figure))
    with pytest.raises(ValueError, match=r"unknown strength 'l3'\. Known: l1, l2"):
        path().plot(strength="l3")
    with pytest.raises(ValueError, match=r"unknown error 'accuracy'\. Known: l1"):
        path().plot(error="accuracy")


def test_failed_runs_are_left_out_and_one_good_one_is_enough():
    bad = {"l1": 0.5, "seed": 0, "error": "ValueError: no"}
    assert regularization_path([bad, {"l1": 0.0, "loss": 1.0, "error": None}], ["l1"]).axes
    with pytest.raises(ValueError, match="none succeeded"):
        regularization_path([bad], ["l1"])


def test_a_long_path_labels_and_shows_some_of_its_strengths():
    rows = [{"l1": float(v), "data": 1.0, "error": None} for v in np.logspace(-6, 0, 40)]
    figure = regularization_path(rows, ["l1"], [np.ones((4, 2))] * 40)
    assert len(panels(figure)[0].get_xticks()) <= 7
    assert len(filters(figure)) == 8 * 2
