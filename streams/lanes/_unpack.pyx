# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The records of a batch without an object for each on the way: see ``slices.py``, which says when."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF
from libc.stdint cimport int64_t, uint8_t, uint64_t


cdef extern from *:
    """
    static inline PyObject *allocated(PyObject *type, Py_ssize_t size) {
        return ((PyTypeObject *)type)->tp_alloc((PyTypeObject *)type, size);
    }
    static inline void put_item(PyObject *made, Py_ssize_t at, PyObject *value) {
        Py_INCREF(value);
        PyTuple_SET_ITEM(made, at, value);
    }
    """
    object allocated(PyObject *type, Py_ssize_t size)
    void put_item(PyObject *made, Py_ssize_t at, PyObject *value)


cdef inline const uint8_t *_varint(const uint8_t *at, const uint8_t *end, int64_t *value) noexcept nogil:
    """Behind a zigzag number of at most 56 bits; NULL where there is none."""
    cdef uint64_t found = 0
    cdef int shift = 0
    while at < end and shift < 56:
        found |= <uint64_t>(at[0] & 0x7F) << shift
        if at[0] < 0x80:
            value[0] = <int64_t>(found >> 1) ^ -<int64_t>(found & 1)
            return at + 1
        at += 1
        shift += 7
    return NULL


def records(bytes raw, int count, int64_t base, int64_t stamp, int64_t stamped, int64_t first, kind):
    """``count`` records of a batch's payload, format 2, those from offset ``first`` on, without headers.

    ``base`` and ``stamp`` are the batch's offset and first time stamp; ``stamped``, where it is not below 0,
    the broker's for all of them. A record is a ``kind`` of five: offset, stamp, key, value, no headers. None
    where the bytes are not of that form.
    """
    cdef const uint8_t *at = <const uint8_t *>PyBytes_AS_STRING(raw)
    cdef const uint8_t *end = at + PyBytes_GET_SIZE(raw)
    cdef const uint8_t *behind
    cdef const uint8_t *key
    cdef int64_t size, delta, further, key_size, value_size
    cdef int n
    cdef list found = []
    cdef object none = None, offset, time
    cdef tuple empty = ()
    for n in range(count):
        at = _varint(at, end, &size)
        # The attributes are one byte, of which nothing is in use yet.
        if at == NULL or size < 1 or size > end - at or at[0] != 0:
            return None
        behind = at + size
        at = _varint(at + 1, behind, &delta)
        if at == NULL:
            return None
        at = _varint(at, behind, &further)
        if at == NULL:
            return None
        at = _varint(at, behind, &key_size)
        if at == NULL or key_size > behind - at:
            return None
        key = at
        at = _varint(at + (key_size if key_size > 0 else 0), behind, &value_size)
        if at == NULL or value_size > behind - at:
            return None
        if base + further >= first:
            made = allocated(<PyObject *>kind, 5)
            offset = base + further
            time = stamped if stamped >= 0 else stamp + delta
            put_item(<PyObject *>made, 0, <PyObject *>offset)
            put_item(<PyObject *>made, 1, <PyObject *>time)
            name = none if key_size < 0 else PyBytes_FromStringAndSize(<const char *>key, key_size)
            put_item(<PyObject *>made, 2, <PyObject *>name)
            value = none if value_size < 0 else PyBytes_FromStringAndSize(<const char *>at, value_size)
            put_item(<PyObject *>made, 3, <PyObject *>value)
            put_item(<PyObject *>made, 4, <PyObject *>empty)
            found.append(made)
        at = behind
    return found if at == end else None
