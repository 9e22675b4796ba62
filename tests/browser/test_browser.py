"""The page in a real browser: drawn, filtered, sorted, by mouse and by keyboard, on a desktop and on a phone."""

import csv
import re

import pytest

from tests.browser.conftest import DESKTOP, PHONE

pytestmark = [pytest.mark.slow, pytest.mark.browser]

# 12 files here, and 6 on the Pi with one and with four threads; the long run and the operators are two rows more: the
# first is on two threads, and the second, measured later under the same conditions, takes the place of one.
LATENCIES = 25


def background(page):
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


def test_it_is_drawn_without_a_complaint_and_without_a_request(opened):
    page = opened()
    assert page.errors == []
    assert len(page.requests) == 1
    assert page.requests[0].startswith("file://")
    assert page.rows() == LATENCIES
    assert page.points("accuracy-latency") == LATENCIES
    # One file is one point, whatever it ran on.
    assert page.points("accuracy-size") == 12
    page.page.locator("#which").select_option(page.page.evaluate("String(POINTS.findIndex(point => point.ops))"))
    for chart in ("distribution", "trace", "series", "ops", "history"):
        page.page.locator(f"#{chart}").scroll_into_view_if_needed()
        assert page.page.locator(f"#{chart} svg.main-svg").count() >= 1, chart
    page.page.evaluate("scrollTo(0, 0)")
    page.shot("light")
    assert page.errors == []


def test_the_table_is_seen_without_scrolling(opened):
    page = opened()
    box = page.page.locator("#table tbody tr").nth(3).bounding_box()
    assert box["y"] + box["height"] <= 900


def test_stars_are_those_of_the_written_table(opened, reports):
    page = opened()
    with (reports("grid").parent / "tradeoff.csv").open() as file:
        marks = [line["pareto"] for line in csv.DictReader(file)]
    assert page.column("Pareto").count("*") == marks.count("1") > 0


@pytest.mark.parametrize(
    ("name", "value", "left"),
    [("precision", "int8", 12), ("format", "tflite", 6), ("device", "pi4", 12), ("threads", "4", 19)],
)
def test_a_filter_narrows_table_and_charts(opened, name, value, left):
    page = opened()
    box = page.page.locator(f"input[name={name}][value='{value}']")
    box.uncheck()
    assert page.rows() == page.points("accuracy-latency") == left
    assert page.page.locator("#count").text_content() == f"{left} of {LATENCIES} rows"
    page.page.locator("button[type=reset]").click()
    page.page.locator("#count", has_text=f"{LATENCIES} of").wait_for()
    assert page.rows() == LATENCIES


def test_a_filter_that_leaves_nothing_says_so(opened):
    page = opened()
    for value in ("float32", "int8"):
        page.page.locator(f"input[name=precision][value={value}]").uncheck()
    assert page.rows() == 0
    assert "Nothing to draw" in page.page.locator("#accuracy-latency").text_content()
    page.page.locator("input[name=precision][value=int8]").check()
    assert page.points("accuracy-latency") > 0
    assert page.errors == []


def test_a_heading_sorts_and_sorts_back(opened):
    page = opened()
    head = page.page.get_by_role("button", name="size", exact=True)
    head.click()
    sizes = page.page.locator("#table tbody tr").evaluate_all(
        "rows => rows.map(row => POINTS[row.dataset.id].size_bytes)"
    )
    assert sizes == sorted(sizes)
    head.click()
    assert page.page.locator("th[aria-sort=descending]").text_content().strip() == "size"
    assert page.column("variant")[0] == "a1.00-r224"


def test_it_is_used_by_keyboard(opened):
    page = opened()
    page.page.keyboard.press("Tab")
    assert page.page.evaluate("document.activeElement.textContent") == "Skip to the table"
    page.page.get_by_role("button", name="median ms", exact=True).focus()
    page.page.keyboard.press("Enter")
    medians = [float(text.split()[0]) for text in page.column("median ms")]
    assert medians == sorted(medians)
    page.page.locator("input[name=precision][value=int8]").focus()
    page.page.keyboard.press("Space")
    assert page.rows() == 12
    page.page.locator("#table tbody th button:visible").first.focus()
    page.page.keyboard.press("Enter")
    assert page.page.evaluate("document.activeElement.id") == "which"
    assert "a0.25-r128" in page.page.locator("#which option:checked").text_content()


