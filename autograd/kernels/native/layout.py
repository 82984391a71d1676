"""Where things lie in memory, for the code on both sides of the call: Python and compiled.

Everything counts in int64 words unless it says bytes.
"""

# --- CPython and NumPy objects, in bytes ----------------------------------------------------------
# The ABI that every compiled extension relies on; `process.Runtime.check_layout` verifies it.

HEAD = object.__basicsize__
"""Size of PyObject_HEAD; the type pointer is its last word."""
TYPE = HEAD - 8
DATA, NDIM, SHAPE, DTYPE, FLAGS = (HEAD + n for n in (0, 8, 16, 40, 48))
"""Fields of PyArrayObject."""
BYTE_ORDER, TYPE_NUMBER = HEAD + 10, HEAD + 12
"""Fields of PyArray_Descr."""

# --- The descriptor of a kernel: what a call checks and what it runs
# --------------------------------

ARGUMENTS, RESULTS, SYMBOLS = 0, 1, 2  # how many of each
RUN, TASKS = 3, 5  # addresses, for float32 and then for float64; 0 if there is none
FALLBACK = 7  # a Python callable: takes any call that this one does not fit
POOL = 8  # address of the thread pool
NDARRAY, NONE = 9, 10  # addresses of numpy.ndarray and of None
EMPTY, DTYPE_OF, SET_HANDLER = 11, 12, 13  # functions of NumPy's C API
HANDLER, LARGE = 14, 15  # the allocator's capsule, and from how many bytes on it is used
WORKERS = 16  # the symbol that limits the threads of a call, or -1
RECORDS = 17  # then one record for each argument and each result

T = -1  # the type number of the signature's T; 0 is that of bools
KIND, NUMBER, NEEDED, OPTIONAL, LEADING, DIMS, FIRST = 0, 1, 2, 3, 4, 5, 6
RECORD = 12
MAX_DIMS = RECORD - FIRST
"""A record: its kind; its type number; the array flags it needs; whether None will do; whether its
first symbol stands for all leading dimensions; its number of symbols; and their indices. A result
has in NEEDED the argument whose shape it takes, or -1."""

INTEGER, FLOAT, ARRAY = 0, 1, 2
FLOAT32, FLOAT64 = 11, 12  # NumPy's type numbers

MAX_SLOTS = 64
MAX_SYMBOLS = 24

# --- The thread pool; what several threads write stands on cache lines of its own
# -------------------

BUSY, STATE, NEXT, INSIDE, JOINED, SLEEPERS = 0, 8, 16, 24, 32, 40
JOB_RUN, JOB_SLOTS, JOB_TASKS, JOB_THREADS, STARTED, THREADS, SPINS, CALLER = range(48, 56)
MUTEX, CONDITION = 56, 72
POOL_WORDS = 96

# --- The allocator
# ----------------------------------------------------------------------------------

LOCK, CACHED, LIMIT, HITS, MISSES, CLASSES, HUGE = 0, 1, 2, 3, 4, 5, 6
SIZES, LISTS = 16, 144
ALLOCATOR_WORDS = 272
BLOCK_HEAD = 64
"""Bytes before a block's data: the address that malloc gave, and the block's class."""
