/* The part of Python's limited API that the binding of the data plane uses, for machines without Python's headers and
   for other processors. Names and types: https://docs.python.org/3/c-api/stable.html. They are part of the stable ABI
   of Python 3.11 and never change. */
#ifndef PYTHON_H
#define PYTHON_H

#include <assert.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#define PY_VERSION_HEX 0x030b0000
#define PyMODINIT_FUNC __attribute__((visibility("default"))) PyObject *

typedef ssize_t Py_ssize_t;
typedef struct _object PyObject;
typedef struct _ts PyThreadState;
extern PyObject _Py_NoneStruct, *PyExc_OverflowError;
#define Py_None (&_Py_NoneStruct)

void Py_IncRef(PyObject *), Py_DecRef(PyObject *);
#define Py_INCREF(object) Py_IncRef((PyObject *)(object))
#define Py_DECREF(object) Py_DecRef((PyObject *)(object))
#define Py_XDECREF(object) Py_DecRef((PyObject *)(object))

_Noreturn void Py_FatalError(const char *);
PyObject *PyErr_Occurred(void);
int PyArg_UnpackTuple(PyObject *, const char *, Py_ssize_t, Py_ssize_t, ...);
PyObject *PyImport_ImportModule(const char *);
PyObject *PyObject_CallMethod(PyObject *, const char *, const char *, ...);
void *PyObject_Malloc(size_t);
void PyObject_Free(void *);

PyObject *PyLong_FromLong(long), *PyLong_FromUnsignedLong(unsigned long), *PyLong_FromLongLong(long long);
PyObject *PyLong_FromUnsignedLongLong(unsigned long long), *PyLong_FromVoidPtr(void *), *PyFloat_FromDouble(double);
double PyFloat_AsDouble(PyObject *);

PyThreadState *PyEval_SaveThread(void);
void PyEval_RestoreThread(PyThreadState *);
#define Py_BEGIN_ALLOW_THREADS { PyThreadState *saved_thread = PyEval_SaveThread();
#define Py_END_ALLOW_THREADS PyEval_RestoreThread(saved_thread); }

#endif
