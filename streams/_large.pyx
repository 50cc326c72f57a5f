# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Large blocks that come and go, in memory of their own: see ``collector.py``, which says why.

One stretch of addresses is asked for at the start; memory comes only with what is written there. A block gets
a slot of it whose size is the next power of two, and the slot that was free last is taken first, warm in the
processor's caches. A slot never changes its size. What is smaller or larger, and what there is no slot left
for, is the C library's as before. Python calls these functions without its lock, so they have one of their own.
"""

from cpython.pythread cimport PyThread_acquire_lock, PyThread_allocate_lock, PyThread_release_lock
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

cdef extern from "Python.h":
    ctypedef struct PyMemAllocatorEx:
        void *ctx
        void *(*malloc)(void *, size_t) noexcept nogil
        void *(*calloc)(void *, size_t, size_t) noexcept nogil
        void *(*realloc)(void *, void *, size_t) noexcept nogil
        void (*free)(void *, void *) noexcept nogil
    ctypedef enum PyMemAllocatorDomain:
        PYMEM_DOMAIN_RAW
    void PyMem_GetAllocator(PyMemAllocatorDomain, PyMemAllocatorEx *)
    void PyMem_SetAllocator(PyMemAllocatorDomain, PyMemAllocatorEx *)

cdef extern from "pythread.h":
    ctypedef void *PyThread_type_lock
    enum:
        WAIT_LOCK

cdef extern from "sys/mman.h" nogil:
    enum:
        PROT_READ, PROT_WRITE, MAP_PRIVATE, MAP_ANONYMOUS, MAP_NORESERVE, MADV_DONTNEED
    void *MAP_FAILED
    void *mmap(void *, size_t, int, int, int, long)
    int madvise(void *, size_t, int)

cdef enum:
    # Slots are of 64 KB (what asyncio receives into is 256 KB) to 16 MB (the C library maps what is more).
    LEAST_BITS = 16
    SIZES = 9
    # 1 GB of addresses.
    UNITS = 1 << 14

cdef size_t LEAST = 1 << LEAST_BITS
cdef size_t MOST = LEAST << (SIZES - 1)
cdef size_t REGION = LEAST * UNITS

cdef enum:
    # Of a free slot: its memory is the system's, or it was free at the last sweep already, or not yet.
    EMPTY, RESTED, WARM

cdef char *region = NULL
cdef PyThread_type_lock lock = NULL
cdef PyMemAllocatorEx below
# Units that are part of a slot, the free slots of each size (one more than the number of its first unit; 0 is
# the end), and, by the number of its first unit, each slot's size, its state and the next that is free.
cdef uint32_t taken = 0
cdef uint32_t[SIZES] first_free
cdef uint32_t[UNITS] next_free
cdef uint8_t[UNITS] size_of
cdef uint8_t[UNITS] state


cdef inline bint _inside(const void *block) noexcept nogil:
    return <uint64_t>block - <uint64_t>region < REGION


cdef void *_take(size_t wanted) noexcept nogil:
    """A slot for so many bytes, which are between the least and the most; NULL where none is left."""
    global taken
    cdef uint32_t size = 0, at, units
    cdef char *found = NULL
    while LEAST << size < wanted:
        size += 1
    units = <uint32_t>1 << size
    PyThread_acquire_lock(lock, WAIT_LOCK)
    if first_free[size]:
        at = first_free[size] - 1
        first_free[size] = next_free[at]
        found = region + (<size_t>at << LEAST_BITS)
    elif taken + units <= UNITS:
        at = taken
        taken += units
        size_of[at] = size
        found = region + (<size_t>at << LEAST_BITS)
    PyThread_release_lock(lock)
    return found


cdef void _give(const void *block) noexcept nogil:
    cdef uint32_t at = (<const char *>block - region) >> LEAST_BITS
    PyThread_acquire_lock(lock, WAIT_LOCK)
    state[at] = WARM
    next_free[at] = first_free[size_of[at]]
    first_free[size_of[at]] = at + 1
    PyThread_release_lock(lock)


cdef void *_malloc(void *ctx, size_t wanted) noexcept nogil:
    cdef void *found = _take(wanted) if LEAST <= wanted <= MOST else NULL
    return found if found != NULL else below.malloc(below.ctx, wanted)


cdef void *_calloc(void *ctx, size_t count, size_t each) noexcept nogil:
    cdef void *found = NULL
    if count and each and each <= MOST // count and count * each >= LEAST:
        found = _take(count * each)
    return memset(found, 0, count * each) if found != NULL else below.calloc(below.ctx, count, each)


cdef void _free(void *ctx, void *block) noexcept nogil:
    if _inside(block):
        _give(block)
    else:
        below.free(below.ctx, block)


cdef void *_realloc(void *ctx, void *block, size_t wanted) noexcept nogil:
    cdef void *found
    cdef size_t kept
    if block == NULL:
        return _malloc(ctx, wanted)
    if _inside(block):
        kept = LEAST << size_of[(<const char *>block - region) >> LEAST_BITS]
        # What is received is cut to what came: a small rest must not keep a large slot.
        if kept // 2 < wanted <= kept:
            return block
        found = _malloc(ctx, wanted)
        if found == NULL:
            return NULL
    else:
        # How large it was is not for us to know: it grows where it is, and moves then.
        block = below.realloc(below.ctx, block, wanted)
        found = _take(wanted) if block != NULL and LEAST <= wanted <= MOST else NULL
        if found == NULL:
            return block
        kept = wanted
    memcpy(found, block, kept if kept < wanted else wanted)
    _free(ctx, block)
    return found


def install():
    """From now on and for good; whether there were the addresses. Once is enough."""
    global region, lock
    cdef PyMemAllocatorEx own
    cdef void *found
    if region != NULL:
        return True
    lock = PyThread_allocate_lock()
    found = mmap(NULL, REGION, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    if lock == NULL or found == MAP_FAILED:
        return False
    PyMem_GetAllocator(PYMEM_DOMAIN_RAW, &below)
    region = <char *>found
    own.ctx, own.malloc, own.calloc, own.realloc, own.free = NULL, _malloc, _calloc, _realloc, _free
    PyMem_SetAllocator(PYMEM_DOMAIN_RAW, &own)
    return True


def sweep():
    """Give back what has been free since the sweep before; bytes of the slots."""
    cdef uint32_t at
    cdef size_t given = 0
    cdef int size
    if region == NULL:
        return 0
    PyThread_acquire_lock(lock, WAIT_LOCK)
    for size in range(SIZES):
        at = first_free[size]
        while at:
            at -= 1
            if state[at] == WARM:
                state[at] = RESTED
            elif state[at] == RESTED:
                madvise(region + (<size_t>at << LEAST_BITS), LEAST << size, MADV_DONTNEED)
                state[at] = EMPTY
                given += LEAST << size
            at = next_free[at]
    PyThread_release_lock(lock)
    return given
