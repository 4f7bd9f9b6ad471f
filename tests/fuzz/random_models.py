"""Random models, trained by replay and eagerly: losses, terms, weights and outputs, bit for bit."""

import copy

import numpy as np

import minigrad as mg
from minigrad import layers, losses, metrics, optimizers, regularizers
from minigrad.training.replay import Replays

KIND = "models"
ACTIVATIONS = ["linear", "relu", "sigmoid", "tanh", "softplus", "elu", "selu", "silu", "gelu",
               "softmax", "softsign", "hard_sigmoid", "exponential", "log_softmax",
               "leaky_relu"]  # fmt: skip
TEMPERATE = [name for name in ACTIVATIONS if name != "exponential"]


class NoReplays(Replays):
    """Leaves every pass eager."""

    def __init__(self):
        super().__init__()
        self._failures = 1_000_000


def run(cases, seed):
    """Return a description of each model whose replayed training is another one."""
    failures = []
    for case in range(seed, seed + cases):
        try:
            with np.errstate(all="ignore"):
                found = one(case)
        except Exception as error:
            found = f"{type(error).__name__}: {error}"
        if found:
            failures.append(f"seed {case}: {found}")
    return failures


def one(seed):
    """Train a random model and its eager twin; return what differs, or an empty string."""
    r = np.random.default_rng(seed)
    model, x, y = random_model(r)
    model(x[:1])
    twin = copy.deepcopy(model)
    twin._replays = NoReplays()
    weights = r.random(len(x)).astype(np.float32) if r.random() < 0.4 else None
    takes_weights = weights is not None
    sizes = r.choice([1, 2, 3, 5, 8], 2)
    for step in range(int(r.integers(8, 18))):
        size = int(sizes[0] if r.random() < 0.85 else sizes[1])
        start = int(r.integers(0, len(x) - size + 1))
        rows = slice(start, start + size)
        batch = (x[rows], y[rows], weights[rows] if takes_weights else None)
        what = r.random()
        act = "train_on_batch" if what < 0.75 else "test_on_batch" if what < 0.9 else "predict"
        found = [outcome(each, act, batch) for each in (model, twin)]
        if not same(*found):
            return f"step {step}, {act} of {size}: {found[0]} != {found[1]} in {describe(model)}"
    values = [[w.numpy() for w in each.weights] for each in (model, twin)]
    gradients = [[p.grad for p in each.parameters()] for each in (model, twin)]
    terms = [[float(value) for value in each.losses] for each in (model, twin)]
    for name, pair in {"weights": values, "gradients": gradients, "losses": terms}.items():
        if not same(*pair):
            return f"{name} differ in {describe(model)}"
    return ""


def outcome(model, act, batch):
    """Return what a method returns, or the kind of error that it raises."""
    try:
        return model.predict(batch[0]) if act == "predict" else getattr(model, act)(*batch)
    except (mg.NonFiniteLossError, ValueError) as error:
        return type(error).__name__


def same(found, expected):
    """Whether two results are the same to the last bit."""
    if isinstance(found, dict):
        pairs = [(found[k], expected.get(k)) for k in found]
        return isinstance(expected, dict) and found.keys() == expected.keys() and all(
            same(*pair) for pair in pairs
        )  # fmt: skip
    if isinstance(found, list):
        return len(found) == len(expected) and all(map(same, found, expected))
    if isinstance(found, str) or found is None or expected is None:
        return found is expected or (isinstance(expected, str) and found == expected)
    return bool(np.array_equal(np.asarray(found), np.asarray(expected), equal_nan=True))


def describe(model):
    """Return the layers of a model, its loss and its optimizer, to make it again."""
    return (
        f"{[type(layer).__name__ for layer in model.layers]}, {getattr(model, 'loss', None)!r}, "
        f"{type(model.optimizer).__name__}"
    )


# ---- making one ---------------------------------------------------------------------------------


