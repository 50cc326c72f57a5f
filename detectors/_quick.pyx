# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""What most events need, without an object in between: see ``quick.py``, which says when this is used."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF, Py_XDECREF
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_SET_ITEM
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memchr, memcmp, memcpy


cdef extern from *:
    """
    #include <string.h>
    static inline PyObject *ascii_of(const char *from, Py_ssize_t size) {
        PyObject *made = PyUnicode_New(size, 127);
        if (made != NULL && size > 0) memcpy(PyUnicode_1BYTE_DATA(made), from, size);
        return made;
    }
    static inline int is_compact_ascii(PyObject *text) { return PyUnicode_IS_COMPACT_ASCII(text); }
    static inline const char *ascii_data(PyObject *text) { return (const char *)PyUnicode_1BYTE_DATA(text); }
    static inline Py_ssize_t ascii_size(PyObject *text) { return PyUnicode_GET_LENGTH(text); }
    static inline int exact_str(PyObject *o) { return PyUnicode_CheckExact(o); }
    static inline int exact_float(PyObject *o) { return PyFloat_CheckExact(o); }
    static inline int exact_int(PyObject *o) { return PyLong_CheckExact(o); }
    static inline PyObject *copied(PyObject *blank, Py_ssize_t places) {
        PyObject *made = PyTuple_New(places);
        if (made == NULL) return NULL;
        for (Py_ssize_t i = 0; i < places; i++) {
            PyObject *one = PyTuple_GET_ITEM(blank, i);
            Py_INCREF(one);
            PyTuple_SET_ITEM(made, i, one);
        }
        return made;
    }
    /* BLAKE2b (RFC 7693) of 16 bytes without a key, as hashlib.blake2b(text, digest_size=16). */
    static const unsigned long long blake2b_iv[8] = {
        0x6a09e667f3bcc908ULL, 0xbb67ae8584caa73bULL, 0x3c6ef372fe94f82bULL, 0xa54ff53a5f1d36f1ULL,
        0x510e527fade682d1ULL, 0x9b05688c2b3e6c1fULL, 0x1f83d9abfb41bd6bULL, 0x5be0cd19137e2179ULL};
    #define TURN(x, n) (((x) >> (n)) | ((x) << (64 - (n))))
    #define MIX(a, b, c, d, x, y) \
        v[a] += v[b] + (x); v[d] = TURN(v[d] ^ v[a], 32); v[c] += v[d]; v[b] = TURN(v[b] ^ v[c], 24); \
        v[a] += v[b] + (y); v[d] = TURN(v[d] ^ v[a], 16); v[c] += v[d]; v[b] = TURN(v[b] ^ v[c], 63);
    #define ROUND(a, b, c, d, e, f, g, h, i, j, k, l, n, o, p, q) \\
        MIX(0, 4, 8, 12, m[a], m[b]) MIX(1, 5, 9, 13, m[c], m[d]) \\
        MIX(2, 6, 10, 14, m[e], m[f]) MIX(3, 7, 11, 15, m[g], m[h]) \\
        MIX(0, 5, 10, 15, m[i], m[j]) MIX(1, 6, 11, 12, m[k], m[l]) \\
        MIX(2, 7, 8, 13, m[n], m[o]) MIX(3, 4, 9, 14, m[p], m[q])
    static void blake2b_block(unsigned long long *h, const unsigned char *block, size_t taken, int last) {
        unsigned long long v[16], m[16];
        for (int i = 0; i < 16; i++) {
            const unsigned char *b = block + i * 8;
            m[i] = (unsigned long long)b[0] | (unsigned long long)b[1] << 8 | (unsigned long long)b[2] << 16
                | (unsigned long long)b[3] << 24 | (unsigned long long)b[4] << 32
                | (unsigned long long)b[5] << 40 | (unsigned long long)b[6] << 48
                | (unsigned long long)b[7] << 56;
        }
        for (int i = 0; i < 8; i++) { v[i] = h[i]; v[i + 8] = blake2b_iv[i]; }
        v[12] ^= taken;
        if (last) v[14] = ~v[14];
        ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
        ROUND(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3)
        ROUND(11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4)
        ROUND(7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8)
        ROUND(9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13)
        ROUND(2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9)
        ROUND(12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11)
        ROUND(13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10)
        ROUND(6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5)
        ROUND(10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0)
        ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
        ROUND(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3)
        for (int i = 0; i < 8; i++) h[i] ^= v[i] ^ v[i + 8];
    }
    static void blake2b_16(const unsigned char *text, size_t size, unsigned char *digest) {
        unsigned long long h[8];
        unsigned char block[128];
        size_t at = 0;
        for (int i = 0; i < 8; i++) h[i] = blake2b_iv[i];
        h[0] ^= 0x01010000ULL ^ 16;
        for (; size - at > 128; at += 128) blake2b_block(h, text + at, at + 128, 0);
        memset(block, 0, 128);
        memcpy(block, text + at, size - at);
        blake2b_block(h, block, size, 1);
        for (int i = 0; i < 16; i++) digest[i] = (unsigned char)(h[i / 8] >> (8 * (i % 8)));
    }
    static PyObject *hex_of(const unsigned char *digest) {
        PyObject *made = PyUnicode_New(32, 127);
        if (made == NULL) return NULL;
        unsigned char *to = PyUnicode_1BYTE_DATA(made);
        for (int i = 0; i < 16; i++) {
            to[2 * i] = "0123456789abcdef"[digest[i] >> 4];
            to[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
        }
        return made;
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
    bint is_compact_ascii(PyObject *text)
    const char *ascii_data(PyObject *text)
    Py_ssize_t ascii_size(PyObject *text)
    bint exact_str(PyObject *o)
    bint exact_float(PyObject *o)
    bint exact_int(PyObject *o)
    object copied(PyObject *blank, Py_ssize_t places)
    void blake2b_16(const uint8_t *text, size_t size, uint8_t *digest)
    object hex_of(const uint8_t *digest)
    bint printable(const char *at, Py_ssize_t size)
    int twice(const char *text, Py_ssize_t size, const char *name, Py_ssize_t length)


cdef extern from "Python.h":
    double PyFloat_AS_DOUBLE(PyObject *o)
    int64_t PyLong_AsLongLongAndOverflow(PyObject *o, int *overflow) except? -1
    const char *PyUnicode_AsUTF8AndSize(PyObject *o, Py_ssize_t *size) except NULL


# -- a record into its fields ------------------------------------------------------------------------------

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

cdef enum:
    FIELDS = 42
    SLOTS = 256
    KEPT = 4096
    LONGEST_LABEL = 40
    LONGEST_NAME = 128
    PLACES = 51
    RARE_FROM = 23
    RARE_TO = 47
    RARE = 50
    ENGAGEMENT = 48
    OWN = 49
    DEEPEST = 8
    LEAST = 6

cdef Field _fields[FIELDS]
cdef uint8_t _slots[SLOTS]     # 1 + the field's number; open addressing
cdef PyObject *_kept[KEPT]     # strings that come again and again
cdef tuple _blank


cdef inline uint32_t _slot(const char *name, Py_ssize_t length) noexcept nogil:
    return (<uint32_t>length * 31 + <uint8_t>name[0] * 7 + <uint8_t>name[length - 1] * 3
            + <uint8_t>name[length >> 1]) & (SLOTS - 1)


def _prepare(fields, blank):
    """``fields``: (name, place in the result, kind) of ``data``; ``blank``: the result of an empty event."""
    global _blank
    cdef int number = 0
    cdef uint32_t slot
    _names.clear()
    for name, place, kind in fields:
        raw = name.encode()
        _names.append(raw)
        _fields[number].name = PyBytes_AS_STRING(raw)
        _fields[number].length = len(raw)
        _fields[number].place = place
        _fields[number].kind = kind
        slot = _slot(_fields[number].name, _fields[number].length)
        while _slots[slot]:
            slot = (slot + 1) & (SLOTS - 1)
        number += 1
        _slots[slot] = number
    assert number == FIELDS and len(blank) == PLACES
    _blank = blank


_names = []


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


cdef enum:
    ID = 0
    SOURCE = 1
    TYPE = 2
    TIME = 3
    SUBJECT = 4
    TENANT = 5


def scan(raw):
    """The fields of a plain event in the order of ``quick.PLACES``; None where it is not plain."""
    cdef const char *start
    cdef const char *end
    cdef const char *subject = NULL
    cdef Py_ssize_t size, subject_size = 0
    cdef tuple made
    if type(raw) is not bytes:
        return None
    start = PyBytes_AS_STRING(raw)
    size = PyBytes_GET_SIZE(raw)
    end = start + size
    if size < 2 or size > 65536 or memchr(start, 92, size) != NULL or not printable(start, size):
        return None
    made = copied(<PyObject *>_blank, PLACES)
    if not _envelope(start, end, made, &subject, &subject_size):
        return None
    if subject_size and subject_size < LEAST:
        # With its quotes, as scrub.py looks for it.
        subject -= 1
        subject_size += 2
    if subject_size and twice(start, size, subject, subject_size) > 1:
        return None
    return made


cdef inline void _set(tuple made, int place, object value):
    """Replace what is at a place."""
    cdef PyObject *old = <PyObject *>PyTuple_GET_ITEM(made, place)
    Py_INCREF(value)
    PyTuple_SET_ITEM(made, place, value)
    Py_XDECREF(old)


cdef bint _envelope(
    const char *at, const char *end, tuple made, const char **subject, Py_ssize_t *subject_size
) except -1:
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
                _set(made, TIME, time)
            elif length == 6 and memcmp(name, "source", 6) == 0:
                bit = 8
                if size == 0 or size > LONGEST_LABEL:
                    return False
                _set(made, SOURCE, _known(at, size))
            elif length == 7 and memcmp(name, "subject", 7) == 0:
                bit = 16
                if size > 256:
                    return False
                subject[0] = at
                subject_size[0] = size
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


cdef const char *_data(const char *at, const char *end, tuple made) except? NULL:
    """Behind the object at ``at``; NULL where it is not plain."""
    cdef const char *name
    cdef Py_ssize_t size = 0
    cdef int number
    cdef uint64_t seen = 0
    cdef bint with_engagement = False, rare = False, more = True
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
            rare |= RARE_FROM <= _fields[number].place <= RARE_TO
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
    if rare:
        _set(made, RARE, True)
    return at


cdef const char *_text(const char *at, const char *end, tuple made, Field *field) except? NULL:
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


cdef const char *_measure(const char *at, const char *end, tuple made, Field *field) except? NULL:
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


cdef const char *_of_its_own(const char *at, const char *end, tuple made, object name) except? NULL:
    """Keep the JSON of a field that the contract does not have; behind it."""
    cdef const char *behind = _value(at, end, DEEPEST)
    if behind == NULL:
        return NULL
    own = <object>PyTuple_GET_ITEM(made, OWN)
    if own is None:
        own = {}
        _set(made, OWN, own)
    elif name in own:
        return NULL
    (<dict>own)[name] = PyBytes_FromStringAndSize(at, behind - at)
    return behind


cdef const char *_engagement(const char *at, const char *end, tuple made) except? NULL:
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


_choices = {}


def _choose(choices):
    """What the fields of kind ONE_OF may be, by place."""
    _choices.update(choices)


# -- ids -----------------------------------------------------------------------------------------------------


def digest(name):
    """128 bits over a text, and as 32 hexadecimal digits: as ``ids.digest``; None for what is not plain."""
    cdef uint8_t made[16]
    if type(name) is not str or not is_compact_ascii(<PyObject *>name):
        return None
    blake2b_16(<const uint8_t *>ascii_data(<PyObject *>name), ascii_size(<PyObject *>name), made)
    return PyBytes_FromStringAndSize(<char *>made, 16), hex_of(made)


def event(tenant, source, id):
    """:func:`digest` of an event's facts."""
    cdef uint8_t text[1024]
    cdef uint8_t made[16]
    cdef size_t size = 0
    for part in (tenant, "event", source, id):
        if type(part) is not str or not is_compact_ascii(<PyObject *>part):
            return None
        if size + ascii_size(<PyObject *>part) + 1 > sizeof(text):
            return None
        memcpy(&text[size], ascii_data(<PyObject *>part), ascii_size(<PyObject *>part))
        size += ascii_size(<PyObject *>part)
        text[size] = 0x1F
        size += 1
    # But for the last separator.
    blake2b_16(text, size - 1, made)
    return PyBytes_FromStringAndSize(<char *>made, 16), hex_of(made)


