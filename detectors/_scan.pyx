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


cdef inline const char *_skip(const char *at, const char *end) noexcept nogil:
    while at < end and (at[0] == 32 or at[0] == 10 or at[0] == 13 or at[0] == 9):
        at += 1
    return at


cdef inline const char *_string(const char *at, const char *end) noexcept nogil:
    """``at`` is behind the opening quote: the closing one, or NULL where there is none."""
    return <const char *>memchr(at, 34, end - at)


cdef inline bint _is(const char *at, const char *end, const char *word, Py_ssize_t size) noexcept nogil:
    return end - at >= size and memcmp(at, word, size) == 0


cdef inline const char *_named(const char *at, const char *end, Py_ssize_t *size) noexcept nogil:
    """``at`` is where a name's opening quote should be: where its value begins, and the name's ``size``."""
    cdef const char *quote
    if at >= end or at[0] != 34:
        return NULL
    quote = _string(at + 1, end)
    if quote == NULL:
        return NULL
    size[0] = quote - at - 1
    at = _skip(quote + 1, end)
    if at >= end or at[0] != 58:
        return NULL
    at = _skip(at + 1, end)
    return at if at < end else NULL


cdef inline const char *_next(const char *at, const char *end, char closing, bint *more) noexcept nogil:
    """``at`` is behind a value: where the next one begins, or, where there is no ``more``, behind the end."""
    at = _skip(at, end)
    if at >= end:
        return NULL
    more[0] = at[0] == 44
    if more[0]:
        return _skip(at + 1, end)
    return at + 1 if at[0] == closing else NULL


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


cdef const char *_number(const char *at, const char *end, double *value) noexcept nogil:
    """Behind a number that a double holds without rounding twice; NULL for any other."""
    cdef bint negative = False
    cdef uint64_t digits = 0
    cdef int count = 0, fraction = 0
    cdef const char *first
    if at < end and at[0] == 45:
        negative = True
        at += 1
    first = at
    while at < end and 48 <= at[0] <= 57:
        digits = digits * 10 + <uint64_t>(at[0] - 48)
        count += 1
        at += 1
        if count > 15:
            return NULL
    if count == 0 or (count > 1 and first[0] == 48):
        return NULL
    if at < end and at[0] == 46:
        at += 1
        while at < end and 48 <= at[0] <= 57:
            digits = digits * 10 + <uint64_t>(at[0] - 48)
            fraction += 1
            at += 1
            if count + fraction > 15:
                return NULL
        if fraction == 0:
            return NULL
    if (at < end and (at[0] == 101 or at[0] == 69)) or (negative and digits == 0):
        return NULL
    # Both are exact, so the quotient is the nearest double (Clinger 1990).
    value[0] = <double>digits / _tens[fraction]
    if negative:
        value[0] = -value[0]
    return at


cdef double[16] _tens
_tens[:] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15]


cdef inline int _two(const char *at) noexcept nogil:
    if not (48 <= at[0] <= 57 and 48 <= at[1] <= 57):
        return -1
    return (at[0] - 48) * 10 + (at[1] - 48)


cdef int64_t _moment(const char *at, Py_ssize_t size) noexcept nogil:
    """Milliseconds of ``YYYY-MM-DDTHH:MM:SS[.ffffff]Z``, rounded down; -1 for any other form."""
    cdef int century, year, month, day, hour, minute, second, ms = 0, scale = 100, era, of_era, of_year
    cdef Py_ssize_t i
    cdef int64_t days
    cdef int length
    if size < 20 or size > 27 or at[size - 1] != 90 or at[4] != 45 or at[7] != 45 or at[10] != 84:
        return -1
    if at[13] != 58 or at[16] != 58:
        return -1
    century, year, month, day = _two(at), _two(at + 2), _two(at + 5), _two(at + 8)
    hour, minute, second = _two(at + 11), _two(at + 14), _two(at + 17)
    if century < 19 or year < 0 or month < 1 or month > 12 or day < 1 or hour < 0 or hour > 23:
        return -1
    if minute < 0 or minute > 59 or second < 0 or second > 59:
        return -1
    year += century * 100
    length = 31
    if month == 4 or month == 6 or month == 9 or month == 11:
        length = 30
    elif month == 2:
        length = 29 if (year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)) else 28
    if day > length:
        return -1
    if size > 20:
        if at[19] != 46 or size == 21:
            return -1
        for i in range(20, size - 1):
            if not 48 <= at[i] <= 57:
                return -1
            ms += (at[i] - 48) * scale
            scale = scale // 10
    # Days since 1970 of the proleptic Gregorian calendar (Hinnant, days_from_civil).
    if month <= 2:
        year -= 1
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    days = era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468
    if days < 0:
        return -1
    return ((days * 24 + hour) * 60 + minute) * 60000 + second * 1000 + ms




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


