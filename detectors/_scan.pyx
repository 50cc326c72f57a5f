# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""A record's bytes into an event, without an object in between: see ``quick.py``, which says when."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.dict cimport PyDict_GetItemWithError
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF, Py_XDECREF
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_New, PyTuple_SET_ITEM
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memchr, memcmp, memcpy, memset

include "_structs.pxi"
include "_blake2b.pxi"


cdef extern from *:
    """
    #include <string.h>
    static inline PyObject *ascii_of(const char *from, Py_ssize_t size) {
        PyObject *made = PyUnicode_New(size, 127);
        if (made != NULL && size > 0) memcpy(PyUnicode_1BYTE_DATA(made), from, size);
        return made;
    }
    static inline const char *ascii_data(PyObject *text) { return (const char *)PyUnicode_1BYTE_DATA(text); }
    static inline Py_ssize_t ascii_size(PyObject *text) { return PyUnicode_GET_LENGTH(text); }
    /* An object of a class whose fields are all still to be filled. */
    static inline PyObject *allocated(PyObject *type) {
        return ((PyTypeObject *)type)->tp_alloc((PyTypeObject *)type, 0);
    }
    static int printable(const char *at, Py_ssize_t size) {
        /* Eight bytes at a time: none below a blank, none with the highest bit. */
        const unsigned long long high = 0x8080808080808080ULL, blanks = 0x2020202020202020ULL;
        unsigned long long bad = 0, word;
        Py_ssize_t i = 0;
        for (; i + 8 <= size; i += 8) {
            memcpy(&word, at + i, 8);
            bad |= word | ((word | high) - blanks) ^ high;
        }
        bad &= high;
        for (; i < size; i++) bad |= (unsigned char)at[i] < 32 || (unsigned char)at[i] > 127;
        return bad == 0;
    }
    /* How often a name is in a text, up to 2. */
    static int twice(const char *text, Py_ssize_t size, const char *name, Py_ssize_t length) {
        const char *first = text, *end = text + size, *found = NULL;
        int times = 0;
        while (times < 2 && end - first >= length) {
            found = (const char *)memchr(first, name[0], (size_t)(end - first - length + 1));
            if (found == NULL) break;
            if (memcmp(found, name, (size_t)length) == 0) { times++; first = found + length; }
            else first = found + 1;
        }
        return times;
    }
    """
    object ascii_of(const char *text, Py_ssize_t size)
    const char *ascii_data(PyObject *text)
    Py_ssize_t ascii_size(PyObject *text)
    object allocated(PyObject *kind)
    bint printable(const char *at, Py_ssize_t size)
    int twice(const char *text, Py_ssize_t size, const char *name, Py_ssize_t length)


# -- a record into its fields ------------------------------------------------------------------------------

cdef extern from *:
    """
    /* `_event` fills every field: where there is one more, it must be filled there, too. */
    _Static_assert(sizeof(detectors___events___EventObject) == 296, "a field was added to Event");
    """


# What a field's value may be.
cdef enum Kind:
    LABEL = 1      # str of at most 40 bytes; "" where absent
    NAME           # str of at most 128 bytes; "" where absent
    WORD_OR_NUMBER # as LABEL; a whole number as it is written
    ONE_OF         # str out of a few; "" where absent
    TRUTH          # bool or None
    UNIT           # 0..1
    SIGNED         # -1..1
    SECONDS        # 0..10,000 days
    FINITE         # within 1e15

cdef struct Field:
    const char *name
    int length
    int place
    Kind kind

# Where things are, in the order of ``made.PLACES``.
cdef enum:
    ID
    SOURCE
    TYPE
    TIME
    SUBJECT
    TENANT
    CHANNEL
    JOURNEY
    STEP
    INTENT
    CASE
    SESSION
    CONVERSATION
    DEVICE
    DIRECTION
    ACTOR
    RELEASE
    LANGUAGE
    SEGMENT
    FIELD
    QUEUE
    RESULT
    FIRST_TIME
    RARE_FROM
    FIRST_RARE_NUMBER = 37
    RARE_TO = 47
    ENGAGEMENT
    OWN
    PLACES