def test_every_control_can_be_reached_by_tab(opened):
    page = opened()
    reached = set()
    for _ in range(60):
        page.page.keyboard.press("Tab")
        reached.add(
            page.page.evaluate(
                "document.activeElement.name || document.activeElement.id || document.activeElement.type"
            )
        )
    assert {"theme", "device", "format", "precision", "threads", "accuracy", "colour", "reset", "button"} <= reached


def test_hover_tells_the_main_facts(opened):
    page = opened()
    page.page.locator("#accuracy-latency .scatterlayer .points path").last.hover(force=True)
    page.page.wait_for_selector("#tip:not([hidden])")
    text = page.page.locator("#tip").inner_text()
    for part in ("mobilenet_v1", "median", "threads", "litert", "top-1", "size", "doubts"):
        assert part.removeprefix("mobilenet_v1") in text
    assert page.page.locator("#tip dt").count() <= 6
    box = page.page.locator("#tip").bounding_box()
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= 900
    page.page.mouse.move(5, 5)
    page.page.wait_for_selector("#tip", state="hidden")


def test_a_click_on_a_point_shows_it_in_detail(opened):
    page = opened()
    point = page.page.locator("#accuracy-latency .scatterlayer .points path").last.bounding_box()
    page.page.mouse.click(point["x"] + point["width"] / 2, point["y"] + point["height"] / 2)
    page.page.locator("#which:focus").wait_for()
    assert page.page.locator("#conditions dt").count() > 10


def test_limits_are_typed_or_dragged_and_move_the_choice(opened):
    page = opened()
    chosen = page.page.locator("#best")
    assert chosen.text_content().startswith("a1.00-r224")
    page.page.locator("#max-ms").fill("2")
    page.page.keyboard.press("Enter")
    assert chosen.text_content().startswith("a0.50-r160")
    point = page.page.evaluate("POINTS[document.getElementById('best').dataset.id]")
    assert point["median_ms"] <= 2
    page.page.locator("#max-mb").fill("0.001")
    page.page.keyboard.press("Enter")
    assert (chosen.text_content(), chosen.is_disabled()) == ("nothing", True)

    page.page.locator("button[type=reset]").click()
    page.page.locator("#best", has_text="a1.00-r224").wait_for()
    edge = page.page.locator("#accuracy-latency .shapelayer path").first.bounding_box()
    page.page.mouse.move(edge["x"] + edge["width"] / 2, edge["y"] + 40)
    page.page.mouse.down()
    page.page.mouse.move(edge["x"] - 300, edge["y"] + 40, steps=8)
    page.page.mouse.up()
    assert 0 < float(page.page.locator("#max-ms").input_value()) < 14
    assert not chosen.text_content().startswith("a1.00-r224 float32")
    assert page.errors == []


def test_the_details_open_at_the_choice_with_the_command_that_measures_it(opened):
    page = opened()
    assert page.page.locator("#which").input_value() == page.page.locator("#best").get_attribute("data-id")
    command = page.page.locator("#command").text_content()
    assert re.fullmatch(r"mnet profile \S+\.(tflite|onnx) --threads \d+ --runtime \S+( --host \S+)?", command)


def test_points_of_the_fronts_have_names_that_do_not_cover_each_other(opened):
    page = opened()
    page.page.set_viewport_size({"width": 1280, "height": 900})
    boxes = page.page.locator("#accuracy-latency .annotation-text").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect()).map(box => [box.left, box.right, box.top, box.bottom])"
    )
    chart = page.page.locator("#accuracy-latency").bounding_box()
    assert len(boxes) >= 3
    assert all(chart["x"] <= left and right <= chart["x"] + chart["width"] for left, right, _, _ in boxes)
    for index, (left, right, top, bottom) in enumerate(boxes):
        for other in boxes[:index]:
            assert right <= other[0] or other[1] <= left or bottom <= other[2] or other[3] <= top


def test_dark_follows_the_system_and_the_button(opened):
    page = opened(scheme="dark")
    dark = background(page.page)
    page.shot("dark")
    page.page.locator("#theme").click()
    light = background(page.page)
    assert dark != light
    assert page.page.locator("#theme").get_attribute("aria-pressed") == "false"
    assert background(opened(scheme="light").page) == light
    page.page.emulate_media(color_scheme="light")
    page.page.locator("#theme").click()
    assert background(page.page) == dark


