/* Many rows through a plan, from buffers to buffers. */
#include "incoming_object.h"
#include "rounding.h"
#include "text_results.h"

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

/* The UTF-8 of a batch's distinct texts; None is missing. They stay valid as long as `words`, a list that nobody changes.
   NULL with an error, or without one for text that has no UTF-8. */
static struct core_text *take_texts(PyObject *words)
{
    if (!PyList_Check(words)) {
        PyErr_SetString(PyExc_TypeError, "found text without a list of its words");
        return NULL;
    }
    const Py_ssize_t count = PyList_Size(words);
    struct core_text *texts = PyMem_Calloc((size_t)count + 1, sizeof *texts);
    if (!texts)
        return (struct core_text *)PyErr_NoMemory();
    for (Py_ssize_t number = 0; number < count; number++) {
        PyObject *word = PyList_GetItem(words, number);
        Py_ssize_t length = 0;
        const char *text = word == Py_None ? NULL : PyUnicode_AsUTF8AndSize(word, &length);
        if (word != Py_None && !text) {
            if (PyErr_ExceptionMatches(PyExc_UnicodeEncodeError))
                PyErr_Clear(); /* half of a surrogate pair */
            PyMem_Free(texts);
            return NULL;
        }
        texts[number] = (struct core_text){(const u8 *)text, (u64)length};
    }
    return texts;
}

static u64 bytes_of_cell(u32 kind) { return kind == 't' || kind == 's' ? 4 : kind == 'b' ? 1 : 8; }

/* A column of a batch, whose number stands in its place. */
static int take_raw(const Plan *self, PyObject *column, Batch *batch, u64 first, u64 stop, u32 kind, u32 width,
                    struct core_input *input, struct incoming *raw)
{
    const u64 place = PyLong_AsUnsignedLongLong(column);
    if (PyErr_Occurred())
        return 0;
    if (!batch || place >= batch->reader->count || stop > batch->rows || first > batch->rows - stop || !batch->rows ||
        incoming_register(&batch->reader->rules[place].rule) != kind ||
        (kind == 't' && (!self->words || (u64)PyTuple_Size(self->words) + 2 != width))) {
        PyErr_SetString(PyExc_ValueError, "found another batch than the plan reads");
        return 0;
    }
    if (!batch_incoming(batch, place, self, first, raw))
        return 0;
    raw->width = width;
    *input = (struct core_input){.raw = raw};
    return 1;
}

/* The texts of a column: those that a batch holds, or a list. */
static int take_words_texts(PyObject *words, struct core_input *input)
{
    const struct distinct_texts *distinct = texts_of_capsule(words);
    if (distinct) {
        input->texts = distinct->texts;
        input->word_count = distinct->count;
        return 1;
    }
    input->texts = input->own_texts = take_texts(words);
    if (input->texts)
        input->word_count = (u64)PyList_Size(words);
    return input->texts != NULL;
}

/* A column (codes, numbers): each number once. */
static int take_shared(u32 kind, PyObject *pair, u64 stop, struct core_input *input, Py_buffer *views, u64 *taken)
{
    PyObject *codes = PyTuple_GetItem(pair, 0), *numbers = PyTuple_GetItem(pair, 1);
    if (kind == 'v') {
        PyErr_SetString(PyExc_TypeError, "found vectors that rows share");
        return 0;
    }
    if (!take_buffer(codes, &views[*taken], stop * 4, 0))
        return 0;
    const i32 *code = views[(*taken)++].buf;
    if (!take_buffer(numbers, &views[*taken], 1, 0))
        return 0;
    const Py_buffer *view = &views[(*taken)++];
    *input = (struct core_input){.at = view->buf, .codes = code, .word_count = (u64)view->len / bytes_of_cell(kind)};
    return 1;
}

enum { MOST_WORDS = 4096 }; /* of a dictionary whose words get cells: each run makes them anew */

