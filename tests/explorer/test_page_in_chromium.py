"""The page as a reader uses it: a real browser, driven without a screen."""

import re
from html import escape

import numpy as np
import pytest

import minigrad as mg
from minigrad import Tensor
from minigrad.explorer import notebook_html, page
from minigrad.tracing.document import document
from tests.explorer.stories import (
    detached_trace,
    frozen_trace,
    hostile_trace,
    large_kernels,
    nested_trace,
    toy_trace,
)
from tests.explorer.visits import Visit, keep_picture


@pytest.fixture
def visit(browser, tmp_path):
    visits = []

    def open_page(trace, **options):
        text = page(document(trace), "A trace")
        visits.append(Visit(browser, tmp_path / "page.html", text, **options))
        return visits[-1]

    yield open_page
    for opened in visits:
        opened.close()


def test_steps_by_click(visit):
    opened = visit(toy_trace())
    opened.page.click("#next")
    assert "step 1 of 16" in opened.text("#panel-step")
    opened.page.click("#next")
    assert "step 2 of 16" in opened.text("#panel-step")
    opened.page.click("#back")
    assert "step 1 of 16" in opened.text("#panel-step")
    opened.page.click("#last")
    assert "dense in a · step 16 of 16" in " ".join(opened.text("#panel-step h2").split())
    assert opened.page.is_disabled("#next")


def test_steps_by_keyboard_and_says_each_aloud(visit):
    opened = visit(toy_trace())
    for _ in range(3):
        opened.page.keyboard.press("ArrowRight")
    assert "step 3 of 16" in opened.text("#panel-step")
    opened.page.keyboard.press("ArrowLeft")
    assert "step 2 of 16" in opened.text("#panel-step")
    opened.page.keyboard.press("End")
    spoken = opened.page.text_content("#spoken")
    assert spoken.startswith("Step 16 of 16: dense in a. Arriving: data with norm")
    assert spoken.endswith("Goes on to input, a/kernel, a/bias.")
    opened.page.keyboard.press("Home")
    assert opened.page.text_content("#spoken") == "Overview"


def test_space_plays_and_pauses(visit):
    opened = visit(toy_trace())
    opened.page.keyboard.press(" ")
    assert opened.text("#play") == "Pause"
    opened.page.wait_for_selector("text=step 2 of 16")
    opened.page.keyboard.press(" ")
    assert opened.text("#play") == "Play"


def test_an_op_in_the_graph_leads_to_its_step(visit):
    opened = visit(toy_trace())
    opened.page.click(".node[data-step='14']")
    assert "relu" in opened.text("#panel-step h2")
    assert "where(z > 0, g, 0.0)" in opened.text("#panel-step")
    assert "g where z > 0, else 0" in opened.text("#panel-step")
    assert "called by" in opened.text("#panel-step")


def test_edges_light_up_as_the_walk_goes(visit):
    opened = visit(toy_trace())
    opened.page.keyboard.press("End")
    lit = opened.page.eval_on_selector_all(".strand.now", "all => all.map(p => +p.dataset.term)")
    assert sorted(lit) == [0, 0, 0, 3, 3, 3]  # data and activity, to input, kernel and bias
    opened.page.keyboard.press("Home")
    opened.page.keyboard.press("ArrowRight")
    assert opened.page.locator(".strand.past").count() == 0


def test_a_term_is_shown_alone_by_click_and_by_number(visit):
    opened = visit(toy_trace())
    opened.page.click("#term-1")
    assert opened.page.get_attribute("#term-1", "aria-pressed") == "true"
    shown = ".strand:not(.off)"
    terms = opened.page.eval_on_selector_all(shown, "all => all.map(p => +p.dataset.term)")
    assert set(terms) == {1}
    opened.page.keyboard.press("2")
    assert opened.page.get_attribute("#term-1", "aria-pressed") == "false"
    assert opened.page.locator(".strand.off").count() == 0
    opened.page.keyboard.press("4")
    terms = opened.page.eval_on_selector_all(shown, "all => all.map(p => +p.dataset.term)")
    assert set(terms) == {3}


def test_hovering_a_cell_shows_its_number(visit):
    trace = toy_trace()
    opened = visit(trace)
    opened.page.click(".node[data-parameter='0']")
    figure = opened.page.locator("#panel-parameters figure[data-term='0']")
    values = trace.gradient("a/kernel", "data")
    for row in range(2):
        for column in range(3):
            opened.hover_cell(figure.locator("canvas"), row, column, 2, 3)
            place, number = figure.locator(".readout").inner_text().split("\n")
            assert place == f"row {row}, column {column}"
            assert number == f"{values[row, column]:.6g}"


