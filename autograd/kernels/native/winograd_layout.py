"""What the two sides of Winograd convolution agree on: the geometry that Python plans for bodies.

A plan is an array of these numbers. Channels are counted in vectors; a strip is a run of tiles in
one row of tiles of one image; a step is a distance in memory, in elements.
"""

TILE = 0  # outputs of a tile along each axis
TOP, LEFT = 1, 2  # padding
ACROSS = 3  # tiles in a strip
ROW_STRIPS = 4  # strips in a row of tiles
ROWS = 5  # rows of tiles in an image
STRIPS = 6  # strips in all
BLOCK_STRIPS = 7  # strips that are transformed at a time
BLOCK_TILES = 8  # room for their tiles
CHUNK_STRIPS = 9  # strips of one task
INPUTS, OUTPUTS = 10, 11  # vectors of input and of output channels
GROUP_INPUTS, GROUP_OUTPUTS = 12, 13  # of these, how many at a time
INPUT_STEP, OUTPUT_STEP = 14, 15  # from one point of the transform to the next, in scratch
WEIGHT_STEP = 16  # the same for weights
FLIPPED = 17  # 1 for the weights of the input gradient: turned by 180 degrees, O and C exchanged
FIELDS = 18

ROW_GRAIN = 2
"""Tiles are multiplied in panels of a multiple of this, so that there is code for few sizes."""

FILTERS = 16
"""Input channels of one task of a weight transform."""
