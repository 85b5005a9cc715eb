"""Every figure of the lessons.

Each function draws one figure, shows it, and gives it the text alternative that it was called
with, for readers who do not see pictures. Colours keep apart for colour-blind eyes.
"""

import base64
import html
import io

import numpy as np
from IPython.display import display
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

# Okabe and Ito (2008), "Color Universal Design".
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DOTS_PER_INCH = 100
WIDTH = 7.5  # inches: 750 pixels
WIDEST = 9.0


def lines(series, *, alt, x=None, x_label="epoch", y_label="loss", title="", log=False):
    """Draws one line for each named series.

    Args:
        series: dict from name to a sequence of numbers.
        alt: what the figure shows, in a sentence.
        x: the shared horizontal positions; 1, 2, 3 … if None.
        log: draw the vertical axis on a logarithmic scale.
    """
    _check_named("series", series)
    figure, axes = _new(1, 1, height=3.6)
    axis = axes[0]
    if x is None:
        axis.xaxis.get_major_locator().set_params(integer=True)
    for (name, values), colour in zip(series.items(), _colours(len(series)), strict=True):
        positions = np.arange(1, len(values) + 1) if x is None else x
        axis.plot(positions, values, label=name, color=colour)
    if log:
        axis.set_yscale("log")
    _label(axis, x_label, y_label, title)
    axis.legend(frameon=False)
    show(figure, alt)


def bars(values, *, alt, x_label="", y_label="", title=""):
    """Draws one bar for each named number.

    Args:
        values: dict from name to number, or to a dict from group to number for grouped bars.
        alt: what the figure shows, in a sentence.
    """
    _check_named("values", values)
    figure, axes = _new(1, 1, height=3.2)
    axis = axes[0]
    names = list(values)
    if isinstance(values[names[0]], dict):
        groups = list(values[names[0]])
        width = 0.8 / len(groups)
        for i, (group, colour) in enumerate(zip(groups, _colours(len(groups)), strict=True)):
            positions = np.arange(len(names)) + (i - (len(groups) - 1) / 2) * width
            axis.bar(positions, [values[n][group] for n in names], width, label=group, color=colour)
        axis.set_xticks(np.arange(len(names)), names)
        # Above the axes, since bars may fill them.
        figure.legend(loc="outside upper center", ncols=len(groups), frameon=False)
    else:
        axis.bar([str(name) for name in names], list(values.values()), color=COLOURS[0])
    _label(axis, x_label, y_label, title)
    show(figure, alt)


def images(pictures, *, alt, titles=None, columns=8, title="", size=0.95):
    """Draws pictures in a grid.

    Args:
        pictures: array (n, H, W), (n, H, W, 1) or (n, H, W, 3), in [0, 1].
        alt: what the figure shows, in a sentence.
        titles: n short texts to stand above the pictures.
        columns: pictures in a row.
        size: width of a picture in inches.
    """
    pictures = np.clip(np.asarray(pictures, "float32"), 0, 1)
    grey = pictures.ndim == 3 or (pictures.ndim == 4 and pictures.shape[-1] == 1)
    colour = pictures.ndim == 4 and pictures.shape[-1] == 3
    if not (grey or colour) or len(pictures) == 0:
        raise ValueError(
            f"pictures has shape {pictures.shape}; it must be (n, H, W), (n, H, W, 1) or "
            f"(n, H, W, 3) with n of at least 1"
        )
    if titles is not None and len(titles) != len(pictures):
        raise ValueError(f"titles has {len(titles)} texts for {len(pictures)} pictures")
    if pictures.ndim == 4 and pictures.shape[-1] == 1:
        pictures = pictures[..., 0]
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    width = min(max(WIDTH * 0.8, columns * size), WIDEST)
    row_height = width / columns + (0.22 if titles is not None else 0)
    figure, axes = _new(rows, columns, width=width, height=rows * row_height)
    for i, axis in enumerate(axes):
        axis.axis("off")
        if i < len(pictures):
            axis.imshow(pictures[i], cmap="gray", vmin=0, vmax=1)
            if titles is not None:
                axis.set_title(str(titles[i]), fontsize=9)
    if title:
        figure.suptitle(title)
    show(figure, alt)


