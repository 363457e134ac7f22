/* One row through a plan, from a dict to a tuple: no Python code runs in between. */
#include "plan_object.h"
#include "rounding.h"
#include "text_results.h"

/* reads(readers, words, results): how single rows are read, and what words become.
   Each reader is (name, kind, nullable, finite, low, open_low, high, open_high, least, most, convert, absent): `absent`
   is a tuple of the default, or empty. */
PyObject *plan_reads(PyObject *object, PyObject *args)
{
    Plan *self = (Plan *)object;
    PyObject *readers, *words, *results;
    if (!PyArg_ParseTuple(args, "O!O!O!", &PyList_Type, &readers, &PyTuple_Type, &words, &PyList_Type, &results))
        return NULL;
    if (self->readers || (u64)PyList_Size(readers) != self->plan->inputs ||
        (u64)PyList_Size(results) != self->plan->outputs)
        return PyErr_Format(PyExc_ValueError, "found other columns than the plan has");
    self->results = Py_NewRef(results);
    if (!plan_take_words(self, words))
        return NULL;
    struct reader *own = PyMem_Calloc((size_t)self->plan->inputs + 1, sizeof *own);
    if (!own)
        return PyErr_NoMemory();
    self->readers = own;
    for (u64 number = 0; number < self->plan->inputs; number++, own++) {
        PyObject *absent;
        int kind;
        if (!PyArg_ParseTuple(PyList_GetItem(readers, (Py_ssize_t)number), "OiiididiLLOO!", &own->name, &kind,
                              &own->nullable, &own->finite, &own->low, &own->open_low, &own->high, &own->open_high,
                              &own->least, &own->most, &own->convert, &PyTuple_Type, &absent)) {
            own->name = own->convert = NULL;
            return NULL;
        }
        own->kind = (char)kind;
        Py_INCREF(own->name);
        PyUnicode_InternInPlace(&own->name); /* as the keys of a dict in Python source are: found without a comparison */
        Py_INCREF(own->convert);
        own->absent = PyTuple_Size(absent) ? Py_NewRef(PyTuple_GetItem(absent, 0)) : NULL;
    }
    const u64 needed = core_frame_memory(self->plan, 1);
    if (!needed || !take_memory(&self->one_memory, needed))
        return PyErr_NoMemory();
    self->one = self->one_memory.at;
    core_frame_make(self->one, self->plan, 1);
    for (u64 number = 0; number < self->plan->inputs; number++) {
        self->readers[number].cell = core_frame_input(self->one, number);
        self->readers[number].width = self->plan->register_at[number].width;
    }
    Py_RETURN_NONE;
}

/* Each returns 1, or 0 where Python has to judge the value. */
static int read_integer(const struct reader *own, PyObject *value, long long *number)
{
    int overflow;
    if (!PyLong_CheckExact(value))
        return 0;
    *number = PyLong_AsLongLongAndOverflow(value, &overflow);
    return !overflow && *number >= own->least && *number <= own->most;
}

static int read_number(const struct reader *own, PyObject *value, double *number)
{
    if (PyFloat_CheckExact(value)) {
        *number = PyFloat_AsDouble(value);
    } else {
        long long whole;
        if (value == Py_None && own->nullable) {
            *number = __builtin_nan("");
            return 1;
        }
        if (!read_integer(own, value, &whole))
            return 0;
        *number = (double)whole;
    }
    if (*number != *number)
        return own->nullable;
    if (own->finite && *number - *number != 0.0)
        return 0;
    return (own->open_low ? *number > own->low : *number >= own->low) &&
           (own->open_high ? *number < own->high : *number <= own->high);
}

/* Text of as many characters as the column may have. */
static int is_text(const struct reader *own, PyObject *value)
{
    if (!PyUnicode_CheckExact(value))
        return 0;
    const long long length = PyUnicode_GetLength(value);
    return length >= own->least && length <= own->most;
}

static int read_text(const Plan *self, const struct reader *own, PyObject *value, u32 width, i32 *number)
{
    Py_ssize_t length;
    if (value == Py_None && own->nullable) {
        *number = (i32)width - 1;
        return 1;
    }
    if (!is_text(own, value))
        return 0;
    const char *text = PyUnicode_AsUTF8AndSize(value, &length);
    if (!text) { /* half of a surrogate pair */
        PyErr_Clear();
        return 0;
    }
    *number = (i32)word_number(&self->table, text, (u64)length, (u64)length, width - 2);
    return 1;
}

static int read_whole_text(const struct reader *own, PyObject *value, struct core_text *cell)
{
    Py_ssize_t length;
    *cell = (struct core_text){NULL, 0};
    if (value == Py_None && own->nullable)
        return 1;
    if (!is_text(own, value))
        return 0;
    const char *text = PyUnicode_AsUTF8AndSize(value, &length);
    if (!text)
        PyErr_Clear();
    else
        *cell = (struct core_text){(const u8 *)text, (u64)length};
    return text != NULL;
}

