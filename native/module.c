/* The core as a module of Python, for every version from 3.11 on: its levels, and its classes. */
#include "incoming_object.h"

#include "lists.h"

extern const struct core_operation core_operations_0[];
#ifdef CORE_X86
extern const struct core_operation core_operations_1[], core_operations_2[];
#endif

const struct core_operation *const LEVEL_OPERATIONS[LEVELS] = {
    core_operations_0,
#ifdef CORE_X86
    core_operations_1, core_operations_2,
#else
    NULL, NULL,
#endif
};

int level_is_usable(int level)
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

static PyMethodDef plan_methods[] = {
    {"run", plan_run, METH_VARARGS,
     "run(columns, results, start, stop, batch=None, first=0): whether no row was refused; a number among the columns "
     "is a column of the batch, read from its row `first` on."},
    {"knows", plan_knows, METH_O, "knows(words): the texts of the plan, for raw columns of text."},
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

static PyObject *list_operations(PyObject *module, PyObject *none)
{
    (void)module, (void)none;
    PyObject *names = PyList_New(0);
    for (u64 index = 0; names && index < core_list_operation_count; index++) {
        PyObject *pair = Py_BuildValue("ss", core_list_operations[index].name, core_list_operations[index].kinds);
        if (!pair || PyList_Append(names, pair))
            Py_CLEAR(names);
        Py_XDECREF(pair);
    }
    return names;
}

static PyMethodDef functions[] = {
    {"operations", operations, METH_NOARGS, "operations(): names of the core's operations, with the kinds they take."},
    {"list_operations", list_operations, METH_NOARGS, "list_operations(): those of child rows, with their kinds."},
    {"reduce_lists", reduce_lists, METH_VARARGS,
     "reduce_lists(operation, values, keys, starts, result, width, seed): fill `result` from child rows."},
    {"levels", levels, METH_NOARGS, "levels(): 0, and of 1 (AVX2) and 2 (AVX-512) those that this machine has."},
    {NULL, NULL, 0, NULL},
};

/* Raised whenever Python has to call the core otherwise; pipeline_lib/compiled/native/core.py has the same number. */
enum { INTERFACE = 1 };

static int fill_module(PyObject *module)
{
    if (PyModule_AddIntConstant(module, "INTERFACE", INTERFACE))
        return -1;
    PyObject *type = PyType_FromSpec(&plan_spec);
    if (!type)
        return -1;
    const int status = PyModule_AddObjectRef(module, "Plan", type);
    Py_DECREF(type);
    return status ? status : make_incoming_types(module);
}

static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, fill_module}, {0, NULL}};
static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_core", "Plans carried out by machine code.", 0, functions, module_slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__core(void);
PyMODINIT_FUNC PyInit__core(void) { return PyModuleDef_Init(&definition); }
