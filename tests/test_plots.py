"""Every figure is a PNG of a readable width with its text alternative, and draws what it was given.

The numbers are read back from the drawn Matplotlib figure, and the width from the PNG's own header.
"""

import base64
import inspect
import struct

from helpers import plots

import numpy as np
import pytest
from matplotlib.colors import to_rgb

RANDOM = np.random.default_rng(0)
FOUND = {"boxes": [[1, 2, 5, 7], [0, 0, 2, 2]], "labels": [3, 0], "scores": [0.75, 0.5]}

CALLS = {
    "one line": lambda alt: plots.lines({"loss": [3, 2, 1]}, alt=alt),
    "lines": lambda alt: plots.lines({"a": [3, 2], "b": [1, 2]}, alt=alt, x=[0, 5], log=True),
    "bars": lambda alt: plots.bars({"a": 1, "b": 2}, alt=alt, y_label="count"),
    "outlines": lambda alt: plots.outlines(
        RANDOM.random((5, 8, 8, 1)), {"true": RANDOM.random((5, 8, 8)) > 0.5}, alt=alt
    ),
    "grouped bars": lambda alt: plots.bars({"a": {"x": 1, "y": 2}, "b": {"x": 3, "y": 4}}, alt=alt),
    "one image": lambda alt: plots.images(RANDOM.random((1, 28, 28)), alt=alt),
    "images": lambda alt: plots.images(
        RANDOM.random((10, 9, 9, 3)), alt=alt, titles=range(10), title="all"
    ),
    "wide images": lambda alt: plots.images(RANDOM.random((20, 9, 9, 1)), alt=alt, columns=20),
    "heatmap": lambda alt: plots.heatmaps({"a": RANDOM.random((2, 9))}, alt=alt),
    "heatmaps": lambda alt: plots.heatmaps(
        {"a": np.eye(4), "b": RANDOM.random((5, 3))},
        alt=alt,
        x_labels={"a": "wxyz", "b": "xyz"},
        y_labels={"a": "wxyz", "b": "vwxyz"},
        title="both",
    ),
    "overlays": lambda alt: plots.overlays(
        RANDOM.random((6, 9, 9, 3)), RANDOM.random((6, 9, 9)), alt=alt, titles=range(6)
    ),
    "ranges": lambda alt: plots.ranges({"score": {"x": {"a": [1, 2], "b": [0, -1]}}}, alt=alt),
    "clouds": lambda alt: plots.clouds(
        {"a": RANDOM.random((9, 2)), "b": RANDOM.random((1, 2))},
        alt=alt,
        arrows={"a": (RANDOM.random((4, 2)), RANDOM.random((4, 2)))},
    ),
    "bands": lambda alt: plots.bands({"a": RANDOM.random((3, 5)), "b": [[1, 2]]}, alt=alt),
    "scatter": lambda alt: plots.scatter({"a": RANDOM.random((5, 2)), "b": [[1, 2]]}, alt=alt),
    "boxes": lambda alt: plots.boxes(
        [RANDOM.random((8, 8, 1)), RANDOM.random((9, 6, 3))], [FOUND, FOUND], alt=alt, titles="ab"
    ),
    "one picture with boxes": lambda alt: plots.boxes([RANDOM.random((8, 8, 1))], [FOUND], alt=alt),
    "trade_offs": lambda alt: plots.trade_offs(
        {"a": [[10, 1], [1000, 3]], "b": [[100, 0]]}, [[10, 1], [1000, 3]], alt=alt
    ),
    "rows": lambda alt: plots.rows({"a": np.zeros((2, 4, 4, 1))}, count=2, alt=alt),
    "labelled": lambda alt: plots.labelled([[0, 1], [1, 0], [2, 2]], [3, 7, 3], alt=alt),
    "fits": lambda alt: plots.fits(
        {"a": {"truth": [1, 2], "fit": [1, 1]}, "b": {"truth": [2, 1]}, "c": {"fit": [0, 1]}},
        x=[0, 1],
        points={"b": [[0, 2], [1, 1]]},
        alt=alt,
    ),
}
every_figure = pytest.mark.parametrize("draw", CALLS.values(), ids=CALLS)


