import re
import sys
from types import SimpleNamespace

from helpers import data, detection
from helpers.detection import (
    DecodeBoxes,
    DetectionLoss,
    FaceDetector,
    HubDetector,
    SceneStream,
    box_area,
    box_iou,
    build_detector,
    candidates,
    cell_centres,
    centre_targets,
    choose,
    coco_detector,
    detect,
    error_kinds,
    generalised_iou,
    mean_average_precision,
    non_max_suppression,
    precision_recall,
    suppress_by_class,
    suppression_slider,
)

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, precision_recall_curve

COORDINATE = st.integers(0, 12)
SET_OF_BOXES = st.lists(st.tuples(*[COORDINATE] * 4), max_size=12)


def _sorted(corners):
    """Boxes, some of them empty, from any corners."""
    corners = np.array(corners, "float64").reshape(-1, 2, 2)
    return np.sort(corners, axis=1).reshape(-1, 4)


def _iou_by_pixels(a, b):
    """Counts the pixels of whole-numbered boxes."""
    covered = np.zeros((2, 20, 20), bool)
    for cover, (x_min, y_min, x_max, y_max) in zip(covered, (a, b), strict=True):
        cover[int(y_min) : int(y_max), int(x_min) : int(x_max)] = True
    union = (covered[0] | covered[1]).sum()
    return (covered[0] & covered[1]).sum() / union if union else 0.0


def _suppress_by_hand(boxes, scores, threshold):
    kept = []
    for i in sorted(range(len(boxes)), key=lambda i: (-scores[i], i)):
        if all(_iou_by_pixels(boxes[i], boxes[k]) <= threshold for k in kept):
            kept.append(i)
    return kept


# Boxes


@given(SET_OF_BOXES, SET_OF_BOXES)
@settings(max_examples=50, deadline=None)
def test_iou_counts_pixels(a, b):
    a, b = _sorted(a), _sorted(b)
    expected = [[_iou_by_pixels(one, other) for other in b] for one in a]
    assert box_iou(a, b).shape == (len(a), len(b))
    np.testing.assert_allclose(box_iou(a, b), np.reshape(expected, (len(a), len(b))))


@given(SET_OF_BOXES)
@settings(max_examples=30, deadline=None)
def test_iou_is_symmetric_one_on_itself_and_blind_to_place_and_scale(corners):
    boxes = _sorted(corners)
    overlap = box_iou(boxes, boxes)
    np.testing.assert_array_equal(overlap, overlap.T)
    np.testing.assert_array_equal(np.diag(overlap), box_area(boxes) > 0)
    np.testing.assert_allclose(box_iou(3 * boxes + 7, 3 * boxes + 7), overlap)


def test_boxes_apart_in_both_directions_do_not_overlap():
    # Both sides of their "intersection" are negative; the product would be positive.
    assert box_iou([[0, 0, 2, 2]], [[5, 5, 7, 7]]) == 0


def test_boxes_that_touch_do_not_overlap():
    assert box_iou([[0, 0, 2, 2]], [[2, 0, 4, 2]]) == 0


@pytest.mark.parametrize(
    ("boxes", "words"),
    [
        ([[3, 0, 1, 2]], "x_min ≤ x_max"),
        ([[0, 0, np.nan, 2]], "finite"),
        ([[0, 0, 1]], r"\(n, 4\)"),
        ([0, 0, 1, 1], r"\(n, 4\)"),
    ],
)
def test_what_is_no_set_of_boxes_is_refused(boxes, words):
    good = [[0, 0, 1, 1]]
    for call in (lambda: box_iou(boxes, good), lambda: box_iou(good, boxes)):
        with pytest.raises(ValueError, match=words):
            call()
    with pytest.raises(ValueError, match=words):
        box_area(boxes)


# Non-maximum suppression


@given(
    SET_OF_BOXES.flatmap(
        lambda boxes: st.tuples(
            st.just(boxes), st.lists(st.integers(0, 4), min_size=len(boxes), max_size=len(boxes))
        )
    ),
    st.sampled_from([0, 0.25, 1 / 3, 0.5, 0.7, 1]),
)
@settings(max_examples=100, deadline=None)
def test_suppression_equals_brute_force_with_ties_and_empty_boxes(drawn, threshold):
    corners, scores = drawn
    boxes, scores = _sorted(corners), np.array(scores, float)
    kept = non_max_suppression(boxes, scores, threshold)
    # A third is not a float: float32 and float64 round it differently.
    expected = _suppress_by_hand(boxes, scores, threshold + 1e-9 * (threshold == 1 / 3))
    assert kept.tolist() == expected