def seen(ring, fact, Py_ssize_t width, Py_ssize_t most):
    """``ring`` with the first ``width`` bytes of ``fact`` at its end, ``most`` such at most; None if there."""
    cdef const char *known = PyBytes_AS_STRING(ring)
    cdef const char *mark = PyBytes_AS_STRING(fact)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(ring), at = 0, dropped
    cdef char *to
    while at + width <= size:
        if memcmp(known + at, mark, width) == 0:
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


# -- rows into columns -------------------------------------------------------------------------------------


cdef struct Buffer:
    uint8_t *data
    size_t size
    size_t room


cdef inline bint _room(Buffer *to, size_t more) noexcept nogil:
    cdef uint8_t *data
    cdef size_t room
    if to.size + more <= to.room:
        return True
    room = to.room * 2 + more
    data = <uint8_t *>realloc(to.data, room)
    if data == NULL:
        return False
    to.data = data
    to.room = room
    return True


cdef inline void _big(Buffer *to, uint64_t value, int width) noexcept nogil:
    cdef int shift = (width - 1) * 8
    while shift >= 0:
        to.data[to.size] = <uint8_t>(value >> shift)
        to.size += 1
        shift -= 8


cdef inline void _byte(Buffer *to, uint8_t value) noexcept nogil:
    to.data[to.size] = value
    to.size += 1