cdef inline PyObject *_taken(Scanned *of, int place):
    """What is at a place, nothing being an empty text; the caller's."""
    cdef PyObject *value = of.at[place]
    if value == NULL:
        Py_INCREF(_empty)
        return <PyObject *>_empty
    of.at[place] = NULL
    return value


cdef inline PyObject *_owned(object value):
    Py_INCREF(value)
    return <PyObject *>value


cdef tuple _kind(object name):
    cdef PyObject *known = PyDict_GetItemWithError(_resolved, name)
    if known != NULL:
        return <tuple>known
    if len(_resolved) >= KEPT:
        _resolved.clear()
    made = _resolved[name] = _resolve(name)
    return made


cdef object _event(Scanned *of, Py_ssize_t size):
    """An event of what was found; None where nobody can tell whose it is."""
    cdef Event *e
    cdef tuple kind = _kind(<object>of.at[TYPE])
    cdef PyObject *subject = of.at[SUBJECT]
    cdef bint anonymous = subject == NULL
    if anonymous:
        subject = of.at[SESSION] if of.at[SESSION] != NULL else of.at[CONVERSATION]
        if subject == NULL:
            return None
        customer = "anon:" + <str>subject
    else:
        customer = <object>subject
        anonymous = (<str>customer).startswith("anon:")
    mean = None if of.at[ENGAGEMENT] == NULL else _mean(<object>of.at[ENGAGEMENT])
    attributes = _empty if of.at[OWN] == NULL else _attributes(<object>of.at[OWN])
    rare = _rare_of(of) if of.rare else _no_rare
    channel = <object>of.at[CHANNEL] if of.at[CHANNEL] != NULL else kind[3]
    if channel not in _channels:
        channel = "other"
    fact = _fact(of)
    # From here on nothing fails, and every field is filled.
    made = allocated(_class)
    e = <Event *><PyObject *>made
    e.vtable = _vtable
    e._tenant = _taken(of, TENANT) if of.at[TENANT] != NULL else _owned(_default)
    e._customer = _owned(customer)
    e._key = _owned(b"")
    e._id = _taken(of, ID)
    e._source = _taken(of, SOURCE)
    e._type = _owned(kind[0])
    e._time = <CPyTagged>(of.time << 1)
    e._anonymous = anonymous
    e._channel = _owned(channel)
    e._journey = _taken(of, JOURNEY) if of.at[JOURNEY] != NULL else _owned(_default)
    e._actor = _taken(of, ACTOR) if _said(of, ACTOR) else _owned(kind[4])
    e._direction = _taken(of, DIRECTION) if _said(of, DIRECTION) else _owned(kind[5])
    e._step = _taken(of, STEP)
    e._intent = _taken(of, INTENT)
    e._case_id = _taken(of, CASE)
    e._session = _taken(of, SESSION)
    e._conversation = _taken(of, CONVERSATION)
    e._device = _taken(of, DEVICE)
    e._release = _taken(of, RELEASE)
    e._language = _taken(of, LANGUAGE)
    e._segment = _taken(of, SEGMENT)
    e._field = _taken(of, FIELD)
    e._queue = _taken(of, QUEUE)
    e._result = _taken(of, RESULT)
    e._first_time = _taken(of, FIRST_TIME) if of.at[FIRST_TIME] != NULL else _owned(None)
    e._engagement = _owned(mean)
    e._attributes = _owned(attributes)
    e._rare = _owned(rare)
    e._partition = <CPyTagged><Py_ssize_t>-2
    e._offset = <CPyTagged><Py_ssize_t>-2
    e._fact = _owned(fact)
    e._rank = <CPyTagged>(<Py_ssize_t>kind[1] << 1)
    e._known = <bint>kind[2]
    e._late = 0
    e._size = <CPyTagged>(size << 1)
    return made


