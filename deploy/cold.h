/* What the compiled detectors call only on the way out of an error: the compiler puts what leads there out of
   the way of what runs for every event. Declared as in mypyc's CPy.h. */
#ifndef PY_SSIZE_T_CLEAN
#define PY_SSIZE_T_CLEAN
#endif
#include <Python.h>

#define COLD __attribute__((cold))

COLD void CPyError_OutOfMemory(void);
COLD void CPy_TypeError(const char *expected, PyObject *value);
COLD void CPy_AddTraceback(const char *filename, const char *funcname, int line, PyObject *globals);
COLD void CPy_TypeErrorTraceback(
    const char *filename, const char *funcname, int line, PyObject *globals, const char *expected,
    PyObject *value);
