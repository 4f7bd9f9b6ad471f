"""Ctrl-C as people press it: a signal to a process, and the button of a notebook."""

import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

import minigrad as mg
from minigrad.callbacks import LambdaCallback
from minigrad.layers import Dense

X = np.random.default_rng(0).uniform(0, 1, (20, 4)).astype(np.float32)

PROGRAM = """
import sys, time
import numpy as np
import minigrad as mg
from minigrad.callbacks import BackupAndRestore, EarlyStopping, LambdaCallback

mg.set_seed(0)
x = np.random.default_rng(0).uniform(0, 1, (64, 8)).astype(np.float32)
model = mg.Sequential(
    mg.layers.Dense(4, "relu", activity_regularizer="l1", input_dim=8), mg.layers.Dense(8)
)
model.compile("adam", "mse")
kept = []

def note(epoch, logs):
    kept.append((logs["loss"], model.get_weights()))
    if epoch == 2:
        print("begun", flush=True)
    time.sleep(0.002)

def train():
    return model.fit(
        x, x, epochs=1_000_000, verbose=0,
        callbacks=[
            EarlyStopping("loss", mode="max", patience=10**9, restore_best_weights=True),
            LambdaCallback(on_epoch_end=note),
        ],
    )

def report(history):
    losses = [loss for loss, _ in kept]
    best = kept[int(np.argmax(losses[: len(history.epoch)]))][1]
    same = all((a == b).all() for a, b in zip(best, model.get_weights()))
    print("stopped by", history.stopped_by, "best weights", same,
          "epochs noted", len(history.epoch) == len(history.history["loss"]) >= 3)
"""


def test_a_signal_to_a_script_ends_it_with_the_history_and_the_best_weights(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        PROGRAM + "try:\n    train()\nexcept KeyboardInterrupt as stop:\n"
        "    print(stop)\n    report(model.history)\n"
    )
    command = [sys.executable, str(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        shown, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "training was stopped" in shown
    assert "stopped by Ctrl-C best weights True epochs noted True" in shown


def test_the_button_of_a_notebook_stops_the_cell_and_the_kernel_goes_on():
    manager_module = pytest.importorskip("jupyter_client.manager", reason="no Jupyter")
    manager, client = manager_module.start_new_kernel(kernel_name="python3")
    try:
        run_in(client, PROGRAM)
        asked = client.execute("history = train()")
        wait_for(client, lambda message: "begun" in message["content"].get("text", ""))
        manager.interrupt_kernel()
        expect_success(client, asked)
        shown = run_in(client, "report(history)\nmodel.fit(x, x, epochs=1, verbose=0)")
        assert "stopped by Ctrl-C best weights True epochs noted True" in shown
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def run_in(client, code):
    """Run a cell; return what it printed."""
    asked = client.execute(textwrap.dedent(code))
    shown = []
    wait_for(
        client,
        lambda message: (
            message["parent_header"].get("msg_id") == asked
            and (shown.append(message["content"].get("text", "")) or True)
            and message["content"].get("execution_state") == "idle"
        ),
    )
    expect_success(client, asked)
    return "".join(shown)


def expect_success(client, asked):
    """Wait for the reply to a cell, among those to what came before."""
    reply = client.get_shell_msg(timeout=60)
    while reply["parent_header"]["msg_id"] != asked:
        reply = client.get_shell_msg(timeout=60)
    assert reply["content"]["status"] == "ok", reply["content"]


def wait_for(client, is_it):
    """Read what the kernel says until it is said."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        message = client.get_iopub_msg(timeout=60)
        assert message["msg_type"] != "error", message["content"]
        if is_it(message):
            return
    raise AssertionError("the kernel did not say it")


def model():
    made = mg.Sequential(Dense(4, input_dim=4, seed=0))
    made.compile("sgd", "mse")
    return made


@pytest.mark.parametrize("epochs", [1, 3])
def test_ctrl_c_while_an_epoch_is_evaluated_ends_after_that_epoch(epochs):
    """Also after the last one: the script that called `fit` wants to know."""
    made = model()
    press = LambdaCallback(on_test_begin=lambda logs: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt, match=rf"stopped after epoch 1 of {epochs}"):
        made.fit(X, X, epochs=epochs, validation_split=0.5, verbose=0, callbacks=press)
    assert made.history.stopped_by == "Ctrl-C"
    assert len(made.history.history["val_loss"]) == 1
