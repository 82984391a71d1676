"""How the settings of a run are read: from the command line, and from a checkpoint."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .models import find_model
from .recipes import RECIPES, find_recipe
from .serialize import CheckpointError, load_checkpoint
from .settings import OPTIMIZERS, SPECIAL, USAGE, Failure, Settings, reporting

MAX_SHIFT = 16  # half of an image: beyond it, some would be nothing but border
MAX_SEED = 2**64 - 1

# Settings that a resumed run may have otherwise than its checkpoint: more epochs, and the data,
# which are compared by their content, so that a folder may move.
CHANGEABLE = ("epochs", "data")


def new_settings(given: Mapping[str, Any]) -> Settings:
    """
    Settings of a new run: what was given, and what suits the model for the rest.

    Raises
    ------
    Failure
        If something was given that means nothing to this model.
    """
    recipe = find_recipe(given["model"])
    settings = {"data": recipe.kinds[0], **recipe.defaults, **given}
    kind = settings["data"].partition(":")[0]
    if kind not in recipe.kinds:
        raise Failure(
            f"{recipe.model} is trained on {', '.join(recipe.data)}, not {settings['data']!r}",
            USAGE,
        )
    for name in SPECIAL:
        if name in given and name not in recipe.task.heeds:
            raise Failure(f"{_option(name)} means nothing to {recipe.model}", USAGE)
    # A rate that suits one optimizer is far from what another needs.
    usual = recipe.defaults.get("optimizer", Settings.optimizer)
    chosen = settings.get("optimizer", usual)
    if "lr" not in given and (chosen != usual or "lr" not in recipe.defaults):
        settings["lr"] = OPTIMIZERS[chosen].lr
    return Settings(**settings)


def resumed_settings(given: dict[str, Any], saved: Settings, folder: Path) -> Settings:
    """Settings of a run that goes on: those saved, which what was given must not contradict."""
    differing = [
        f"{_option(name)} {getattr(saved, name)}, not {value}"
        for name, value in given.items()
        if name not in CHANGEABLE and value != getattr(saved, name)
    ]
    if differing:
        raise Failure(
            f"{folder} holds a run with {'; '.join(differing)}: leave such options out to resume "
            "it, or start another run in another --out"
        )
    changed = {name: given[name] for name in CHANGEABLE if name in given}
    return Settings(**{**asdict(saved), **changed})


def _option(name: str) -> str:
    return name if name == "model" else "--" + name.replace("_", "-")


def saved_settings(path: Path) -> tuple[Settings, int]:
    """Settings in a checkpoint, and the checksum of its data."""
    with reporting(CheckpointError, OSError):
        info = load_checkpoint(path)
    extra = info.extra if isinstance(info.extra, dict) else {}
    saved, checksum = extra.get("settings"), extra.get("data_checksum")
    like = asdict(Settings("", limit=0))
    if not isinstance(saved, dict) or not isinstance(checksum, int) or saved.keys() != like.keys():
        raise Failure(f"{path}: a checkpoint, but not one of `train`")
    for name, value in saved.items():
        if (name, value) == ("limit", None):
            continue
        try:
            if type(value) is not type(like[name]):
                raise argparse.ArgumentTypeError(f"must be like {like[name]!r}, not {value!r}")
            PARSERS[name](str(value))
        except argparse.ArgumentTypeError as error:
            raise Failure(f"{path}: malformed checkpoint: {name}: {error}") from error
    return Settings(**saved), checksum


def _number(
    kind: Callable[[str], Any], fits: Callable[[Any], bool], wanted: str
) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not fits(value):
            raise argparse.ArgumentTypeError(f"must be {wanted}, not {text!r}")
        return value

    return parse


count = _number(int, lambda value: value >= 1, "an integer >= 1")
pixels = _number(int, lambda value: 0 <= value <= MAX_SHIFT, f"an integer from 0 to {MAX_SHIFT}")
decay = _number(float, lambda value: 0 < value <= 1, "a number > 0 and <= 1")
seed = _number(int, lambda value: 0 <= value <= MAX_SEED, "an integer from 0 to 2**64 - 1")
rate = _number(float, lambda value: 0 < value < math.inf, "a finite number > 0")
share = _number(float, lambda value: 0 <= value < 1, "a number >= 0 and < 1")


def model_name(text: str) -> str:
    """A name that the registry knows."""
    try:
        return find_model(text).name
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def data_name(text: str) -> str:
    """Data that some recipe knows: ``digits``, ``mnist:FOLDER`` and others."""
    known = dict.fromkeys(name for recipe in RECIPES.values() for name in recipe.data)
    kind, colon, rest = text.partition(":")
    for name in known:
        known_kind, known_colon, _ = name.partition(":")
        if kind == known_kind and colon == known_colon and bool(rest) == bool(colon):
            return text
    raise argparse.ArgumentTypeError(f"unknown data {text!r}; known are: {', '.join(known)}")


def optimizer_name(text: str) -> str:
    """A key of `OPTIMIZERS`."""
    if text not in OPTIMIZERS:
        known = ", ".join(OPTIMIZERS)
        raise argparse.ArgumentTypeError(f"unknown optimizer {text!r}; known are: {known}")
    return text


def folder_name(text: str) -> Path:
    """Any path but an empty one, which would mean the working directory."""
    if not text:
        raise argparse.ArgumentTypeError("must not be empty")
    return Path(text)


# How each setting is read, from the command line and, as text, from a checkpoint.
PARSERS: dict[str, Callable[[str], Any]] = {
    "model": model_name,
    "data": data_name,
    "epochs": count,
    "batch_size": count,
    "optimizer": optimizer_name,
    "lr": rate,
    "label_smoothing": share,
    "shift": pixels,
    "lr_step": count,
    "lr_decay": decay,
    "seed": seed,
    "limit": count,
}
