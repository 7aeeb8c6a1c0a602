"""The type of every option that names a lake: a folder, or one in a bucket that the settings say how to reach."""

from dataclasses import dataclass

import typer

from xorj.adapters.lake.place import Place, place_of
from xorj.primitives.errors import InvalidInput
from xorj.settings import LakeSettings, load


@dataclass(frozen=True, slots=True)
class LakeOption:
    """What `--lake` named."""

    place: Place


def named_lake(text: str) -> LakeOption:
    """Raises BadParameter, which is exit code 2: an empty text is not the folder that the command happens to run in."""
    if not text.strip():
        raise typer.BadParameter("name a folder or s3://bucket/folder; this is empty")
    try:
        return LakeOption(place_of(load(LakeSettings), text))
    except InvalidInput as error:
        raise typer.BadParameter(str(error)) from error


def place_named(option: LakeOption | None) -> Place:
    """The lake that was named, or the settings' own."""
    return place_of(load(LakeSettings)) if option is None else option.place
