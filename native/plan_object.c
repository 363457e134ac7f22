/* Plans as objects of Python: made from bytes, freed. */
#include "plan_object.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

int take_memory(struct memory *memory, u64 bytes)
{
    memory->start = bytes < (u64)PY_SSIZE_T_MAX - 64 ? PyMem_Malloc((size_t)bytes + 64) : NULL;
    memory->at = memory->start ? (void *)(((uintptr_t)memory->start + 63) & ~(uintptr_t)63) : NULL;
    if (!memory->start)
        PyErr_NoMemory();
    return memory->start != NULL;
}

int fill_table(struct word_table *table, PyObject *words)
{
    const Py_ssize_t count = PyTuple_Size(words);
    const u64 size = word_slots((u64)count);
    table->slots = PyMem_Calloc(size, sizeof(struct word_slot));
    table->texts = PyMem_Calloc((size_t)count + 1, sizeof(char *));
    table->lengths = PyMem_Calloc((size_t)count + 1, sizeof(u64));
    if (!table->slots || !table->texts || !table->lengths) {
        PyErr_NoMemory();
        return 0;
    }
    table->slot_mask = size - 1;
    for (Py_ssize_t number = 0; number < count; number++) {
        Py_ssize_t length;
        table->texts[number] = PyUnicode_AsUTF8AndSize(PyTuple_GetItem(words, number), &length);
        if (!table->texts[number])
            return 0;
        table->lengths[number] = (u64)length;
        enter_word(table, (u64)number);
    }
    return 1;
}

void free_table(struct word_table *table)
{
    PyMem_Free(table->slots);
    PyMem_Free((void *)table->texts);
    PyMem_Free(table->lengths);
}

int plan_take_words(Plan *self, PyObject *words)
{
    if (self->words) {
        PyErr_SetString(PyExc_ValueError, "found a plan that has its words, expected one without");
        return 0;
    }
    self->words = Py_NewRef(words);
    return fill_table(&self->table, words);
}

/* knows(words): the words of the plan, without the last two numbers, for raw columns of text. */
PyObject *plan_knows(PyObject *object, PyObject *words)
{
    if (!PyTuple_Check(words))
        return PyErr_Format(PyExc_TypeError, "found other words than a tuple");
    if (!plan_take_words((Plan *)object, words))
        return NULL;
    Py_RETURN_NONE;
}

void plan_free(PyObject *object)
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
    free_table(&self->table);
    PyMem_Free(self->bytes.start);
    PyMem_Free(self->plan_memory.start);
    PyMem_Free(self->one_memory.start);
    PyMem_Free(self->spare.start);
    Py_XDECREF(self->words);
    Py_XDECREF(self->results);
    PyObject_Free(object);
    Py_DECREF(type);
}

#define HUGE_PAGE ((u64)1 << 21)
#define MANY_PAGES (2 * HUGE_PAGE) /* bytes from which huge pages are asked for */

/* Memory for a plan's bytes. Large trees are read in no order: of small pages the processor would remember too few. */
static int take_plan_memory(struct memory *memory, u64 bytes)
{
    const u64 more = bytes >= MANY_PAGES ? HUGE_PAGE : 0;
    if (!take_memory(memory, bytes + more))
        return 0;
#if defined(MADV_HUGEPAGE)
    if (more) {
        const uintptr_t start = ((uintptr_t)memory->at + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1);
        madvise((void *)start, bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE); /* where it fails, pages stay small */
        memory->at = (void *)start;
    }
#endif
    return 1;
}

static int load_plan(Plan *self, const char *bytes, Py_ssize_t size, int level)
{
    if (!take_plan_memory(&self->bytes, (u64)size + 64))
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

PyObject *plan_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
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
