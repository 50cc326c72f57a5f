# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Rows into columns: see ``quick.py``, which says when this is used."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE
from libc.stdint cimport int64_t
from libc.string cimport memcpy, memset

include "_messagepack.pxi"
include "_structs.pxi"
include "_wholes.pxi"


cdef enum:
    WIDEST = 64
    OF_EVENTS = 45
    MANY_SOURCES = 64

cdef PyObject *_event_row = NULL
cdef PyObject *_event = NULL
cdef PyObject *_rare = NULL
cdef list _alive = []


def know(event_row, event, rare):
    """The classes of an event's row and of what it is made of."""
    global _event_row, _event, _rare
    _alive[:] = [event_row, event, rare]
    _event_row, _event, _rare = <PyObject *>event_row, <PyObject *>event, <PyObject *>rare


# Memory of the block that was taken last, for the next one that begins: of hundreds of partitions each would
# keep what its largest block took, or ask for it again and again.
cdef Buffer _spare[WIDEST]
cdef int _spares = 0


cdef class Columns:
    """Rows of one width, each of their values added to its column as MessagePack.

    A row is read once, in the order in which it was made; best while the processor still has it at hand.
    """

    cdef Buffer _to[WIDEST]
    cdef int _width
    #: Rows that are here.
    cdef readonly Py_ssize_t count

    def __cinit__(self, int width):
        if not 0 < width <= WIDEST:
            raise ValueError("so many columns are not foreseen")
        self._width = width

    def __dealloc__(self):
        cdef int column
        for column in range(self._width):
            free(self._to[column].data)

    cdef void _begin(self) noexcept:
        global _spares
        if _spares == self._width and self._to[0].data == NULL:
            memcpy(self._to, _spare, sizeof(_spare))
            _spares = 0

    cdef void _end(self) noexcept:
        global _spares
        cdef int column
        for column in range(self._width):
            self._to[column].size = 0
        if self._width > _spares:
            for column in range(_spares):
                free(_spare[column].data)
            memcpy(_spare, self._to, sizeof(_spare))
            _spares = self._width
        else:
            for column in range(self._width):
                free(self._to[column].data)
        memset(self._to, 0, sizeof(self._to))
        self.count = 0

    @property
    def size(self):
        """Bytes of all columns together."""
        cdef size_t found = 0
        cdef int column
        for column in range(self._width):
            found += self._to[column].size
        return found

    def add(self, rows, size_t most):
        """Whether ``rows`` are here now: not one of them is, where a value or a row is unusual, or where all
        would be more than ``most`` bytes.
        """
        cdef size_t before[WIDEST]
        cdef Py_ssize_t at
        cdef int column
        cdef PyObject *row
        if type(rows) is not list:
            return False
        self._begin()
        for column in range(self._width):
            before[column] = self._to[column].size
        for at in range(PyList_GET_SIZE(rows)):
            row = <PyObject *>PyList_GET_ITEM(rows, at)
            if not _row(row, self._width, self._to):
                break
        else:
            if self.size <= most:
                self.count += PyList_GET_SIZE(rows)
                return True
        for column in range(self._width):
            self._to[column].size = before[column]
        return False

    def take(self, bytes before):
        """``before`` and an array of the columns; nothing is here any more."""
        cdef Buffer head
        cdef size_t size = len(before) + (1 if self._width < 16 else 3)
        cdef int column
        cdef char *here
        memset(&head, 0, sizeof(head))
        try:
            if not put_array(&head, self.count):
                raise MemoryError
            for column in range(self._width):
                size += head.size + self._to[column].size
            made = PyBytes_FromStringAndSize(NULL, size)
            here = PyBytes_AS_STRING(made)
            memcpy(here, PyBytes_AS_STRING(before), len(before))
            here = _head_of(here + len(before), self._width)
            for column in range(self._width):
                memcpy(here, head.data, head.size)
                here += head.size
                memcpy(here, self._to[column].data, self._to[column].size)
                here += self._to[column].size
        finally:
            free(head.data)
        self._end()
        return made


def columns(rows, int width, bytes before):
    """``before``, and MessagePack of the columns of ``rows``; None where a value or a row is unusual."""
    if not 0 < width <= WIDEST:
        return None
    made = Columns(width)
    return made.take(before) if made.add(rows, <size_t>-1) else None


