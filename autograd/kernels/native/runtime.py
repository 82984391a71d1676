"""The compiled side of a call: arguments checked, results allocated, tasks shared among threads.

Three parts, all plain Numba on addresses: `call` is what Python calls for every kernel; `parallel`
is the thread pool; `allocate` and its kin are the caching allocator, in the form of NumPy's data
memory handlers (NEP 49).
"""

import signal
import sys

from numba import types

from . import layout as at
from .language import (
    BYTE,
    FLOAT64,
    INT32,
    INT64,
    address,
    atomic_add,
    atomic_load,
    atomic_store,
    atomic_swap_if,
    call_address,
    cast,
    code_address,
    helper,
    relax,
)
from .language import at as offset
from .language import words as reserve

i4, i8, f8 = types.int32, types.int64, types.float64
external = types.ExternalFunction

integer_of = external("PyLong_AsSsize_t", i8(i8))
float_of = external("PyFloat_AsDouble", f8(i8))
error_occurred = external("PyErr_Occurred", i8())
clear_error = external("PyErr_Clear", types.void())
call_python = external("PyObject_Vectorcall", i8(i8, i8, i8, i8))
increase = external("Py_IncRef", types.void(i8))
decrease = external("Py_DecRef", types.void(i8))
new_tuple = external("PyTuple_New", i8(i8))
set_item = external("PyTuple_SetItem", i4(i8, i8, i8))
release_lock = external("PyEval_SaveThread", i8())
take_lock = external("PyEval_RestoreThread", types.void(i8))

CORE_WORDS = 128  # a mask of 8192 cores

new_slots = reserve(at.MAX_SLOTS)
new_sizes = reserve(at.MAX_SYMBOLS)
new_shape = reserve(at.MAX_DIMS)
new_word = reserve(1)
new_signals = reserve(16)  # the size of sigset_t where it is largest
new_cores = reserve(CORE_WORDS)

# --- One call from Python -----------------------------------------------------------------------


def call(me, arguments, count):
    """METH_FASTCALL of every kernel; `me` is the int64 array that describes it.

    Whatever does not fit, be it only an array of another layout, goes to the Python fallback.
    """
    words = cast(cast(me + at.DATA, INT64)[0], INT64)
    slots = new_slots()
    sizes = new_sizes()
    number = collect(words, cast(arguments, INT64), count, slots, sizes)
    dtype = 1 if number == at.FLOAT64 else 0
    run = words[at.RUN + dtype]
    pool = cast(words[at.POOL], INT64)
    threads = pool[at.THREADS]
    if number >= 0 and words[at.WORKERS] >= 0:
        threads = min(threads, sizes[words[at.WORKERS]])
    if number < 0 or run == 0 or threads < 1:
        return call_python(words[at.FALLBACK], arguments, count, 0)
    outcome = results_of(words, cast(arguments, INT64), count, slots, sizes, number)
    if outcome == 0:
        return 0
    bound = slots_after(words, count)
    for i in range(words[at.SYMBOLS]):
        slots[bound + i] = sizes[i]
    tasks = 1
    if words[at.TASKS + dtype] != 0:
        tasks = call_address(words[at.TASKS + dtype], slots)
    if tasks == 1:
        call_address(run, slots, 0, 1, 0)
    elif tasks > 1:
        thread = release_lock()
        parallel(pool, run, slots, tasks, threads)
        take_lock(thread)
    return outcome


@helper
def slots_after(words, count):
    """Where the symbols' slots begin: after the arguments and the results."""
    return count + words[at.RESULTS]