cdef enum:
    FIELDS = 42
    SLOTS = 256
    KEPT = 4096
    LONGEST_LABEL = 40
    LONGEST_NAME = 128
    DEEPEST = 8
    LEAST = 6

cdef Field _fields[FIELDS]
cdef uint8_t _slots[SLOTS]     # 1 + the field's number; open addressing
cdef PyObject *_kept[KEPT]     # strings that come again and again
cdef PyObject *_class          # of events
cdef void *_vtable
cdef list _alive = []          # holds on to what is only pointed at
cdef object _rare, _no_rare, _mean, _attributes, _resolve
cdef frozenset _channels
cdef dict _resolved = {}
cdef str _empty = ""
cdef str _default = "default"


cdef struct Scanned:
    PyObject *at[PLACES]       # owned; NULL where nothing was said
    int64_t time
    bint rare
    const char *subject        # in the record
    Py_ssize_t subject_size


cdef inline uint32_t _slot(const char *name, Py_ssize_t length) noexcept nogil:
    return (<uint32_t>length * 31 + <uint8_t>name[0] * 7 + <uint8_t>name[length - 1] * 3
            + <uint8_t>name[length >> 1]) & (SLOTS - 1)


def prepare(fields, choices, like, channels, rare, no_rare, mean, attributes, resolve):
    """Say what events are like.

    ``fields``: (name, place, kind) of ``data``; ``choices``: what those of kind ONE_OF may be, by place;
    ``like``: an event; ``rare(*fields)`` and the one without any; ``mean`` of an engagement; ``attributes`` of
    an event's own fields; ``resolve(type)``: its name, rank, whether it is known, channel, actor, direction.
    """
    global _class, _vtable, _channels, _rare, _no_rare, _mean, _attributes, _resolve
    cdef int number = 0
    cdef uint32_t slot
    cdef object kind_of = type(like)
    memset(_slots, 0, sizeof(_slots))
    _alive.append(kind_of)
    _class = <PyObject *>kind_of
    _vtable = (<Event *><PyObject *>like).vtable
    _choices.clear()
    _choices.update(choices)
    _channels, _rare, _no_rare = channels, rare, no_rare
    _mean, _attributes, _resolve = mean, attributes, resolve
    for name, place, kind in fields:
        raw = name.encode()
        _alive.append(raw)
        _fields[number].name = PyBytes_AS_STRING(raw)
        _fields[number].length = len(raw)
        _fields[number].place = place
        _fields[number].kind = kind
        slot = _slot(_fields[number].name, _fields[number].length)
        while _slots[slot]:
            slot = (slot + 1) & (SLOTS - 1)
        number += 1
        _slots[slot] = number
    assert number == FIELDS


_choices = {}


cdef inline int _find(const char *name, Py_ssize_t length) noexcept nogil:
    """A field's number; -1 for none."""
    cdef uint32_t slot
    cdef int number
    if length == 0:
        return -1
    slot = _slot(name, length)
    while True:
        number = _slots[slot]
        if number == 0:
            return -1
        number -= 1
        if _fields[number].length == length and memcmp(_fields[number].name, name, length) == 0:
            return number
        slot = (slot + 1) & (SLOTS - 1)


include "_json.pxi"


cdef object _known(const char *text, Py_ssize_t size):
    """The same object for the same text, as long as it stays in its place."""
    cdef uint64_t h = <uint64_t>size, word
    cdef Py_ssize_t left = size
    cdef const char *at = text
    cdef PyObject *known
    while left > 0:
        word = 0
        memcpy(&word, at, 8 if left >= 8 else left)
        h = (h ^ word) * <uint64_t>0x9E3779B97F4A7C15
        h ^= h >> 29
        at += 8
        left -= 8
    h &= KEPT - 1
    known = _kept[h]
    if known != NULL and ascii_size(known) == size and memcmp(ascii_data(known), text, size) == 0:
        return <object>known
    made = ascii_of(text, size)
    Py_INCREF(made)
    Py_XDECREF(known)
    _kept[h] = <PyObject *>made
    return made