def test_a_phone_shows_it_without_scrolling_sideways(opened, phone):
    page = opened(size=phone)
    assert page.page.evaluate("document.documentElement.scrollWidth") == phone["width"]
    wide = page.page.evaluate(
        "[...document.querySelectorAll('main *')].filter(each => !each.closest('.scroll, svg, .chart')"
        " && each.getBoundingClientRect().right > innerWidth + 1).map(each => each.outerHTML.slice(0, 80))"
    )
    assert wide == []
    assert page.page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") >= 14
    page.page.locator(".scroll:has(#table)").evaluate("box => { box.scrollLeft = 200; }")
    assert page.page.locator("#table thead th").first.bounding_box()["x"] >= 0
    titles = [title.strip() for title in page.page.locator("#table thead th").all_text_contents()]
    assert titles.index("median ms") < titles.index("top-1 (n)") < titles.index("MACs")
    page.page.locator(".scroll:has(#table)").evaluate("box => { box.scrollLeft = 0; }")
    page.shot("phone")


def test_published_figures_are_marked_and_predictions_hollow(opened):
    page = opened("published")
    assert page.page.locator("#latency-title").text_content() == "Published accuracy against latency"
    assert "was not measured" in page.page.locator("#remark").text_content()
    symbols = page.page.evaluate(
        "document.getElementById('accuracy-latency').data"
        ".filter(trace => trace.customdata).map(trace => trace.marker.symbol)"
    )
    assert "circle-open" in symbols
    assert "hollow" in page.page.locator("#legend").text_content()


def test_without_any_accuracy_it_says_so(opened):
    page = opened("foreign")
    assert "There is no accuracy" in page.page.locator("#remark").text_content()
    assert page.points("accuracy-latency") == 1
    assert not page.page.locator("#accuracy-size").is_visible()


def test_names_that_mean_harm_do_none(opened):
    page = opened("hostile")
    for chart in ("distribution", "trace", "series", "ops"):
        page.page.locator(f"#{chart}").scroll_into_view_if_needed()
    page.page.locator("#accuracy-latency").scroll_into_view_if_needed()
    page.page.locator("#accuracy-latency .scatterlayer .points path").last.hover(force=True)
    page.page.wait_for_selector("#tip:not([hidden])")
    assert "<img src=x" in page.page.locator("#tip").text_content()
    assert page.page.evaluate("window.broken") is None
    assert page.page.locator("img").count() == 0
    assert page.errors == []
    assert len(page.requests) == 1
    assert re.search("<img src=x", page.page.locator("#distribution").text_content())


def test_rows_are_filtered_by_the_code_of_a_doubt(opened):
    page = opened()
    assert page.column("doubts").count("frequency-moved") == 1
    page.page.locator("input[name=doubts][value=frequency-moved]").uncheck()
    assert page.rows() == page.points("accuracy-latency") == LATENCIES - 1
    assert page.errors == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_curve_names_its_cuts_and_marks_the_chosen_one(opened, scheme):
    page = opened("exported", scheme=scheme)
    for chart in (page.page.locator("#cuts-0"), page.page.locator("#cuts-1")):
        chart.scroll_into_view_if_needed()
        # Above: five cuts, int8, float32 and the ring of the chosen; float32 has no SNR below.
        assert chart.locator(".xy .points path").count() == 8
        assert chart.locator(".xy2 .points path").count() == 7
        assert chart.locator(".annotation-text").all_text_contents() == ["int8", "conv_3", "float32"]
    chart.locator(".xy .points path").nth(1).hover(force=True)
    assert "conv_2" in chart.locator(".hoverlayer").text_content()
    page.shot(f"cuts-{scheme}")
    assert page.errors == []


def test_the_layers_that_lose_are_shown_when_asked_for(opened):
    page = opened("exported")
    table = page.page.locator(".losses")
    assert table.is_hidden()
    page.page.locator("#losses-section summary").focus()
    page.page.keyboard.press("Enter")
    assert table.is_visible()
    first, second = page.page.locator(".losses tbody tr").all()
    widths = [bar.bounding_box()["width"] for bar in first.locator("i").all()]
    # Five times as much by weights as by activations.
    assert widths[0] / widths[1] == pytest.approx(5, rel=0.05)
    assert second.locator("i").nth(1).bounding_box()["width"] == pytest.approx(4 * widths[1], rel=0.05)
    page.shot("losses")
    assert page.errors == []