def heatmaps(matrices, *, alt, x_labels=None, y_labels=None, x_label="", y_label="", title=""):
    """Draws matrices side by side on one colour scale that starts at 0.

    Args:
        matrices: dict from name to array (rows, columns), without negative numbers.
        alt: what the figure shows, in a sentence.
        x_labels, y_labels: dict from name to the texts at the columns and rows, or None.
    """
    _check_named("matrices", matrices)
    for name, matrix in matrices.items():
        if np.ndim(matrix) != 2 or np.min(matrix) < 0:
            raise ValueError(
                f"matrices[{name!r}] has shape {np.shape(matrix)} and smallest value "
                f"{np.min(matrix):g}; it must have two axes and nothing below 0"
            )
    height = 1.0 + WIDTH / len(matrices) * max(
        min(np.shape(m)[0] / np.shape(m)[1], 1.2) for m in matrices.values()
    )
    figure, axes = _new(1, len(matrices), height=min(height, 6.0))
    top = max(float(np.max(matrix)) for matrix in matrices.values())
    for axis, (name, matrix) in zip(axes, matrices.items(), strict=True):
        picture = axis.imshow(matrix, cmap="viridis", vmin=0, vmax=top, aspect="auto")
        for ticks in (axis.xaxis, axis.yaxis):
            ticks.get_major_locator().set_params(integer=True)
        if x_labels is not None:
            axis.set_xticks(range(len(x_labels[name])), x_labels[name], fontsize=8)
        if y_labels is not None:
            axis.set_yticks(range(len(y_labels[name])), y_labels[name], fontsize=8)
        _label(axis, x_label, y_label, name)
        axis.grid(False)
    figure.colorbar(picture, ax=axes.tolist(), shrink=0.8)
    if title:
        figure.suptitle(title)
    show(figure, alt)


def scatter(groups, *, alt, x_label="", y_label="", title=""):
    """Draws points of named groups in the plane.

    Args:
        groups: dict from name to array (n, 2).
        alt: what the figure shows, in a sentence.
    """
    _check_named("groups", groups)
    for name, points in groups.items():
        if np.ndim(points) != 2 or np.shape(points)[1] != 2:
            raise ValueError(
                f"groups[{name!r}] has shape {np.shape(points)}; points must be (n, 2)"
            )
    figure, axes = _new(1, 1, height=4.5)
    for (name, points), colour in zip(groups.items(), _colours(len(groups)), strict=True):
        size = 8 if len(points) > 50 else 40  # few points must be found, many must not cover
        axes[0].scatter(*np.asarray(points).T, s=size, label=name, color=colour, alpha=0.7)
    positions = np.concatenate([np.asarray(points)[:, 0] for points in groups.values()])
    if np.all(positions == np.round(positions)):
        axes[0].xaxis.get_major_locator().set_params(integer=True)
    _label(axes[0], x_label, y_label, title)
    axes[0].legend(frameon=False)
    show(figure, alt)


def bands(series, *, alt, x=None, x_label="step", y_label="return", title=""):
    """Draws several runs of each named series as their mean and the range from worst to best.

    Args:
        series: dict from name to array (runs, points).
        alt: what the figure shows, in a sentence.
        x: dict from name to the positions of its points; 1, 2, 3 … if None.
    """
    _check_named("series", series)
    figure, axes = _new(1, 1, height=3.6)
    for (name, runs), colour in zip(series.items(), _colours(len(series)), strict=True):
        runs = np.asarray(runs)
        if runs.ndim != 2:
            raise ValueError(f"series[{name!r}] has shape {runs.shape}; it must be (runs, points)")
        positions = np.arange(1, runs.shape[1] + 1) if x is None else x[name]
        axes[0].plot(positions, runs.mean(axis=0), label=name, color=colour)
        axes[0].fill_between(
            positions, runs.min(axis=0), runs.max(axis=0), color=colour, alpha=0.2, linewidth=0
        )
    _label(axes[0], x_label, y_label, title)
    axes[0].legend(frameon=False)
    show(figure, alt)