cdef inline void _head(Buffer *to, size_t count, int small, int most, int w8, int w16, int w32) noexcept nogil:
    """The beginning of a text or an array in MessagePack."""
    if count < <size_t>most:
        _byte(to, <uint8_t>(small | count))
    elif w8 and count < 256:
        _byte(to, <uint8_t>w8)
        _big(to, count, 1)
    elif count < 65536:
        _byte(to, <uint8_t>w16)
        _big(to, count, 2)
    else:
        _byte(to, <uint8_t>w32)
        _big(to, count, 4)


cdef inline void _integer(Buffer *to, int64_t value) noexcept nogil:
    if value >= 0:
        if value < 128:
            _byte(to, <uint8_t>value)
        elif value < 256:
            _byte(to, 0xCC)
            _big(to, <uint64_t>value, 1)
        elif value < 65536:
            _byte(to, 0xCD)
            _big(to, <uint64_t>value, 2)
        elif value >> 32 == 0:
            _byte(to, 0xCE)
            _big(to, <uint64_t>value, 4)
        else:
            _byte(to, 0xCF)
            _big(to, <uint64_t>value, 8)
    elif value >= -32:
        _byte(to, <uint8_t>value)
    elif value >= -128:
        _byte(to, 0xD0)
        _big(to, <uint64_t>value, 1)
    elif value >= -32768:
        _byte(to, 0xD1)
        _big(to, <uint64_t>value, 2)
    elif value >> 31 == -1:
        _byte(to, 0xD2)
        _big(to, <uint64_t>value, 4)
    else:
        _byte(to, 0xD3)
        _big(to, <uint64_t>value, 8)


