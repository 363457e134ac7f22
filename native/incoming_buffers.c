/* Columns of NumPy through the buffer protocol: numbers and bools where they are; texts are copied, since only Python may
   read its objects. */
#include "incoming_object.h"

/* The storage of a buffer's format; 0 for one that `conform` has to judge. */
static u32 storage_of(const Py_buffer *view)
{
    const char *format = view->format;
    if (!format || !format[0] || format[1])
        return 0;
    const Py_ssize_t size = view->itemsize;
    switch (format[0]) {
    case 'd':
        return size == 8 ? 'g' : 0;
    case 'f':
        return size == 4 ? 'f' : 0;
    case '?':
        return size == 1 ? '?' : 0;
    case 'O':
        return size == sizeof(PyObject *) ? 'O' : 0;
    case 'b':
    case 'h':
    case 'i':
    case 'l':
    case 'q':
    case 'n':
        return size == 1 ? 'c' : size == 2 ? 's' : size == 4 ? 'i' : size == 8 ? 'l' : 0;
    case 'B':
    case 'H':
    case 'I':
    case 'L':
    case 'Q':
    case 'N':
        return size == 1 ? 'C' : size == 2 ? 'S' : size == 4 ? 'I' : size == 8 ? 'L' : 0;
    default:
        return 0;
    }
}

/* A text of an object; 0 where `conform` has to judge. Missing are None and NaN: `text` is NULL then. */
static int text_of(PyObject *value, const char **text, Py_ssize_t *length)
{
    *text = NULL;
    *length = 0;
    if (!value)
        return 0;
    if (PyUnicode_CheckExact(value)) {
        *text = PyUnicode_AsUTF8AndSize(value, length);
        PyErr_Clear(); /* half of a surrogate pair */
        return *text != NULL;
    }
    if (value == Py_None)
        return 1;
    if (!PyFloat_CheckExact(value))
        return 0;
    const double number = PyFloat_AsDouble(value);
    return number != number;
}

static PyObject *object_at(const Py_buffer *view, i64 step, u64 row)
{
    return *(PyObject *const *)(const void *)((const u8 *)view->buf + (i64)row * step);
}

/* Objects as text in memory of the batch: offsets of 64 bits, bytes, and bits of what is known. */
static int take_texts(Batch *self, const Py_buffer *view, struct incoming_chunk *chunk)
{
    const u64 rows = chunk->rows;
    const char *text;
    Py_ssize_t length;
    i64 *offsets = batch_memory(self, (rows + 1) * sizeof *offsets);
    u8 *known = offsets ? batch_memory(self, rows / 8 + 1) : NULL;
    if (!known)
        return -1;
    offsets[0] = 0;
    for (u64 byte = 0; byte <= rows / 8; byte++)
        known[byte] = 0;
    for (u64 row = 0; row < rows; row++) {
        if (!text_of(object_at(view, chunk->step, row), &text, &length))
            return 0;
        offsets[row + 1] = offsets[row] + length;
        known[row >> 3] |= (u8)((text != NULL) << (row & 7));
    }
    u8 *bytes = batch_memory(self, (u64)offsets[rows]);
    if (!bytes)
        return -1;
    for (u64 row = 0; row < rows; row++) {
        /* the same objects: no code of Python ran in between */
        if (!text_of(object_at(view, chunk->step, row), &text, &length) || length != offsets[row + 1] - offsets[row])
            return 0;
        if (text)
            __builtin_memcpy(bytes + offsets[row], text, (size_t)length);
    }
    *chunk = (struct incoming_chunk){.rows = rows, .storage = 'U', .step = 8, .data = (const u8 *)offsets,
                                     .known = known, .text_stop = offsets[rows], .text = bytes};
    return 1;
}

int batch_read_buffer(Batch *self, PyObject *source, u64 column)
{
    u32 unit = 0;
    if (PyTuple_Check(source)) { /* dates are no type of a buffer: their integers, and the unit */
        int letter;
        if (!PyArg_ParseTuple(source, "OC", &source, &letter))
            return -1;
        unit = (u32)letter;
    }
    Py_buffer *view = &self->views[self->view_count];
    if (PyObject_GetBuffer(source, view, PyBUF_STRIDES | PyBUF_FORMAT)) {
        if (PyErr_ExceptionMatches(PyExc_MemoryError))
            return -1;
        PyErr_Clear();
        return 0;
    }
    self->view_count++;
    if (view->ndim != 1 || view->shape[0] < 0)
        return 0;
    struct incoming_chunk chunk = {.rows = (u64)view->shape[0], .storage = storage_of(view), .step = view->strides[0],
                                   .data = view->buf};
    if (unit && (chunk.storage != 'l' || (unit != 's' && unit != 'm' && unit != 'u' && unit != 'n')))
        return 0;
    if (unit)
        chunk.storage = 'T', chunk.unit = unit, chunk.nat_is_missing = 1;
    const struct incoming_rule *rule = &self->reader->rules[column].rule;
    if (chunk.storage == 'O') {
        const int status = rule->kind == 't' ? take_texts(self, view, &chunk) : 0;
        if (status <= 0)
            return status;
    } else if (!chunk.storage || !incoming_fits(rule, chunk.storage, 0)) {
        return 0;
    }
    return batch_append(self, column, &chunk) ? 1 : -1;
}