@given(st.integers(0, 2**32 - 1), st.integers(1, 700), st.sampled_from([0.3, 0.5, 0.8]))
@settings(max_examples=20, deadline=None)
def test_suppression_equals_tensorflows(seed, count, threshold):
    boxes, scores = _random_boxes(np.random.default_rng(seed), count)
    expected = tf.image.non_max_suppression(boxes, scores, count, threshold)
    np.testing.assert_array_equal(non_max_suppression(boxes, scores, threshold), expected)


def _random_boxes(rng, count, size=100):
    centres, sides = rng.uniform(0, size, (count, 2)), rng.uniform(5, 40, (count, 2))
    boxes = np.concatenate([centres - sides / 2, centres + sides / 2], axis=1)
    return boxes.astype("float32"), rng.random(count).astype("float32")


def test_suppression_of_nothing_is_nothing():
    assert non_max_suppression([], []).shape == (0,)
    assert suppress_by_class([], [], []).shape == (0,)


def test_a_suppressed_box_suppresses_none():
    # The second overlaps both others; they do not overlap each other.
    boxes = [[0, 0, 10, 10], [4, 0, 14, 10], [8, 0, 18, 10]]
    assert non_max_suppression(boxes, [0.9, 0.8, 0.7], 0.4).tolist() == [0, 2]


def test_classes_leave_each_other_alone():
    boxes, scores = [[0, 0, 9, 9]] * 4, [0.5, 0.9, 0.7, 0.8]
    assert suppress_by_class(boxes, scores, [3, 3, 0, 0]).tolist() == [1, 3]
    assert non_max_suppression(boxes, scores).tolist() == [1]


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=10, deadline=None)
def test_suppression_by_class_is_suppression_of_each_class(seed):
    rng = np.random.default_rng(seed)
    boxes, scores = _random_boxes(rng, 60)
    labels = rng.integers(0, 4, 60)
    kept = suppress_by_class(boxes, scores, labels)
    assert np.all(np.diff(scores[kept]) <= 0)
    for label in range(4):
        mine = np.flatnonzero(labels == label)
        alone = mine[non_max_suppression(boxes[mine], scores[mine])]
        np.testing.assert_array_equal(kept[labels[kept] == label], alone)


def test_suppression_refuses_what_does_not_fit():
    boxes = [[0, 0, 1, 1], [0, 0, 2, 2]]
    with pytest.raises(ValueError, match=r"scores has shape \(1,\); 2 boxes need \(2,\)"):
        non_max_suppression(boxes, [0.5])
    with pytest.raises(ValueError, match="scores holds NaN"):
        non_max_suppression(boxes, [0.5, np.nan])
    with pytest.raises(ValueError, match=r"iou_threshold is 50; it must be a number in \[0, 1\]"):
        non_max_suppression(boxes, [0.5, 0.4], 50)
    with pytest.raises(ValueError, match="labels has shape"):
        suppress_by_class(boxes, [0.5, 0.4], [1])
    with pytest.raises(ValueError, match="labels holds nan; labels must be whole numbers"):
        suppress_by_class(boxes, [0.5, 0.4], [1, np.nan])
    with pytest.raises(ValueError, match="iou_threshold is -1"):
        suppress_by_class([], [], [], -1)


# Mean average precision


