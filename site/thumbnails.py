"""Draws the thumbnails of README.md anew: the picture of each lesson's cell tagged `thumbnail`.

Run after `make lessons`: python site/thumbnails.py
"""

import base64
import io
import sys

from helpers import ROOT

import nbformat
from PIL import Image

EXECUTED = ROOT / "build" / "lessons"
FOLDER = ROOT / "site" / "thumbnails"
WIDTH = 320  # pixels


def main():
    """Writes one thumbnail for each executed lesson; returns the exit status."""
    paths = sorted(EXECUTED.glob("[0-9][0-9]_*.ipynb"))
    if not paths:
        print("There are no executed lessons; run make lessons first.", file=sys.stderr)
        return 2
    for path in paths:
        picture = Image.open(io.BytesIO(_picture(nbformat.read(path, as_version=4)))).convert("RGB")
        height = round(WIDTH * picture.height / picture.width)
        picture.resize((WIDTH, height), Image.Resampling.LANCZOS).save(
            FOLDER / f"{path.stem}.png", optimize=True
        )
    return 0


def _picture(notebook):
    for cell in notebook.cells:
        if "thumbnail" in cell.metadata.get("tags", []):
            for output in cell.outputs:
                if "image/png" in output.get("data", {}):
                    return base64.b64decode(output.data["image/png"])
    raise SystemExit(f"{notebook.cells[0].source.splitlines()[0]}: no picture tagged `thumbnail`")


if __name__ == "__main__":
    sys.exit(main())
