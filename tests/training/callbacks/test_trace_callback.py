import numpy as np
import pytest

import minigrad as mg
from minigrad.callbacks import TraceCallback
from minigrad.layers import BatchNormalization, Dense, Dropout

X = np.random.default_rng(0).uniform(0, 1, (20, 6)).astype(np.float32)


def model():
    mg.set_seed(0)
    made = mg.Sequential(
        Dense(5, "tanh", kernel_regularizer="l2", activity_regularizer="l1", input_dim=6, name="c"),
        BatchNormalization(),
        Dropout(0.3),
        Dense(6, name="out"),
    )
    made.compile("adam", "mse")
    return made


def fit(made, callbacks, epochs=4):
    return made.fit(X, X, batch_size=5, epochs=epochs, verbose=0, callbacks=callbacks)


def test_it_records_each_parameter_and_term_at_the_steps_of_the_optimizer():
    watch, made = TraceCallback(every=3), model()
    history = fit(made, watch)
    steps = sorted({record["step"] for record in watch.records})
    assert steps == [0, 3, 6, 9, 12, 15]
    assert history.step == [4, 8, 12, 16]
    per_look = len(made.parameters()) * 3
    assert len(watch.records) == len(steps) * per_look
    for step in steps:
        shares = [
            r["share"] for r in watch.records if r["step"] == step and r["parameter"] == "c/kernel"
        ]
        assert sum(shares) == pytest.approx(1)


def test_training_goes_on_as_it_would_have():
    watched, alone = model(), model()
    fit(watched, TraceCallback(every=2))
    fit(alone, None)
    for one, other in zip(watched.get_weights(), alone.get_weights(), strict=True):
        assert (one == other).all()


def test_what_it_records_are_the_numbers_of_a_trace():
    made = model()
    expected = made.trace(X[:5], X[:5]).table().as_dicts()
    watch = TraceCallback(every=100)
    made.fit(X[:5], X[:5], batch_size=5, shuffle=False, verbose=0, callbacks=watch)
    for record, row in zip(watch.records, expected, strict=True):
        assert {k: record[k] for k in row} == pytest.approx(row, nan_ok=True)


def test_only_some_parameters():
    watch = TraceCallback(parameters=["c/kernel"])
    fit(model(), watch)
    assert {record["parameter"] for record in watch.records} == {"c/kernel"}
    with pytest.raises(KeyError, match=r"unknown parameter 'c/kernal'.*c/kernel"):
        fit(model(), TraceCallback(parameters=["c/kernal"]))
    with pytest.raises(ValueError, match="every must be a positive integer"):
        TraceCallback(every=0)


def test_it_draws_shares_conflicts_and_rulers():
    watch = TraceCallback(every=2)
    with pytest.raises(RuntimeError, match="recorded nothing"):
        watch.plot_shares()
    fit(model(), watch)
    shares = watch.plot_shares(["c/kernel", "out/kernel"])
    assert [axes.get_title() for axes in shares.axes if axes.get_visible()] == [
        "c/kernel",
        "out/kernel",
    ]
    conflicts = watch.plot_conflicts()
    assert "c/kernel  ←  c/activity" in [t.get_text() for t in conflicts.axes[0].get_yticklabels()]
    image = conflicts.axes[0].images[0].get_array()
    assert np.nanmax(np.abs(image)) <= 1 + 1e-9
    rulers = watch.plot_rulers()
    assert len(rulers.axes[0].get_yticklabels()) == len({r["parameter"] for r in watch.records})
    with pytest.raises(KeyError, match="no parameter 'x'"):
        watch.plot_shares(["x"])