/* Whether each word of a chunk is valid, and one that may come. */
static int are_allowed(const struct core_input *input, const struct incoming *raw, u64 chunk)
{
    const i32 *numbers = raw->numbers[chunk];
    const u8 *allowed = input->allowed;
    const struct incoming_chunk *own = &raw->chunks[chunk];
    if (!numbers || !incoming_has_short_codes(own) || own->words->rows > MOST_WORDS ||
        (own->known && allowed && !allowed[raw->width - 1]))
        return 0;
    for (u64 word = 0; word < own->words->rows; word++)
        if (numbers[word] < 0 || (allowed && !allowed[numbers[word]]))
            return 0;
    return 1;
}

/* The cells of a dictionary's words, where all of them may come: then no row looks at its word. */
static int take_cells(Batch *batch, const struct core_input *input, struct incoming *raw)
{
    const u64 *of_word = input->of_word;
    for (u64 chunk = 0; chunk < raw->chunk_count; chunk++)
        if (!raw->numbers || !are_allowed(input, raw, chunk))
            return 1;
    const u64 **cells = batch_memory(batch, raw->chunk_count * sizeof *cells);
    for (u64 chunk = 0; cells && chunk < raw->chunk_count; chunk++) {
        const u64 words = raw->chunks[chunk].words->rows;
        if (chunk && raw->numbers[chunk] == raw->numbers[chunk - 1]) {
            cells[chunk] = cells[chunk - 1];
            continue;
        }
        u64 *own = batch_memory(batch, words * sizeof *own);
        if (!own)
            return 0;
        for (u64 word = 0; word < words; word++)
            own[word] = of_word[raw->numbers[chunk][word]];
        cells[chunk] = own;
    }
    raw->cells = cells;
    raw->missing_cell = of_word[raw->width - 1];
    return cells != NULL;
}

/* A column (number of a raw column of text, numbers of the words, bools of those that may come or None). */
static int take_by_word(const Plan *self, u32 kind, PyObject *parts, Batch *batch, u64 first, u64 stop,
                        struct core_input *input, struct incoming *raw, Py_buffer *views, u64 *taken)
{
    PyObject *allowed = PyTuple_GetItem(parts, 2);
    const u64 words = self->words ? (u64)PyTuple_Size(self->words) + 2 : 0;
    if (kind == 'v' || kind == 't' || kind == 's') {
        PyErr_SetString(PyExc_TypeError, "found no numbers of words");
        return 0;
    }
    if (!take_raw(self, PyTuple_GetItem(parts, 0), batch, first, stop, 't', (u32)words, input, raw) ||
        !take_buffer(PyTuple_GetItem(parts, 1), &views[*taken], words * bytes_of_cell(kind), 0))
        return 0;
    input->of_word = views[(*taken)++].buf;
    input->word_count = words;
    if (allowed != Py_None) {
        if (!take_buffer(allowed, &views[*taken], words, 0))
            return 0;
        input->allowed = views[(*taken)++].buf;
    }
    return kind == 'b' || take_cells(batch, input, raw);
}

