/* Many rows through a plan, from buffers to buffers. */
#include "plan_object.h"
#include "rounding.h"

/* A buffer of at least so many bytes; its view has to be released. */
static int take_buffer(PyObject *object, Py_buffer *view, u64 bytes, int writable)
{
    if (PyObject_GetBuffer(object, view, PyBUF_C_CONTIGUOUS | (writable ? PyBUF_WRITABLE : 0)))
        return 0;
    if ((u64)view->len >= bytes)
        return 1;
    PyBuffer_Release(view);
    PyErr_SetString(PyExc_ValueError, "found a column with too few rows");
    return 0;
}

static u64 bytes_of_cell(u32 kind) { return kind == 't' ? 4 : kind == 'b' ? 1 : 8; }

static int take_columns(const Plan *self, PyObject *columns, u64 stop, struct core_input *inputs, Py_buffer *views,
                        u64 *taken)
{
    for (u64 number = 0; number < self->plan->inputs; number++) {
        PyObject *column = PyList_GetItem(columns, (Py_ssize_t)number), *words = NULL;
        const u32 kind = self->plan->register_at[number].kind;
        if (kind == 't' && (!PyTuple_Check(column) || PyTuple_Size(column) != 2)) {
            PyErr_SetString(PyExc_TypeError, "found text without its words");
            return 0;
        }
        if (kind == 't') {
            words = PyTuple_GetItem(column, 1);
            column = PyTuple_GetItem(column, 0);
        }
        const u64 parts = kind == 'v' ? self->plan->register_at[number].width : 1;
        if (!take_buffer(column, &views[*taken], stop * parts * bytes_of_cell(kind), 0))
            return 0;
        inputs[number] = (struct core_input){views[*taken].buf, NULL, 0, (u64)views[*taken].len / 8 / parts};
        (*taken)++;
        if (words) {
            if (!take_buffer(words, &views[*taken], 4, 0))
                return 0;
            inputs[number].words = views[*taken].buf;
            inputs[number].word_count = (u64)views[(*taken)++].len / 4;
        }
    }
    return 1;
}

static int take_results(const Plan *self, PyObject *results, u64 stop, struct core_output *outputs, Py_buffer *views,
                        u64 *taken)
{
    for (u64 number = 0; number < self->plan->outputs; number++) {
        const struct core_register *own = &self->plan->register_at[self->plan->output_at[number]];
        PyObject *result = PyList_GetItem(results, (Py_ssize_t)number);
        const u64 parts = own->kind == 'v' ? own->width : 1;
        if (!take_buffer(result, &views[*taken], stop * parts * bytes_of_cell(own->kind), 1))
            return 0;
        outputs[number] = (struct core_output){views[*taken].buf, (u64)views[*taken].len / bytes_of_cell(own->kind) / parts};
        (*taken)++;
    }
    return 1;
}

static int run_rows(const Plan *self, const struct core_input *inputs, const struct core_output *outputs, u64 start,
                    u64 stop)
{
    const u64 most = self->plan->block, rows = stop - start < most ? (stop - start > 1 ? stop - start : 1) : most;
    const u64 needed = core_frame_memory(self->plan, rows);
    struct memory memory = {NULL, NULL};
    if (!needed || !take_memory(&memory, needed))
        return -1;
    int status;
    Py_BEGIN_ALLOW_THREADS
    const rounding_state before = set_rounding();
    core_frame_make(memory.at, self->plan, rows);
    status = core_run_rows(memory.at, inputs, outputs, start, stop);
    restore_rounding(before);
    Py_END_ALLOW_THREADS
    PyMem_Free(memory.start);
    return status;
}

/* run(columns, results, start, stop): whether no row was refused. */
PyObject *plan_run(PyObject *object, PyObject *args)
{
    Plan *self = (Plan *)object;
    PyObject *columns, *results;
    unsigned long long start, stop;
    if (!PyArg_ParseTuple(args, "O!O!KK", &PyList_Type, &columns, &PyList_Type, &results, &start, &stop))
        return NULL;
    const u64 inputs = self->plan->inputs, outputs = self->plan->outputs;
    if (start > stop || stop > (u64)1 << 40 || (u64)PyList_Size(columns) != inputs || (u64)PyList_Size(results) != outputs) {
        PyErr_SetString(PyExc_ValueError, "found other columns or rows than the plan has");
        return NULL;
    }
    Py_buffer *views = PyMem_Calloc((size_t)(2 * inputs + outputs + 1), sizeof(Py_buffer));
    struct core_input *from = PyMem_Calloc((size_t)inputs + 1, sizeof *from);
    struct core_output *to = PyMem_Calloc((size_t)outputs + 1, sizeof *to);
    u64 taken = 0;
    int status = -1;
    if (!views || !from || !to)
        PyErr_NoMemory();
    else if (take_columns(self, columns, stop, from, views, &taken) && take_results(self, results, stop, to, views, &taken))
        status = run_rows(self, from, to, start, stop);
    for (u64 number = 0; number < taken; number++)
        PyBuffer_Release(&views[number]);
    PyMem_Free(views);
    PyMem_Free(from);
    PyMem_Free(to);
    if (status < 0 && !PyErr_Occurred())
        PyErr_NoMemory();
    return status < 0 ? NULL : PyBool_FromLong(status == CORE_OK);
}
