/* The classes Reader and Batch: what a schema says of raw columns, and rows that came in. */
#include "incoming_object.h"

#include "incoming_arrow.h"

PyTypeObject *reader_type, *batch_type;

/* The values that a column may have: a tuple of integers in ascending order, or of texts. */
static int take_allowed(struct named_rule *own)
{
    const Py_ssize_t count = PyTuple_Size(own->allowed);
    if (own->rule.kind == 't') {
        own->rule.allowed_words = &own->words;
        return fill_table(&own->words, own->allowed);
    }
    i64 *values = PyMem_Calloc((size_t)count + 1, sizeof *values);
    if (!values) {
        PyErr_NoMemory();
        return 0;
    }
    own->rule.allowed = values;
    own->rule.allowed_count = (u64)count;
    for (Py_ssize_t index = 0; index < count; index++) {
        values[index] = PyLong_AsLongLong(PyTuple_GetItem(own->allowed, index));
        if (PyErr_Occurred())
            return 0;
    }
    return 1;
}

static int take_rule(struct named_rule *own, PyObject *rule)
{
    PyObject *name, *allowed;
    int kind, nullable;
    long long least, most;
    if (!PyArg_ParseTuple(rule, "O!CpddLLO", &PyUnicode_Type, &name, &kind, &nullable, &own->rule.low, &own->rule.high,
                          &least, &most, &allowed))
        return 0;
    own->name = Py_NewRef(name);
    own->rule.kind = (u32)kind;
    own->rule.nullable = (u32)nullable;
    own->rule.least = least;
    own->rule.most = most;
    if (allowed == Py_None)
        return 1;
    if (!PyTuple_Check(allowed)) {
        PyErr_SetString(PyExc_TypeError, "found other allowed values than a tuple");
        return 0;
    }
    own->allowed = Py_NewRef(allowed);
    return take_allowed(own);
}

static int take_rules(Reader *self, PyObject *rules)
{
    self->rules = PyMem_Calloc((size_t)PyTuple_Size(rules) + 1, sizeof *self->rules);
    PyObject *names = PyTuple_New(PyTuple_Size(rules));
    if (!self->rules || !names) {
        Py_XDECREF(names);
        PyErr_NoMemory();
        return 0;
    }
    for (Py_ssize_t number = 0; number < PyTuple_Size(rules); number++) {
        struct named_rule *own = &self->rules[self->count++];
        if (!take_rule(own, PyTuple_GetItem(rules, number))) {
            Py_DECREF(names);
            return 0;
        }
        PyTuple_SetItem(names, number, Py_NewRef(own->name));
    }
    const int filled = fill_table(&self->names, names); /* the texts live as long as the rules' names */
    Py_DECREF(names);
    return filled;
}

static PyObject *reader_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *rules;
    (void)kwargs;
    if (!PyArg_ParseTuple(args, "O!", &PyTuple_Type, &rules))
        return NULL;
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    Reader *self = (Reader *)allocate(type, 0);
    if (self && !take_rules(self, rules)) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static void reader_free(PyObject *object)
{
    Reader *self = (Reader *)object;
    PyTypeObject *type = Py_TYPE(object);
    for (u64 number = 0; number < self->count; number++) {
        struct named_rule *own = &self->rules[number];
        Py_XDECREF(own->name);
        Py_XDECREF(own->allowed);
        PyMem_Free((void *)own->rule.allowed);
        free_table(&own->words);
    }
    PyMem_Free(self->rules);
    free_table(&self->names);
    PyObject_Free(object);
    Py_DECREF(type);
}

void *batch_memory(Batch *self, u64 bytes)
{
    if (self->owned_count == self->owned_room) {
        const u64 room = self->owned_room ? 2 * self->owned_room : 16;
        void **more = PyMem_Realloc(self->owned, room * sizeof *more);
        if (!more)
            return PyErr_NoMemory();
        self->owned = more;
        self->owned_room = room;
    }
    void *memory = bytes < (u64)PY_SSIZE_T_MAX ? PyMem_Malloc((size_t)bytes + 1) : NULL;
    if (!memory)
        return PyErr_NoMemory();
    self->owned[self->owned_count++] = memory;
    return memory;
}

