/* Vectors of one level. LEVEL is 0 (every machine), 1 (AVX2) or 2 (AVX-512); each level is compiled by itself. */
#ifndef PIPELINE_SIMD_H
#define PIPELINE_SIMD_H

#include "core.h"

#if LEVEL == 2
#define LANES 8
#elif LEVEL == 1
#define LANES 4
#else
#define LANES 2
#endif

typedef f64 vf __attribute__((vector_size(8 * LANES)));
typedef i64 vi __attribute__((vector_size(8 * LANES)));
typedef u64 vu __attribute__((vector_size(8 * LANES)));

/* Memory that need not be aligned, and may hold other types. */
typedef f64 vf_any __attribute__((vector_size(8 * LANES), aligned(1), may_alias));
typedef i64 vi_any __attribute__((vector_size(8 * LANES), aligned(1), may_alias));

static inline vf vf_load(const f64 *from) { return *(const vf_any *)from; }
static inline void vf_store(f64 *to, vf value) { *(vf_any *)to = value; }
static inline vi vi_load(const i64 *from) { return *(const vi_any *)from; }
static inline void vi_store(i64 *to, vi value) { *(vi_any *)to = value; }
static inline vf vf_of(f64 value) { return value - (vf){0}; } /* value - 0.0 has the bits of value, -0.0 too */
static inline vi vi_of(i64 value) { return (vi){0} + value; }

/* The bits of a double as an integer, and back. */
static inline vi vf_bits(vf value) { return (vi)value; }
static inline vf vi_floats(vi bits) { return (vf)bits; }

/* `then` in the lanes whose mask is -1, `other` where it is 0. */
static inline vf vf_where(vi mask, vf then, vf other) { return (vf)(((vi)then & mask) | ((vi)other & ~mask)); }
static inline vi vi_where(vi mask, vi then, vi other) { return (then & mask) | (other & ~mask); }

static inline f64 bits_float(u64 bits) {
    union {
        u64 bits;
        f64 value;
    } both = {bits};
    return both.value;
}

static inline u64 float_bits(f64 value) {
    union {
        f64 value;
        u64 bits;
    } both = {value};
    return both.bits;
}

#endif