def columns(rows, int width):
    """MessagePack of the columns of ``rows``; None where a row or a value is not of the usual kinds."""
    cdef Buffer to
    cdef bint good
    cdef bytes found
    if type(rows) is not list or width <= 0:
        return None
    for row in rows:
        if type(row) is not tuple or len(row) != width:
            return None
    to.room = 256 + 12 * <size_t>len(rows) * <size_t>width
    to.size = 0
    to.data = <uint8_t *>malloc(to.room)
    if to.data == NULL:
        raise MemoryError
    try:
        good = _columns(rows, width, &to)
        return PyBytes_FromStringAndSize(<char *>to.data, to.size) if good else None
    finally:
        free(to.data)


cdef bint _columns(list rows, int width, Buffer *to) except -1:
    cdef Py_ssize_t count = len(rows), at
    cdef int column, overflow
    cdef PyObject *value
    cdef const char *text
    cdef Py_ssize_t size
    cdef int64_t whole
    cdef double real
    cdef uint64_t bits
    cdef object true = True, false = False
    cdef PyObject *yes = <PyObject *>true
    cdef PyObject *no = <PyObject *>false
    _head(to, width, 0x90, 16, 0, 0xDC, 0xDD)
    for column in range(width):
        if not _room(to, 8):
            raise MemoryError
        _head(to, count, 0x90, 16, 0, 0xDC, 0xDD)
        for at in range(count):
            value = <PyObject *>PyTuple_GET_ITEM(<object>rows[at], column)
            if exact_str(value):
                if is_compact_ascii(value):
                    text, size = ascii_data(value), ascii_size(value)
                else:
                    try:
                        text = PyUnicode_AsUTF8AndSize(value, &size)
                    except UnicodeEncodeError:
                        return False
                if not _room(to, size + 8):
                    raise MemoryError
                _head(to, size, 0xA0, 32, 0xD9, 0xDA, 0xDB)
                memcpy(to.data + to.size, text, size)
                to.size += size
                continue
            if not _room(to, 16):
                raise MemoryError
            if exact_float(value):
                real = PyFloat_AS_DOUBLE(value)
                memcpy(&bits, &real, 8)
                _byte(to, 0xCB)
                _big(to, bits, 8)
            elif exact_int(value):
                whole = PyLong_AsLongLongAndOverflow(value, &overflow)
                if overflow:
                    return False
                _integer(to, whole)
            elif value == <PyObject *>None:
                _byte(to, 0xC0)
            elif value == yes:
                _byte(to, 0xC3)
            elif value == no:
                _byte(to, 0xC2)
            else:
                return False
    return True