static int read_value(const Plan *self, const struct reader *own, PyObject *value, u32 width, void *cell)
{
    long long whole;
    switch (own->kind) {
    case 'd':
        return read_number(own, value, cell);
    case 'n':
        if (value == Py_None) {
            *(double *)cell = __builtin_nan("");
            return 1;
        }
        if (!read_integer(own, value, &whole))
            return 0;
        *(double *)cell = (double)whole;
        return 1;
    case 'i':
        if (!read_integer(own, value, &whole))
            return 0;
        *(i64 *)cell = whole;
        return 1;
    case 'b':
        *(u8 *)cell = value == Py_True;
        return value == Py_True || value == Py_False;
    case 'm':
        *(double *)cell = value == Py_None ? __builtin_nan("") : value == Py_True ? 1.0 : 0.0;
        return value == Py_True || value == Py_False || value == Py_None;
    case 't':
        return read_text(self, own, value, width, cell);
    case 's':
        return read_whole_text(own, value, cell);
    default:
        return 0;
    }
}

/* A value that a Python function converts to an int; -1 with an error, 0 where it gives None. */
static int convert_value(const struct reader *own, PyObject *value, i64 *cell)
{
    PyObject *converted = PyObject_CallFunctionObjArgs(own->convert, value, NULL);
    if (!converted)
        return -1;
    int status = 0;
    if (converted != Py_None) {
        *cell = PyLong_AsLongLong(converted);
        status = PyErr_Occurred() ? -1 : 1;
    }
    Py_DECREF(converted);
    return status;
}

static PyObject *result_of(const Plan *self, u64 number)
{
    const struct core_register *own = &self->plan->register_at[self->plan->output_at[number]];
    const void *cell = core_frame_output(self->one, number);
    switch (own->kind) {
    case 'd':
        return PyFloat_FromDouble(*(const f64 *)cell);
    case 'i':
        return PyLong_FromLongLong(*(const i64 *)cell);
    case 'b':
        return PyBool_FromLong(*(const u8 *)cell);
    case 't':
        return Py_NewRef(PyTuple_GetItem(PyList_GetItem(self->results, (Py_ssize_t)number), *(const i32 *)cell));
    case 's':
        return python_text(*(const struct core_text *)cell);
    default:
        PyErr_SetString(PyExc_TypeError, "found a vector as a result of one row");
        return NULL;
    }
}

/* A row's values, each held; 0 where a key is absent or Python gives up, -1 with an error. Everything that may run
   Python code, and so another row through the same frame, is done here: keys are compared, dates converted. */
static int hold_values(const Plan *self, PyObject *row, PyObject **values, i64 *converted)
{
    for (u64 number = 0; number < self->plan->inputs; number++) {
        const struct reader *own = &self->readers[number];
        PyObject *value = PyDict_GetItemWithError(row, own->name);
        if (!value && PyErr_Occurred())
            return -1;
        if (!value)
            value = own->absent;
        if (!value)
            return 0;
        values[number] = Py_NewRef(value);
        const int status = own->kind == 'c' ? convert_value(own, value, &converted[number]) : 1;
        if (status <= 0)
            return status;
    }
    return 1;
}

/* Values into the frame's cells; 0 where Python has to judge one. */
static int fill_inputs(const Plan *self, PyObject **values, const i64 *converted)
{
    for (u64 number = 0; number < self->plan->inputs; number++) {
        const struct reader *own = &self->readers[number];
        if (own->kind == 'c')
            *(i64 *)own->cell = converted[number];
        else if (!read_value(self, own, values[number], own->width, own->cell))
            return 0;
    }
    return 1;
}

/* Fill the frame, run it and give its results: no Python code runs in between. Bounds are compared as the caller's way to
   round may not have it: with subnormal numbers. */
static int answer(const Plan *self, PyObject **values, const i64 *converted, PyObject *results)
{
    const rounding_state before = set_rounding();
    const int filled = fill_inputs(self, values, converted);
    const int status = filled ? core_frame_run(self->one, 1) : CORE_FULL;
    restore_rounding(before);
    if (status)
        return status == CORE_REFUSED ? 2 : 0;
    for (u64 number = 0; number < self->plan->outputs; number++) {
        PyObject *result = result_of(self, number);
        if (!result || PyTuple_SetItem(results, (Py_ssize_t)number, result))
            return -1;
    }
    return 1;
}

enum { ON_STACK = 64 };

/* row(mapping): a tuple of results; None where Python has to judge the row, False where it is refused. */
PyObject *plan_row(PyObject *object, PyObject *row)
{
    Plan *self = (Plan *)object;
    if (!self->one)
        return PyErr_Format(PyExc_ValueError, "found a plan without readers");
    if (!PyDict_CheckExact(row))
        Py_RETURN_NONE;
    const size_t count = (size_t)self->plan->inputs;
    PyObject *few[ON_STACK] = {NULL}, **values = few;
    i64 few_converted[ON_STACK], *converted = few_converted;
    if (count > ON_STACK) {
        values = PyMem_Calloc(count, sizeof *values);
        converted = PyMem_Calloc(count, sizeof *converted);
    }
    PyObject *results = PyTuple_New((Py_ssize_t)self->plan->outputs); /* now: later, collecting garbage could run code */
    int status = -1;
    if (!values || !converted)
        PyErr_NoMemory();
    else if (results)
        status = hold_values(self, row, values, converted);
    if (status > 0)
        status = answer(self, values, converted, results);
    for (size_t number = 0; values && number < count; number++)
        Py_XDECREF(values[number]);
    if (count > ON_STACK) {
        PyMem_Free(values);
        PyMem_Free(converted);
    }
    if (status == 1)
        return results;
    Py_XDECREF(results);
    if (status < 0)
        return NULL;
    if (status == 2)
        Py_RETURN_FALSE;
    Py_RETURN_NONE;
}
