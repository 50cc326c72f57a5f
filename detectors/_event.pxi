# An event of what was found in a record.


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