cdef inline bint _said(Scanned *of, int place) noexcept:
    return of.at[place] != NULL and ascii_size(of.at[place]) > 0


cdef object _rare_of(Scanned *of):
    cdef tuple made = PyTuple_New(RARE_TO - RARE_FROM + 3)
    cdef int place
    for place in range(RARE_FROM, RARE_TO + 1):
        if of.at[place] != NULL:
            value = <object>of.at[place]
        else:
            value = _empty if place < FIRST_RARE_NUMBER else None
        Py_INCREF(value)
        PyTuple_SET_ITEM(made, place - RARE_FROM, value)
    # Consent is never plain.
    for place in range(RARE_TO - RARE_FROM + 1, RARE_TO - RARE_FROM + 3):
        Py_INCREF(None)
        PyTuple_SET_ITEM(made, place, None)
    return _rare(*made)


cdef object _fact(Scanned *of):
    """The id of the event's facts: of tenant, source and its own id there."""
    cdef uint8_t text[512]
    cdef uint8_t made[16]
    cdef size_t size = 0
    cdef PyObject *tenant = of.at[TENANT] if of.at[TENANT] != NULL else <PyObject *>_default
    size = _joined(text, size, ascii_data(tenant), ascii_size(tenant))
    size = _joined(text, size, "event", 5)
    size = _joined(text, size, ascii_data(of.at[SOURCE]), ascii_size(of.at[SOURCE]))
    size = _joined(text, size, ascii_data(of.at[ID]), ascii_size(of.at[ID]))
    # But for the last separator.
    blake2b(text, size - 1, made, 16)
    return hex_of(made)


cdef inline size_t _joined(uint8_t *text, size_t at, const char *part, size_t size) noexcept:
    memcpy(text + at, part, size)
    text[at + size] = 0x1F
    return at + size + 1


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


cdef const char *_data(const char *at, const char *end, Scanned *made) except? NULL:
    """Behind the object at ``at``; NULL where it is not plain."""
    cdef const char *name
    cdef Py_ssize_t size = 0
    cdef int number
    cdef uint64_t seen = 0
    cdef bint with_engagement = False, more = True
    at = _skip(at + 1, end)
    if at < end and at[0] == 125:
        return at + 1
    while more:
        name = at + 1
        at = _named(at, end, &size)
        if at == NULL:
            return NULL
        number = _find(name, size)
        if number >= 0:
            if seen & (<uint64_t>1 << number):
                return NULL
            seen |= <uint64_t>1 << number
            made.rare |= RARE_FROM <= _fields[number].place <= RARE_TO
            if _is(at, end, "null", 4):
                at += 4
            elif _fields[number].kind <= ONE_OF:
                at = _text(at, end, made, &_fields[number])
            else:
                at = _measure(at, end, made, &_fields[number])
        elif size == 10 and memcmp(name, "engagement", 10) == 0:
            if with_engagement:
                return NULL
            with_engagement = True
            at = _engagement(at, end, made)
        elif size == 7 and memcmp(name, "consent", 7) == 0:
            return NULL
        else:
            at = _of_its_own(at, end, made, ascii_of(name, size))
        if at == NULL:
            return NULL
        at = _next(at, end, 125, &more)
        if at == NULL:
            return NULL
    return at


cdef const char *_text(const char *at, const char *end, Scanned *made, Field *field) except? NULL:
    """Take over a text; behind it."""
    cdef const char *quote
    cdef Py_ssize_t size
    cdef double value
    if at[0] != 34:
        if field.kind != WORD_OR_NUMBER:
            return NULL
        quote = _number(at, end, &value)
        if quote == NULL or memchr(at, 46, quote - at) != NULL:
            return NULL
        _set(made, field.place, _known(at, quote - at))
        return quote
    at += 1
    quote = _string(at, end)
    if quote == NULL:
        return NULL
    size = quote - at
    if size > (LONGEST_NAME if field.kind == NAME else LONGEST_LABEL):
        return NULL
    if field.kind == ONE_OF:
        one = _known(at, size)
        if one not in _choices[field.place]:
            return NULL
        _set(made, field.place, one)
    elif size:
        _set(made, field.place, ascii_of(at, size) if field.kind == NAME else _known(at, size))
    return quote + 1


