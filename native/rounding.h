/* The processor's way to round, which a caller may have set otherwise. */
#ifndef PIPELINE_ROUNDING_H
#define PIPELINE_ROUNDING_H

#include "core.h"

/* To nearest, with subnormal numbers. */
#ifdef CORE_X86
typedef unsigned int rounding_state;
static inline rounding_state set_rounding(void)
{
    const rounding_state before = __builtin_ia32_stmxcsr();
    __builtin_ia32_ldmxcsr(0x1F80);
    return before;
}
static inline void restore_rounding(rounding_state before) { __builtin_ia32_ldmxcsr(before); }
#elif defined(__aarch64__)
typedef u64 rounding_state;
static inline rounding_state set_rounding(void)
{
    rounding_state before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" : : "r"((u64)0));
    return before;
}
static inline void restore_rounding(rounding_state before) { __asm__ volatile("msr fpcr, %0" : : "r"(before)); }
#else
typedef int rounding_state;
static inline rounding_state set_rounding(void) { return 0; }
static inline void restore_rounding(rounding_state before) { (void)before; }
#endif

#endif
