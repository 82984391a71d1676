"""Rails: the edges of a graph as lines beside its rows, one row for each vertex.

A value runs down in a lane of its own from the row that makes it to the row that uses it last.
The row of a user reaches out to the lanes of its operands; it takes over the lane of one that
ends, so that a chain is one straight line and a residual block a line with one beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Signs:
    """The characters that rails are drawn with."""

    pass_by: str = "│"
    across: str = "─"
    left_end: str = "╰"  # the lane of an operand that is used for the last time
    right_end: str = "╯"
    middle_end: str = "┴"
    left_on: str = "├"  # one that will be used again
    right_on: str = "┤"
    middle_on: str = "┼"


UNICODE = Signs()
ASCII = Signs("|", "-", "`", "'", "+", "+", "+", "+")


@dataclass(slots=True)
class Rail:
    """The part of a row to the left of its text: characters, and the lane whose line each is."""

    characters: list[str] = field(default_factory=list)
    lanes: list[int] = field(default_factory=list)
    after: list[bool] = field(default_factory=list)  # which lanes run on below

    def add(self, character: str, lane: int) -> None:
        """Put a character at the end."""
        self.characters.append(character)
        self.lanes.append(lane)


def rails(
    order: Sequence[int],
    operands: Mapping[int, Sequence[int]],
    signs: Signs = UNICODE,
    most: int = 12,
) -> list[Rail]:
    """Draw the edges between the rows.

    Parameters
    ----------
    order : sequence of int
        The vertex of each row, operands before their users.
    operands : mapping
        Vertex -> the vertices that flow into it.
    signs : Signs
    most : int
        How many lanes there may be; a value that finds none free has no line.

    Returns
    -------
    list of Rail
        One for each row, with "●" for the vertex itself.
    """
    uses: dict[int, int] = {}
    for v in order:
        for tail in dict.fromkeys(operands.get(v, ())):
            uses[tail] = uses.get(tail, 0) + 1
    lanes: list[int | None] = []
    lane_of: dict[int, int] = {}
    drawn = []
    for v in order:
        tails = list(dict.fromkeys(operands.get(v, ())))
        reached: dict[int, bool] = {}  # lane -> whether it ends here
        for tail in tails:
            uses[tail] -= 1
            if tail in lane_of:
                reached[lane_of[tail]] = not uses[tail]
        own = _lane_for(v, lanes, reached, uses.get(v, 0) > 0, most)
        drawn.append(_row(lanes, reached, own, signs))
        for lane, ends in reached.items():
            if ends:
                lanes[lane] = None
        if uses.get(v, 0) and own < most:
            lanes[own] = v
            lane_of[v] = own
        while lanes and lanes[-1] is None:
            lanes.pop()
        drawn[-1].after = [lane is not None for lane in lanes]
    return drawn


def _lane_for(
    vertex: int, lanes: list[int | None], reached: dict[int, bool], used: bool, most: int
) -> int:
    """The lane of a new row: the leftmost of those that end in it, or else that is free."""
    ending = [lane for lane, ends in reached.items() if ends]
    if ending:
        return min(ending)
    free = next((number for number, lane in enumerate(lanes) if lane is None), len(lanes))
    if free == len(lanes) and free < most:
        lanes.append(None)
    return free


def _row(lanes: list[int | None], reached: dict[int, bool], own: int, signs: Signs) -> Rail:
    rail = Rail()
    ends = [own, *reached]
    low, high = min(ends), max(ends)
    for lane in range(max(len(lanes), own + 1)):
        if lane == own:
            rail.add("●", lane)
        elif lane in reached:
            rail.add(_joint(lane, low, high, reached[lane], signs), lane)
        elif lane < len(lanes) and lanes[lane] is not None:
            rail.add(signs.pass_by, lane)
        else:
            rail.add(signs.across if low < lane < high else " ", own)
        rail.add(signs.across if low <= lane < high else " ", own)
    return rail


def _joint(lane: int, low: int, high: int, ends: bool, signs: Signs) -> str:
    if lane == low:
        return signs.left_end if ends else signs.left_on
    if lane == high:
        return signs.right_end if ends else signs.right_on
    return signs.middle_end if ends else signs.middle_on