def random_model(r):
    """Return a compiled model, inputs and targets."""
    mg.set_seed(int(r.integers(0, 2**31)))
    rank = int(r.choice([0, 0, 0, 1, 2, 2, 3]))
    shape = (int(r.integers(2, 9)),) if rank == 0 else (*r.integers(4, 8, rank).tolist(),
                                                        int(r.integers(1, 4)))  # fmt: skip
    samples = 24
    x = r.normal(size=(samples, *shape)).astype(np.float32)
    units = int(r.integers(1, 6))
    loss, last, y = objective(r, samples, units)
    inner = [piece for _ in range(int(r.integers(1, 4))) for piece in pieces(r, rank)]
    if rank:
        inner.append(layers.Flatten() if r.random() < 0.6 else pooled(r, rank))
    inner.append(layers.Dense(units, last, kernel_regularizer=penalty(r)))
    if rank == 0 and r.random() < 0.35:
        model = branched(r, shape, inner)
    elif r.random() < 0.2 and len(inner) > 1:
        model = mg.Sequential(mg.Sequential(*inner[:-1]), inner[-1])
    else:
        model = mg.Sequential(*inner)
    if r.random() < 0.15:
        model.activity_regularizer = "l2"
    model.compile(optimizer(r), loss, metrics=shown(r), loss_weights=float(r.choice([1.0, 0.3])))
    return model, x, y


def pieces(r, rank):
    """Return some layers for inputs with `rank` axes beside batch and channels."""
    common = [
        lambda: layers.BatchNormalization(),
        lambda: layers.LayerNormalization(),
        lambda: layers.Dropout(0.3, seed=int(r.integers(0, 99))),
        lambda: layers.GaussianNoise(0.1, seed=int(r.integers(0, 99))),
        lambda: layers.GaussianDropout(0.2, seed=int(r.integers(0, 99))),
        lambda: layers.Activation(str(r.choice(TEMPERATE))),
        lambda: layers.ActivityRegularization(0.01, 0.02),
        lambda: layers.LeakyReLU(0.2),
        lambda: layers.PReLU(),
        lambda: layers.ELU(0.7),
        lambda: layers.ReLU(max_value=1.5, negative_slope=0.1, threshold=0.2),
    ]
    weighted = [dense] if rank == 0 else [convolution, convolution, dense]
    found = [weighted[int(r.integers(len(weighted)))](r, rank)]
    if r.random() < 0.6:
        found.append(common[int(r.integers(len(common)))]())
    if rank in (1, 2) and r.random() < 0.4:
        found.append(spatial(r, rank))
    return found


def slots(r):
    """Return random penalties, bias and freezing of a layer."""
    return {
        "use_bias": bool(r.random() < 0.8),
        "kernel_regularizer": penalty(r),
        "activity_regularizer": penalty(r),
        "trainable": bool(r.random() < 0.85),
    }


def dense(r, rank):
    return layers.Dense(int(r.integers(1, 8)), str(r.choice(TEMPERATE)), **slots(r))


def convolution(r, rank):
    kinds = [getattr(layers, f"Conv{rank}D"), getattr(layers, f"Conv{rank}DTranspose")]
    if rank < 3:
        kinds.append(getattr(layers, f"SeparableConv{rank}D"))
        kinds.append(getattr(layers, f"DepthwiseConv{rank}D"))
    kind = kinds[int(r.integers(len(kinds)))]
    options = slots(r)
    if "Depthwise" in kind.__name__ or "Separable" in kind.__name__:
        options.pop("kernel_regularizer")
    size = int(r.integers(1, 4))
    return kind(
        *(() if "Depthwise" in kind.__name__ else (int(r.integers(1, 5)),)),
        kernel_size=size,
        strides=int(r.integers(1, 3)) if size > 1 else 1,
        padding="same",
        activation=str(r.choice(TEMPERATE)),
        **options,
    )


def spatial(r, rank):
    names = ["MaxPooling{}D", "AveragePooling{}D", "UpSampling{}D", "ZeroPadding{}D",
             "SpatialDropout{}D"]  # fmt: skip
    name = str(r.choice(names)).format(rank)
    kind = getattr(layers, name)
    if "Pooling" in name:
        return kind(2, padding="same")
    return kind(0.3, seed=3) if "Dropout" in name else kind(2 if "Up" in name else 1)


