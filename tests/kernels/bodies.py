"""Bodies of the kernels in units.py; only the compiler imports this module."""

from autograd.kernels.native.language import address


def scaled(x, factor, y, sums, rows, cols, first, last, worker):
    for row in range(rows):
        total = factor * 0
        for col in range(cols):
            y[row * cols + col] = factor * x[row * cols + col]
            total += y[row * cols + col]
        sums[row] = total


def add_into(out, x, bias, cols, rows, columns, first, last, worker):
    for i in range(rows * cols):
        out[i] += x[i]
        if address(bias) != 0:
            out[i] += bias[i % cols]


def spin(counts, by, rounds, tasks, bound, first, last, worker):
    for task in range(first, last):
        x = 1
        for _ in range(rounds):
            x = (x * 1103515245 + task) % 2147483647
        counts[task] += 1
        by[task] = worker + x // 2147483647


def spin_tasks(counts, by, rounds, tasks, bound):
    return tasks


def spin_in_scratch(counts, by, scratch, tasks, workers, first, last, worker):
    for task in range(first, last):
        for _ in range(2000):
            scratch[worker] += 1
        counts[task] += 1
        by[task] = worker


def spin_in_scratch_tasks(counts, by, scratch, tasks, workers):
    return tasks