def test_the_keyboard_reads_cells_without_stepping(visit):
    trace = toy_trace()
    opened = visit(trace)
    opened.page.keyboard.press("End")
    figure = opened.page.locator("#panel-step .operand:has(h3:has-text('kernel')) figure").first
    figure.locator("canvas").focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight"):
        opened.page.keyboard.press(key)
    place, number = figure.locator(".readout").inner_text().split("\n")
    assert place == "row 1, column 2"
    assert number == f"{trace.gradient('a/kernel', 'data')[1, 2]:.6g}"
    assert "step 16 of 16" in opened.text("#panel-step")


def test_a_large_array_is_read_in_blocks_with_exact_norms(visit):
    trace = large_kernels()
    blocks = document(trace)["blocks"]
    opened = visit(trace)
    opened.page.click(".node[data-parameter='0']")
    assert f"means of at most {blocks}×{blocks} blocks" in opened.text("footer")
    values = trace.gradient(trace.parameters[0], "data").astype(np.float64)
    figure = opened.page.locator("#panel-parameters figure[data-term='0']")
    assert f"norm {np.linalg.norm(values):.4g}" in figure.locator(".facts").inner_text()
    opened.hover_cell(figure.locator("canvas"), 1, 2, blocks, blocks)
    place, number = figure.locator(".readout").inner_text().split("\n")
    top, bottom = 784 // blocks, 2 * 784 // blocks
    left, right = 2 * 256 // blocks, 3 * 256 // blocks
    assert place == f"rows {top}–{bottom - 1}, columns {left}–{right - 1}: mean"
    assert float(number) == pytest.approx(values[top:bottom, left:right].mean(), rel=1e-5)


def table_of(opened):
    """The contributions' table: norm, share and cosine by term."""
    rows = opened.page.eval_on_selector_all(
        "table.contributions tbody tr",
        "rows => rows.map(row => [row.dataset.term ?? 'sum',"
        " ...[...row.cells].slice(1).map(cell => cell.innerText)])",
    )
    return {name: cells for name, *cells in rows}


def expected_table(trace, parameter, factors):
    """The same by NumPy, from the arrays, each contribution times its factor."""
    contributions = {
        term: factor * trace.gradient(parameter, term).astype(np.float64)
        for term, factor in factors.items()
    }
    has_path = {row.term: row.has_path for row in trace.table() if row.parameter == parameter}
    norms = {term: np.linalg.norm(values) for term, values in contributions.items()}
    data = contributions["data"].ravel()
    table = {}
    for number, (term, values) in enumerate(contributions.items()):
        if not has_path[term]:
            table[str(number)] = ["no path", "", ""]
            continue
        lengths = norms[term] * norms["data"]
        cosine = f"{values.ravel() @ data / lengths:+.3f}" if lengths else "–"
        share = norms[term] / sum(norms.values())
        table[str(number)] = [f"{norms[term]:.4g}", f"{100 * share:.1f}%", cosine]
    table["sum"] = [f"{np.linalg.norm(sum(contributions.values())):.4g}", "", ""]
    return table


@pytest.mark.parametrize("position", [0, 30, 50, 82, 100])
@pytest.mark.parametrize(
    ("trace", "penalty"), [(toy_trace(), "a/activity"), (nested_trace(), "encoder/dense/kernel")]
)
def test_sliders_change_all_numbers_to_what_numpy_computes(visit, trace, penalty, position):
    opened = visit(trace)
    terms = list(trace.terms)
    opened.page.click("#what-if summary")
    opened.set_slider(f"#slider-{terms.index(penalty)}", position)
    factor = float(f"{10 * (position / 100) ** np.log2(10):.3g}")
    assert opened.text(f"#factor-{terms.index(penalty)}") == f"×{factor:.3g}"
    factors = dict.fromkeys(terms, 1.0) | {penalty: factor}
    for number, parameter in enumerate(trace.parameters):
        opened.page.evaluate(f"showParameter({number})")
        assert table_of(opened) == expected_table(trace, parameter, factors)
    value = factor * trace.terms[penalty]
    assert opened.text(f"#value-{terms.index(penalty)}") == f"{value:.6g}"
    total = sum(factor * trace.terms[term] for term, factor in factors.items())
    assert opened.text("#total") == f"{total:.6g}"
    assert opened.page.is_visible("#changed") == (factor != 1)
    opened.page.click("#reset")
    assert opened.text("#total") == f"{sum(trace.terms.values()):.6g}"


def test_a_slider_changes_the_cells_of_a_sum(visit):
    trace = toy_trace()
    opened = visit(trace)
    opened.page.click("#what-if summary")
    opened.set_slider("#slider-3", 100)
    opened.page.click(".node[data-parameter='0']")
    figure = opened.page.locator("#panel-parameters figure[data-sum]")
    expected = trace.gradient("a/kernel").astype(np.float64) + 9 * trace.gradient(
        "a/kernel", "a/activity"
    )
    opened.hover_cell(figure.locator("canvas"), 1, 1, 2, 3)
    number = figure.locator(".readout b").inner_text()
    assert float(number) == pytest.approx(expected[1, 1], rel=1e-5)