@pytest.fixture
def displayed(monkeypatch):
    """What the module hands to Jupyter: pairs of data and metadata."""
    found = []

    def display(data, metadata=None, raw=False):
        assert raw, "without raw=True Jupyter shows the dict itself"
        found.append((data, metadata))

    monkeypatch.setattr(plots, "display", display)
    return found


@pytest.fixture
def drawn(monkeypatch):
    """The Matplotlib figures, before they become pictures."""
    found = []
    monkeypatch.setattr(plots, "show", lambda figure, alt: found.append(figure))
    return found


@every_figure
def test_figure_is_a_png_with_a_text_alternative(draw, displayed):
    draw("Two curves that fall.")
    ((data, metadata),) = displayed
    picture = base64.b64decode(data["image/png"], validate=True)
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert data["text/plain"] == "Two curves that fall."
    assert metadata["image/png"]["alt"] == "Two curves that fall."


def test_page_shows_the_same_picture_with_its_text_alternative(displayed):
    plots.lines({"loss": [3, 2, 1]}, alt='A "loss" that stays < 4 & falls.')
    ((data, _),) = displayed
    assert data["text/html"].startswith("<img ")
    assert f"base64,{data['image/png']}" in data["text/html"]
    assert 'alt="A &quot;loss&quot; that stays &lt; 4 &amp; falls."' in data["text/html"]


@every_figure
def test_figure_is_as_wide_as_a_page(draw, displayed):
    draw("Two curves that fall.")
    header = base64.b64decode(displayed[0][0]["image/png"])[16:24]
    width, height = struct.unpack(">II", header)
    assert 600 <= width <= 900
    assert 40 <= height <= 1500


@every_figure
@pytest.mark.parametrize("alt", ["", "  \n", None])
def test_text_alternative_is_not_empty(draw, alt, displayed):
    with pytest.raises(ValueError, match="alt is"):
        draw(alt)
    assert not displayed


@pytest.mark.parametrize("name", [name for name in CALLS if hasattr(plots, name)])
def test_text_alternative_cannot_be_left_out(name):
    alt = inspect.signature(getattr(plots, name)).parameters["alt"]
    assert alt.kind is alt.KEYWORD_ONLY
    assert alt.default is alt.empty


def test_lines_count_epochs_from_one(drawn):
    plots.lines({"train": [4.0, 2.0, 1.0], "test": [5.0, 3.0, 2.0]}, alt="two curves")
    (axis,) = drawn[0].axes
    train, test = axis.lines
    assert train.get_xdata().tolist() == [1, 2, 3]
    assert train.get_ydata().tolist() == [4.0, 2.0, 1.0]
    assert test.get_ydata().tolist() == [5.0, 3.0, 2.0]
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["train", "test"]
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("epoch", "loss")


def test_lines_of_few_epochs_have_no_broken_epochs_on_the_axis(drawn):
    plots.lines({"train": [2.0, 1.0]}, alt="a curve that falls")
    (axis,) = drawn[0].axes
    assert all(tick == round(tick) for tick in axis.get_xticks())


def test_lines_take_their_own_positions_and_a_logarithmic_axis(drawn):
    plots.lines({"error": [100, 10, 1]}, x=[8, 16, 32], log=True, alt="a curve that falls")
    (axis,) = drawn[0].axes
    assert list(axis.lines[0].get_xdata()) == [8, 16, 32]
    assert axis.get_yscale() == "log"


def test_bars_are_as_high_as_their_numbers(drawn):
    plots.bars({"plain": 0.25, "residual": 0.75}, alt="two bars")
    (axis,) = drawn[0].axes
    assert [bar.get_height() for bar in axis.patches] == [0.25, 0.75]
    assert axis.get_ylim()[0] == 0


def test_grouped_bars_stand_side_by_side(drawn):
    plots.bars({"a": {"x": 1, "y": 2}, "b": {"x": 3, "y": 4}}, alt="four bars")
    (axis,) = drawn[0].axes
    bars = sorted(axis.patches, key=lambda bar: bar.get_x())
    assert [bar.get_height() for bar in bars] == [1, 2, 3, 4]
    for left, right in zip(bars, bars[1:], strict=False):
        assert left.get_x() + left.get_width() <= right.get_x() + 1e-9


