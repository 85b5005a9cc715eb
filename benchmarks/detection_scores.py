"""Speed of non-maximum suppression and mean average precision beside TensorFlow's and pycocotools'.

Both sides get the same boxes, in turns within one run, so that a busy machine slows both. Told as
ratios of seconds. pycocotools' time leaves out the making of its dicts, and it scores one range of
areas, as ours does. Run: python benchmarks/detection_scores.py
"""

import contextlib
import io
import statistics
import time

from helpers import detection

import numpy as np
import tensorflow as tf
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

ROUNDS = 21
CLASSES = 10


def main():
    """Measures both and prints one row for each setting."""
    print("setting                                  theirs ms   ours ms  ratio")
    rng = np.random.default_rng(0)
    for size in (96, 640):
        boxes = random_boxes(rng, 1000, size)
        scores = rng.random(1000, "float32")
        row(
            f"suppression, 1,000 boxes on {size} pixels",
            lambda b=boxes, s=scores: tf.image.non_max_suppression(b, s, len(b), 0.5).numpy(),
            lambda b=boxes, s=scores: detection.non_max_suppression(b, s, 0.5),
        )
    for count in (10, 100):
        predictions, truths = random_sets(rng, 300, count)
        truth, results = coco(predictions, truths)
        row(
            f"mAP, 300 images with {count} detections",
            lambda t=truth, r=results: coco_score(t, r),
            lambda p=predictions, t=truths: detection.mean_average_precision(p, t),
        )


def row(name, theirs, ours):
    """Times two functions in turns and prints their medians."""
    seconds = [[], []]
    for i in range(ROUNDS + 1):
        for taken, function in zip(seconds, (theirs, ours), strict=True):
            start = time.perf_counter()
            with contextlib.redirect_stdout(io.StringIO()):
                function()
            if i:
                taken.append(time.perf_counter() - start)
    a, b = (1e3 * statistics.median(taken) for taken in seconds)
    print(f"{name:<40} {a:9.2f} {b:9.2f} {a / b:6.1f}")


def random_boxes(rng, count, size):
    """Boxes of 10 to 40 pixels, (count, 4)."""
    centres, sides = rng.uniform(0, size, (count, 2)), rng.uniform(10, 40, (count, 2))
    return np.concatenate([centres - sides / 2, centres + sides / 2], axis=1).astype("float32")


def random_sets(rng, images, count):
    """One to four truths an image, and `count` detections, a few of them near the truths."""
    predictions, truths = [], []
    for _ in range(images):
        boxes = random_boxes(rng, rng.integers(1, 5), 96)
        labels = rng.integers(0, CLASSES, len(boxes))
        strays = random_boxes(rng, count - len(boxes), 96)
        truths.append({"boxes": boxes, "labels": labels})
        predictions.append(
            {
                "boxes": np.concatenate([boxes + rng.normal(0, 1, (len(boxes), 4)), strays]),
                "labels": np.append(labels, rng.integers(0, CLASSES, len(strays))),
                "scores": rng.random(count),
            }
        )
    return predictions, truths


def coco(predictions, truths):
    """The same sets as pycocotools wants them."""
    truth = COCO()
    truth.dataset = {
        "images": [{"id": image} for image in range(len(truths))],
        "categories": [{"id": label} for label in range(CLASSES)],
        "annotations": [
            each | {"id": i + 1, "iscrowd": 0} for i, each in enumerate(entries(truths))
        ],
        "info": {},
    }
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        return truth, truth.loadRes(entries(predictions))


def entries(sets):
    """One dict for each box of a set, corner and sides."""
    found = []
    for image, each in enumerate(sets):
        for i, (x_min, y_min, x_max, y_max) in enumerate(np.asarray(each["boxes"], float).tolist()):
            sides = [x_max - x_min, y_max - y_min]
            entry = {"image_id": image, "category_id": int(each["labels"][i])}
            entry |= {"bbox": [x_min, y_min, *sides], "area": sides[0] * sides[1]}
            found.append(entry | ({"score": each["scores"][i]} if "scores" in each else {}))
    return found


def coco_score(truth, results):
    """Evaluates with pycocotools."""
    evaluation = COCOeval(truth, results, "bbox")
    evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
    evaluation.params.maxDets = [100]
    evaluation.evaluate()
    evaluation.accumulate()


if __name__ == "__main__":
    main()
