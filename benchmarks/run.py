"""Run every workload and write ``results.md`` and its figures; or print only those that are named.

``python -m benchmarks.run`` runs all of them, ``python -m benchmarks.run toy digits`` these two.
"""

import re
import sys
import time
from pathlib import Path

from benchmarks import figures, machine
from benchmarks.processes import in_a_fresh_process
from benchmarks.rows import missed, table

FOLDER = Path(__file__).parent
GROUPS = {
    "Training": ("toy", "digits", "wide", "fit"),
    "Convolution": ("convolution", "convolutional"),
    "Prediction": ("inference",),
    "Search": ("path",),
    "Gradients by term": ("attribution",),
    "Memory": ("memory",),
    "Tape": ("scalar_chain", "small_vectors"),
    "Growth": ("growth", "scaling"),
    "Import": ("importing",),
}
INTRODUCTION = """\
# Benchmarks

`make bench` writes this page. In every workload all contenders have the same model, data, penalties
and optimizer, in float32, and are checked to give the same results. Then they run side by side in
one process, in interleaved rounds, and a ratio is one of medians: minigrad's time over the peer's.
Absolute times differ from machine to machine, and are there as information. BLAS settings are the
default for everyone.

*Hand* is the same training step derived by hand in NumPy, with buffers that are made once: the
limit for whatever is built on NumPy. *PyTorch* is eager, with its default Adam. JAX compiles a
workload into one program and records nothing; the seconds that it takes to compile are not counted.
MyGrad walks its tape by recursion, so everyone runs on a deep stack beside it. Keras has one
backend in a process: each has a process of its own, in which minigrad runs beside it.
"""
AFTER = {
    "Tape": "![Time per op, and growth of time and memory](results.png)",
    "Growth": "![Time of a training step per sample by batch, depth and width](growth.png)",
}


def measure(name):
    """Return the rows of a workload, measured in a process of its own, and what is to be drawn."""
    start = time.perf_counter()
    rows, drawn = in_a_fresh_process(f"workloads.{name}", "measure()")
    print(f"{name}, {time.perf_counter() - start:.0f} s\n{table(rows)}\n", flush=True)
    return rows, drawn


def explanation(name, rows):
    """Return where the time goes in the parts that miss a target, and what was tried."""
    titles = missed(rows)
    if not titles:
        return ""
    profiles = in_a_fresh_process("profiles", f"profiles({name!r}, {titles})")
    parts = [f"### {name}\n", tried(name)]
    for title, lines in profiles.items():
        parts.append("\n".join([f"{title}:", "", "```", *lines, "```", ""]))
    return "\n".join(filter(None, parts))


def tried(name):
    """Return the section of ``tried.md`` on a workload; nothing if there is none."""
    notes = FOLDER / "tried.md"
    sections = re.split(r"^## ", notes.read_text(), flags=re.MULTILINE) if notes.exists() else []
    for section in sections[1:]:
        heading, _, text = section.partition("\n")
        if heading.strip() == name:
            return text.strip() + "\n"
    return ""


def page(results):
    """Return the page on the results of all workloads."""
    parts = [INTRODUCTION, machine.description() + "\n"]
    for group, names in GROUPS.items():
        rows = [row for name in names for row in results[name][0]]
        parts += [f"## {group}\n", table(rows) + "\n"]
        if group in AFTER:
            parts.append(AFTER[group] + "\n")
    explanations = list(filter(None, (explanation(name, results[name][0]) for name in results)))
    if explanations:
        parts += ["## What is missed, and where its time goes\n", *explanations]
    return "\n".join(parts)


def draw(results):
    """Write the figures."""
    per_op = results["scalar_chain"][1] | results["small_vectors"][1]
    pictures = {
        "results.png": figures.tape(per_op, **results["growth"][1]),
        "growth.png": figures.scaling(results["scaling"][1]),
    }
    for file, picture in pictures.items():
        picture.savefig(FOLDER / file, dpi=110, metadata={"Software": None})


def main(names):
    """Measure and print; write, if it was everything."""
    known = [name for group in GROUPS.values() for name in group]
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"no workload {unknown[0]!r}. There are: {', '.join(known)}")
    results = {name: measure(name) for name in names or known}
    if not names:
        draw(results)
        (FOLDER / "results.md").write_text(page(results))
        print(f"written: {FOLDER.name}/results.md")


if __name__ == "__main__":
    main(sys.argv[1:])