def test_images_keep_their_brightness_and_order(drawn):
    pictures = np.stack([np.full((4, 4), value) for value in (-1.0, 0.5, 2.0)])
    plots.images(pictures, alt="black, grey and white", titles=["a", "b", "c"], columns=2)
    panels = drawn[0].axes
    assert len(panels) == 4  # two rows of two, the last place empty
    shown = [panel.images[0] for panel in panels[:3]]
    assert [float(picture.get_array().mean()) for picture in shown] == [0.0, 0.5, 1.0]
    assert {picture.get_clim() for picture in shown} == {(0, 1)}
    assert [panel.get_title() for panel in panels] == ["a", "b", "c", ""]
    assert not panels[3].images


def test_heatmaps_share_one_scale_from_zero(drawn):
    plots.heatmaps({"small": [[0.1, 0.2]], "large": [[1.0, 4.0]]}, alt="two matrices")
    pictures = [axis.images[0] for axis in drawn[0].axes if axis.images]
    assert [picture.get_clim() for picture in pictures] == [(0, 4), (0, 4)]


def test_scatter_draws_each_point_of_each_group(drawn):
    groups = {"a": np.array([[0.0, 1.0], [2.0, 3.0]]), "b": np.array([[4.0, 5.0]])}
    plots.scatter(groups, alt="three points")
    (axis,) = drawn[0].axes
    for points, collection in zip(groups.values(), axis.collections, strict=True):
        np.testing.assert_allclose(collection.get_offsets(), points)


def test_few_points_are_drawn_larger_than_many(drawn):
    plots.scatter({"many": RANDOM.random((500, 2)), "few": RANDOM.random((5, 2))}, alt="points")
    many, few = drawn[0].axes[0].collections
    assert few.get_sizes()[0] > many.get_sizes()[0]


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plots.scatter({"runs": [[1, 0.5], [2, 0.25]]}, alt="two points"),
        lambda: plots.heatmaps({"one row": [[1.0, 2.0]]}, alt="a row of two cells"),
    ],
)
def test_what_is_counted_has_whole_numbers_on_the_axis(draw, drawn):
    draw()
    assert all(tick == round(tick) for tick in drawn[0].axes[0].get_xticks())


def test_colours_are_those_of_okabe_and_ito():
    published = [
        (0, 114, 178),
        (213, 94, 0),
        (0, 158, 115),
        (204, 121, 167),
        (230, 159, 0),
        (86, 180, 233),
        (0, 0, 0),
    ]
    assert [tuple(round(255 * part) for part in to_rgb(c)) for c in plots.COLOURS] == published


@pytest.mark.parametrize("function", [plots.lines, plots.bars, plots.heatmaps, plots.scatter])
@pytest.mark.parametrize("named", [{}, [1, 2]])
def test_what_is_drawn_has_names(function, named):
    with pytest.raises(ValueError, match="it must be a dict"):
        function(named, alt="nothing at all")


@pytest.mark.parametrize("shape", [(28, 28), (0, 28, 28), (5, 28, 28, 2), (1, 5, 28, 28, 1)])
def test_images_refuses_what_is_no_batch_of_pictures(shape):
    with pytest.raises(ValueError, match="pictures has shape"):
        plots.images(np.zeros(shape), alt="nothing at all")


def test_images_needs_a_title_for_each_picture():
    with pytest.raises(ValueError, match="titles has 1 texts for 2 pictures"):
        plots.images(np.zeros((2, 4, 4)), titles=["one"], alt="two black pictures")


@pytest.mark.parametrize("matrix", [[[-1.0, 2.0]], [1.0, 2.0]])
def test_heatmaps_refuses_what_its_scale_would_hide(matrix):
    with pytest.raises(ValueError, match="matrices.*'a'.* it must have two axes"):
        plots.heatmaps({"a": matrix}, alt="nothing at all")


def test_scatter_refuses_what_is_not_in_the_plane():
    with pytest.raises(ValueError, match="points must be"):
        plots.scatter({"a": np.zeros((5, 3))}, alt="nothing at all")