def test_a_penalty_times_zero_is_off_the_graph(visit):
    opened = visit(toy_trace())
    opened.page.click("#what-if summary")
    opened.set_slider("#slider-4", 0)
    hidden = opened.page.eval_on_selector_all(
        ".strand.off", "all => all.map(path => +path.dataset.term)"
    )
    assert set(hidden) == {4}


def test_terms_without_a_path_and_frozen_parameters_say_so(visit):
    opened = visit(toy_trace())
    opened.page.click("#tab-parameters")
    assert "no path" in opened.text("#panel-parameters table.contributions")
    opened = visit(frozen_trace())
    opened.page.click(".node[data-parameter='4']")
    assert "last/kernel" in opened.text("#panel-parameters h2")
    assert "Frozen: no gradient is computed for it." in opened.text("#panel-parameters")
    opened.page.click(".many .link[data-parameter='0']")
    assert "beneath/kernel" in opened.text("#panel-parameters h2")


def test_a_detached_input_says_where_it_was_cut_off(visit):
    opened = visit(detached_trace())
    opened.page.keyboard.press("End")
    text = opened.text("#panel-step")
    assert re.search(r"x \(4×3, detached at stories.py:\d+ in call \(in 'cut'\)\)", text)
    opened.page.click("#tab-parameters")
    assert "no path" in opened.text("#panel-parameters .many")


def test_contributions_stand_beside_each_other_in_even_rows(visit):
    opened = visit(toy_trace())
    opened.page.click(".node[data-parameter='0']")
    tops = "all => all.map(figure => Math.round(figure.getBoundingClientRect().top))"
    for width, beside in ((1700, 4), (900, 2)):
        opened.page.set_viewport_size({"width": width, "height": 780})
        opened.page.wait_for_timeout(50)
        rows = opened.page.eval_on_selector_all("#panel-parameters figure", tops)
        assert [rows.count(top) for top in rows] == [beside] * 4
        keep_picture(opened.page, f"explorer_parameters_{width}")
        assert not opened.page.evaluate(
            "(p => p.scrollWidth > p.clientWidth)(document.getElementById('panel-parameters'))"
        )