cdef const char *_measure(const char *at, const char *end, Scanned *made, Field *field) except? NULL:
    """Take over a truth or a number within its bounds; behind it."""
    cdef double value = 0.0
    if field.kind == TRUTH:
        if _is(at, end, "true", 4):
            _set(made, field.place, True)
            return at + 4
        if _is(at, end, "false", 5):
            _set(made, field.place, False)
            return at + 5
        return NULL
    at = _number(at, end, &value)
    if at == NULL:
        return NULL
    if field.kind == UNIT and not 0.0 <= value <= 1.0:
        return NULL
    if field.kind == SIGNED and not -1.0 <= value <= 1.0:
        return NULL
    if field.kind == SECONDS and not 0.0 <= value <= 864000000.0:
        return NULL
    if field.kind == FINITE and not -1e15 <= value <= 1e15:
        return NULL
    _set(made, field.place, value)
    return at


cdef const char *_of_its_own(const char *at, const char *end, Scanned *made, object name) except? NULL:
    """Keep the JSON of a field that the contract does not have; behind it."""
    cdef const char *behind = _value(at, end, DEEPEST)
    if behind == NULL:
        return NULL
    if made.at[OWN] == NULL:
        _set(made, OWN, {})
    own = <object>made.at[OWN]
    if name in own:
        return NULL
    (<dict>own)[name] = PyBytes_FromStringAndSize(at, behind - at)
    return behind


cdef const char *_engagement(const char *at, const char *end, Scanned *made) except? NULL:
    """Behind the object: what was said, in the order of the fields."""
    cdef const char *name
    cdef Py_ssize_t size = 0
    cdef int which, seen = 0
    cdef double[4] said
    cdef bint[4] given = [False, False, False, False]
    cdef bint more = True
    if _is(at, end, "null", 4):
        return at + 4
    if at[0] != 123:
        return NULL
    at = _skip(at + 1, end)
    if at < end and at[0] == 125:
        return at + 1
    while more:
        name = at + 1
        at = _named(at, end, &size)
        if at == NULL:
            return NULL
        if size == 9 and memcmp(name, "financial", 9) == 0:
            which = 0
        elif size == 11 and memcmp(name, "sentimental", 11) == 0:
            which = 1
        elif size == 9 and memcmp(name, "expertise", 9) == 0:
            which = 2
        elif size == 8 and memcmp(name, "temporal", 8) == 0:
            which = 3
        else:
            return NULL
        if seen & (1 << which):
            return NULL
        seen |= 1 << which
        if _is(at, end, "null", 4):
            at += 4
        else:
            at = _number(at, end, &said[which])
            if at == NULL or not 0.0 <= said[which] <= 1.0:
                return NULL
            given[which] = True
        at = _next(at, end, 125, &more)
        if at == NULL:
            return NULL
    _set(made, ENGAGEMENT, [said[which] for which in range(4) if given[which]])
    return at


cdef const char *_value(const char *at, const char *end, int deep) noexcept nogil:
    """Behind any plain value; NULL where it is none."""
    cdef double nothing
    cdef Py_ssize_t size
    cdef char closing
    cdef bint more = True
    if at >= end:
        return NULL
    if at[0] == 34:
        at = _string(at + 1, end)
        return NULL if at == NULL else at + 1
    if at[0] == 123 or at[0] == 91:
        if deep == 0:
            return NULL
        closing = at[0] + 2
        at = _skip(at + 1, end)
        if at < end and at[0] == closing:
            return at + 1
        while more:
            if closing == 125:
                at = _named(at, end, &size)
                if at == NULL:
                    return NULL
            at = _value(at, end, deep - 1)
            if at == NULL:
                return NULL
            at = _next(at, end, closing, &more)
            if at == NULL:
                return NULL
        return at
    if _is(at, end, "null", 4) or _is(at, end, "true", 4):
        return at + 4
    if _is(at, end, "false", 5):
        return at + 5
    return _number(at, end, &nothing)
