"""What the bodies of convolutions share: their vector code by name, scratch, padded copies."""

from .conv_fields import HEIGHT, LEFT, PITCH, WIDTH
from .language import address, at, extern, helper
from .target import target

BYTES = target().bits // 8
"""Of one vector."""

product = extern("product")
slide = extern("slide")
window = extern("window")
strip = extern("strip")
overlap = extern("overlap")
lap = extern("lap")
transpose = extern("transpose")
pad_rows = extern("pad_rows")
clear = extern("clear")


@helper
def lanes_of(pointer):
    """Elements of one vector."""
    return BYTES // (address(at(pointer, 1)) - address(pointer))


@helper
def parts(total, most):
    """In how many parts to cut something so that none is above `most`."""
    return (total + most - 1) // most


@helper
def cut(total, pieces, i):
    """Where piece i of near-equal ones begins."""
    return total * i // pieces


@helper
def bias_row(bias, start, count, row, size):
    """The biases of some channels, or zeros; whole vectors are written."""
    if address(bias) == 0:
        clear(row, size)
    else:
        pad_rows(at(bias, start), 0, 1, 0, count, row, size)


@helper
def pad_row(x, padded, plan, image, c, row):
    """One source row of all channels with its zeros around it; zeros alone beyond the image."""
    height, width = plan[HEIGHT], plan[WIDTH]
    if 0 <= row < height:
        source = at(x, (image * c * height + row) * width)
        pad_rows(source, height * width, c, -plan[LEFT], width, padded, plan[PITCH])
    else:
        clear(padded, c * plan[PITCH])