def fits(panels, *, alt, x, points=None, x_label="x", y_label="y"):
    """Draws panels side by side on shared axes: curves, and the points that they should meet.

    Args:
        panels: dict from title to a dict from name to the curve's values at x; a name has the same
            colour in every panel.
        alt: what the figure shows, in a sentence.
        x: the positions of all curves.
        points: dict from title to array (n, 2), or None.
    """
    _check_named("panels", panels)
    names = list(dict.fromkeys(name for curves in panels.values() for name in curves))
    colours = dict(zip(names, _colours(len(names)), strict=True))
    figure, axes = _new(1, len(panels), height=3.4, width=WIDEST if len(panels) > 2 else WIDTH)
    for axis, (title, curves) in zip(axes, panels.items(), strict=True):
        for name, values in curves.items():
            axis.plot(x, values, label=name, color=colours[name])
        if points is not None and title in points:
            axis.scatter(*np.asarray(points[title]).T, s=30, color="black", zorder=3)
        axis.sharey(axes[0])
        _label(axis, x_label, y_label if axis is axes[0] else "", title)
    handles = {line.get_label(): line for axis in axes for line in axis.lines}
    figure.legend(
        handles=list(handles.values()),
        loc="outside upper center",
        ncols=len(names),
        frameon=False,
    )
    show(figure, alt)


def show(figure, alt):
    """Displays a Matplotlib figure as PNG with its text alternative.

    Raises:
        ValueError: if the text alternative is empty.
    """
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError(f"alt is {alt!r}; a figure needs a sentence that says what it shows")
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=DOTS_PER_INCH)
    picture = base64.b64encode(stream.getvalue()).decode()
    # JupyterLab and nbconvert drop the text alternative of a bare PNG; they keep HTML as it is.
    tag = f'<img src="data:image/png;base64,{picture}" alt="{html.escape(alt)}">'
    display(
        {"text/html": tag, "image/png": picture, "text/plain": alt},
        metadata={"image/png": {"alt": alt}},
        raw=True,
    )


def overlays(pictures, maps, *, alt, titles=None, columns=5, title=""):
    """Draws maps as heat over pictures: the picture turns grey, and warm where the map is high.

    Args:
        pictures: array (n, H, W, 3), in [0, 1].
        maps: array (n, H, W), in [0, 1].
        alt: what the figure shows, in a sentence.
        titles: n short texts to stand above the pictures.
        columns: pictures in a row.
    """
    pictures, maps = np.asarray(pictures, "float32"), np.asarray(maps, "float32")
    if pictures.ndim != 4 or maps.shape != pictures.shape[:3]:
        raise ValueError(
            f"pictures has shape {pictures.shape} and maps {maps.shape}; they must be "
            f"(n, H, W, 3) and (n, H, W)"
        )
    grey = np.repeat(pictures.mean(axis=-1, keepdims=True), 3, axis=-1)
    heat = colormaps["inferno"](maps)[..., :3]
    weight = 0.85 * np.clip(maps, 0, 1)[..., None]
    images(
        (1 - weight) * grey + weight * heat,
        alt=alt,
        titles=titles,
        columns=columns,
        title=title,
        size=1.5,
    )