def newest(rows):
    """The event time of each source's last row of ``events``, in their order; None where one is unusual."""
    cdef PyObject *sources[MANY_SOURCES]
    cdef CPyTagged times[MANY_SOURCES]
    cdef Py_ssize_t last[MANY_SOURCES]
    cdef Py_ssize_t at, known = 0, place = 0
    cdef PyObject *one
    cdef Event *e
    if type(rows) is not list:
        return None
    for at in range(PyList_GET_SIZE(rows)):
        one = <PyObject *>PyList_GET_ITEM(rows, at)
        if kind_of(one) != _event_row:
            return None
        e = <Event *>(<EventRow *>one)._e
        if e == NULL or kind_of(<PyObject *>e) != _event or e._source == NULL or e._time & 1:
            return None
        # A name is mostly the same object; of two that are equal the later one wins below.
        if known == 0 or sources[place] != e._source:
            place = 0
            while place < known and sources[place] != e._source:
                place += 1
            if place == known:
                if known == MANY_SOURCES:
                    return None
                sources[known] = e._source
                known += 1
        times[place], last[place] = e._time, at
    cdef dict found = {}
    for place in sorted(range(known), key=[last[place] for place in range(known)].__getitem__):
        found[<object>sources[place]] = <Py_ssize_t>times[place] >> 1
    return found


cdef char *_head_of(char *here, int width) noexcept:
    """Behind the head of the array of columns."""
    if width < 16:
        here[0] = <char>(0x90 | width)
        return here + 1
    here[0], here[1], here[2] = <char>0xDC, 0, <char>width
    return here + 3


cdef inline bint _row(PyObject *row, int width, Buffer *to) noexcept:
    return _tuple(row, width, to) if exact_tuple(row) else _event_of(row, width, to)


cdef bint _tuple(PyObject *row, int width, Buffer *to) noexcept:
    cdef int column
    if count_of(row) != width:
        return False
    for column in range(width):
        if not put_value(&to[column], item_of(row, column)):
            return False
    return True


cdef inline bint _or_nothing(Buffer *to, bint said, double value) noexcept:
    return put_real(to, value) if said else put_value(to, <PyObject *>None)


cdef bint _event_of(PyObject *one, int width, Buffer *to) noexcept:
    cdef EventRow *row = <EventRow *>one
    cdef Event *e
    cdef Rare *r
    if width != OF_EVENTS or kind_of(one) != _event_row:
        return False
    e = <Event *>row._e
    if row._e == NULL or kind_of(row._e) != _event or e._rare == NULL or kind_of(e._rare) != _rare:
        return False
    r = <Rare *>e._rare
    return (
        put_text(&to[0], e._tenant)
        and put_text(&to[1], e._customer)
        and put_text(&to[2], e._fact)
        and _whole(&to[3], e._time)
        and put_text(&to[4], e._id)
        and put_text(&to[5], e._source)
        and put_integer(&to[6], 0)
        and _whole(&to[7], row._late)
        and _whole(&to[8], row._ver)
        and _whole(&to[9], row._policy)
        and _whole(&to[10], e._partition)
        and _whole(&to[11], e._offset)
        and put_text(&to[12], e._type)
        and put_text(&to[13], e._channel)
        and put_text(&to[14], e._journey)
        and put_text(&to[15], e._step)
        and put_text(&to[16], e._intent)
        and put_text(&to[17], e._case_id)
        and put_text(&to[18], e._session)
        and put_text(&to[19], e._conversation)
        and put_text(&to[20], e._segment)
        and put_text(&to[21], e._release)
        and put_text(&to[22], e._device)
        and put_text(&to[23], r._priority)
        and put_text(&to[24], e._actor)
        and put_text(&to[25], e._direction)
        and put_integer(&to[26], e._anonymous)
        and put_text(&to[27], e._queue)
        and put_text(&to[28], r._where)
        and put_text(&to[29], e._result)
        and put_value(&to[30], r._wait_s)
        and put_value(&to[31], r._talk_s)
        and put_value(&to[32], r._amount)
        and _or_nothing(&to[33], row._scored, row._effort)
        and _or_nothing(&to[34], row._scored, row._effort_customer)
        and put_real(&to[35], row._acute)
        and put_real(&to[36], row._chronic)
        and _or_nothing(&to[37], row._scored, row._ces)
        and put_real(&to[38], row._human_need)
        and put_real(&to[39], row._coverage)
        and put_real(&to[40], row._sum_acute)
        and put_real(&to[41], row._sum_chronic)
        and put_real(&to[42], row._sum_customer_acute)
        and put_real(&to[43], row._sum_customer_chronic)
        and put_text(&to[44], e._attributes)
    )
