# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""A customer's record, of the state as it lies in memory: see ``packed.py``, which says what is in it.

The classes of ``state.py``, ``ring.py``, ``events.py`` and ``rare.py`` are structs of C in the compiled build.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE

from libc.string cimport memcpy

include "_messagepack.pxi"
include "_structs.pxi"
include "_wholes.pxi"


cdef extern from *:
    """
    static inline int exact_bytes(PyObject *o) { return PyBytes_CheckExact(o); }
    static inline int exact_list(PyObject *o) { return PyList_CheckExact(o); }
    """
    bint exact_bytes(PyObject *o)
    bint exact_list(PyObject *o)


# In this order: of what is looked at it must be known that it is what it is taken for.
cdef enum Kind:
    SUMS
    PART
    JOURNEY
    ATTEMPT
    CONTACT
    WAIT
    OWED
    SOLVED
    CONTEXT
    CUSTOMER
    RING
    EVENT
    RARE
    TALLY
    CASE
    KINDS

cdef list _classes = []
cdef PyObject *_class[KINDS]
cdef int _schema = 0


def know(int schema, list classes):
    """The first number of every record, and the classes in the order of ``Kind``."""
    global _schema
    cdef int at
    assert len(classes) == KINDS
    _classes[:] = classes
    for at in range(KINDS):
        _class[at] = <PyObject *>classes[at]
    _schema = schema


cdef inline bint _is(PyObject *o, int kind) noexcept:
    return o != NULL and kind_of(o) == _class[kind]


cdef bint _bytes(Buffer *to, PyObject *value) noexcept:
    cdef size_t size
    if value == NULL or not exact_bytes(value):
        return False
    size = PyBytes_GET_SIZE(<object>value)
    if not put_head(to, size, 0, 0, 0xC4, 0xC5, 0xC6) or not has_room(to, size):
        return False
    memcpy(to.data + to.size, PyBytes_AS_STRING(<object>value), size)
    to.size += size
    return True


cdef bint _nested(Buffer *to, PyObject *value) noexcept:
    """What :c:func:`put_value` writes, and lists and tuples of it."""
    cdef Py_ssize_t at
    if value != NULL and exact_tuple(value):
        if not put_array(to, count_of(value)):
            return False
        for at in range(count_of(value)):
            if not _nested(to, item_of(value, at)):
                return False
        return True
    if value != NULL and exact_list(value):
        if not put_array(to, PyList_GET_SIZE(<object>value)):
            return False
        for at in range(PyList_GET_SIZE(<object>value)):
            if not _nested(to, <PyObject *>PyList_GET_ITEM(<object>value, at)):
                return False
        return True
    return put_value(to, value)


ctypedef bint (*One)(Buffer *to, PyObject *one) noexcept


cdef bint _each(Buffer *to, PyObject *value, int kind, One one) noexcept:
    """A list of objects of one kind."""
    cdef Py_ssize_t at
    cdef PyObject *found
    if value == NULL or not exact_list(value):
        return False
    if not put_array(to, PyList_GET_SIZE(<object>value)):
        return False
    for at in range(PyList_GET_SIZE(<object>value)):
        found = <PyObject *>PyList_GET_ITEM(<object>value, at)
        if not _is(found, kind) or not one(to, found):
            return False
    return True


cdef bint _sums(Buffer *to, PyObject *one) noexcept:
    cdef Sums *s = <Sums *>one
    return (
        _is(one, SUMS) and put_array(to, 3) and put_real(to, s._acute) and put_real(to, s._chronic) and _whole(to, s._at)
    )


cdef bint _part(Buffer *to, PyObject *one) noexcept:
    cdef Part *p = <Part *>one
    return (
        put_array(to, 5)
        and _whole(to, p._signal)
        and put_real(to, p._acute)
        and put_real(to, p._chronic)
        and _whole(to, p._at)
        and _whole(to, p._count)
    )