def boxes(pictures, found, *, alt, names=None, titles=None, columns=4, size=2.2):
    """Draws pictures with boxes on them, in the colour of their label.

    Args:
        pictures: n arrays (H, W, 1) or (H, W, 3), in [0, 1]; their sizes may differ.
        found: n dicts with `boxes` (k, 4) in pixels and `labels` (k,); `scores` (k,) are written
            beside the label where there are some.
        alt: what the figure shows, in a sentence.
        names: texts for the labels; the labels themselves if None.
        titles: n short texts to stand above the pictures.
        columns: pictures in a row.
        size: width of a picture in inches.
    """
    if len(pictures) != len(found) or not len(pictures):
        raise ValueError(
            f"pictures has {len(pictures)} and found {len(found)} entries; there must be one dict "
            f"for each picture, and at least one"
        )
    columns = min(columns, len(pictures))
    rows, tallest = -(-len(pictures) // columns), max(p.shape[0] / p.shape[1] for p in pictures)
    width = min(max(WIDTH * 0.8, columns * size), WIDEST)
    figure, axes = _new(rows, columns, width=width, height=rows * (width / columns * tallest + 0.3))
    for axis in axes:
        axis.axis("off")
    for i, (axis, picture, each) in enumerate(zip(axes, pictures, found, strict=False)):
        axis.imshow(np.clip(picture, 0, 1), cmap="gray", vmin=0, vmax=1)
        scores = each.get("scores", [None] * len(each["labels"]))
        for box, label, score in zip(each["boxes"], each["labels"], scores, strict=True):
            _draw_box(axis, box, int(label), names, score)
        if titles is not None:
            axis.set_title(str(titles[i]), fontsize=9)
    show(figure, alt)


def outlines(pictures, masks, *, alt, titles=None, columns=4, size=2.2):
    """Draws pictures with the outlines of masks, each named mask in a colour of its own.

    Args:
        pictures: array (n, H, W, 1) or (n, H, W, 3), in [0, 1].
        masks: dict from name to booleans (n, H, W).
        alt: what the figure shows, in a sentence.
        titles: n short texts to stand above the pictures.
        columns: pictures in a row.
        size: width of a picture in inches.
    """
    _check_named("masks", masks)
    if len(masks) > 3:
        raise ValueError(f"masks has {len(masks)} names; more than three outlines confuse")
    for name, mask in masks.items():
        if np.shape(mask) != np.shape(pictures)[:3]:
            raise ValueError(
                f"masks[{name!r}] has shape {np.shape(mask)}; for pictures of shape "
                f"{np.shape(pictures)} it must be {np.shape(pictures)[:3]}"
            )
    columns = min(columns, len(pictures))
    rows, (tall, wide) = -(-len(pictures) // columns), np.shape(pictures)[1:3]
    width = min(max(WIDTH * 0.8, columns * size), WIDEST)
    height = rows * (width / columns * tall / wide + 0.3) + 0.3
    figure, axes = _new(rows, columns, width=width, height=height)
    colours = dict(zip(masks, (COLOURS[4], COLOURS[5], COLOURS[3]), strict=False))
    for i, axis in enumerate(axes):
        axis.axis("off")
        if i >= len(pictures):
            continue
        axis.imshow(np.clip(pictures[i], 0, 1), cmap="gray", vmin=0, vmax=1)
        for name, mask in masks.items():
            # A rim of background closes the outlines of what touches the picture's edge.
            padded = np.pad(np.asarray(mask[i], float), 1)
            places = [np.arange(-1, side + 1) for side in (wide, tall)]
            if padded.any():
                axis.contour(*places, padded, levels=[0.5], colors=[colours[name]], linewidths=1.6)
        if titles is not None:
            axis.set_title(str(titles[i]), fontsize=9)
    figure.legend(
        handles=[Line2D([], [], color=colour, label=name) for name, colour in colours.items()],
        loc="outside upper center",
        ncols=len(masks),
        frameon=False,
    )
    show(figure, alt)


def trade_offs(groups, front, *, alt, x_label="cost", y_label="score"):
    """Draws points of named groups, the cost on a logarithmic axis, and a front through the best.

    Args:
        groups: dict from name to array (n, 2) of costs above 0 and scores.
        front: array (m, 2) of the points that nothing else beats, by rising cost.
        alt: what the figure shows, in a sentence.
    """
    _check_named("groups", groups)
    front = np.asarray(front)
    for name, points in {**groups, "front": front}.items():
        if np.ndim(points) != 2 or np.shape(points)[1] != 2 or np.min(points, axis=0)[0] <= 0:
            raise ValueError(f"{name!r} must be (n, 2) with costs above 0, and n at least 1")
    figure, axes = _new(1, 1, height=4.2)
    axes[0].step(*front.T, where="post", color="black", linewidth=1, label="front")
    for (name, points), colour in zip(groups.items(), _colours(len(groups)), strict=True):
        axes[0].scatter(*np.asarray(points).T, s=40, label=name, color=colour, zorder=3)
    axes[0].set_xscale("log")
    _label(axes[0], x_label, y_label, "")
    axes[0].legend(frameon=False)
    show(figure, alt)


def ranges(panels, *, alt, x_label="gain"):
    """Draws named numbers of several runs as dots, their mean as a bar, beside a line at 0.

    Args:
        panels: dict from title to a dict from group to a dict from name to the numbers of the
            runs. Groups have a colour and names a row, both the same in every panel.
        alt: what the figure shows, in a sentence.
    """
    _check_named("panels", panels)
    for title, groups in panels.items():
        _check_named(f"panels[{title!r}]", groups)
    first = next(iter(panels.values()))
    names = list(next(iter(first.values())))
    figure, axes = _new(1, len(panels), height=0.8 + 0.34 * len(names))
    for axis, (title, groups) in zip(axes, panels.items(), strict=True):
        axis.axvline(0, color="grey", linewidth=1)
        for i, (group, colour) in enumerate(zip(groups, _colours(len(groups)), strict=True)):
            offset = (i - (len(groups) - 1) / 2) * 0.36
            for row, name in enumerate(names):
                runs = np.asarray(groups[group][name])
                height = np.full(len(runs), row + offset)
                label = group if row == 0 else None
                axis.scatter(runs, height, s=14, color=colour, label=label, zorder=3)
                axis.plot([0, runs.mean()], height[[0, 0]], color=colour, linewidth=5, alpha=0.35)
        axis.set_yticks(range(len(names)), names if axis is axes[0] else [""] * len(names))
        axis.invert_yaxis()
        _label(axis, x_label, "", title)
    figure.legend(
        *axes[0].get_legend_handles_labels(),
        loc="outside upper center",
        ncols=len(first),
        frameon=False,
    )
    show(figure, alt)


def labelled(points, labels, *, alt, x_label="", y_label="", title=""):
    """Draws each point of the plane as its label, so that many classes keep apart.

    Args:
        points: array (n, 2).
        labels: array (n,) of whole numbers from 0 to 9.
        alt: what the figure shows, in a sentence.
    """
    points, labels = np.asarray(points), np.asarray(labels)
    if points.ndim != 2 or points.shape[1] != 2 or labels.shape != points.shape[:1]:
        raise ValueError(
            f"points has shape {points.shape} and labels {labels.shape}; they must be (n, 2) and "
            f"(n,)"
        )
    figure, axes = _new(1, 1, height=5.0)
    for label in np.unique(labels):
        colour = colormaps["tab10"](int(label) % 10)
        marks = {"marker": f"${label}$", "s": 36, "color": colour, "linewidths": 0.3}
        axes[0].scatter(*points[labels == label].T, **marks)
    _label(axes[0], x_label, y_label, title)
    show(figure, alt)


def rows(named, *, alt, count=8, size=0.8, x_label="", y_label=""):
    """Draws one row of pictures for each name, the name at its left.

    All pictures are tiles of one: hundreds are drawn as fast as a few.

    Args:
        named: dict from name to array (n, H, W, 1), in [0, 1]; H and W are the same for all.
        alt: what the figure shows, in a sentence.
        count: pictures in a row, the first ones of each array.
        size: width of a picture in inches.
    """
    _check_named("named", named)
    tiles = []
    for name, pictures in named.items():
        pictures = np.asarray(pictures, "float32")[:count]
        if pictures.ndim != 4 or pictures.shape[-1] != 1 or len(pictures) < count:
            raise ValueError(
                f"named[{name!r}] has shape {pictures.shape}; it must be (n, H, W, 1) with n of at "
                f"least count, {count}"
            )
        # A white frame keeps neighbours apart.
        framed = np.pad(pictures[..., 0], ((0, 0), (1, 1), (1, 1)), constant_values=1)
        tiles.append(np.hstack(framed))
    height = len(tiles[0])
    width = min(WIDEST, max(WIDTH * 0.8, count * size + 1.2))
    figure, axes = _new(1, 1, width=width, height=len(tiles) * (width - 1.2) / count + 0.3)
    figure.get_layout_engine().set(w_pad=0.1)  # inches: names stand close to the edge
    axes[0].imshow(np.vstack(tiles), cmap="gray", vmin=0, vmax=1)
    axes[0].set_yticks((np.arange(len(tiles)) + 0.5) * height - 0.5, list(named))
    axes[0].set_xticks([])
    axes[0].tick_params(length=0)
    axes[0].spines[:].set_visible(False)
    _label(axes[0], x_label, y_label, "")
    show(figure, alt)


def clouds(panels, *, alt, arrows=None):
    """Draws clouds of points side by side on shared axes, and arrows over them.

    Args:
        panels: dict from title to points, array (n, 2).
        alt: what the figure shows, in a sentence.
        arrows: dict from title to (places, directions), two arrays (m, 2), or None; a direction is
            drawn at its true length.
    """
    _check_named("panels", panels)
    arrows = arrows or {}
    for name, points in [*panels.items(), *((t, a) for t, pair in arrows.items() for a in pair)]:
        if name not in panels or np.ndim(points) != 2 or np.shape(points)[1] != 2:
            raise ValueError(
                f"{name!r} has shape {np.shape(points)}; each panel and its arrows must be (n, 2)"
            )
    every = np.concatenate([*panels.values(), *(places for places, _ in arrows.values())])
    low, high = every.min(axis=0), every.max(axis=0)
    margin = 0.05 * (high - low).max() + 1e-6
    span = high - low + 2 * margin
    width = WIDEST if len(panels) > 2 else WIDTH
    height = width / len(panels) * min(span[1] / span[0], 1.2) + 0.5
    figure, axes = _new(1, len(panels), height=height, width=width)
    for axis, (title, points) in zip(axes, panels.items(), strict=True):
        axis.scatter(*np.asarray(points).T, s=4, color=COLOURS[0], alpha=0.4, linewidths=0)
        if title in arrows:
            (x, y), (u, v) = (np.asarray(each).T for each in arrows[title])
            lengths = {"angles": "xy", "scale_units": "xy", "scale": 1}
            axis.quiver(x, y, u, v, color=COLOURS[1], width=0.006, **lengths)
        axis.set_xlim(low[0] - margin, high[0] + margin)
        axis.set_ylim(low[1] - margin, high[1] + margin)
        axis.set_aspect("equal")
        _label(axis, "", "", title)
    show(figure, alt)


def _draw_box(axis, box, label, names, score):
    colour = COLOURS[label % len(COLOURS)]
    x_min, y_min, x_max, y_max = box
    sides = x_max - x_min, y_max - y_min
    axis.add_patch(Rectangle((x_min, y_min), *sides, fill=False, edgecolor=colour, linewidth=1.5))
    text = str(label if names is None else names[label])
    axis.text(
        x_min,
        y_min,
        text if score is None else f"{text} {score:.2f}",
        color="white",
        fontsize=7,
        verticalalignment="bottom",
        bbox={"facecolor": colour, "edgecolor": "none", "pad": 1},
        clip_on=True,
    )


def _check_named(argument, named):
    if not isinstance(named, dict) or not named:
        raise ValueError(f"{argument} is {named!r}; it must be a dict that names what to draw")


def _new(rows, columns, *, height, width=WIDTH):
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = np.atleast_1d(figure.subplots(rows, columns)).ravel()
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _label(axis, x_label, y_label, title):
    axis.set_xlabel(x_label)
    axis.set_ylabel(y_label)
    axis.set_title(title, fontsize=11)


def _colours(count):
    return [COLOURS[i % len(COLOURS)] for i in range(count)]