def pooled(r, rank):
    return getattr(
        layers, str(r.choice(["GlobalMaxPooling", "GlobalAveragePooling"])) + f"{rank}D"
    )()


def penalty(r):
    kinds = [None, None, None, "l1", "l2", "l1_l2", regularizers.L1(0.05), regularizers.L2(1e-3),
             regularizers.KLDivergence(0.2, 0.1)]  # fmt: skip
    return kinds[int(r.integers(len(kinds)))]


def branched(r, shape, inner):
    """Return a model of two branches that are merged, one of them perhaps shared."""
    entry = layers.Input(shape)
    width = int(r.integers(2, 6))
    shared = layers.Dense(shape[0], "tanh", activity_regularizer=penalty(r))
    left = layers.Dense(width, str(r.choice(TEMPERATE)))(shared(entry))
    right = layers.Dense(width, kernel_regularizer=penalty(r))(
        shared(shared(entry)) if r.random() < 0.5 else entry
    )
    names = ["Add", "Multiply", "Average", "Maximum", "Minimum", "Subtract", "Concatenate"]
    output = getattr(layers, str(r.choice(names)))()([left, right])
    for layer in inner:
        output = layer(output)
    return mg.Model(entry, output)


def objective(r, samples, units):
    """Return a loss, the activation that fits it, and targets."""
    real = r.normal(size=(samples, units)).astype(np.float32)
    share = r.random((samples, units)).astype(np.float32)
    labels = r.integers(0, units, samples)
    choices = [
        ("mse", "linear", real),
        ("mae", "linear", real),
        (losses.Huber(0.7), "linear", real),
        ("log_cosh", "tanh", real),
        ("mape", "linear", 1 + share),
        ("msle", "relu", share),
        ("cosine_similarity", "linear", real),
        ("poisson", "softplus", share),
        ("kl_divergence", "sigmoid", share),
        ("binary_crossentropy", "sigmoid", share),
        (losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1), "linear", share),
        ("hinge", "tanh", np.sign(real)),
        ("squared_hinge", "tanh", np.sign(real)),
        (losses.MeanSquaredError(reduction="sum"), "linear", real),
        (losses.MeanAbsoluteError(reduction="mean_with_sample_weight"), "linear", real),
    ]
    if units > 1:
        choices += [
            ("sparse_categorical_crossentropy", "softmax", labels),
            (losses.SparseCategoricalCrossentropy(from_logits=True), "linear", labels),
            ("categorical_crossentropy", "softmax", np.eye(units)[labels]),
            (losses.CategoricalCrossentropy(from_logits=True), "linear", np.eye(units)[labels]),
            ("categorical_hinge", "linear", np.eye(units)[labels]),
        ]
    return choices[int(r.integers(len(choices)))]


def shown(r):
    choices = [None, None, ["mae"], ["mse", "mae"], [metrics.RootMeanSquaredError()]]
    return choices[int(r.integers(len(choices)))]


def optimizer(r):
    clip = [{}, {}, {"clipnorm": 0.5}, {"clipvalue": 0.1}, {"global_clipnorm": 0.5}]
    options = {**clip[int(r.integers(len(clip)))]}
    if r.random() < 0.2:
        options["weight_decay"] = 0.01
    kinds = [
        lambda: optimizers.SGD(0.01, momentum=float(r.choice([0, 0.9])), **options),
        lambda: optimizers.Adam(0.01, amsgrad=bool(r.random() < 0.3), **options),
        lambda: optimizers.RMSprop(0.01, centered=bool(r.random() < 0.3), **options),
        lambda: optimizers.Nadam(0.01, **options),
        lambda: optimizers.Adagrad(0.01, **options),
        lambda: optimizers.Adadelta(0.1, **options),
        lambda: optimizers.Lion(0.001, **options),
        lambda: optimizers.SGD(optimizers.schedules.ExponentialDecay(0.01, 3, 0.9), **options),
    ]
    return kinds[int(r.integers(len(kinds)))]()