int batch_append(Batch *self, u64 number, const struct incoming_chunk *chunk)
{
    struct batch_column *column = &self->columns[number];
    if (!chunk->rows)
        return 1;
    if (column->count == column->room) {
        const u64 room = column->room ? 2 * column->room : 1;
        struct incoming_chunk *more = PyMem_Realloc(column->chunks, room * sizeof *more);
        if (!more) {
            PyErr_NoMemory();
            return 0;
        }
        column->chunks = more;
        column->room = room;
    }
    column->chunks[column->count] = *chunk;
    column->chunks[column->count++].first = column->rows;
    column->rows += chunk->rows;
    return 1;
}

/* Numbers of a chunk's words; those of the chunk before where the words are the same, and none where there are many
   more words than rows. */
static int number_words(const struct incoming *own, u64 chunk_number, i32 **numbers, Batch *self)
{
    const struct incoming_chunk *chunk = &own->chunks[chunk_number];
    if (!chunk->words || chunk->words->rows > 2 * chunk->rows + 64)
        return 1;
    if (chunk_number && chunk[-1].words == chunk->words && numbers[chunk_number - 1]) {
        numbers[chunk_number] = numbers[chunk_number - 1];
        return 1;
    }
    numbers[chunk_number] = batch_memory(self, chunk->words->rows * sizeof(i32));
    if (numbers[chunk_number])
        incoming_numbers(own, chunk->words, numbers[chunk_number]);
    return numbers[chunk_number] != NULL;
}

static struct batch_numbers *make_numbers(Batch *self, u64 number, const Plan *plan, const struct incoming *own)
{
    struct batch_numbers *made = batch_memory(self, sizeof *made);
    i32 **of_chunk = made ? batch_memory(self, own->chunk_count * sizeof *of_chunk) : NULL;
    if (!of_chunk)
        return NULL;
    for (u64 chunk = 0; chunk < own->chunk_count; chunk++) {
        of_chunk[chunk] = NULL;
        if (!number_words(own, chunk, of_chunk, self))
            return NULL;
    }
    *made = (struct batch_numbers){self->numbers, Py_NewRef((PyObject *)plan), number, of_chunk};
    self->numbers = made;
    return made;
}

int batch_incoming(Batch *self, u64 number, const Plan *plan, u64 first, struct incoming *incoming)
{
    const struct batch_column *column = &self->columns[number];
    const struct incoming_rule *rule = &self->reader->rules[number].rule;
    const u32 width = plan->words ? (u32)PyTuple_Size(plan->words) + 2 : 2;
    *incoming = (struct incoming){rule, column->chunks, column->count, first, &plan->table, width, NULL, NULL, 0};
    int has_words = 0;
    for (u64 chunk = 0; chunk < column->count; chunk++)
        has_words |= column->chunks[chunk].words != NULL;
    if (!has_words)
        return 1;
    struct batch_numbers *known = self->numbers;
    while (known && (known->plan != (const PyObject *)plan || known->column != number))
        known = known->next;
    if (!known)
        known = make_numbers(self, number, plan, incoming);
    if (known)
        incoming->numbers = (const i32 *const *)known->of_chunk;
    return known != NULL;
}

static void batch_free(PyObject *object)
{
    Batch *self = (Batch *)object;
    PyTypeObject *type = Py_TYPE(object);
    for (u64 number = 0; self->columns && number < self->reader->count; number++)
        PyMem_Free(self->columns[number].chunks);
    PyMem_Free(self->columns);
    for (u64 number = 0; self->texts && number < self->reader->count; number++)
        Py_XDECREF(self->texts[number]);
    PyMem_Free(self->texts);
    for (struct batch_numbers *own = self->numbers; own; own = own->next)
        Py_DECREF(own->plan);
    for (u64 number = 0; number < self->array_count; number++)
        if (self->arrays[number].release)
            self->arrays[number].release(&self->arrays[number]);
    PyMem_Free(self->arrays);
    for (u64 number = 0; number < self->view_count; number++)
        PyBuffer_Release(&self->views[number]);
    PyMem_Free(self->views);
    for (u64 number = 0; number < self->owned_count; number++)
        PyMem_Free(self->owned[number]);
    PyMem_Free(self->owned);
    Py_XDECREF((PyObject *)self->reader);
    PyObject_Free(object);
    Py_DECREF(type);
}

static Batch *batch_new(Reader *reader)
{
    allocfunc allocate = (allocfunc)PyType_GetSlot(batch_type, Py_tp_alloc);
    Batch *self = (Batch *)allocate(batch_type, 0);
    if (!self)
        return NULL;
    self->reader = (Reader *)Py_NewRef((PyObject *)reader);
    self->columns = PyMem_Calloc((size_t)reader->count + 1, sizeof *self->columns);
    self->views = PyMem_Calloc((size_t)reader->count + 1, sizeof *self->views);
    self->texts = PyMem_Calloc((size_t)reader->count + 1, sizeof *self->texts);
    if (self->columns && self->views && self->texts)
        return self;
    PyErr_NoMemory();
    Py_DECREF(self);
    return NULL;
}

