/* The core as a module of Python, for every version from 3.11 on: plans, blocks of rows, one row from a dict. */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#include "plan.h"

extern const struct core_operation core_operations_0[];
extern const u64 core_operation_count_0;
#ifdef CORE_X86
extern const struct core_operation core_operations_1[], core_operations_2[];
#endif

enum { LEVELS = 3 };
static const struct core_operation *const LEVEL_OPERATIONS[LEVELS] = {
    core_operations_0,
#ifdef CORE_X86
    core_operations_1, core_operations_2,
#else
    NULL, NULL,
#endif
};

static int level_is_usable(int level)
{
    if (level == 0)
        return 1;
#ifdef CORE_X86
    if (level == 1)
        return __builtin_cpu_supports("avx2") != 0;
    if (level == 2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
#endif
    return 0;
}

/* The processor's way to round: to nearest, with subnormal numbers, whatever the caller has set. */
#ifdef CORE_X86
typedef unsigned int rounding_state;
static rounding_state set_rounding(void)
{
    const rounding_state before = __builtin_ia32_stmxcsr();
    __builtin_ia32_ldmxcsr(0x1F80);
    return before;
}
static void restore_rounding(rounding_state before) { __builtin_ia32_ldmxcsr(before); }
#elif defined(__aarch64__)
typedef u64 rounding_state;
static rounding_state set_rounding(void)
{
    rounding_state before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" : : "r"((u64)0));
    return before;
}
static void restore_rounding(rounding_state before) { __asm__ volatile("msr fpcr, %0" : : "r"(before)); }
#else
typedef int rounding_state;
static rounding_state set_rounding(void) { return 0; }
static void restore_rounding(rounding_state before) { (void)before; }
#endif

/* Memory aligned to 64 bytes; `start` is what has to be freed. */
struct memory {
    void *start;
    void *at;
};

static int take_memory(struct memory *memory, u64 bytes)
{
    memory->start = bytes < (u64)PY_SSIZE_T_MAX - 64 ? PyMem_Malloc((size_t)bytes + 64) : NULL;
    memory->at = memory->start ? (void *)(((uintptr_t)memory->start + 63) & ~(uintptr_t)63) : NULL;
    if (!memory->start)
        PyErr_NoMemory();
    return memory->start != NULL;
}

/* How one raw value of a row is read: exact types only; anything else is for Python to judge. */
struct reader {
    PyObject *name;
    char kind;    /* d number, n whole number that may be missing, i whole number, b bool, m bool that may be missing,
                     t text, c by a Python function that gives an int */
    int nullable;
    int finite;
    int open_low, open_high; /* bounds that are excluded */
    double low, high;
    long long least, most;
    PyObject *convert;
    PyObject *absent; /* the value where the key is absent; NULL where it has to be there */
};

typedef struct {
    PyObject_HEAD
    struct memory bytes, plan_memory, one_memory;
    struct core_plan *plan;
    struct core_frame *one; /* the frame of single rows; the interpreter's lock guards it while no Python code runs */
    struct reader *readers;
    PyObject *words; /* a tuple of the plan's words, without the last two numbers */
    u32 *slots;      /* words by hash: number + 1, or 0 */
    u64 slot_mask;
    const char **texts;
    u64 *lengths;
    PyObject *results; /* for each output the objects of its words, or None */
} Plan;

static u64 hash_of(const char *text, u64 length)
{
    u64 hash = length * 0x9E3779B97F4A7C15u;
    for (; length >= 8; text += 8, length -= 8) {
        u64 part = 0;
        for (int byte = 0; byte < 8; byte++)
            part |= (u64)(u8)text[byte] << 8 * byte;
        hash = (hash ^ part) * 0xD6E8FEB86659FD93u;
        hash ^= hash >> 32;
    }
    u64 part = 0;
    for (u64 byte = 0; byte < length; byte++)
        part |= (u64)(u8)text[byte] << 8 * byte;
    hash = (hash ^ part) * 0xD6E8FEB86659FD93u;
    return hash ^ hash >> 29;
}

static int same_bytes(const char *left, const char *right, u64 length)
{
    for (u64 index = 0; index < length; index++)
        if (left[index] != right[index])
            return 0;
    return 1;
}

/* A text's number among the words; `count` for any other. */
static u64 word_number(const Plan *self, const char *text, u64 length, u64 count)
{
    if (!self->slots)
        return count;
    for (u64 slot = hash_of(text, length);; slot++) {
        const u32 number = self->slots[slot & self->slot_mask];
        if (!number)
            return count;
        if (self->lengths[number - 1] == length && same_bytes(self->texts[number - 1], text, length))
            return number - 1;
    }
}

static int index_words(Plan *self)
{
    const Py_ssize_t count = PyTuple_Size(self->words);
    u64 size = 8;
    while (size < (u64)count * 3)
        size *= 2;
    self->slots = PyMem_Calloc(size, sizeof(u32));
    self->texts = PyMem_Calloc((size_t)count + 1, sizeof(char *));
    self->lengths = PyMem_Calloc((size_t)count + 1, sizeof(u64));
    if (!self->slots || !self->texts || !self->lengths)
        return PyErr_NoMemory() != NULL;
    self->slot_mask = size - 1;
    for (Py_ssize_t number = 0; number < count; number++) {
        Py_ssize_t length;
        const char *text = PyUnicode_AsUTF8AndSize(PyTuple_GetItem(self->words, number), &length);
        if (!text)
            return 0;
        self->texts[number] = text;
        self->lengths[number] = (u64)length;
        u64 slot = hash_of(text, (u64)length);
        while (self->slots[slot & self->slot_mask])
            slot++;
        self->slots[slot & self->slot_mask] = (u32)number + 1;
    }
    return 1;
}

static void plan_free(PyObject *object)
{
    Plan *self = (Plan *)object;
    PyTypeObject *type = Py_TYPE(object);
    if (self->readers)
        for (u64 number = 0; number < self->plan->inputs; number++) {
            Py_XDECREF(self->readers[number].name);
            Py_XDECREF(self->readers[number].convert);
            Py_XDECREF(self->readers[number].absent);
        }
    PyMem_Free(self->readers);
    PyMem_Free(self->slots);
    PyMem_Free((void *)self->texts);
    PyMem_Free(self->lengths);
    PyMem_Free(self->bytes.start);
    PyMem_Free(self->plan_memory.start);
    PyMem_Free(self->one_memory.start);
    Py_XDECREF(self->words);
    Py_XDECREF(self->results);
    PyObject_Free(object);
    Py_DECREF(type);
}

static int load_plan(Plan *self, const char *bytes, Py_ssize_t size, int level)
{
    if (!take_memory(&self->bytes, (u64)size + 64))
        return 0;
    u8 *copy = self->bytes.at;
    for (Py_ssize_t index = 0; index < size + 64; index++)
        copy[index] = index < size ? (u8)bytes[index] : 0;
    const u64 needed = core_plan_memory(copy, (u64)size);
    if (!needed) {
        PyErr_SetString(PyExc_ValueError, "found bytes that are no plan of the core, expected one");
        return 0;
    }
    if (!take_memory(&self->plan_memory, needed))
        return 0;
    struct core_plan *plan = self->plan_memory.at;
    const char *wrong =
        core_plan_load(plan, copy, (u64)size, LEVEL_OPERATIONS[level], core_operation_count_0);
    if (wrong) {
        PyErr_Format(PyExc_ValueError, "found %s in instruction %llu of a plan of the core", wrong,
                     (unsigned long long)plan->wrong_instruction);
        return 0;
    }
    self->plan = plan;
    return 1;
}

static PyObject *plan_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    const char *bytes;
    Py_ssize_t size;
    int level;
    (void)kwargs;
    if (!PyArg_ParseTuple(args, "y#i", &bytes, &size, &level))
        return NULL;
    if (level < 0 || level >= LEVELS || !LEVEL_OPERATIONS[level] || !level_is_usable(level))
        return PyErr_Format(PyExc_ValueError, "found level %d, expected one that this machine has", level);
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    Plan *self = (Plan *)allocate(type, 0);
    if (!self)
        return NULL;
    if (!load_plan(self, bytes, size, level)) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

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
static PyObject *plan_run(PyObject *object, PyObject *args)
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

/* reads(readers, words, results): how single rows are read, and what words become.
   Each reader is (name, kind, nullable, finite, low, open_low, high, open_high, least, most, convert, absent): `absent`
   is a tuple of the default, or empty. */
static PyObject *plan_reads(PyObject *object, PyObject *args)
{
    Plan *self = (Plan *)object;
    PyObject *readers, *words, *results;
    if (!PyArg_ParseTuple(args, "O!O!O!", &PyList_Type, &readers, &PyTuple_Type, &words, &PyList_Type, &results))
        return NULL;
    if (self->readers || (u64)PyList_Size(readers) != self->plan->inputs ||
        (u64)PyList_Size(results) != self->plan->outputs)
        return PyErr_Format(PyExc_ValueError, "found other columns than the plan has");
    self->words = Py_NewRef(words);
    self->results = Py_NewRef(results);
    if (!index_words(self))
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
        Py_INCREF(own->convert);
        own->absent = PyTuple_Size(absent) ? Py_NewRef(PyTuple_GetItem(absent, 0)) : NULL;
    }
    const u64 needed = core_frame_memory(self->plan, 1);
    if (!needed || !take_memory(&self->one_memory, needed))
        return PyErr_NoMemory();
    self->one = self->one_memory.at;
    core_frame_make(self->one, self->plan, 1);
    Py_RETURN_NONE;
}