def _coco(predictions, truths):
    """Average precision (thresholds, classes) by pycocotools; NaN for classes without a truth."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    annotations, results = [], []
    for image, (found, truth) in enumerate(zip(predictions, truths, strict=True)):
        for box, label in zip(truth["boxes"], truth["labels"], strict=True):
            annotations.append(_entry(image, box, label) | {"id": len(annotations) + 1})
        for box, label, score in zip(found["boxes"], found["labels"], found["scores"], strict=True):
            results.append(_entry(image, box, label) | {"score": float(score)})
    truth = COCO()
    truth.dataset = {
        "images": [{"id": image} for image in range(len(truths))],
        "categories": [{"id": label} for label in range(5)],
        "annotations": annotations,
        "info": {},
    }
    truth.createIndex()
    if not results:  # pycocotools cannot load an empty list
        return None
    evaluation = COCOeval(truth, truth.loadRes(results), "bbox")
    evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
    evaluation.params.maxDets = [100]
    evaluation.evaluate()
    evaluation.accumulate()
    precision = evaluation.eval["precision"][:, :, :, 0, 0]  # thresholds, recalls, classes
    return np.where(precision < 0, np.nan, precision).mean(axis=1)


def _entry(image, box, label):
    x_min, y_min, x_max, y_max = map(float, box)
    sides = [x_max - x_min, y_max - y_min]
    return {
        "image_id": image,
        "category_id": int(label),
        "bbox": [x_min, y_min, *sides],
        "area": sides[0] * sides[1],
        "iscrowd": 0,
    }


def _random_sets(rng, images, most_truths=6, noise=3.0, ties=False):
    """Truths on a grid, and predictions near some of them, doubled, misnamed or from nowhere."""
    predictions, truths = [], []
    for _ in range(images):
        count = rng.integers(0, most_truths + 1)
        corners = rng.integers(0, 80, (count, 2))
        boxes = np.concatenate([corners, corners + rng.integers(4, 30, (count, 2))], axis=1)
        labels = rng.integers(0, 4, count)
        truths.append({"boxes": boxes.astype(float), "labels": labels})
        chosen = rng.integers(0, count, rng.integers(0, 2 * count + 1)) if count else []
        near = boxes[chosen].reshape(-1, 4) + rng.normal(0, noise, (len(chosen), 4))
        stray = _random_boxes(rng, rng.integers(0, 4))[0]
        found = np.concatenate([np.sort(near.reshape(-1, 2, 2), axis=1).reshape(-1, 4), stray])
        names = np.concatenate([labels[chosen], rng.integers(0, 5, len(stray))]).astype(int)
        names = np.where(rng.random(len(names)) < 0.2, rng.integers(0, 5, len(names)), names)
        scores = rng.integers(0, 4, len(found)) / 4 if ties else rng.random(len(found))
        predictions.append({"boxes": found, "labels": names, "scores": scores})
    return predictions, truths


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.booleans(), st.sampled_from([0, 1, 4]))
@settings(max_examples=60, deadline=None)
def test_mean_average_precision_equals_pycocotools(capsys_off, seed, images, ties, noise):
    predictions, truths = _random_sets(np.random.default_rng(seed), images, noise=noise, ties=ties)
    expected = _coco(predictions, truths)
    result = mean_average_precision(predictions, truths)
    present = np.unique(np.concatenate([truth["labels"] for truth in truths])).astype(int)
    assert sorted(result["per_class"]) == present.tolist()
    if not present.size:
        assert np.isnan(result["map"])
    elif expected is None:
        assert result["map"] == 0
    else:
        for label in present:
            assert result["per_class"][label] == pytest.approx(expected[:, label].mean(), abs=1e-9)
            assert result["per_class50"][label] == pytest.approx(expected[0, label], abs=1e-9)
        assert result["map"] == pytest.approx(np.nanmean(expected), abs=1e-9)
        assert result["map50"] == pytest.approx(np.nanmean(expected[0]), abs=1e-9)


@pytest.fixture(scope="module")
def capsys_off():
    """Swallows what pycocotools prints."""
    import contextlib
    import io

    with contextlib.redirect_stdout(io.StringIO()):
        yield


def test_only_the_hundred_best_detections_of_a_class_and_image_count(capsys_off):
    rng = np.random.default_rng(0)
    boxes, scores = _random_boxes(rng, 150)
    found = {"boxes": boxes, "labels": np.zeros(150, int), "scores": scores}
    chosen = np.argsort(scores)[[0, 5, 60, 149]]
    truth = {"boxes": boxes[chosen], "labels": np.zeros(4, int)}
    result = mean_average_precision([found], [truth])
    assert result["map"] == pytest.approx(_coco([found], [truth])[:, 0].mean(), abs=1e-9)


def test_a_perfect_detector_scores_one_and_a_blind_one_nothing():
    truths = data.scenes(20, size=64, split="test").truths()
    perfect = [truth | {"scores": np.ones(len(truth["labels"]))} for truth in truths]
    nothing = [{"boxes": [], "labels": [], "scores": []}] * len(truths)
    assert mean_average_precision(perfect, truths)["map"] == 1
    assert mean_average_precision(nothing, truths)["map"] == 0


def test_average_precision_of_a_ranked_list_by_hand():
    # Two truths; right, wrong, right: precision 1 up to recall 1/2, then 2/3.
    truth = {"boxes": [[0, 0, 4, 4], [10, 0, 14, 4]], "labels": [7, 7]}
    found = {
        "boxes": [[0, 0, 4, 4], [50, 50, 60, 60], [10, 0, 14, 4]],
        "labels": [7, 7, 7],
        "scores": [0.9, 0.8, 0.7],
    }
    result = mean_average_precision([found], [truth], iou_thresholds=(0.5,))
    assert result["map"] == pytest.approx((51 * 1 + 50 * 2 / 3) / 101)
    assert result["per_class"] == {7: result["map"]}


def test_a_second_detection_of_a_truth_is_wrong():
    truth = {"boxes": [[0, 0, 4, 4]], "labels": [0]}
    found = {"boxes": [[0, 0, 4, 4]] * 2, "labels": [0, 0], "scores": [0.9, 0.8]}
    recall, precision, scores = precision_recall([found], [truth], 0)
    assert recall.tolist() == [1, 1]
    assert precision.tolist() == [1, 0.5]
    assert scores.tolist() == [0.9, 0.8]


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=10, deadline=None)
def test_the_precision_recall_curve_equals_scikit_learns_where_each_box_is_its_own_truth(seed):
    # With one box an image and either a perfect or no match, detection is classification.
    rng = np.random.default_rng(seed)
    right, scores = np.append(rng.random(30) < 0.5, True), rng.random(31)
    truths = [{"boxes": [[0, 0, 9, 9]], "labels": [int(r)]} for r in right]
    found = [{"boxes": [[0, 0, 9, 9]], "labels": [1], "scores": [score]} for score in scores]
    recall, precision, thresholds = precision_recall(found, truths, 1)
    expected_precision, expected_recall, _ = precision_recall_curve(right, scores)
    np.testing.assert_allclose(precision[::-1], expected_precision[:-1])
    np.testing.assert_allclose(recall[::-1], expected_recall[:-1])
    np.testing.assert_array_equal(thresholds, np.sort(scores)[::-1])
    area = np.sum(np.diff(recall, prepend=0) * precision)
    assert area == pytest.approx(average_precision_score(right, scores))


def test_scoring_refuses_what_does_not_fit():
    truth = {"boxes": [[0, 0, 1, 1]], "labels": [0]}
    found = truth | {"scores": [0.5]}
    cases = [
        (([found], [truth, truth]), "predictions has 1 images and truths 2"),
        (([truth], [truth]), re.escape("predictions[0] has no scores")),
        (([found | {"labels": [0, 1]}], [truth]), re.escape("predictions[0]['labels'] has shape")),
        (([found], [{"boxes": [[2, 0, 1, 1]], "labels": [0]}]), "x_min ≤ x_max"),
        (([found], [truth], (0.5, 50)), "iou_thresholds is .*at most 1"),
        (([found], [truth], ()), "iou_thresholds is"),
        (([found | {"labels": [0.5]}], [truth]), re.escape("predictions[0]['labels'] holds 0.5")),
        (([found], [truth | {"labels": ["7"]}]), re.escape("truths[0]['labels'] is of type <U1")),
        (
            ([found, found | {"scores": [np.nan]}], [truth, truth]),
            re.escape("predictions[1]['scores'] holds NaN"),
        ),
    ]
    for arguments, words in cases:
        with pytest.raises(ValueError, match=words):
            mean_average_precision(*arguments)
    with pytest.raises(ValueError, match="label is 3; none of the truths has it"):
        precision_recall([found], [truth], 3)
    with pytest.raises(ValueError, match=r"iou_threshold is \(0.5, 0.75\)"):
        precision_recall([found], [truth], 0, (0.5, 0.75))
    # From 0 on every box would be "badly placed" on each truth of its class.
    for least in (0, 0.6, np.nan):
        with pytest.raises(ValueError, match=f"least_overlap is {least}; it must be above 0"):
            error_kinds([found], [truth], least_overlap=least)


# Kinds of errors


def test_each_kind_of_error_is_told():
    truth = {"boxes": [[0, 0, 10, 10], [50, 0, 60, 10], [0, 50, 10, 60]], "labels": [1, 2, 3]}
    cases = {
        "right": ([0, 0, 10, 9], 1, 0.9),
        "twice": ([0, 0, 9, 10], 1, 0.8),
        "wrong class": ([50, 0, 60, 10], 1, 0.7),
        "badly placed": ([0, 50, 10, 53], 3, 0.6),
        "nothing there": ([80, 80, 90, 90], 1, 0.5),
    }
    boxes, labels, scores = zip(*cases.values(), strict=True)
    found = {"boxes": boxes, "labels": labels, "scores": scores}
    empty = {"boxes": [], "labels": []}
    counts = error_kinds([found, empty | {"scores": []}], [truth, empty])
    assert counts == dict.fromkeys(cases, 1) | {"missed": 2}


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_the_kinds_add_up(seed):
    predictions, truths = _random_sets(np.random.default_rng(seed), 5)
    counts = error_kinds(predictions, truths)
    told = sum(len(found["labels"]) for found in predictions)
    assert sum(counts.values()) - counts["missed"] == told
    assert counts["right"] + counts["missed"] == sum(len(truth["labels"]) for truth in truths)


# The detector


def _targets_by_hand(boxes, labels, centres, radius):
    """For each cell, by rule: whose own cell is it, else who is near enough and around it?"""
    found = np.full((len(centres), 5), 0.0)
    found[:, 0] = -1
    middles = [((b[0] + b[2]) / 2, (b[1] + b[3]) / 2) for b in boxes]
    real = [j for j in range(len(boxes)) if labels[j] >= 0]
    distances = {
        j: [np.hypot(x - middles[j][0], y - middles[j][1]) for x, y in centres] for j in real
    }
    for i, (x, y) in enumerate(centres):
        own = [j for j in real if np.isclose(distances[j][i], min(distances[j]))]
        near = [
            j
            for j in real
            if distances[j][i] <= radius
            and boxes[j][0] < x < boxes[j][2]
            and boxes[j][1] < y < boxes[j][3]
        ]
        if own or near:
            j = min(own or near, key=lambda j: distances[j][i])
            found[i] = [labels[j], *boxes[j]]
    return found


@given(st.integers(0, 2**32 - 1), st.sampled_from([2.0, 6.0, 20.0]))
@settings(max_examples=30, deadline=None)
def test_targets_equal_the_rule(seed, radius):
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 20, (2, 3, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(2, 12, (2, 3, 2))], axis=-1)
    labels = rng.integers(-1, 4, (2, 3))
    centres = cell_centres(32, 8)
    targets = centre_targets(boxes, labels, centres, radius)
    for i in range(2):
        expected = _targets_by_hand(boxes[i].astype("float32"), labels[i], centres, radius)
        np.testing.assert_allclose(targets[i], expected, rtol=1e-5)


def test_every_object_of_the_scenes_has_a_cell():
    scenes = data.scenes(200, size=64)
    targets = centre_targets(scenes.boxes, scenes.labels, cell_centres(64))
    assert targets.shape == (200, 64, 5)
    for target, truth in zip(targets, scenes.truths(), strict=True):
        told = {tuple(row) for row in target[target[:, 0] >= 0]}
        there = {(label, *box) for label, box in zip(truth["labels"], truth["boxes"], strict=True)}
        assert told <= there
        assert len(told) >= len(there) - 1  # two digits may share their middle cell
    shares = [(t[:, 0] >= 0).any() for t in targets]
    assert all(shares)


def test_an_objects_own_cell_is_the_nearer_objects_where_two_share_it():
    # Both middles lie in the first cell, whose middle is (4, 4): at (3, 3) and at (6, 6).
    targets = centre_targets([[[5, 5, 7, 7], [0, 0, 6, 6]]], [[1, 2]], cell_centres(32))
    assert targets[0, 0].tolist() == [2, 0, 0, 6, 6]
    assert not np.any(targets[..., 0] == 1)


def test_images_without_objects_have_background_alone():
    for boxes, labels in (
        (np.zeros((2, 0, 4)), np.zeros((2, 0))),
        (np.zeros((2, 1, 4)), [[-1]] * 2),
    ):
        targets = centre_targets(boxes, labels, cell_centres(32))
        np.testing.assert_array_equal(targets, np.tile([-1, 0, 0, 0, 0], (2, 16, 1)))


def test_targets_refuse_what_does_not_fit():
    boxes, labels, centres = [[[0, 0, 4, 4]]], [[1]], cell_centres(32)
    cases = [
        ((boxes[0], labels, centres), r"boxes has shape \(1, 4\)"),
        ((boxes, [[1.5]], centres), "labels holds 1.5"),
        (([[[0, 0, np.nan, 4]]], labels, centres), r"boxes\[0, 0\] is \[0.0, 0.0, nan, 4.0\]"),
        ((boxes, labels, centres[0]), r"centres has shape \(2,\)"),
        ((boxes, labels, centres, -1), "radius is -1; it must be a number in "),
    ]
    for arguments, words in cases:
        with pytest.raises(ValueError, match=words):
            centre_targets(*arguments)


def test_cells_tile_the_image():
    np.testing.assert_array_equal(cell_centres(4, 2), [[1, 1], [3, 1], [1, 3], [3, 3]])
    with pytest.raises(ValueError, match="size is 60; it must be a multiple of the stride, 8"):
        cell_centres(60, 8)


@pytest.mark.parametrize("box", [[5, 5, 5, 9], [-1, 0, 4, 4], [0, 0, 33, 4]])
def test_targets_refuse_a_box_that_is_empty_or_outside(box):
    with pytest.raises(ValueError, match=r"boxes\[0, 1\] is .* lie in the image, \[0, 32\]"):
        centre_targets([[[0, 0, 2, 2], box]], [[1, 1]], cell_centres(32))
    centre_targets([[[0, 0, 2, 2], box]], [[1, -1]], cell_centres(32))  # there is no such object


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_generalised_iou_by_its_definition(seed):
    rng = np.random.default_rng(seed)
    a, b = (_random_boxes(rng, 9)[0] for _ in range(2))
    hulls = np.concatenate([np.minimum(a, b)[:, :2], np.maximum(a, b)[:, 2:]], axis=1)
    iou = np.diag(box_iou(a, b))
    union = (box_area(a) + box_area(b)) / (1 + iou)
    expected = iou - (box_area(hulls) - union) / box_area(hulls)
    np.testing.assert_allclose(generalised_iou(a, b), expected, atol=1e-5)
    np.testing.assert_allclose(generalised_iou(a, a), 1, atol=1e-6)


@pytest.mark.parametrize("shapes", [((3, 4), (1, 4)), ((3, 1, 4), (3, 4)), ((3, 5), (3, 5))])
def test_generalised_iou_refuses_what_is_not_pair_by_pair(shapes):
    with pytest.raises(ValueError, match="both must be the same .* box_iou"):
        generalised_iou(*map(np.zeros, shapes))


@pytest.mark.parametrize(
    "shapes", [((2, 1, 5), (2, 9, 7)), ((2, 9, 4), (2, 9, 7)), ((9, 5), (9, 7))]
)
def test_the_loss_refuses_targets_that_would_broadcast(shapes):
    with pytest.raises(ValueError, match=r"must be \(B, cells, 5\)"):
        DetectionLoss()(*map(np.zeros, shapes))


@pytest.mark.parametrize(("name", "value"), [("alpha", 1.5), ("gamma", -1), ("gamma", np.nan)])
def test_the_loss_refuses_weights_out_of_range(name, value):
    with pytest.raises(ValueError, match=f"{name} is {value}"):
        DetectionLoss(**{name: value})


def test_the_loss_is_the_sum_of_its_parts_per_object():
    rng = np.random.default_rng(0)
    boxes, labels = _random_boxes(rng, 6)[0], np.array([2, -1, 0, -1, -1, 1])
    y_true = np.concatenate([labels[:, None], boxes], axis=1)[None].astype("float32")
    guess = _random_boxes(rng, 6)[0]
    logits = rng.normal(size=(6, 3)).astype("float32")
    y_pred = np.concatenate([logits, guess], axis=1)[None]
    wanted = np.eye(3, dtype="float32")[labels] * (labels >= 0)[:, None]
    there = labels >= 0
    placing = np.sum(1 - np.asarray(generalised_iou(boxes[there], guess[there])))
    # Lin et al. (2017), written out with the probabilities.
    p = 1 / (1 + np.exp(-logits))
    focal = -np.where(wanted == 1, 0.5 * (1 - p) ** 2 * np.log(p), 0.5 * p**2 * np.log(1 - p))
    expected = (focal.sum() + placing) / 3
    assert float(DetectionLoss()(y_true, y_pred)) == pytest.approx(expected, rel=1e-5)


def test_without_objects_only_the_background_counts():
    y_true = np.array([[[-1, 0, 0, 0, 0]] * 4], "float32")
    y_pred = np.concatenate([np.full((1, 4, 3), -2.0), np.ones((1, 4, 4))], axis=-1)
    expected = 12 * 0.5 * (1 / (1 + np.exp(2))) ** 2 * np.log1p(np.exp(-2))
    assert float(DetectionLoss()(y_true, y_pred.astype("float32"))) == pytest.approx(expected)


def test_an_untrained_detector_believes_its_prior_and_boxes_around_its_cells():
    model = build_detector(32, 3, widths=(4, 8), prior=0.05)
    answer = np.asarray(model(np.zeros((2, 32, 32, 1))))
    assert answer.shape == (2, 64, 3 + 4)
    np.testing.assert_allclose(1 / (1 + np.exp(-answer[..., :3])), 0.05, rtol=1e-4)
    centres = cell_centres(32, 4)
    np.testing.assert_allclose(answer[0, :, 3:], np.hstack([centres - 4, centres + 4]), rtol=1e-4)


def test_boxes_are_decoded_from_logarithms_of_distances():
    centres = cell_centres(16, 8)
    boxes = np.array([[1, 0, 7, 10], [9, 2, 16, 6], [0, 10, 8, 14], [8, 8, 16, 16]], "float32")
    distances = np.hstack([centres - boxes[:, :2], boxes[:, 2:] - centres])
    decoded = DecodeBoxes(16, 8)(np.log(distances / 8)[None])
    np.testing.assert_allclose(decoded[0], boxes, atol=1e-4)


def test_the_detector_refuses_what_cannot_be():
    cases = [
        ((60, 10), "size is 60; it must be a multiple of the stride, 8"),
        ((64, 0), "num_classes is 0"),
        ((64, 10, (16, 0)), r"widths\[1\] is 0"),
        ((64, 10, (16,), 1), r"prior is 1; it must be a number in \(0, 1\)"),
        ((64, 10, ()), "widths is empty"),
    ]
    for arguments, words in cases:
        with pytest.raises(ValueError, match=words):
            build_detector(*arguments)
    model = build_detector(32, 2, widths=(2, 2))
    with pytest.raises(ValueError, match=r"the detector takes \(n, 32, 32, 1\)"):
        detect(model, np.zeros((1, 64, 64, 1)))
    for value in (255, np.nan):
        with pytest.raises(ValueError, match=f"images has values from .* to {value}"):
            detect(model, np.full((1, 32, 32, 1), value))
    with pytest.raises(ValueError, match="least_score is 40; it must be a number in"):
        candidates(model, np.zeros((1, 32, 32, 1)), 40)
    assert detect(model, np.zeros((0, 32, 32, 1))) == []


def test_a_detector_survives_saving(tmp_path):
    model = build_detector(32, 2, widths=(2, 2))
    model.compile("sgd", DetectionLoss(0.3, 1.0))
    model.save(tmp_path / "detector.keras")
    again = keras.models.load_model(tmp_path / "detector.keras")
    images = np.random.default_rng(0).random((2, 32, 32, 1), "float32")
    np.testing.assert_allclose(again(images), model(images), rtol=1e-5)
    assert again.loss.get_config() == model.loss.get_config()


def test_detections_are_what_the_cells_say_without_doubles():
    def answer(logits):
        boxes = np.tile([[2.0, 2, 10, 10]], (4, 1))
        boxes[3] = [-5, 20, 12, 40]
        return np.concatenate([logits, boxes], axis=1)[None]

    class Fixed:
        input_shape = (None, 32, 32, 1)

        def predict(self, images, **_):
            return answer(np.array([[3.0, -9], [2, 1], [-9, -9], [-9, 2]]))

    [found] = detect(Fixed(), np.zeros((1, 32, 32, 1)))
    # The second cell doubles the first cell's 0, but its 1 is another class.
    assert found["labels"].tolist() == [0, 1, 1]
    np.testing.assert_allclose(found["scores"], 1 / (1 + np.exp([-3.0, -2, -1])))
    np.testing.assert_array_equal(found["boxes"][1], [0, 20, 12, 32])


def test_candidates_keep_the_doubles_that_detection_drops():
    class Fixed:
        input_shape = (None, 16, 16, 1)

        def predict(self, images, **_):
            boxes = np.array([[0.0, 0, 8, 8], [0, 0, 8, 8], [8, 8, 20, 20]])
            logits = np.array([[2.0], [1.0], [-9.0]])
            return np.repeat(np.hstack([logits, boxes])[None], len(images), axis=0)

    images = np.zeros((3, 16, 16, 1))
    assert [len(each["labels"]) for each in candidates(Fixed(), images)] == [2, 2, 2]
    assert [len(each["labels"]) for each in detect(Fixed(), images)] == [1, 1, 1]
    assert len(candidates(Fixed(), images, 0.0)[0]["labels"]) == 3
    assert len(choose(candidates(Fixed(), images)[0], [False, True])["scores"]) == 1


def test_the_slider_counts_the_boxes_left_and_shows_them_without_widgets_too(monkeypatch):
    drawn, shown = [], []
    monkeypatch.setattr(detection.plots, "boxes", lambda *a, **k: drawn.append((a, k)))
    monkeypatch.setattr(detection, "display", lambda data, **_: shown.append(data))
    found = {"boxes": np.array([[0, 0, 8, 8.0], [0, 0, 8, 6], [9, 9, 12, 12]])}
    found |= {"labels": np.zeros(3, int), "scores": np.array([0.9, 0.8, 0.7])}
    left = suppression_slider(np.zeros((16, 16, 1)), found, [0.1, 0.7, 0.8])
    assert left == {0.1: 2, 0.7: 2, 0.8: 3}
    assert drawn[0][1]["titles"] == ["0.1: 2 boxes", "0.7: 2 boxes", "0.8: 3 boxes"]
    assert "application/vnd.jupyter.widget-view+json" in shown[0]
    assert "JupyterLab" in shown[0]["text/plain"]


# Faces


@pytest.fixture(scope="module")
def faces():
    return FaceDetector()


def test_the_astronauts_face_is_found_and_no_face_on_a_cup(faces):
    astronaut, coffee = faces([data.photo("astronaut"), data.photo("coffee")])
    # The box that the package itself reports, as corner and sides: 182, 64, 83, 107.
    assert box_iou(astronaut["boxes"], [[182, 64, 265, 171]]).max() > 0.9
    assert astronaut["scores"][0] > 0.99
    assert coffee["boxes"].shape == (0, 4)
    assert mean_average_precision([astronaut], [astronaut])["map"] == 1


def test_loading_the_face_detector_says_nothing_about_files(monkeypatch):
    told = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)
    hook = sys.unraisablehook
    FaceDetector()
    assert told == []
    assert sys.unraisablehook is hook


def test_a_grey_photograph_is_taken_as_grey(faces):
    [camera] = faces([data.photo("camera")])
    assert len(camera["boxes"]) == 1


@pytest.mark.parametrize(
    ("photograph", "words"),
    [
        (np.zeros((4, 4)), r"photographs\[0\] has shape \(4, 4\)"),
        (np.full((9, 9, 3), 255), "to 255"),
    ],
)
def test_photographs_in_another_shape_or_range_are_refused(faces, photograph, words):
    with pytest.raises(ValueError, match=words):
        faces([photograph])


class HubNetwork:
    """Stands for a detector of Keras Hub: finds the white rectangle twice, unsure first."""

    def __init__(self, bounding_box_format):
        self.bounding_box_format = bounding_box_format
        self.prediction_decoder = SimpleNamespace(confidence_threshold=0.5)

    def predict(self, images, verbose):
        rows, columns = np.nonzero(images[0].min(axis=-1) > 128)
        corners = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        boxes = keras.utils.bounding_boxes.convert_format(
            np.array([[corners, corners, [0, 0, 0, 0]]], "float32"),
            source="xyxy",
            target=self.bounding_box_format,
            height=images.shape[1],
            width=images.shape[2],
        )
        scores, labels = np.array([[0.2, 0.9, 0]]), np.array([[3, 7, 0]])
        return {
            "boxes": boxes,
            "confidence": scores,
            "labels": labels,
            "num_detections": np.array([2]),
        }


@pytest.mark.parametrize("bounding_box_format", ["xyxy", "yxyx", "rel_yxyx"])
@pytest.mark.parametrize("shape", [(160, 80, 3), (60, 240, 3), (100, 100, 1)])
def test_boxes_of_keras_hub_come_back_in_the_photographs_pixels(bounding_box_format, shape):
    photograph = np.zeros(shape)
    photograph[10:40, 20:70] = 1
    network = HubNetwork(bounding_box_format)
    [found] = HubDetector(network, side=200, least_score=0.1)([photograph])
    assert network.prediction_decoder.confidence_threshold == 0.1
    assert box_iou(found["boxes"], [[20, 10, 70, 40]]).min() > 0.9
    np.testing.assert_array_equal(found["labels"], [7, 3])
    np.testing.assert_array_equal(found["scores"], [0.9, 0.2])


def test_a_least_score_that_is_no_share_is_refused():
    with pytest.raises(ValueError, match="least_score is 5"):
        HubDetector(HubNetwork("xyxy"), least_score=5)


def test_keras_hub_missing_or_out_of_reach_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    with pytest.raises(ValueError, match="keras_hub is not installed.*pip install"):
        coco_detector()

    def refuse(preset):
        raise OSError("no route")

    detectors = SimpleNamespace(from_preset=refuse)
    hub = SimpleNamespace(models=SimpleNamespace(ObjectDetector=detectors))
    monkeypatch.setitem(sys.modules, "keras_hub", hub)
    with pytest.raises(ValueError, match="weights of 'mine' could not be had .no route."):
        coco_detector("mine")


def test_the_stream_gives_new_scenes_each_epoch_and_the_same_for_the_same_seed():
    streams = [SceneStream(64, 32, batch_size=32, stride=4, seed=seed) for seed in (0, 0, 1)]
    images, targets = streams[0][1]
    assert len(streams[0]) == 2
    assert (images.shape, targets.shape) == ((32, 32, 32, 1), (32, 64, 5))
    np.testing.assert_array_equal(images, streams[1][1][0])
    assert not np.array_equal(images, streams[2][1][0])
    streams[0].on_epoch_end()
    assert not np.array_equal(images, streams[0][1][0])
    with pytest.raises(ValueError, match="count is 8; it must be a whole number of at least 32"):
        SceneStream(8, 32)
    with pytest.raises(ValueError, match="count is 40; it must be a multiple of batch_size, 32"):
        SceneStream(40, 32)
    with pytest.raises(ValueError, match="batch_size is 0"):
        SceneStream(40, 32, batch_size=0)


def test_a_step_of_training_lowers_the_loss():
    keras.utils.set_random_seed(0)
    stream = SceneStream(32, 32, batch_size=32, stride=4)
    model = build_detector(32, 10, widths=(4, 8))
    model.compile(keras.optimizers.Adam(1e-2), DetectionLoss())
    before = model.evaluate(*stream[0], batch_size=32, verbose=0)
    model.fit(*stream[0], batch_size=32, epochs=15, verbose=0)
    assert model.evaluate(*stream[0], batch_size=32, verbose=0) < 0.9 * before


def test_the_module_says_what_coco_says():
    assert tuple(np.linspace(0.5, 0.95, 10).round(2)) == detection.IOU_THRESHOLDS
