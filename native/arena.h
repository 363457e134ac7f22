/* Room for a block's text and sparse vectors. What a row needs for a while is taken from a copy of the arena, so that it is
   free again with the next row. */
#ifndef PIPELINE_ARENA_H
#define PIPELINE_ARENA_H

#include "core.h"

static inline u64 arena_left(const struct core_arena *arena) { return (u64)(arena->high - arena->low); }

static inline u64 whole_cells(u64 bytes) { return (bytes + 7) & ~(u64)7; }

/* `bytes` for a result; NULL where there is no room. */
static inline void *take_low(struct core_arena *arena, u64 bytes)
{
    const u64 taken = whole_cells(bytes);
    if (bytes > arena_left(arena) || taken > arena_left(arena))
        return NULL;
    arena->low += taken;
    return arena->low - taken;
}

/* `bytes` for a while. */
static inline void *take_high(struct core_arena *arena, u64 bytes)
{
    const u64 taken = whole_cells(bytes);
    if (bytes > arena_left(arena) || taken > arena_left(arena))
        return NULL;
    return arena->high -= taken;
}

#endif