def test_overlays_leave_the_picture_grey_where_the_map_is_zero(drawn):
    picture = RANDOM.random((1, 2, 2, 3))
    heat = np.array([[[0.0, 0.0], [0.5, 1.0]]])
    plots.overlays(picture, heat, alt="a picture, half of it warm")
    shown = drawn[0].axes[0].images[0].get_array()
    np.testing.assert_allclose(
        shown[0], picture[0, 0].mean(axis=-1, keepdims=True).repeat(3, -1), atol=1e-5
    )
    assert np.ptp(shown[1, 0]) > 0.1
    assert shown[1, 1, 0] > 0.8
    assert np.all(np.abs(shown[1, 1] - shown[1, 0]) > 0.01)


def test_overlays_need_a_map_for_each_picture():
    with pytest.raises(ValueError, match=r"pictures has shape \(2, 4, 4, 3\) and maps \(1, 4, 4\)"):
        plots.overlays(np.zeros((2, 4, 4, 3)), np.zeros((1, 4, 4)), alt="two black pictures")


def test_bands_show_mean_and_range(drawn):
    runs = np.array([[1.0, 2.0, 6.0], [3.0, 4.0, 0.0]])
    plots.bands({"a": runs}, x={"a": [10, 20, 30]}, alt="a mean in its band")
    (axis,) = drawn[0].axes
    np.testing.assert_allclose(axis.lines[0].get_xydata(), [[10, 2], [20, 3], [30, 3]])
    (band,) = axis.collections
    corners = {tuple(corner) for corner in band.get_paths()[0].vertices}
    assert {(10, 1), (10, 3), (20, 2), (20, 4), (30, 0), (30, 6)} <= corners


def test_bands_refuse_a_single_run():
    with pytest.raises(ValueError, match=r"series\['a'\] has shape \(3,\)"):
        plots.bands({"a": [1, 2, 3]}, alt="a mean in its band")


def test_fits_share_axes_and_colours_and_mark_the_points(drawn):
    panels = {"a": {"truth": [1, 2], "first": [9, 9]}, "b": {"second": [0, 4], "truth": [2, 1]}}
    plots.fits(panels, x=[0, 5], points={"b": [[0, 2], [5, 1]]}, alt="two panels of curves")
    (left, right), (legend,) = drawn[0].axes, drawn[0].legends
    for axis, title in ((left, "a"), (right, "b")):
        drawn_lines = {line.get_label(): line.get_ydata().tolist() for line in axis.lines}
        assert drawn_lines == panels[title]
        assert axis.get_title() == title
    colours = [line.get_color() for line in (*left.lines, *right.lines)]
    assert colours[0] == colours[3]
    assert len(set(colours)) == 3
    assert left.get_ylim() == right.get_ylim()
    assert not left.collections
    assert right.collections[0].get_offsets().tolist() == [[0, 2], [5, 1]]
    assert sorted(text.get_text() for text in legend.get_texts()) == ["first", "second", "truth"]


def test_boxes_stand_where_they_are_and_say_what_and_how_sure(drawn):
    pictures = [np.zeros((8, 8, 1)), np.zeros((4, 6, 3))]
    names = ["cat", "dog", "cow", "hen"]
    without_scores = {"boxes": np.zeros((0, 4)), "labels": np.zeros(0, int)}
    plots.boxes(pictures, [FOUND, without_scores], names=names, alt="two boxes and none")
    first, second = drawn[0].axes
    rectangles = [(p.get_xy(), p.get_width(), p.get_height()) for p in first.patches]
    assert rectangles == [((1, 2), 4, 5), ((0, 0), 2, 2)]
    assert [text.get_text() for text in first.texts] == ["hen 0.75", "cat 0.50"]
    assert first.patches[0].get_edgecolor() != first.patches[1].get_edgecolor()
    assert not second.patches
    plots.boxes(pictures[:1], [{"boxes": [[0, 0, 1, 1]], "labels": [2]}], alt="one box")
    assert [text.get_text() for text in drawn[1].axes[0].texts] == ["2"]


def test_boxes_need_a_dict_for_each_picture():
    with pytest.raises(ValueError, match="pictures has 1 and found 2 entries"):
        plots.boxes([np.zeros((4, 4, 1))], [FOUND, FOUND], alt="one picture")