@helper
def collect(words, arguments, count, slots, sizes):
    """Fill the slots of the arguments; returns the type number of T (0: none), -1 for a misfit."""
    if count != words[at.ARGUMENTS]:
        return -1
    for i in range(words[at.SYMBOLS]):
        sizes[i] = -1
    number = 0
    for i in range(count):
        record = offset(words, at.RECORDS + i * at.RECORD)
        item = arguments[i]
        if record[at.KIND] == at.ARRAY:
            if item == words[at.NONE]:
                if record[at.OPTIONAL] == 0:
                    return -1
                slots[i] = 0
                continue
            if not is_array(words, record, item):
                return -1
            found = type_number(item)
            wanted = record[at.NUMBER]
            if wanted == at.T:
                if number == 0:
                    if found != at.FLOAT32 and found != at.FLOAT64:
                        return -1
                    number = found
                wanted = number
            if found != wanted or not sizes_fit(record, item, sizes):
                return -1
            slots[i] = cast(item + at.DATA, INT64)[0]
        elif record[at.KIND] == at.FLOAT:
            real = float_of(item)
            if real == -1.0 and error_occurred() != 0:
                clear_error()
                return -1
            cast(address(offset(slots, i)), FLOAT64)[0] = real
        else:
            value = integer_of(item)
            if value == -1 and error_occurred() != 0:
                clear_error()
                return -1
            slots[i] = value
            if record[at.DIMS] == 1 and not size_fits(sizes, record[at.FIRST], value):
                return -1
    return number


@helper
def is_array(words, record, item):
    """Whether an object is an ndarray with the flags that are needed, in native byte order."""
    if cast(item + at.TYPE, INT64)[0] != words[at.NDARRAY]:
        return False
    if cast(item + at.FLAGS, INT32)[0] & record[at.NEEDED] != record[at.NEEDED]:
        return False
    return cast(cast(item + at.DTYPE, INT64)[0] + at.BYTE_ORDER, BYTE)[0] != 62  # ">"


@helper
def type_number(item):
    """NumPy's number of an array's dtype."""
    return i8(cast(cast(item + at.DTYPE, INT64)[0] + at.TYPE_NUMBER, INT32)[0])


@helper
def sizes_fit(record, item, sizes):
    """Bind an array's dimensions to the signature's symbols, or compare with what is bound."""
    rank = i8(cast(item + at.NDIM, INT32)[0])
    shape = cast(cast(item + at.SHAPE, INT64)[0], INT64)
    named = record[at.DIMS]
    skip = 0
    first = 0
    if record[at.LEADING] != 0:
        skip = rank - (named - 1)
        if skip < 0:
            return False
        leading = 1
        for i in range(skip):
            leading *= shape[i]
        if not size_fits(sizes, record[at.FIRST], leading):
            return False
        first = 1
    elif rank != named:
        return False
    for i in range(first, named):
        if not size_fits(sizes, record[at.FIRST + i], shape[skip + i - first]):
            return False
    return True


@helper
def size_fits(sizes, symbol, value):
    """Bind a symbol to a size, or compare."""
    if sizes[symbol] < 0:
        sizes[symbol] = value
        return value >= 0
    return sizes[symbol] == value


@helper
def results_of(words, arguments, count, slots, sizes, number):
    """Allocate the results; returns None, the one array, or a tuple; 0 with an exception set."""
    total = words[at.RESULTS]
    if total == 0:
        increase(words[at.NONE])
        return words[at.NONE]
    outcome = 0
    if total > 1:
        outcome = new_tuple(total)
        if outcome == 0:
            return 0
    shape = new_shape()
    for i in range(total):
        record = offset(words, at.RECORDS + (count + i) * at.RECORD)
        kind = record[at.NUMBER]
        if kind == at.T:
            kind = number
        like = record[at.NEEDED]
        if like >= 0:
            rank = i8(cast(arguments[like] + at.NDIM, INT32)[0])
            dims = cast(cast(arguments[like] + at.SHAPE, INT64)[0], INT64)
        else:
            rank = record[at.DIMS]
            dims = shape
            for j in range(rank):
                shape[j] = sizes[record[at.FIRST + j]]
        array = new_array(words, kind, rank, dims)
        if array == 0:
            if outcome != 0:
                decrease(outcome)
            return 0
        slots[count + i] = cast(array + at.DATA, INT64)[0]
        if total == 1:
            return array
        set_item(outcome, i, array)
    return outcome