#define EXACT_INTEGER 9007199254740992LL /* 2**53 */

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

static int read_text(const Plan *self, const struct reader *own, PyObject *value, u32 width, i32 *number)
{
    Py_ssize_t length;
    if (value == Py_None && own->nullable) {
        *number = (i32)width - 1;
        return 1;
    }
    if (!PyUnicode_CheckExact(value))
        return 0;
    const char *text = PyUnicode_AsUTF8AndSize(value, &length);
    if (!text) { /* half of a surrogate pair */
        PyErr_Clear();
        return 0;
    }
    *number = (i32)word_number(self, text, (u64)length, width - 2);
    return 1;
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

/* Fill the frame, run it and give its results: no Python code runs in between. */
static int answer(const Plan *self, PyObject **values, const i64 *converted, PyObject *results)
{
    for (u64 number = 0; number < self->plan->inputs; number++) {
        const struct reader *own = &self->readers[number];
        void *cell = core_frame_input(self->one, number);
        if (own->kind == 'c')
            *(i64 *)cell = converted[number];
        else if (!read_value(self, own, values[number], self->plan->register_at[number].width, cell))
            return 0;
    }
    const rounding_state before = set_rounding();
    const int status = core_frame_run(self->one, 1);
    restore_rounding(before);
    if (status)
        return 2;
    for (u64 number = 0; number < self->plan->outputs; number++) {
        PyObject *result = result_of(self, number);
        if (!result || PyTuple_SetItem(results, (Py_ssize_t)number, result))
            return -1;
    }
    return 1;
}

enum { ON_STACK = 64 };

/* row(mapping): a tuple of results; None where Python has to judge the row, False where it is refused. */
static PyObject *plan_row(PyObject *object, PyObject *row)
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

static PyMethodDef plan_methods[] = {
    {"run", plan_run, METH_VARARGS, "run(columns, results, start, stop): whether no row was refused."},
    {"reads", plan_reads, METH_VARARGS, "reads(readers, words, results): how single rows are read."},
    {"row", plan_row, METH_O, "row(mapping): a tuple; None where Python has to judge the row, False where it is refused."},
    {NULL, NULL, 0, NULL},
};
static PyType_Slot plan_slots[] = {
    {Py_tp_new, plan_new}, {Py_tp_dealloc, plan_free}, {Py_tp_methods, plan_methods},
    {Py_tp_doc, "Plan(bytes, level): a plan of the core; ValueError for bytes that are none."}, {0, NULL},
};
static PyType_Spec plan_spec = {"pipeline_lib.compiled._core.Plan", sizeof(Plan), 0, Py_TPFLAGS_DEFAULT, plan_slots};

static PyObject *operations(PyObject *module, PyObject *none)
{
    (void)module, (void)none;
    PyObject *names = PyList_New(0);
    for (u64 index = 0; names && index < core_operation_count_0; index++) {
        PyObject *pair = Py_BuildValue("ss", core_operations_0[index].name, core_operations_0[index].kinds);
        if (!pair || PyList_Append(names, pair)) {
            Py_XDECREF(pair);
            Py_CLEAR(names);
            break;
        }
        Py_DECREF(pair);
    }
    return names;
}

static PyObject *levels(PyObject *module, PyObject *none)
{
    (void)module, (void)none;
    PyObject *usable = PyList_New(0);
    for (int level = 0; usable && level < LEVELS; level++) {
        if (!LEVEL_OPERATIONS[level] || !level_is_usable(level))
            continue;
        PyObject *number = PyLong_FromLong(level);
        if (!number || PyList_Append(usable, number))
            Py_CLEAR(usable);
        Py_XDECREF(number);
    }
    return usable;
}

static PyMethodDef functions[] = {
    {"operations", operations, METH_NOARGS, "operations(): names of the core's operations, with the kinds they take."},
    {"levels", levels, METH_NOARGS, "levels(): 0, and of 1 (AVX2) and 2 (AVX-512) those that this machine has."},
    {NULL, NULL, 0, NULL},
};

static int fill_module(PyObject *module)
{
    PyObject *type = PyType_FromSpec(&plan_spec);
    if (!type)
        return -1;
    const int status = PyModule_AddObjectRef(module, "Plan", type);
    Py_DECREF(type);
    return status;
}

static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, fill_module}, {0, NULL}};
static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_core", "Plans carried out by machine code.", 0, functions, module_slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__core(void);
PyMODINIT_FUNC PyInit__core(void) { return PyModuleDef_Init(&definition); }