def test_trade_offs_draw_a_front_over_a_logarithmic_axis(drawn):
    groups = {"a": [[10, 1], [1000, 3]], "b": [[100, 0]]}
    plots.trade_offs(groups, [[10, 1], [1000, 3]], alt="Points.")
    (axis,) = drawn[0].axes
    assert axis.get_xscale() == "log"
    (line,) = axis.lines
    np.testing.assert_array_equal(line.get_xydata(), [[10, 1], [1000, 3]])
    # Between two networks of the front the cheaper one is all that the money buys.
    assert line.get_drawstyle() == "steps-post"
    for points, (name, truth) in zip(axis.collections, groups.items(), strict=True):
        assert points.get_label() == name
        np.testing.assert_array_equal(points.get_offsets(), truth)


@pytest.mark.parametrize("points", [[1, 2], [[0, 1]], [[1, 2, 3]]])
def test_trade_offs_refuse_what_has_no_place_on_the_axes(points):
    for groups, front in (({"a": points}, [[1, 1]]), ({"a": [[1, 1]]}, points)):
        with pytest.raises(ValueError, match="costs above 0"):
            plots.trade_offs(groups, front, alt="Points.")


def test_outlines_run_around_the_masks_in_a_colour_for_each_name(drawn):
    masks = np.zeros((2, 2, 6, 8), bool)
    masks[0, 0, 1:3, 2:5] = True
    masks[1, 0, :, 6:] = True
    named = {"true": masks[0], "found": masks[1]}
    plots.outlines(np.zeros((2, 6, 8, 1)), named, titles=["a", "b"], alt="Two pictures.")
    first, second = drawn[0].axes
    # Halfway between the middles of the pixels inside and outside; closed at the picture's edge.
    reach = [c.get_paths()[0].get_extents().extents for c in first.collections]
    np.testing.assert_allclose(reach, [[1.5, 0.5, 4.5, 2.5], [5.5, -0.5, 7.5, 5.5]])
    assert not second.collections
    lines = drawn[0].legends[0].get_lines()
    assert [line.get_label() for line in lines] == ["true", "found"]
    colours = [to_rgb(c.get_edgecolor()[0]) for c in first.collections]
    assert colours == [to_rgb(line.get_color()) for line in lines]
    assert len(set(colours)) == 2


def test_outlines_need_masks_like_the_pictures():
    with pytest.raises(ValueError, match=r"masks\['found'\] has shape \(1, 4, 5\)"):
        plots.outlines(np.zeros((1, 4, 4, 1)), {"found": np.zeros((1, 4, 5))}, alt="One picture.")
    with pytest.raises(ValueError, match="masks has 4 names"):
        plots.outlines(np.zeros((1, 4, 4, 1)), dict.fromkeys("abcd"), alt="One picture.")


def test_ranges_draw_every_run_and_a_bar_from_zero_to_the_mean(drawn):
    runs = {"a": [1.0, 3.0], "b": [-2.0, 0.0]}
    other = {"a": [5.0, 5.0], "b": [1.0, 2.0]}
    plots.ranges({"score": {"x": runs, "y": other}, "cost": {"x": other, "y": runs}}, alt="Dots.")
    left, right = drawn[0].axes
    dots = [points.get_offsets()[:, 0].tolist() for points in left.collections]
    assert dots == [[1, 3], [-2, 0], [5, 5], [1, 2]]
    bars = [line.get_xdata().tolist() for line in left.lines[1:]]
    assert bars == [[0, 2], [0, -1], [0, 5], [0, 1.5]]
    assert [text.get_text() for text in left.get_yticklabels()] == ["a", "b"]
    assert not any(text.get_text() for text in right.get_yticklabels())
    # A name has its own row, with the groups beside each other in it, and rows go downwards.
    rows = [points.get_offsets()[0, 1] for points in left.collections]
    assert np.round(rows).tolist() == [0, 1, 0, 1] and rows[0] < rows[2]
    assert left.yaxis_inverted()
    assert to_rgb(left.lines[1].get_color()) == to_rgb(right.lines[1].get_color())