@helper
def new_array(words, kind, rank, dims):
    """A fresh C-ordered array; a large one from the caching allocator."""
    size = 8
    for i in range(rank):
        size *= dims[i]
    dtype = call_address(words[at.DTYPE_OF], i4(kind))
    if size < words[at.LARGE]:
        return call_address(words[at.EMPTY], i4(rank), dims, dtype, i4(0))
    before = call_address(words[at.SET_HANDLER], words[at.HANDLER])
    array = call_address(words[at.EMPTY], i4(rank), dims, dtype, i4(0))
    decrease(call_address(words[at.SET_HANDLER], before))
    decrease(before)
    return array


# --- The thread pool ------------------------------------------------------------------------------
#
# One job at a time. Whoever finds the pool busy runs their job alone: no queue, so no deadlock. The
# caller works too, and waits only for helpers that are inside a task; one that never woke up is not
# waited for. STATE is twice the job's number, plus one while helpers may still join.

BLOCK_SIGNALS = int(getattr(signal, "SIG_BLOCK", 0))

create_thread = external("pthread_create", i4(i8, i8, i8, i8))
detach_thread = external("pthread_detach", i4(i8))
mutex_init = external("pthread_mutex_init", i4(i8, i8))
mutex_lock = external("pthread_mutex_lock", i4(i8))
mutex_unlock = external("pthread_mutex_unlock", i4(i8))
condition_init = external("pthread_cond_init", i4(i8, i8))
condition_wait = external("pthread_cond_wait", i4(i8, i8))
condition_broadcast = external("pthread_cond_broadcast", i4(i8))
yield_core = external("sched_yield", i4())
this_core = external("sched_getcpu", i4())
cores_of = external("sched_getaffinity", i4(i4, i8, i8))
move_to_cores = external("sched_setaffinity", i4(i4, i8, i8))
CAN_MOVE = sys.platform == "linux"
fill_signals = external("sigfillset", i4(i8))
mask_signals = external("pthread_sigmask", i4(i4, i8, i8))
helper_address = code_address("dagrad_helper")


def reset_pool(pool, threads, spins):
    """Make a pool without helpers; also in the child of a fork, where they are gone."""
    words = cast(pool, INT64)
    for i in range(at.POOL_WORDS):
        words[i] = 0
    words[at.THREADS] = threads
    words[at.SPINS] = spins
    mutex_init(address(offset(words, at.MUTEX)), 0)
    condition_init(address(offset(words, at.CONDITION)), 0)
    return 0


@helper
def parallel(pool, run, slots, tasks, threads):
    """Run the tasks 0 .. tasks-1 of a job, with whatever helpers come along, up to `threads`."""
    if threads < 2 or not atomic_swap_if(offset(pool, at.BUSY), 0, 1):
        call_address(run, slots, 0, tasks, 0)
        return
    start_helpers(pool, threads - 1)
    if CAN_MOVE:
        pool[at.CALLER] = this_core()
    pool[at.JOB_THREADS] = threads
    pool[at.JOB_RUN] = run
    pool[at.JOB_SLOTS] = address(slots)
    pool[at.JOB_TASKS] = tasks
    atomic_store(offset(pool, at.NEXT), 0)
    atomic_store(offset(pool, at.JOINED), 0)
    state = atomic_load(offset(pool, at.STATE))
    atomic_store(offset(pool, at.STATE), state + 3)  # even to odd: the next job, open
    if atomic_load(offset(pool, at.SLEEPERS)) > 0:
        mutex_lock(address(offset(pool, at.MUTEX)))
        condition_broadcast(address(offset(pool, at.CONDITION)))
        mutex_unlock(address(offset(pool, at.MUTEX)))
    take_tasks(pool, 0)
    atomic_store(offset(pool, at.STATE), state + 2)
    spins = 0
    while atomic_load(offset(pool, at.INSIDE)) > 0:
        relax()
        spins += 1
        if spins > pool[at.SPINS]:
            yield_core()
    atomic_store(offset(pool, at.BUSY), 0)


