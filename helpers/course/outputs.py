"""What an executed lesson shows: its expectations, and what no reader should see."""

from helpers.course.catalogue import tags

EXPECTATION = "application/vnd.lesson.expectation+json"  # as helpers.lesson writes it


def expectations(notebook):
    """Returns the records that `lesson.expect` left in the outputs, in order."""
    return [
        output["data"][EXPECTATION]
        for _, output in _outputs(notebook)
        if EXPECTATION in output.get("data", {})
    ]


def fault(notebook):
    """Finds the first output that no reader should see.

    That is a line on the error stream (a warning, a log line), or a picture without a text
    alternative.

    Args:
        notebook: the executed notebook, as plain dicts and lists.

    Returns:
        The number of the cell in the lesson's own notebook, from 1, and what is wrong with it; or
        None.
    """
    for number, output in _outputs(notebook):
        if output.get("name") == "stderr":
            text = "".join(output["text"]).strip()
            return number, f"it wrote to the error stream: {text.splitlines()[0][:200]}"
        alternative = output.get("metadata", {}).get("image/png", {}).get("alt", "")
        if "image/png" in output.get("data", {}) and not alternative.strip():
            return number, "its picture has no text alternative"
    return None


def _outputs(notebook):
    own = [cell for cell in notebook["cells"] if "injected-parameters" not in tags(cell)]
    return [
        (number, output) for number, cell in enumerate(own, 1) for output in cell.get("outputs", [])
    ]