def test_ranges_need_groups_in_each_panel():
    with pytest.raises(ValueError, match="score"):
        plots.ranges({"score": {}}, alt="Nothing to see.")


def test_labelled_points_are_drawn_as_their_numerals(drawn):
    plots.labelled([[0, 1], [1, 0], [2, 2]], [3, 7, 3], alt="Points.", x_label="a")
    (axis,) = drawn[0].axes
    threes, sevens = axis.collections
    np.testing.assert_array_equal(threes.get_offsets(), [[0, 1], [2, 2]])
    np.testing.assert_array_equal(sevens.get_offsets(), [[1, 0]])
    # A numeral's outline has more corners than any plain marker, and each numeral its own.
    shapes = [len(marks.get_paths()[0].vertices) for marks in (threes, sevens)]
    assert shapes[0] > shapes[1] > 5
    assert tuple(threes.get_facecolor()[0]) != tuple(sevens.get_facecolor()[0])


@pytest.mark.parametrize(("points", "labels"), [([[0, 1, 2]], [1]), ([[0, 1]], [1, 2])])
def test_labelled_points_need_a_label_each(points, labels):
    with pytest.raises(ValueError, match="labels"):
        plots.labelled(points, labels, alt="Points.")


def test_rows_tile_the_first_pictures_beside_their_name(drawn):
    a, b = RANDOM.random((2, 3, 4, 5, 1))
    plots.rows({"a": a, "b": b}, count=2, alt="Pictures.")
    (axis,) = drawn[0].axes
    tiles = axis.images[0].get_array()
    assert tiles.shape == (2 * 6, 2 * 7)
    for i, picture in enumerate([*a[:2], *b[:2]]):
        top, left = 6 * (i // 2), 7 * (i % 2)
        tile = tiles[top : top + 6, left : left + 7]
        np.testing.assert_allclose(tile[1:-1, 1:-1], picture[..., 0], rtol=1e-6)
        assert tile[0].min() == tile[-1].min() == tile[:, 0].min() == tile[:, -1].min() == 1
    assert axis.images[0].get_clim() == (0, 1)
    assert [label.get_text() for label in axis.get_yticklabels()] == ["a", "b"]
    # A name stands at the middle of its row.
    np.testing.assert_array_equal(axis.get_yticks(), [2.5, 8.5])


@pytest.mark.parametrize("shape", [(2, 4, 4), (1, 4, 4, 1), (2, 4, 4, 3)])
def test_rows_need_enough_pictures(shape):
    with pytest.raises(ValueError, match=r"named\['a'\] has shape"):
        plots.rows({"a": np.zeros(shape)}, count=2, alt="Pictures.")


def test_clouds_draw_arrows_at_their_true_length_on_shared_axes(drawn):
    panels = {"a": [[0, 0], [1, 2]], "b": [[5, 5]]}
    plots.clouds(panels, arrows={"b": ([[4, 4]], [[0.5, -1]])}, alt="two clouds, one arrow")
    left, right = drawn[0].axes
    for axis, (title, points) in zip((left, right), panels.items(), strict=True):
        assert axis.get_title() == title
        assert axis.collections[0].get_offsets().tolist() == points
        assert axis.get_aspect() == 1
    assert left.get_xlim() == right.get_xlim()
    assert left.get_ylim() == right.get_ylim()
    for low, high, least, most in ((*left.get_xlim(), 0, 5), (*left.get_ylim(), 0, 5)):
        assert low < least
        assert high > most
    assert len(left.collections) == 1
    field = right.collections[1]
    assert (field.X[0], field.Y[0], field.U[0], field.V[0]) == (4, 4, 0.5, -1)
    assert (field.angles, field.scale_units, field.scale) == ("xy", "xy", 1)


@pytest.mark.parametrize("arrows", [{"b": ([[0, 0]], [[1, 1]])}, {"a": ([[0, 0]], [1, 1])}])
def test_clouds_refuse_arrows_without_a_panel_or_a_place(arrows):
    with pytest.raises(ValueError, match="each panel and its arrows"):
        plots.clouds({"a": [[0, 0]]}, arrows=arrows, alt="one cloud")
