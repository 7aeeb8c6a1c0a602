"""Tables in a test's text, as a person in the field would write them."""


def table(text: str) -> list[dict[str, str]]:
    """One dict a line under the heading line; cells are split at `|` and stripped."""
    heading, *lines = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]
    return [dict(zip(heading, line, strict=True)) for line in lines]