cdef bint _journey(Buffer *to, PyObject *one) noexcept:
    cdef Journey *j = <Journey *>one
    return (
        put_array(to, 28)
        and put_text(to, j._name)
        and _whole(to, j._touched)
        and _sums(to, j._sums)
        and _each(to, j._parts, PART, _part)
        and put_text(to, j._step)
        and put_text(to, j._release)
        and put_text(to, j._intent)
        and _whole(to, j._failed_at)
        and _whole(to, j._failed_soft)
        and _whole(to, j._failed_soft_at)
        and put_text(to, j._failed_channel)
        and put_text(to, j._failed_step)
        and put_text(to, j._failed_release)
        and put_real(to, j._by_default)
        and put_real(to, j._by_preference)
        and _whole(to, j._evidence_at)
        and _whole(to, j._completions)
        and _whole(to, j._transfers)
        and _whole(to, j._transferred_at)
        and put_text(to, j._suggested)
        and _whole(to, j._suggested_at)
        and _whole(to, j._raised_at)
        and _whole(to, j._raised_ver)
        and _whole(to, j._raised_level)
        and put_flag(to, j._open)
        and put_flag(to, j._armed)
        and _whole(to, j._overridden)
        and put_flag(to, j._complaint)
    )


cdef bint _attempt(Buffer *to, PyObject *one) noexcept:
    cdef Attempt *a = <Attempt *>one
    return (
        put_array(to, 16)
        and put_text(to, a._kind)
        and put_text(to, a._journey)
        and put_text(to, a._step)
        and put_text(to, a._release)
        and put_text(to, a._channel)
        and _whole(to, a._key)
        and _whole(to, a._start)
        and _whole(to, a._last)
        and _whole(to, a._due)
        and _whole(to, a._status)
        and _whole(to, a._ver)
        and put_real(to, a._points)
        and _whole(to, a._given_up)
        and put_text(to, a._source)
        and _nested(to, a._told)
        and _whole(to, a._leaves)
    )


cdef bint _contact(Buffer *to, PyObject *one) noexcept:
    cdef Contact *v = <Contact *>one
    return (
        put_array(to, 11)
        and put_text(to, v._channel)
        and put_text(to, v._device)
        and put_text(to, v._journey)
        and put_text(to, v._intent)
        and _whole(to, v._case)
        and _whole(to, v._key)
        and _whole(to, v._start)
        and _whole(to, v._last)
        and put_text(to, v._step)
        and put_text(to, v._release)
        and put_text(to, v._outcome)
    )


cdef bint _wait(Buffer *to, PyObject *one) noexcept:
    cdef Wait *w = <Wait *>one
    return (
        put_array(to, 9)
        and put_text(to, w._kind)
        and put_text(to, w._channel)
        and put_text(to, w._journey)
        and put_text(to, w._queue)
        and _whole(to, w._key)
        and _whole(to, w._opened)
        and put_real(to, w._announced)
        and _whole(to, w._leaves)
        and put_text(to, w._source)
    )


cdef bint _owed(Buffer *to, PyObject *one) noexcept:
    cdef Owed *o = <Owed *>one
    cdef bint plain = o._asked == o._since and not o._spoke and not o._ended
    return (
        put_array(to, 9 if plain else 12)
        and _whole(to, o._key)
        and put_text(to, o._channel)
        and put_text(to, o._journey)
        and put_text(to, o._step)
        and _whole(to, o._since)
        and _whole(to, o._promised)
        and _whole(to, o._replied)
        and _whole(to, o._due)
        and put_text(to, o._source)
        and (plain or (_whole(to, o._asked) and _whole(to, o._spoke) and _whole(to, o._ended)))
    )


cdef bint _solved(Buffer *to, PyObject *one) noexcept:
    cdef Solved *d = <Solved *>one
    return (
        put_array(to, 5)
        and _whole(to, d._key)
        and put_text(to, d._journey)
        and _whole(to, d._due)
        and put_real(to, d._points)
        and put_text(to, d._source)
    )


cdef bint _context(Buffer *to, PyObject *one) noexcept:
    cdef Context *c = <Context *>one
    return (
        _is(one, CONTEXT)
        and put_array(to, 16)
        and _whole(to, c._at)
        and put_real(to, c._engagement)
        and put_flag(to, c._first_time)
        and put_flag(to, c._problem)
        and put_flag(to, c._last_contact)
        and put_real(to, c._risk)
        and put_text(to, c._prefers)
        and put_real(to, c._emotion)
        and _whole(to, c._emotion_at)
        and _whole(to, c._vulnerable_at)
        and put_text(to, c._language)
        and put_text(to, c._segment)
        and put_flag(to, c._may_contact)
        and put_flag(to, c._may_profile)
        and _whole(to, c._contact_at)
        and _whole(to, c._profile_at)
    )