static int take_columns(const Plan *self, PyObject *columns, Batch *batch, u64 first, u64 stop,
                        struct core_input *inputs, struct incoming *raw, Py_buffer *views, u64 *taken)
{
    for (u64 number = 0; number < self->plan->inputs; number++) {
        PyObject *column = PyList_GetItem(columns, (Py_ssize_t)number), *words = NULL;
        const u32 kind = self->plan->register_at[number].kind;
        if (PyLong_Check(column)) {
            if (!take_raw(self, column, batch, first, stop, kind, self->plan->register_at[number].width, &inputs[number],
                          &raw[number]))
                return 0;
            continue;
        }
        if (PyTuple_Check(column) && PyTuple_Size(column) == 3) { /* of a raw column of text a number for each word */
            if (!take_by_word(self, kind, column, batch, first, stop, &inputs[number], &raw[number], views, taken))
                return 0;
            continue;
        }
        const int is_text = kind == 't' || kind == 's', is_pair = PyTuple_Check(column) && PyTuple_Size(column) == 2;
        if (is_text && !is_pair) {
            PyErr_SetString(PyExc_TypeError, "found text without its words");
            return 0;
        }
        if (is_pair && !is_text) { /* each number once, and for each row which it has */
            if (!take_shared(kind, column, stop, &inputs[number], views, taken))
                return 0;
            continue;
        }
        if (is_text) {
            words = PyTuple_GetItem(column, 1);
            column = PyTuple_GetItem(column, 0);
        }
        const u64 parts = kind == 'v' ? self->plan->register_at[number].width : 1;
        if (!take_buffer(column, &views[*taken], stop * parts * bytes_of_cell(kind), 0))
            return 0;
        inputs[number] = (struct core_input){.at = views[*taken].buf, .stride = (u64)views[*taken].len / 8 / parts};
        (*taken)++;
        if (kind == 's') {
            if (!take_words_texts(words, &inputs[number]))
                return 0;
        } else if (words) {
            if (!take_buffer(words, &views[*taken], 4, 0))
                return 0;
            inputs[number].words = views[*taken].buf;
            inputs[number].word_count = (u64)views[(*taken)++].len / 4;
        }
    }
    return 1;
}

/* Text has codes and a list of words, to which those of these rows are appended. */
static int take_results(const Plan *self, PyObject *results, u64 stop, struct core_output *outputs,
                        struct text_results *texts, Py_buffer *views, u64 *taken)
{
    for (u64 number = 0; number < self->plan->outputs; number++) {
        const struct core_register *own = &self->plan->register_at[self->plan->output_at[number]];
        PyObject *result = PyList_GetItem(results, (Py_ssize_t)number);
        const u64 parts = own->kind == 'v' ? own->width : 1;
        if (own->kind == 's') {
            if (!PyTuple_Check(result) || PyTuple_Size(result) != 2 || !PyList_Check(PyTuple_GetItem(result, 1))) {
                PyErr_SetString(PyExc_TypeError, "found text without a list for its words");
                return 0;
            }
            texts[number].words = PyTuple_GetItem(result, 1);
            result = PyTuple_GetItem(result, 0);
        }
        if (!take_buffer(result, &views[*taken], stop * parts * bytes_of_cell(own->kind), 1))
            return 0;
        outputs[number] = (struct core_output){views[*taken].buf, (u64)views[*taken].len / bytes_of_cell(own->kind) / parts,
                                               take_result_texts, &texts[number]};
        texts[number].codes = views[*taken].buf;
        (*taken)++;
    }
    return 1;
}

enum { MOST_SPARE = 1 << 22 }; /* bytes of a frame that a plan keeps: making one costs more than running few rows */

/* A frame for blocks of so many rows or more, and how many: the spare one, or one that is made. */
static int take_frame(Plan *self, u64 *rows, struct memory *memory)
{
    if (self->spare.start && self->spare_rows >= *rows) {
        *memory = self->spare;
        *rows = self->spare_rows;
        self->spare = (struct memory){NULL, NULL};
        return 1;
    }
    const u64 needed = core_frame_memory(self->plan, *rows);
    if (!needed || !take_memory(memory, needed))
        return 0;
    core_frame_make(memory->at, self->plan, *rows);
    return 1;
}

static void give_frame(Plan *self, u64 rows, struct memory *memory)
{
    if (core_frame_memory(self->plan, rows) <= MOST_SPARE && (!self->spare.start || self->spare_rows < rows)) {
        const struct memory before = self->spare;
        self->spare = *memory;
        self->spare_rows = rows;
        *memory = before;
    }
    PyMem_Free(memory->start);
}

static int run_rows(Plan *self, const struct core_input *inputs, const struct core_output *outputs, u64 start, u64 stop)
{
    const u64 most = self->plan->block;
    u64 rows = stop - start < most ? (stop - start > 1 ? stop - start : 1) : most;
    struct memory memory = {NULL, NULL};
    if (!take_frame(self, &rows, &memory))
        return -1;
    int status;
    Py_BEGIN_ALLOW_THREADS
    const rounding_state before = set_rounding();
    status = core_run_rows(memory.at, inputs, outputs, start, stop);
    restore_rounding(before);
    Py_END_ALLOW_THREADS
    give_frame(self, rows, &memory);
    return status;
}