/* The batch where it was read and all columns have as many rows, else None. */
static PyObject *finished(Batch *self, int status)
{
    for (u64 number = 0; status > 0 && number < self->reader->count; number++)
        if (self->columns[number].rows != self->columns[0].rows)
            status = 0;
    if (status > 0 && self->reader->count) {
        self->rows = self->columns[0].rows;
        return (PyObject *)self;
    }
    Py_DECREF(self);
    return status < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *reader_layout(PyObject *object, PyObject *capsule) { return read_layout((Reader *)object, capsule); }

static PyObject *reader_batches(PyObject *object, PyObject *args)
{
    PyObject *layout, *batches;
    if (!PyArg_ParseTuple(args, "OO!", &layout, &PyList_Type, &batches))
        return NULL;
    Batch *batch = batch_new((Reader *)object);
    return batch ? finished(batch, batch_read_batches(batch, layout, batches)) : NULL;
}

static PyObject *reader_columns(PyObject *object, PyObject *sources)
{
    Reader *self = (Reader *)object;
    if (!PyList_Check(sources) || (u64)PyList_Size(sources) != self->count)
        return PyErr_Format(PyExc_ValueError, "found other columns than the reader has");
    Batch *batch = batch_new(self);
    int status = batch != NULL;
    for (u64 number = 0; status > 0 && number < self->count; number++) {
        PyObject *source = PyList_GetItem(sources, (Py_ssize_t)number);
        status = PyCapsule_CheckExact(source) ? batch_read_stream(batch, source, number)
                                              : batch_read_buffer(batch, source, number);
    }
    return batch ? finished(batch, status) : NULL;
}

static Py_ssize_t batch_length(PyObject *object) { return (Py_ssize_t)((Batch *)object)->rows; }

static PyMethodDef reader_methods[] = {
    {"layout", reader_layout, METH_O,
     "layout(capsule): what an Arrow schema says of the reader's columns; None for one that conform has to judge."},
    {"batches", reader_batches, METH_VARARGS,
     "batches(layout, list): the batch of record batches of pyarrow; None for one that conform has to judge."},
    {"columns", reader_columns, METH_O,
     "columns(sources): the batch of a list with a buffer, a pair of one and a unit of time, or an Arrow stream for each "
     "column; None for one that conform has to judge."},
    {NULL, NULL, 0, NULL},
};
static PyMethodDef batch_methods[] = {
    {"texts", batch_texts, METH_O,
     "texts(column): (numbers of the rows, distinct texts, how many) of a text column; None where conform has to judge."},
    {NULL, NULL, 0, NULL},
};
static PyType_Slot reader_slots[] = {
    {Py_tp_new, reader_new}, {Py_tp_dealloc, reader_free}, {Py_tp_methods, reader_methods},
    {Py_tp_doc, "Reader(rules): reads raw columns; each rule is (name, kind, nullable, low, high, least, most, allowed)."},
    {0, NULL},
};
static PyType_Slot batch_slots[] = {
    {Py_tp_dealloc, batch_free}, {Py_sq_length, batch_length}, {Py_tp_methods, batch_methods}, {Py_tp_doc, "Raw rows that a plan reads."}, {0, NULL},
};
static PyType_Spec reader_spec = {"pipeline_lib.compiled._core.Reader", sizeof(Reader), 0, Py_TPFLAGS_DEFAULT, reader_slots};
static PyType_Spec batch_spec = {"pipeline_lib.compiled._core.Batch", sizeof(Batch), 0,
                                 Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, batch_slots};

int make_incoming_types(PyObject *module)
{
    if (!reader_type) /* else the module is imported once more: plans that are there still take batches */
        reader_type = (PyTypeObject *)PyType_FromSpec(&reader_spec);
    if (!batch_type)
        batch_type = (PyTypeObject *)PyType_FromSpec(&batch_spec);
    if (!reader_type || !batch_type)
        return -1;
    return PyModule_AddObjectRef(module, "Reader", (PyObject *)reader_type)
               ? -1
               : PyModule_AddObjectRef(module, "Batch", (PyObject *)batch_type);
}
