/* Elementary functions of columns and of the numbers of vectors, with the bits of portable_math. */
#include "math_exp.h"
#include "math_log.h"

CELLS_OF_ONE(exp, core_exp)
CELLS_OF_ONE(expm1, core_expm1)
CELLS_OF_ONE(sigmoid, core_sigmoid)
CELLS_OF_ONE(tanh, core_tanh)
CELLS_OF_ONE(exp_float32, core_exp_float32)
CELLS_OF_ONE(log, core_log)
CELLS_OF_ONE(log1p, core_log1p)
CELLS_OF_ONE(log2, core_log2)
CELLS_OF_ONE(log10, core_log10)

COLUMN_OF_ONE(exp)
COLUMN_OF_ONE(expm1)
COLUMN_OF_ONE(sigmoid)
COLUMN_OF_ONE(tanh)
COLUMN_OF_ONE(exp_float32)
COLUMN_OF_ONE(log)
COLUMN_OF_ONE(log1p)
COLUMN_OF_ONE(log2)
COLUMN_OF_ONE(log10)

/* Functions of the numbers of a vector: those of vector_function and activation. */
static inline vf core_relu(vf x) { return vf_where(x > 0.0, x, vf_of(0.0)); }
static inline vf core_logistic(vf x) { return 1.0 / (1.0 + core_exp(-x)); }

CELLS_OF_ONE(absolute_number, vf_abs)
CELLS_OF_ONE(sqrt_number, vf_sqrt)
CELLS_OF_ONE(relu, core_relu)
CELLS_OF_ONE(logistic, core_logistic)

VECTOR_OF_ONE(absolute_number)
VECTOR_OF_ONE(sqrt_number)
VECTOR_OF_ONE(relu)
VECTOR_OF_ONE(logistic)
VECTOR_OF_ONE(exp)
VECTOR_OF_ONE(exp_float32)
VECTOR_OF_ONE(log)
VECTOR_OF_ONE(sigmoid)
VECTOR_OF_ONE(tanh)

#define OPERATIONS_OF_MATH                                                                                             \
    {"exp", "d:d", exp_run, NULL, NULL}, {"expm1", "d:d", expm1_run, NULL, NULL},                                      \
        {"sigmoid", "d:d", sigmoid_run, NULL, NULL}, {"tanh", "d:d", tanh_run, NULL, NULL},                            \
        {"exp_float32", "d:d", exp_float32_run, NULL, NULL}, {"log", "d:d", log_run, NULL, NULL},                      \
        {"log1p", "d:d", log1p_run, NULL, NULL}, {"log2", "d:d", log2_run, NULL, NULL},                                \
        {"log10", "d:d", log10_run, NULL, NULL},                                                                       \
        {"vector_absolute", "v:v", absolute_number_vector_run, same_width_check, NULL},                                \
        {"vector_sqrt", "v:v", sqrt_number_vector_run, same_width_check, NULL},                                        \
        {"vector_relu", "v:v", relu_vector_run, same_width_check, NULL},                                               \
        {"vector_logistic", "v:v", logistic_vector_run, same_width_check, NULL},                                       \
        {"vector_exp", "v:v", exp_vector_run, same_width_check, NULL},                                                 \
        {"vector_exp_float32", "v:v", exp_float32_vector_run, same_width_check, NULL},                                 \
        {"vector_log", "v:v", log_vector_run, same_width_check, NULL},                                                 \
        {"vector_sigmoid", "v:v", sigmoid_vector_run, same_width_check, NULL},                                         \
        {"vector_tanh", "v:v", tanh_vector_run, same_width_check, NULL},
