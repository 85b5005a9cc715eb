"""Files that are written whole or not at all."""

import json
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_whole(path):
    """Gives a temporary path in the folder of `path`; moves it there when the block succeeds.

    A reader of `path` sees the old file or the new one, never half of one. If the block fails
    the temporary file is removed and `path` stays as it was.

    Args:
        path: where the file shall stand; its folder is made if need be.

    Yields:
        Path of the temporary file to write.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path, text):
    """Writes a text file whole or not at all."""
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_notebook(path, notebook):
    """Writes a notebook, given as dicts and lists, in the layout that Jupyter writes."""
    write_text(path, json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def _umask():
    # The mask can only be read by setting it. mkstemp makes files that only their owner can read.
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