include "_ring_event.pxi"


cdef bint _ring(Buffer *to, PyObject *one) noexcept:
    cdef Ring *r = <Ring *>one
    if one == <PyObject *>None:
        return put_value(to, one)
    return (
        _is(one, RING)
        and put_array(to, 4)
        and _bytes(to, r._base)
        and _whole(to, 0)
        and _whole(to, r._closed)
        and _each(to, r._events, EVENT, _event)
    )


cdef bint _case(Buffer *to, PyObject *one) noexcept:
    cdef Case *c = <Case *>one
    return (
        put_array(to, 10)
        and _whole(to, c._key)
        and _whole(to, c._opened)
        and _whole(to, c._touched)
        and _whole(to, c._idle)
        and _whole(to, c._updates)
        and _whole(to, c._moves)
        and _whole(to, c._comments)
        and _whole(to, c._returns)
        and _whole(to, c._hands)
        and put_flag(to, c._solved)
    )


cdef bint _tally(Buffer *to, PyObject *one) noexcept:
    cdef Tally *t = <Tally *>one
    if one == <PyObject *>None:
        return put_value(to, one)
    return (
        _is(one, TALLY)
        and put_array(to, 22)
        and _whole(to, t._first)
        and _whole(to, t._begun)
        and _whole(to, t._ended)
        and _whole(to, t._apart)
        and _whole(to, t._outcome)
        and _whole(to, t._outcome_before)
        and _whole(to, t._contacts)
        and _whole(to, t._ends)
        and _whole(to, t._followed)
        and _whole(to, t._wait)
        and _whole(to, t._talk)
        and _whole(to, t._solved)
        and _whole(to, t._came_back)
        and _whole(to, t._c0)
        and _whole(to, t._c1)
        and _whole(to, t._c2)
        and _whole(to, t._c3)
        and _whole(to, t._g0)
        and _whole(to, t._g1)
        and _whole(to, t._g2)
        and _whole(to, t._g3)
        and _each(to, t._cases, CASE, _case)
    )


cdef bint _customer(Buffer *to, PyObject *one, bint with_ring) noexcept:
    cdef Customer *s = <Customer *>one
    return (
        _is(one, CUSTOMER)
        and put_array(to, 27 if s._reply_gap else 26)
        and _whole(to, <CPyTagged>_schema << 1)
        and put_text(to, s._tenant)
        and put_text(to, s._customer)
        and put_text(to, s._reference)
        and _whole(to, s._applied)
        and _whole(to, s._now)
        and _sums(to, s._sums)
        and put_real(to, s._observed)
        and _whole(to, s._observed_at)
        and _context(to, s._context)
        and _each(to, s._journeys, JOURNEY, _journey)
        and _each(to, s._attempts, ATTEMPT, _attempt)
        and _each(to, s._contacts, CONTACT, _contact)
        and _each(to, s._waits, WAIT, _wait)
        and _each(to, s._owed, OWED, _owed)
        and _each(to, s._solved, SOLVED, _solved)
        and _bytes(to, s._seen)
        and _whole(to, s._case)
        and _nested(to, s._fields)
        and _nested(to, s._refs)
        and put_text(to, s._last_source)
        and put_text(to, s._last_id)
        and put_flag(to, s._anonymous)
        and _whole(to, s._epoch)
        and (_ring(to, s._ring) if with_ring else put_value(to, <PyObject *>None))
        and _tally(to, s._tally)
        and (not s._reply_gap or _whole(to, s._reply_gap))
    )


def state(customer, bint with_ring):
    """A customer's record before it is compressed, its ring in it or not; None where a field is unusual."""
    cdef Buffer to
    to.room = 4096
    to.size = 0
    to.data = <unsigned char *>malloc(to.room)
    if to.data == NULL:
        raise MemoryError
    try:
        if _schema and _customer(&to, <PyObject *>customer, with_ring):
            return PyBytes_FromStringAndSize(<char *>to.data, to.size)
        return None
    finally:
        free(to.data)
