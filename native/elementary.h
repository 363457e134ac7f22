/* Elementary functions of columns and of the numbers of vectors, with the bits of portable_math. */
#include "math_arc.h"
#include "math_exp.h"
#include "math_log.h"
#include "math_normal.h"
#include "math_power.h"
#include "math_trigonometry.h"

/* Functions of vectors alone: those of vector_function and activation. */
static inline vf core_relu(vf x) { return vf_where(x > 0.0, x, vf_of(0.0)); }
static inline vf core_logistic(vf x) { return 1.0 / (1.0 + core_exp(-x)); }

CELLS_OF_ONE(exp, core_exp)
CELLS_OF_ONE(expm1, core_expm1)
CELLS_OF_ONE(sigmoid, core_sigmoid)
CELLS_OF_ONE(tanh, core_tanh)
CELLS_OF_ONE(exp_float32, core_exp_float32)
CELLS_OF_ONE(log, core_log)
CELLS_OF_ONE(log1p, core_log1p)
CELLS_OF_ONE(log2, core_log2)
CELLS_OF_ONE(log10, core_log10)
CELLS_OF_ONE(sin, core_sin)
CELLS_OF_ONE(cos, core_cos)
CELLS_OF_ONE(tan, core_tan)
CELLS_OF_ONE(arcsin, core_arcsin)
CELLS_OF_ONE(arccos, core_arccos)
CELLS_OF_ONE(arctan, core_arctan)
CELLS_OF_ONE(cbrt, core_cbrt)
CELLS_OF_ONE(erf, core_erf)
CELLS_OF_ONE(ndtr, core_ndtr)
CELLS_OF_ONE(ndtri, core_ndtri)
CELLS_OF_ONE(absolute_number, vf_abs)
CELLS_OF_ONE(sqrt_number, vf_sqrt)
CELLS_OF_ONE(relu, core_relu)
CELLS_OF_ONE(logistic, core_logistic)

COLUMN_OF_ONE(exp)
COLUMN_OF_ONE(expm1)
COLUMN_OF_ONE(sigmoid)
COLUMN_OF_ONE(tanh)
COLUMN_OF_ONE(exp_float32)
COLUMN_OF_ONE(log)
COLUMN_OF_ONE(log1p)
COLUMN_OF_ONE(log2)
COLUMN_OF_ONE(log10)
COLUMN_OF_ONE(sin)
COLUMN_OF_ONE(cos)
COLUMN_OF_ONE(tan)
COLUMN_OF_ONE(arcsin)
COLUMN_OF_ONE(arccos)
COLUMN_OF_ONE(arctan)
COLUMN_OF_ONE(cbrt)
COLUMN_OF_ONE(erf)
COLUMN_OF_ONE(ndtr)
COLUMN_OF_ONE(ndtri)
COLUMN_OF_TWO(pow, core_pow)
COLUMN_OF_TWO(arctan2, core_arctan2)

VECTOR_OF_ONE(absolute_number)
VECTOR_OF_ONE(sqrt_number)
VECTOR_OF_ONE(relu)
VECTOR_OF_ONE(logistic)
VECTOR_OF_ONE(exp)
VECTOR_OF_ONE(exp_float32)
VECTOR_OF_ONE(log)
VECTOR_OF_ONE(sigmoid)
VECTOR_OF_ONE(tanh)
VECTOR_OF_ONE(sin)
VECTOR_OF_ONE(cos)

/* Each number of a vector to the power of a constant. */
static int power_vector_run(const struct core_call *call)
{
    struct core_operand in[2] = {call->in[0], {call->instruction->array_at->data, 1, 1}};
    struct core_call column = *call;
    column.in = in;
    for (size_t number = 0; number < call->out_width; number++) {
        in[0].at = (const f64 *)call->in[0].at + number * call->stride;
        column.out = (f64 *)call->out + number * call->stride;
        pow_run(&column);
    }
    return CORE_OK;
}

static const char *power_vector_check(const struct core_instruction *own, const u32 *widths)
{
    if (own->ints || own->arrays != 1 || own->array_at->kind != 'd' || own->array_at->count != 1)
        return "other settings than one exponent";
    return widths[0] == widths[1] ? NULL : "a result of another width than its input";
}

#define OPERATIONS_OF_ELEMENTARY                                                                                       \
    {"exp", "d:d", exp_run, NULL, NULL}, {"expm1", "d:d", expm1_run, NULL, NULL},                                      \
        {"sigmoid", "d:d", sigmoid_run, NULL, NULL}, {"tanh", "d:d", tanh_run, NULL, NULL},                            \
        {"exp_float32", "d:d", exp_float32_run, NULL, NULL}, {"log", "d:d", log_run, NULL, NULL},                      \
        {"log1p", "d:d", log1p_run, NULL, NULL}, {"log2", "d:d", log2_run, NULL, NULL},                                \
        {"log10", "d:d", log10_run, NULL, NULL}, {"sin", "d:d", sin_run, NULL, NULL},                                  \
        {"cos", "d:d", cos_run, NULL, NULL}, {"tan", "d:d", tan_run, NULL, NULL},                                      \
        {"arcsin", "d:d", arcsin_run, NULL, NULL}, {"arccos", "d:d", arccos_run, NULL, NULL},                          \
        {"arctan", "d:d", arctan_run, NULL, NULL}, {"cbrt", "d:d", cbrt_run, NULL, NULL},                              \
        {"erf", "d:d", erf_run, NULL, NULL}, {"ndtr", "d:d", ndtr_run, NULL, NULL},                                    \
        {"ndtri", "d:d", ndtri_run, NULL, NULL}, {"pow", "dd:d", pow_run, NULL, NULL},                                 \
        {"arctan2", "dd:d", arctan2_run, NULL, NULL},                                                                  \
        {"vector_absolute", "v:v", absolute_number_vector_run, same_width_check, NULL},                                \
        {"vector_sqrt", "v:v", sqrt_number_vector_run, same_width_check, NULL},                                        \
        {"vector_relu", "v:v", relu_vector_run, same_width_check, NULL},                                               \
        {"vector_logistic", "v:v", logistic_vector_run, same_width_check, NULL},                                       \
        {"vector_exp", "v:v", exp_vector_run, same_width_check, NULL},                                                 \
        {"vector_exp_float32", "v:v", exp_float32_vector_run, same_width_check, NULL},                                 \
        {"vector_log", "v:v", log_vector_run, same_width_check, NULL},                                                 \
        {"vector_sigmoid", "v:v", sigmoid_vector_run, same_width_check, NULL},                                         \
        {"vector_tanh", "v:v", tanh_vector_run, same_width_check, NULL},                                               \
        {"vector_sin", "v:v", sin_vector_run, same_width_check, NULL},                                                 \
        {"vector_cos", "v:v", cos_vector_run, same_width_check, NULL},                                                 \
        {"vector_power", "v:v", power_vector_run, power_vector_check, NULL},
