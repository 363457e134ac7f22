/* Child rows for Python: columns are checked here, since they may come from anywhere. */
#include "lists.h"
#include "plan_object.h"
#include "rounding.h"

enum { VALUES, KEYS, STARTS, RESULT, COLUMNS };

static u64 bytes_of_value(char kind) { return kind == 'b' ? 1 : 8; }

/* What is wrong with columns of these lengths; NULL where nothing is. */
static const char *wrong_columns(const struct core_lists *lists, const char *kinds, const Py_buffer *views)
{
    const u64 values = (u64)views[VALUES].len / bytes_of_value(kinds[0]);
    if (views[STARTS].len < 8 || views[STARTS].len % 8 || lists->rows > (u64)1 << 40)
        return "starts of another length";
    if (lists->width < 1 || lists->width > 1 << 20 || (u64)views[RESULT].len != lists->rows * lists->width * 8)
        return "a result of another length";
    if (kinds[1] != ':' && (u64)views[KEYS].len / bytes_of_value(kinds[1]) != values)
        return "keys of another length";
    if (lists->starts[0] < 0 || (u64)lists->starts[lists->rows] > values)
        return "starts beyond the values";
    for (u64 row = 0; row < lists->rows; row++)
        if (lists->starts[row] > lists->starts[row + 1])
            return "starts that do not ascend";
    return NULL;
}

/* The places that values are entered in, twice 64 bits each; 0 where there is no memory. */
static int take_slots(struct core_lists *lists, const char *name)
{
    lists->slots = NULL;
    if (name[5] != 'd') /* list_distinct */
        return 1;
    lists->mask = core_distinct_mask(lists->starts, lists->rows);
    lists->slots = PyMem_Calloc((size_t)lists->mask + 1, 16);
    return lists->slots != NULL;
}

static PyObject *reduce(const struct core_list_operation *operation, struct core_lists *lists, Py_buffer *views)
{
    lists->values = views[VALUES].buf;
    lists->keys = views[KEYS].buf;
    lists->starts = views[STARTS].buf;
    lists->rows = (u64)views[STARTS].len / 8 - 1;
    lists->out = views[RESULT].buf;
    const char *wrong = wrong_columns(lists, operation->kinds, views);
    if (wrong)
        return PyErr_Format(PyExc_ValueError, "found %s, expected columns of one table", wrong);
    if (!take_slots(lists, operation->name))
        return PyErr_NoMemory();
    Py_BEGIN_ALLOW_THREADS
    const rounding_state before = set_rounding();
    operation->run(lists);
    restore_rounding(before);
    Py_END_ALLOW_THREADS
    PyMem_Free(lists->slots);
    Py_RETURN_NONE;
}

/* reduce_lists(operation, values, keys, starts, result, width, seed) */
PyObject *reduce_lists(PyObject *module, PyObject *args)
{
    (void)module;
    unsigned long long number, width, seed;
    PyObject *columns[COLUMNS];
    if (!PyArg_ParseTuple(args, "KOOOOKK", &number, &columns[VALUES], &columns[KEYS], &columns[STARTS], &columns[RESULT],
                          &width, &seed))
        return NULL;
    if (number >= core_list_operation_count)
        return PyErr_Format(PyExc_ValueError, "found operation %llu, expected one of list_operations()", number);
    const struct core_list_operation *operation = &core_list_operations[number];
    struct core_lists lists = {.width = width, .seed = seed};
    Py_buffer views[COLUMNS];
    PyObject *result = NULL;
    int taken = 0;
    for (; taken < COLUMNS; taken++) {
        const int flags = PyBUF_C_CONTIGUOUS | (taken == RESULT ? PyBUF_WRITABLE : 0);
        PyObject *column = taken == KEYS && operation->kinds[1] == ':' ? columns[VALUES] : columns[taken];
        if (PyObject_GetBuffer(column, &views[taken], flags))
            break;
    }
    if (taken == COLUMNS)
        result = reduce(operation, &lists, views);
    while (taken-- > 0)
        PyBuffer_Release(&views[taken]);
    return result;
}
