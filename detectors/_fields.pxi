# The fields of ``data``: each function is behind what it has taken over, or NULL where it is not plain.


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