def test_the_overview_tells_what_strikes_the_eye(visit):
    trace = frozen_trace().with_strengths({"first/kernel": 1e-9})
    (found,) = trace.diagnoses()
    opened = visit(trace)
    assert f"{found.kind}, {found.where}: {found.text}" in opened.text("#panel-step")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_themes_are_legible(visit, scheme):
    opened = visit(toy_trace(), color_scheme=scheme)
    opened.page.keyboard.press("End")

    def luminance(selector, what):
        colour = opened.page.eval_on_selector(selector, f"e => getComputedStyle(e).{what}")
        red, green, blue = (int(part) / 255 for part in re.findall(r"\d+", colour)[:3])
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in
                  (red, green, blue)]  # fmt: skip
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(one, other):
        dark, light = sorted((one, other))
        return (light + 0.05) / (dark + 0.05)

    ground = luminance("body", "backgroundColor")
    assert (ground < 0.1) == (scheme == "dark")
    for selector in ("body", ".soft", "footer", ".forward", ".link", ".bar", ".facts"):
        assert contrast(luminance(selector, "color"), ground) >= 4.5, selector
    node = luminance(".op rect", "fill")
    for selector in (".op .name", ".op .shape"):
        assert contrast(luminance(selector, "fill"), node) >= 4.5, selector
    for number in range(5):
        strand = luminance(f".strand[data-term='{number}']", "stroke")
        assert contrast(strand, ground) >= 1.9, number
        pill = f".term[data-term='{number}']"
        assert contrast(luminance(f"{pill} text", "fill"), luminance(f"{pill} rect", "fill")) >= 4.5
    keep_picture(opened.page, f"explorer_{scheme}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_step_in_the_middle_of_a_nested_model(visit, scheme):
    opened = visit(nested_trace(), color_scheme=scheme)
    opened.page.click("#next")
    for _ in range(11):
        opened.page.keyboard.press("ArrowRight")
    assert "step 12 of" in opened.text("#panel-step")
    keep_picture(opened.page, f"explorer_nested_{scheme}")


def test_the_theme_can_be_chosen(visit):
    opened = visit(toy_trace(), color_scheme="light")
    themes = []
    for _ in range(3):
        opened.page.click("#theme")
        themes.append(opened.page.get_attribute("html", "data-theme"))
    assert themes == ["light", "dark", "light"]


def odd_traces():
    generator = np.random.default_rng(0)
    scalar = Tensor(3.0, requires_grad=True)
    kernel = Tensor(generator.normal(size=(3, 3, 2, 4)), requires_grad=True)
    empty = Tensor(np.ones((0, 3)), requires_grad=True)
    broken = Tensor([1.0, np.nan, -2.0], requires_grad=True)
    hidden = np.tanh(scalar)
    return {
        "no ops": mg.trace({"data": scalar, "plain": 2.0}, {"w": scalar}),
        "no parameters": mg.trace({"data": 2.0}, {}),
        "four axes": mg.trace({"fit": (kernel * kernel).sum()}, {"w": kernel}),
        "no numbers": mg.trace({"data": (empty * empty).sum()}, {"w": empty}),
        "not finite": mg.trace({"data": (broken * broken).sum()}, {"w": broken}),
        "result of an op": mg.trace({"data": hidden * hidden}, {"hidden": hidden}),
    }


@pytest.mark.parametrize("name", list(odd_traces()))
def test_odd_traces_can_be_walked_through(visit, name):
    trace = odd_traces()[name]
    opened = visit(trace)
    for key in ("ArrowRight", "ArrowRight", "End", "1", "Home", " ", " "):
        opened.page.keyboard.press(key)
    opened.page.click("#tab-parameters")
    for number, parameter in enumerate(trace.parameters):
        opened.page.evaluate(f"showParameter({number})")
        assert parameter in opened.text("#panel-parameters h2")


def test_a_cell_of_an_array_of_four_axes_has_its_full_index(visit):
    trace = odd_traces()["four axes"]
    opened = visit(trace)
    opened.page.click("#tab-parameters")
    figure = opened.page.locator("#panel-parameters figure")
    opened.hover_cell(figure.locator("canvas"), 4, 7, 9, 8)  # (3·3) × (2·4)
    place, number = figure.locator(".readout").inner_text().split("\n")
    assert place == "index [1, 1, 1, 3]"
    assert number == f"{trace.gradient('w')[1, 1, 1, 3]:.6g}"


def test_hostile_names_are_text(visit):
    opened = visit(hostile_trace())
    opened.page.keyboard.press("End")
    opened.page.click("#tab-parameters")
    assert opened.page.locator("b").count() == 0
    assert "</script><b>\"x'&`;-->" in opened.text("#legend")


def test_it_works_in_a_sandboxed_frame(browser, tmp_path):
    body = notebook_html(document(toy_trace()), "In a notebook")
    text = (
        f"<!DOCTYPE html><html><head><title>{escape('t')}</title></head><body>{body}</body></html>"
    )
    opened = Visit(browser, tmp_path / "notebook.html", text)
    frame = opened.page.frame_locator("iframe")
    frame.locator("#next").click()
    assert "step 1 of 16" in frame.locator("#panel-step").inner_text()
    frame.locator("#theme").click()
    assert not opened.page.is_visible("img")
    opened.close()


def test_everything_is_reached_by_tabbing(visit):
    opened = visit(toy_trace())
    reached = set()
    for _ in range(60):
        opened.page.keyboard.press("Tab")
        reached.add(opened.page.evaluate("document.activeElement.id"))
    for wanted in ("theme", "term-0", "term-4", "next", "play", "scrub", "graph", "tab-step"):
        assert wanted in reached
    assert any(name.startswith("node-") for name in reached)  # a parameter in the graph
    assert "panel-step" in reached


def test_a_parameter_lights_up_only_the_paths_to_it(visit):
    trace = toy_trace()
    opened = visit(trace)
    opened.page.click(".node[data-parameter='2']")  # b/kernel
    story = document(trace)
    lit = opened.page.eval_on_selector_all(
        ".strand:not(.off)", "all => all.map(p => [p.parentNode.id, +p.dataset.term])"
    )
    assert {term for _, term in lit} == {0, 4}
    scopes = {
        story["nodes"][story["edges"][int(edge.removeprefix("edge-"))]["target"]]["scope"]
        for edge, _ in lit
    }
    assert scopes == {"b", "data", "b/kernel"}


def test_a_parameter_in_the_graph_opens_by_the_enter_key(visit):
    opened = visit(toy_trace())
    opened.page.focus(".node[data-parameter='2']")
    opened.page.keyboard.press("Enter")
    assert "b/kernel" in opened.text("#panel-parameters h2")


def test_buttons_and_canvases_have_names(visit):
    opened = visit(toy_trace())
    opened.page.keyboard.press("End")
    nameless = opened.page.evaluate(
        "[...document.querySelectorAll('button, input, canvas, [role=button], [role=region]')]"
        ".filter(e => !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length"
        " || e.closest('label'))).map(e => e.outerHTML)"
    )
    assert nameless == []
