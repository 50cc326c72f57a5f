# JSON as it is read in place: each function is given where it begins and where all ends, and says where it is
# behind it, or NULL where it is not of the plain form.


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
