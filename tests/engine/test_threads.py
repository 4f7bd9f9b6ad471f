import multiprocessing
import pickle
import threading

import numpy as np

import minigrad as mg
from minigrad.layers import Dense

X = np.random.default_rng(0).uniform(0, 1, (40, 6))


def train(seed):
    model = mg.Sequential(
        Dense(5, "relu", activity_regularizer="l1", input_dim=6, seed=seed, name="codings"),
        Dense(6, "sigmoid", kernel_regularizer="l2", seed=seed + 1),
        seed=seed,
    )
    model.compile(mg.optimizers.Adam(0.01), "mse")
    history = model.fit(X, X, batch_size=8, epochs=8, verbose=0)
    return model, history.history


def weights(model):
    return [parameter.numpy() for parameter in model.parameters()]


def test_two_threads_train_two_models_and_get_what_each_gets_alone():
    alone = [train(seed) for seed in range(4)]
    together = [None] * 4

    def work(seed):
        with mg.scope(f"thread{seed}"):
            together[seed] = train(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for (one, history), (other, same) in zip(alone, together, strict=True):
        assert history == same
        for left, right in zip(weights(one), weights(other), strict=True):
            assert (left == right).all()


def predict_in_another_process(packed):
    return pickle.loads(packed).predict(X)


def test_a_model_can_be_sent_to_another_process():
    model, _ = train(0)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        (predicted,) = pool.map(predict_in_another_process, [pickle.dumps(model)])
    assert (predicted == model.predict(X)).all()