def test_a_phone_shows_curves_and_losses_without_scrolling_sideways(opened, phone):
    page = opened("exported", size=phone)
    page.page.locator("#losses-section summary").click()
    assert page.page.evaluate("document.documentElement.scrollWidth") == phone["width"]
    boxes = [page.page.locator(f"#cuts-{place}").bounding_box() for place in (0, 1)]
    assert all(box["x"] + box["width"] <= phone["width"] for box in boxes)
    assert boxes[1]["y"] > boxes[0]["y"]
    page.shot("losses-phone")


def test_confused_classes_and_changed_pictures_of_the_selected_file(opened):
    whole = opened("judged")
    page = whole.page
    page.locator("#which").select_option(index=int8(whole))
    rows = page.locator("#confusion tbody tr")
    assert rows.count() == 8
    # The last of eight classes: seven of its fifty pictures are taken for the first, the others are right.
    assert [text for text in rows.last.locator("td").all_text_contents() if text] == ["7", "43"]
    assert "not shown" not in page.locator("#comparisons").text_content()
    assert "12 lost, 0 gained" in page.locator("#comparisons").text_content()
    images = page.locator("#comparisons img")
    assert images.count() == 12
    images.first.scroll_into_view_if_needed()
    assert images.evaluate_all("all => all.every(each => each.complete && each.naturalWidth === 128)")
    page.locator("#which").select_option(index=1 - int8(whole))
    assert page.locator("#confusion-figure").is_hidden()
    assert images.count() == 0


def test_the_matrix_can_be_read_in_both_themes(opened):
    page = opened("judged")
    page.page.locator("#which").select_option(index=int8(page))
    page.page.locator("#confusion-figure").scroll_into_view_if_needed()
    for name in ("mistakes", "mistakes-dark"):
        # WCAG's contrast of the text with the shade on the card.
        assert page.page.evaluate(CONTRAST) >= 4.5
        page.shot(name)
        page.page.locator("#theme").click()
        page.page.locator("#confusion-figure").scroll_into_view_if_needed()
    assert page.errors == []


def int8(page):
    """The index of the int8 file among those that can be selected."""
    labels = page.page.locator("#which option").all_text_contents()
    return next(index for index, label in enumerate(labels) if "int8" in label)


CONTRAST = """() => {
  const light = (colour) => {
    const [r, g, b] = colour.map((value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const painter = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const pixel = (...layers) => {
    layers.forEach((layer) => { painter.fillStyle = layer; painter.fillRect(0, 0, 1, 1); });
    return [...painter.getImageData(0, 0, 1, 1).data].slice(0, 3).map((value) => value / 255);
  };
  const cells = [...document.querySelectorAll("#confusion td[class]")];
  return Math.min(...cells.map((cell) => {
    const [text, back] = [getComputedStyle(cell).color, getComputedStyle(cell).backgroundColor];
    const [one, other] = [light(pixel(text)), light(pixel(style("card"), back))].sort((a, b) => b - a);
    return (one + 0.05) / (other + 0.05);
  }));
}"""


def test_a_phone_scrolls_the_matrix_alone(opened, phone):
    page = opened("judged", size=phone)
    page.page.locator("#which").select_option(index=int8(page))
    page.page.locator("#confusion-figure").scroll_into_view_if_needed()
    assert page.page.evaluate("document.documentElement.scrollWidth") == phone["width"]
    page.shot("mistakes-phone")


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (DESKTOP, "dark"), (PHONE, "light"), (PHONE, "dark")])
def test_multipliers_are_drawn_for_the_chosen_machine(opened, size, scheme):
    page = opened("multiplied", size, scheme)
    section = page.page.locator("#multipliers-section")
    lines = "id => document.getElementById(id).data.map(trace => [trace.name, trace.y[0]])"
    first = page.page.evaluate(lines, "over-alpha")
    assert [name for name, _ in first] == ["predicted", "rho 224", "rho 128"]
    assert section.locator("table:visible").count() == 1
    section.scroll_into_view_if_needed()
    page.shot(f"multipliers-{size['width']}-{scheme}")
    page.page.locator("#multiplied").select_option("1")
    second = page.page.evaluate(lines, "over-alpha")
    # On the other machine all take the same time.
    assert sorted([first[1][1], second[1][1]]) == pytest.approx([0.325, 1.0], abs=1e-3)
    assert section.locator("table:visible").count() == 1
    assert page.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.errors == []
