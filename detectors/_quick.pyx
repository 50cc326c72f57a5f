# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Ids of facts, and what was seen of them: see ``quick.py``, which says when this is used."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.object cimport PyObject
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy

include "_blake2b.pxi"


cdef extern from *:
    """
    static inline int is_compact_ascii(PyObject *text) { return PyUnicode_IS_COMPACT_ASCII(text); }
    static inline const char *ascii_data(PyObject *text) { return (const char *)PyUnicode_1BYTE_DATA(text); }
    static inline Py_ssize_t ascii_size(PyObject *text) { return PyUnicode_GET_LENGTH(text); }
    """
    bint is_compact_ascii(PyObject *text)
    const char *ascii_data(PyObject *text)
    Py_ssize_t ascii_size(PyObject *text)


def digest(name):
    """128 bits over a text as 32 hexadecimal digits: as ``ids.fact_of``; None for what is not plain."""
    cdef uint8_t made[16]
    if type(name) is not str or not is_compact_ascii(<PyObject *>name):
        return None
    blake2b(<const uint8_t *>ascii_data(<PyObject *>name), ascii_size(<PyObject *>name), made, 16)
    return hex_of(made)


def number(name):
    """63 bits over a text: as ``ids.number``; -1 for what is not plain."""
    cdef uint8_t made[8]
    cdef uint64_t found = 0
    cdef int at
    if type(name) is not str or not is_compact_ascii(<PyObject *>name):
        return -1
    blake2b(<const uint8_t *>ascii_data(<PyObject *>name), ascii_size(<PyObject *>name), made, 8)
    for at in range(8):
        found = found << 8 | made[at]
    return found >> 1


def murmur2(bytes key):
    """Appleby's MurmurHash2 with Kafka's seed, as its clients compute a key's partition; 32 bits."""
    cdef const uint8_t *at = <const uint8_t *>PyBytes_AS_STRING(key)
    cdef Py_ssize_t left = PyBytes_GET_SIZE(key)
    cdef uint32_t found = <uint32_t>0x9747B28C ^ <uint32_t>left, word
    while left >= 4:
        word = at[0] | <uint32_t>at[1] << 8 | <uint32_t>at[2] << 16 | <uint32_t>at[3] << 24
        word *= <uint32_t>0x5BD1E995
        word ^= word >> 24
        found = found * <uint32_t>0x5BD1E995 ^ word * <uint32_t>0x5BD1E995
        at += 4
        left -= 4
    if left:
        if left == 3:
            found ^= <uint32_t>at[2] << 16
        if left >= 2:
            found ^= <uint32_t>at[1] << 8
        found = (found ^ at[0]) * <uint32_t>0x5BD1E995
    found = (found ^ found >> 13) * <uint32_t>0x5BD1E995
    return found ^ found >> 15


cdef inline int _digit(char letter) noexcept:
    return letter - 48 if letter < 58 else letter - 87


def seen(bytes ring, str fact, Py_ssize_t width, Py_ssize_t most):
    """``ring`` with the first ``width`` bytes of ``fact`` at its end, ``most`` such at most; None if there."""
    cdef const char *known = PyBytes_AS_STRING(ring)
    cdef const char *digits = ascii_data(<PyObject *>fact)
    cdef char[16] mark
    cdef Py_ssize_t size = PyBytes_GET_SIZE(ring), at, dropped
    cdef uint32_t first, other
    cdef char *to
    assert 4 <= width <= 16 and 2 * width <= ascii_size(<PyObject *>fact)
    for at in range(width):
        mark[at] = <char>(_digit(digits[2 * at]) << 4 | _digit(digits[2 * at + 1]))
    memcpy(&first, mark, 4)
    at = 0
    while at + width <= size:
        # A comparison of four bytes tells nearly all of them apart, without a call.
        memcpy(&other, known + at, 4)
        if other == first and memcmp(known + at, mark, width) == 0:
            return None
        at += width
    dropped = size + width - most * width
    if dropped < 0:
        dropped = 0
    made = PyBytes_FromStringAndSize(NULL, size + width - dropped)
    to = PyBytes_AS_STRING(made)
    memcpy(to, known + dropped, size - dropped)
    memcpy(to + size - dropped, mark, width)
    return made