@helper
def take_tasks(pool, worker):
    """Run tasks until none is left."""
    tasks = pool[at.JOB_TASKS]
    while True:
        task = atomic_add(offset(pool, at.NEXT), 1)
        if task >= tasks:
            break
        call_address(pool[at.JOB_RUN], cast(pool[at.JOB_SLOTS], INT64), task, task + 1, worker)


@helper
def start_helpers(pool, wanted):
    """Start the threads that are still missing; where the system has no more, do with fewer."""
    thread = new_word()
    while pool[at.STARTED] < wanted:
        if create_thread(address(thread), 0, helper_address(), address(pool)) != 0:
            break
        detach_thread(thread[0])
        pool[at.STARTED] += 1


@helper
def leave_core(pool_address):
    """Move a helper that finds itself on the caller's core to another one, as far as there is one.

    Linux wakes a thread on the core that woke it, and was seen to leave it there for 100 ms, in
    which two threads took as long as one. Afterwards the system may place it as before.
    """
    if CAN_MOVE:
        core = cast(pool_address, INT64)[at.CALLER]
        if this_core() != core:
            return
        cores = new_cores()
        for i in range(CORE_WORDS):
            cores[i] = 0
        if cores_of(0, CORE_WORDS * 8, address(cores)) == 0 and 0 <= core < CORE_WORDS * 64:
            before = cores[core // 64]
            cores[core // 64] = before & ~(1 << (core % 64))
            if move_to_cores(0, CORE_WORDS * 8, address(cores)) == 0:  # fails if none is left
                cores[core // 64] = before
                move_to_cores(0, CORE_WORDS * 8, address(cores))


def serve(pool_address):
    """What a helper thread runs: wait for a job, join it, and so on for ever.

    Signals are left to Python's threads: an interrupt that a helper took would come late.
    """
    signals = new_signals()
    fill_signals(address(signals))
    mask_signals(BLOCK_SIGNALS, address(signals), 0)
    pool = cast(pool_address, INT64)
    last = 0
    spins = 0
    while pool[at.STARTED] >= 0:
        state = atomic_load(offset(pool, at.STATE))
        if state & 1 == 1 and state != last:
            last = state
            leave_core(pool_address)
            atomic_add(offset(pool, at.INSIDE), 1)
            # The caller closes the job and then looks at INSIDE; here it is the other way round.
            if atomic_load(offset(pool, at.STATE)) == state:
                worker = atomic_add(offset(pool, at.JOINED), 1) + 1
                if worker < pool[at.JOB_THREADS]:
                    take_tasks(pool, worker)
            atomic_add(offset(pool, at.INSIDE), -1)
            spins = 0
        elif spins < pool[at.SPINS]:
            spins += 1
            relax()
        else:
            sleep_until_job(pool, last)
            spins = 0
    return 0


@helper
def sleep_until_job(pool, last):
    """Sleep on the condition until a job is open that this helper has not seen."""
    mutex_lock(address(offset(pool, at.MUTEX)))
    atomic_add(offset(pool, at.SLEEPERS), 1)
    while True:
        state = atomic_load(offset(pool, at.STATE))
        if state & 1 == 1 and state != last:
            break
        condition_wait(address(offset(pool, at.CONDITION)), address(offset(pool, at.MUTEX)))
    atomic_add(offset(pool, at.SLEEPERS), -1)
    mutex_unlock(address(offset(pool, at.MUTEX)))


# --- The caching allocator ------------------------------------------------------------------------
#
# Blocks of fixed size classes; a freed block goes on its class's list while the total is within the
# limit. NumPy frees a block only when no array views it any more.

malloc = external("malloc", i8(i8))
free = external("free", types.void(i8))
copy_bytes = external("memcpy", i8(i8, i8, i8))
fill_bytes = external("memset", i8(i8, i4, i8))
advise = external("madvise", i4(i8, i8, i4))
HUGE_BYTES = 1 << 22
PAGE = 4096
MADV_HUGEPAGE = 14


@helper
def lock(words):
    """Wait for the lock; it is held for a few instructions only."""
    while not atomic_swap_if(offset(words, at.LOCK), 0, 1):
        relax()


@helper
def unlock(words):
    """Let the lock go."""
    atomic_store(offset(words, at.LOCK), 0)


@helper
def allocate(context, size):
    """Malloc of the handler."""
    words = cast(context, INT64)
    classes = words[at.CLASSES]
    kind = 0
    while kind < classes and words[at.SIZES + kind] < size:
        kind += 1
    block = 0
    if kind < classes:
        size = words[at.SIZES + kind]
        lock(words)
        block = words[at.LISTS + kind]
        if block != 0:
            words[at.LISTS + kind] = cast(block, INT64)[0]
            words[at.CACHED] -= size
            words[at.HITS] += 1
        else:
            words[at.MISSES] += 1
        unlock(words)
    if block == 0:
        origin = malloc(size + 2 * at.BLOCK_HEAD)
        if origin == 0 and words[at.CACHED] > 0:
            empty(context)
            origin = malloc(size + 2 * at.BLOCK_HEAD)
        if origin == 0:
            return 0
        block = (origin + 2 * at.BLOCK_HEAD) & -at.BLOCK_HEAD
        head = cast(block - at.BLOCK_HEAD, INT64)
        head[0] = origin
        head[1] = kind
        head[2] = size
        if words[at.HUGE] != 0 and size >= HUGE_BYTES:
            first = (block + PAGE - 1) & -PAGE
            advise(first, (block + size - first) & -PAGE, MADV_HUGEPAGE)
    return block


def allocate_zeros(context, count, size):
    """Calloc of the handler."""
    block = allocate(context, count * size)
    if block != 0:
        fill_bytes(block, 0, count * size)
    return block


def reallocate(context, block, size):
    """Realloc of the handler."""
    if block == 0:
        return allocate(context, size)
    held = cast(block - at.BLOCK_HEAD, INT64)[2]
    if size <= held:
        return block
    moved = allocate(context, size)
    if moved != 0:
        copy_bytes(moved, block, held)
        release(context, block, held)
    return moved


@helper
def release(context, block, _size):
    """Free of the handler: NumPy's idea of the size is not needed, the block knows its own."""
    if block == 0:
        return 0
    words = cast(context, INT64)
    head = cast(block - at.BLOCK_HEAD, INT64)
    kind = head[1]
    size = head[2]
    kept = False
    if kind < words[at.CLASSES]:
        lock(words)
        if words[at.CACHED] + size <= words[at.LIMIT]:
            cast(block, INT64)[0] = words[at.LISTS + kind]
            words[at.LISTS + kind] = block
            words[at.CACHED] += size
            kept = True
        unlock(words)
    if not kept:
        free(head[0])
    return 0


@helper
def empty(context):
    """Give all cached blocks back to the system."""
    words = cast(context, INT64)
    lock(words)
    for kind in range(words[at.CLASSES]):
        block = words[at.LISTS + kind]
        while block != 0:
            following = cast(block, INT64)[0]
            words[at.CACHED] -= words[at.SIZES + kind]
            free(cast(block - at.BLOCK_HEAD, INT64)[0])
            block = following
        words[at.LISTS + kind] = 0
    unlock(words)
    return 0


EXPORTS = {
    "dagrad_call": (call, i8(i8, i8, i8)),
    "dagrad_helper": (serve, i8(i8)),
    "dagrad_reset_pool": (reset_pool, i8(i8, i8, i8)),
    "dagrad_allocate": (allocate, i8(i8, i8)),
    "dagrad_allocate_zeros": (allocate_zeros, i8(i8, i8, i8)),
    "dagrad_reallocate": (reallocate, i8(i8, i8, i8)),
    "dagrad_release": (release, i8(i8, i8, i8)),
    "dagrad_empty": (empty, i8(i8)),
}
"""Symbol -> function and C signature."""