def scan(raw):
    """The event of a plain record, its ``customer`` still the raw subject; None where it is not plain."""
    cdef Scanned found
    cdef const char *start
    cdef Py_ssize_t size
    cdef int place
    if type(raw) is not bytes:
        return None
    start = PyBytes_AS_STRING(raw)
    size = PyBytes_GET_SIZE(raw)
    if size < 2 or size > 65536 or memchr(start, 92, size) != NULL or not printable(start, size):
        return None
    memset(&found, 0, sizeof(found))
    try:
        if not _envelope(start, start + size, &found):
            return None
        if found.subject_size and found.subject_size < LEAST:
            # With its quotes, as scrub.py looks for it.
            found.subject -= 1
            found.subject_size += 2
        if found.subject_size and twice(start, size, found.subject, found.subject_size) > 1:
            return None
        return _event(&found, size)
    finally:
        for place in range(PLACES):
            Py_XDECREF(found.at[place])


cdef inline void _set(Scanned *to, int place, object value):
    """Say what is at a place."""
    Py_INCREF(value)
    Py_XDECREF(to.at[place])
    to.at[place] = <PyObject *>value


include "_event.pxi"


cdef bint _envelope(const char *at, const char *end, Scanned *made) except -1:
    cdef const char *name
    cdef const char *quote
    cdef Py_ssize_t length = 0, size
    cdef int seen = 0, bit
    cdef int64_t time
    cdef bint more = True
    at = _skip(at, end)
    if at >= end or at[0] != 123:
        return False
    at = _skip(at + 1, end)
    while more:
        name = at + 1
        at = _named(at, end, &length)
        if at == NULL:
            return False
        if length == 4 and memcmp(name, "data", 4) == 0:
            if seen & 128 or at[0] != 123:
                return False
            seen |= 128
            at = _data(at, end, made)
            if at == NULL:
                return False
        else:
            if at[0] != 34:
                return False
            at += 1
            quote = _string(at, end)
            if quote == NULL:
                return False
            size = quote - at
            bit = 0
            if length == 2 and memcmp(name, "id", 2) == 0:
                bit = 1
                if size == 0 or size > 128:
                    return False
                _set(made, ID, ascii_of(at, size))
            elif length == 4 and memcmp(name, "type", 4) == 0:
                bit = 2
                if size == 0 or size > LONGEST_LABEL or (size > 11 and memcmp(at, "io.rehuman.", 11) == 0):
                    return False
                _set(made, TYPE, _known(at, size))
            elif length == 4 and memcmp(name, "time", 4) == 0:
                bit = 4
                time = _moment(at, size)
                if time < 0:
                    return False
                made.time = time
            elif length == 6 and memcmp(name, "source", 6) == 0:
                bit = 8
                if size == 0 or size > LONGEST_LABEL:
                    return False
                _set(made, SOURCE, _known(at, size))
            elif length == 7 and memcmp(name, "subject", 7) == 0:
                bit = 16
                if size > 256:
                    return False
                made.subject = at
                made.subject_size = size
                if size:
                    _set(made, SUBJECT, ascii_of(at, size))
            elif length == 6 and memcmp(name, "tenant", 6) == 0:
                bit = 32
                if size > 64:
                    return False
                if size:
                    _set(made, TENANT, _known(at, size))
            elif length == 11 and memcmp(name, "specversion", 11) == 0:
                bit = 64
                if size != 3 or memcmp(at, "1.0", 3) != 0:
                    return False
            if seen & bit:
                return False
            seen |= bit
            at = quote + 1
        at = _next(at, end, 125, &more)
        if at == NULL:
            return False
    # Specversion, id, source, type and time are required.
    return (seen & 79) == 79 and _skip(at, end) == end


include "_fields.pxi"
