/* What a fuzz target needs: memory of its exact size, and numbers drawn from the bytes that the fuzzer gives.

   Every column, array and scratch has an allocation of its own, so that AddressSanitizer sees each cell beyond. */
#ifndef PIPELINE_FUZZ_TARGET_H
#define PIPELINE_FUZZ_TARGET_H

#include <stdlib.h>
#include <string.h>

#include "../plan.h"

#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#include <sanitizer/msan_interface.h>
#define IS_MSAN 1
#endif
#endif
#ifndef IS_MSAN
#define IS_MSAN 0
#define __msan_check_mem_is_initialized(memory, bytes) ((void)(memory), (void)(bytes))
#endif

extern const struct core_operation core_operations_0[];
extern const u64 core_operation_count_0;
#ifdef CORE_X86
extern const struct core_operation core_operations_1[], core_operations_2[];
#endif

#define WORD_COUNT 6 /* of a text column that comes in */

/* Bytes that are taken one after another, again from the start at their end. */
struct source {
    const u8 *bytes;
    u64 count, next;
};

static u64 next_byte(struct source *from) { return from->count ? from->bytes[from->next++ % from->count] : from->next++ * 37 & 255; }

static u64 next_word(struct source *from)
{
    u64 word = 0;
    for (int byte = 0; byte < 8; byte++)
        word = word << 8 | next_byte(from);
    return word;
}

static void *exact(u64 bytes)
{
    void *memory = NULL;
    if (posix_memalign(&memory, 64, bytes ? bytes : 1))
        abort();
    return memory;
}

/* Memory with other bytes than zeros. Frames and scratch are such: kernels fill vectors beyond the last row with
   whatever is there, and use nothing of it. */
static void *filled(u64 bytes) { return memset(exact(bytes), 0xA5, bytes); }

/* Memory that holds nothing: what MemorySanitizer calls uninitialised. */
static void *unfilled(u64 bytes) { return IS_MSAN ? exact(bytes) : filled(bytes); }

/* The operations of a level, NULL where this machine has it not. */
static const struct core_operation *operations_of(int level)
{
    if (level == 0)
        return core_operations_0;
#ifdef CORE_X86
    if (level == 1 && __builtin_cpu_supports("avx2"))
        return core_operations_1;
    if (level == 2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
        return core_operations_2;
#endif
    return NULL;
}

/* One cell of 64 bits: an edge, a small number, or any bits. */
static u64 cell_of(struct source *from, u32 kind)
{
    static const f64 FLOATS[] = {0.0, -0.0, 1.0, -1.0, 0.5, 2.5, 5e-324, 1e308, -1e308, 1e16, 4e18, 1e-160, 709.5};
    static const i64 INTS[] = {0, 1, -1, 2, 7, INT64_MIN, INT64_MIN + 1, INT64_MAX, 1LL << 53, 1 << 20, 366, 1000000};
    const u64 draw = next_byte(from);
    u64 bits;
    f64 number = FLOATS[draw % (sizeof FLOATS / sizeof *FLOATS)];
    if (draw < 128 && kind == 'i')
        return (u64)INTS[draw % (sizeof INTS / sizeof *INTS)];
    if (draw >= 224)
        return next_word(from);
    if (kind == 'i')
        return draw - 176;
    if (draw >= 128)
        number = draw >= 208 ? __builtin_nan("") : draw >= 200 ? (draw & 1 ? 1.0 : -1.0) / 0.0 : ((f64)draw - 160) / 4;
    memcpy(&bits, &number, 8);
    return bits;
}

#endif