/* What a run needs for each of its columns. */
struct run_memory {
    Py_buffer *views;
    struct core_input *from;
    struct core_output *to;
    struct incoming *raw;
    struct text_results *texts;
    u64 taken;
};

static int take_run_memory(const Plan *self, struct run_memory *memory)
{
    const size_t inputs = (size_t)self->plan->inputs, outputs = (size_t)self->plan->outputs;
    memory->views = PyMem_Calloc(2 * inputs + outputs + 1, sizeof(Py_buffer));
    memory->from = PyMem_Calloc(inputs + 1, sizeof *memory->from);
    memory->to = PyMem_Calloc(outputs + 1, sizeof *memory->to);
    memory->raw = PyMem_Calloc(inputs + 1, sizeof *memory->raw);
    memory->texts = PyMem_Calloc(outputs + 1, sizeof *memory->texts);
    memory->taken = 0;
    return memory->views && memory->from && memory->to && memory->raw && memory->texts;
}

static void free_run_memory(const Plan *self, struct run_memory *memory)
{
    for (u64 number = 0; memory->from && number < self->plan->inputs; number++)
        PyMem_Free(memory->from[number].own_texts);
    for (u64 number = 0; number < memory->taken; number++)
        PyBuffer_Release(&memory->views[number]);
    PyMem_Free(memory->views);
    PyMem_Free(memory->from);
    for (u64 number = 0; memory->texts && number < self->plan->outputs; number++)
        free_result_texts(&memory->texts[number]);
    PyMem_Free(memory->texts);
    PyMem_Free(memory->to);
    PyMem_Free(memory->raw);
}

/* Hand the words of text to Python: -1 with an error. */
static int give_words(const Plan *self, struct run_memory *memory, u64 start, u64 stop)
{
    for (u64 number = 0; number < self->plan->outputs; number++)
        if (memory->texts[number].words) {
            const int status = give_result_words(&memory->texts[number], start, stop);
            if (status)
                return status;
        }
    return CORE_OK;
}

/* run(columns, results, start, stop, batch=None, first=0): whether no row was refused or
   left to others. */
PyObject *plan_run(PyObject *object, PyObject *args)
{
    Plan *self = (Plan *)object;
    PyObject *columns, *results, *batch = Py_None;
    unsigned long long start, stop, first = 0;
    if (!PyArg_ParseTuple(args, "O!O!KK|OK", &PyList_Type, &columns, &PyList_Type, &results, &start, &stop, &batch,
                          &first))
        return NULL;
    if (start > stop || stop > (u64)1 << 40 || (u64)PyList_Size(columns) != self->plan->inputs ||
        (u64)PyList_Size(results) != self->plan->outputs || (batch != Py_None && Py_TYPE(batch) != batch_type)) {
        PyErr_SetString(PyExc_ValueError, "found other columns or rows than the plan has");
        return NULL;
    }
    Batch *own = batch == Py_None ? NULL : (Batch *)batch;
    struct run_memory memory;
    int status = -1;
    if (!take_run_memory(self, &memory))
        PyErr_NoMemory();
    else if (take_columns(self, columns, own, first, stop, memory.from, memory.raw, memory.views, &memory.taken) &&
             take_results(self, results, stop, memory.to, memory.texts, memory.views, &memory.taken))
        status = run_rows(self, memory.from, memory.to, start, stop);
    else if (!PyErr_Occurred())
        status = CORE_FULL;
    if (status == CORE_OK)
        status = give_words(self, &memory, start, stop);
    free_run_memory(self, &memory);
    if (status < 0 && !PyErr_Occurred())
        PyErr_NoMemory();
    return status < 0 ? NULL : PyBool_FromLong(status == CORE_OK);
}
