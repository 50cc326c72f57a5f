# MessagePack as msgspec writes it, into a buffer of our own. Included where it is needed.

from cpython.object cimport PyObject
from libc.stdint cimport int64_t
from libc.stdlib cimport free, malloc


cdef extern from *:
    """
    typedef struct { unsigned char *data; size_t size, room; } Buffer;

    /* Every one of these is false where there is no memory, or the value is not of the usual kinds. */
    static int more_room(Buffer *to, size_t more) {
        size_t room = to->room * 2 + more;
        unsigned char *data = (unsigned char *)realloc(to->data, room);
        if (data == NULL) return 0;
        to->data = data;
        to->room = room;
        return 1;
    }
    static inline int has_room(Buffer *to, size_t more) {
        return to->size + more <= to->room || more_room(to, more);
    }
    static inline void put_big(Buffer *to, unsigned char mark, unsigned long long value, int width) {
        unsigned char *at = to->data + to->size;
        *at++ = mark;
        value = __builtin_bswap64(value << (64 - 8 * width));
        memcpy(at, &value, 8);
        to->size += 1 + width;
    }
    static inline int put_head(Buffer *to, size_t count, int small, size_t most, int w8, int w16, int w32) {
        if (!has_room(to, 9)) return 0;
        if (count < most) to->data[to->size++] = (unsigned char)(small | (int)count);
        else if (w8 && count < 256) put_big(to, (unsigned char)w8, count, 1);
        else if (count < 65536) put_big(to, (unsigned char)w16, count, 2);
        else put_big(to, (unsigned char)w32, count, 4);
        return 1;
    }
    static inline int put_array(Buffer *to, size_t count) {
        return put_head(to, count, 0x90, 16, 0, 0xDC, 0xDD);
    }
    static inline int put_integer(Buffer *to, long long value) {
        if (!has_room(to, 9)) return 0;
        if (value >= 0) {
            if (value < 128) to->data[to->size++] = (unsigned char)value;
            else if (value < 256) put_big(to, 0xCC, value, 1);
            else if (value < 65536) put_big(to, 0xCD, value, 2);
            else if (value >> 32 == 0) put_big(to, 0xCE, value, 4);
            else put_big(to, 0xCF, value, 8);
        }
        else if (value >= -32) to->data[to->size++] = (unsigned char)value;
        else if (value >= -128) put_big(to, 0xD0, (unsigned long long)value, 1);
        else if (value >= -32768) put_big(to, 0xD1, (unsigned long long)value, 2);
        else if (value >> 31 == -1) put_big(to, 0xD2, (unsigned long long)value, 4);
        else put_big(to, 0xD3, (unsigned long long)value, 8);
        return 1;
    }
    static inline int put_real(Buffer *to, double value) {
        unsigned long long bits;
        if (!has_room(to, 9)) return 0;
        memcpy(&bits, &value, 8);
        put_big(to, 0xCB, bits, 8);
        return 1;
    }
    static int put_other_text(Buffer *to, PyObject *value) {
        Py_ssize_t size = 0;
        const char *text;
        if (!PyUnicode_CheckExact(value)) return 0;
        text = PyUnicode_AsUTF8AndSize(value, &size);
        if (text == NULL) { PyErr_Clear(); return 0; }
        if (!has_room(to, (size_t)size) || !put_head(to, size, 0xA0, 32, 0xD9, 0xDA, 0xDB)) return 0;
        if (!has_room(to, (size_t)size)) return 0;
        memcpy(to->data + to->size, text, size);
        to->size += size;
        return 1;
    }
    static inline int put_text(Buffer *to, PyObject *value) {
        size_t size;
        const char *text;
        unsigned char *at;
        if (value == NULL) return 0;
        if (!PyUnicode_CheckExact(value) || !PyUnicode_IS_COMPACT_ASCII(value)) return put_other_text(to, value);
        size = (size_t)PyUnicode_GET_LENGTH(value);
        if (size > 255) return put_other_text(to, value);
        if (!has_room(to, 2 + size)) return 0;
        text = (const char *)PyUnicode_1BYTE_DATA(value);
        at = to->data + to->size;
        if (size < 32) *at++ = (unsigned char)(0xA0 | size);
        else { *at++ = 0xD9; *at++ = (unsigned char)size; to->size++; }
        to->size += 1 + size;
        /* A call costs more than so few bytes; the last pieces overlap. */
        if (size >= 8) {
            size_t done = 0;
            for (; done + 8 < size; done += 8) memcpy(at + done, text + done, 8);
            memcpy(at + size - 8, text + size - 8, 8);
        } else if (size >= 4) {
            memcpy(at, text, 4);
            memcpy(at + size - 4, text + size - 4, 4);
        } else if (size > 0) {
            at[0] = (unsigned char)text[0];
            at[size / 2] = (unsigned char)text[size / 2];
            at[size - 1] = (unsigned char)text[size - 1];
        }
        return 1;
    }
    static inline int put_flag(Buffer *to, int value) {
        if (!has_room(to, 1)) return 0;
        to->data[to->size++] = value ? 0xC3 : 0xC2;
        return value == 0 || value == 1;
    }
    /* A text, a number, a truth or nothing. */
    static int put_value(Buffer *to, PyObject *value) {
        if (value == NULL) return 0;
        if (value == Py_None) {
            if (!has_room(to, 1)) return 0;
            to->data[to->size++] = 0xC0;
            return 1;
        }
        if (PyUnicode_CheckExact(value)) return put_text(to, value);
        if (PyFloat_CheckExact(value)) return put_real(to, PyFloat_AS_DOUBLE(value));
        if (PyLong_CheckExact(value)) {
            int overflow;
            long long whole = PyLong_AsLongLongAndOverflow(value, &overflow);
            if (overflow) return 0;
            return put_integer(to, whole);
        }
        if (value == Py_True || value == Py_False) return put_flag(to, value == Py_True);
        return 0;
    }
    """
    ctypedef struct Buffer:
        unsigned char *data
        size_t size
        size_t room

    bint has_room(Buffer *to, size_t more) noexcept
    bint put_head(Buffer *to, size_t count, int small, size_t most, int w8, int w16, int w32) noexcept
    bint put_array(Buffer *to, size_t count) noexcept
    bint put_integer(Buffer *to, int64_t value) noexcept
    bint put_real(Buffer *to, double value) noexcept
    bint put_text(Buffer *to, PyObject *value) noexcept
    bint put_flag(Buffer *to, int value) noexcept
    bint put_value(Buffer *to, PyObject *value) noexcept
