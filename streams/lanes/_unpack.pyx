# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The records of batches without an object for each: see ``slices.py``, which says when this is used."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy


cdef enum:
    # Bytes of the shortest record: its size, attributes, time, offset, key, value and headers.
    LEAST = 7


cdef struct Place:
    # Sizes are -1 for what is not there; the bytes are in one of the payloads.
    int64_t offset, stamp
    const char *key
    const char *value
    int32_t key_size, value_size


cdef class Records:
    """Records in offset order, none of them an object until it is asked for: a sequence of ``kind``s.

    An object for each, its number, its time and its bytes, made all at once for a batch of thousands, is out
    of the processor's caches again when its turn comes.
    """

    cdef Place *_places
    cdef Py_ssize_t _count
    cdef list _payloads
    cdef object _kind
    #: Of all values together, in bytes.
    cdef readonly int64_t size

    def __cinit__(self, Py_ssize_t room, list payloads, kind):
        self._places = <Place *>malloc((room if room > 0 else 1) * sizeof(Place))
        if self._places == NULL:
            raise MemoryError
        self._payloads, self._kind = payloads, kind

    def __dealloc__(self):
        free(self._places)

    def __len__(self):
        return self._count

    def __getitem__(self, at):
        if isinstance(at, slice):
            return [self._record(place) for place in range(*at.indices(self._count))]
        place = at + self._count if at < 0 else at
        if not 0 <= place < self._count:
            raise IndexError("no such record")
        return self._record(place)

    cdef object _record(self, Py_ssize_t at):
        cdef Place *place = self._places + at
        return self._kind(place.offset, place.stamp, _bytes(place.key, place.key_size), _value(place), ())

    def part(self, Py_ssize_t start, Py_ssize_t stop):
        """Those from ``start`` to before ``stop``."""
        stop = min(stop, self._count)
        return _put_together([(self, start, stop)], stop - start, self._kind)

    def values(self, Py_ssize_t start, Py_ssize_t stop):
        """What is read of most records: offset, time stamp and value of each of those."""
        return _Values(self, max(start, 0), min(stop, self._count))


cdef class _Values:
    cdef Records _records
    cdef Py_ssize_t _at, _stop

    def __cinit__(self, Records records, Py_ssize_t start, Py_ssize_t stop):
        self._records, self._at, self._stop = records, start, stop

    def __iter__(self):
        return self

    def __next__(self):
        if self._at >= self._stop:
            raise StopIteration
        cdef Place *place = self._records._places + self._at
        self._at += 1
        return place.offset, place.stamp, _value(place)


cdef inline object _bytes(const char *at, int32_t size):
    return None if size < 0 else PyBytes_FromStringAndSize(at, size)


cdef inline object _value(Place *place):
    return _bytes(place.value, place.value_size)


cdef Records _put_together(list parts, Py_ssize_t room, kind):
    """Stretches (records, start, stop), one after the other."""
    cdef Records of
    cdef Py_ssize_t start, stop, at
    cdef Records made = Records(room, [], kind)
    for of, start, stop in parts:
        made._payloads += of._payloads
        memcpy(made._places + made._count, of._places + start, (stop - start) * sizeof(Place))
        for at in range(start, stop):
            made.size += max(0, of._places[at].value_size)
        made._count += stop - start
    return made


def joined(list parts):
    """Records of several, at least one, as one."""
    cdef Records first = parts[0]
    if len(parts) == 1:
        return first
    return _put_together([(part, 0, len(part)) for part in parts], sum(map(len, parts)), first._kind)


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
    # None has fewer bytes than these: what says that it has more records is not to get memory for them.
    if not 0 <= count <= PyBytes_GET_SIZE(raw) // LEAST:
        return None
    cdef Records found = Records(count, [raw], kind)
    return found if _read(found, raw, count, base, stamp, stamped, first) else None


cdef bint _read(
    Records to, bytes raw, int count, int64_t base, int64_t stamp, int64_t stamped, int64_t first
) noexcept:
    cdef const uint8_t *at = <const uint8_t *>PyBytes_AS_STRING(raw)
    cdef const uint8_t *end = at + PyBytes_GET_SIZE(raw)
    cdef const uint8_t *behind
    cdef int64_t size, delta, further, key_size, value_size
    cdef Place *place
    cdef int n
    for n in range(count):
        at = _varint(at, end, &size)
        # The attributes are one byte, of which nothing is in use yet.
        if at == NULL or size < 1 or size > end - at or at[0] != 0:
            return False
        behind = at + size
        at = _varint(at + 1, behind, &delta)
        if at == NULL:
            return False
        at = _varint(at, behind, &further)
        if at == NULL:
            return False
        at = _varint(at, behind, &key_size)
        if at == NULL or key_size > behind - at:
            return False
        place = to._places + to._count
        place.key = <const char *>at
        at = _varint(at + (key_size if key_size > 0 else 0), behind, &value_size)
        if at == NULL or value_size > behind - at:
            return False
        if base + further >= first:
            place.offset = base + further
            place.stamp = stamped if stamped >= 0 else stamp + delta
            place.key_size = <int32_t>(key_size if key_size >= 0 else -1)
            place.value = <const char *>at
            place.value_size = <int32_t>(value_size if value_size >= 0 else -1)
            to.size += max(0, place.value_size)
            to._count += 1
        at = behind
    return at == end
