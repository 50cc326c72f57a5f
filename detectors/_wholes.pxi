# Integers of mypyc, of ``_structs.pxi``, in MessagePack, of ``_messagepack.pxi``.


cdef inline bint _whole(Buffer *to, CPyTagged value) noexcept:
    """An integer of mypyc: shifted by one bit, or, where the lowest is set, an object."""
    if value & 1:
        return put_value(to, <PyObject *>(value & ~<CPyTagged>1))
    return put_integer(to, <int64_t>(<Py_ssize_t>value >> 1))
