"""The words of a convolution's plan, shared by those who write it (Python) and read it (native)."""

(
    IMAGES,  # images of one task
    BAND,  # rows of a phase in one task
    SPLITS,  # parts of the result's channels (gather) or of the images (gradient)
    HEIGHT,  # of the source
    WIDTH,
    OUT_HEIGHT,  # of the result
    OUT_WIDTH,
    DOWN,  # source pixels from one position of a phase to the next
    RIGHT,
    UP,  # result pixels from one position of a phase to the next
    ACROSS,
    ROWS,  # of the largest phase
    TOP,  # source row and column of a phase's first position at its first tap
    LEFT,
    SPAN,  # rows from the first tap to the last
    PITCH,  # pixels from row to row of the padded source
    CHANNELS,  # of the source, in each group
    OUTPUTS,  # of the result, in each group
    TAPS,
    DEPTH,  # channels that one pass of a tile takes
    LINE,  # 0: a tile's pixels are neighbours in a row; 1: the same pixel of several images
    FLAT,  # 1: rows of the padded source are as long as those of the result, without a gap
    COLUMNS,  # columns of a kernel that `strip`, `slide` or `lap` serves, else 0
    PACK_COLUMNS,  # weights of one result channel that lie together
    PACK_ROW,  # from one result channel's weights to the next one's
    PACK_STEP,  # from the weights of one source channel to those of the next
    KERNEL_WIDTH,
    DILATE_ROWS,
    DILATE_COLUMNS,
) = range(29)
WORDS = 29

PHASE_ROW, PHASE_COLUMN, PHASE_HEIGHT, PHASE_WIDTH, FIRST_TAP, PHASE_TAPS = range(6)
PHASE = 6
"""A phase: its first row and column in the result, its positions, its part of the tap table."""
