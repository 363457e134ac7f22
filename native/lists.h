/* Child rows: for each main row something of its child rows' values, as operations/aggregations.py has it. `starts` says
   where each row's values begin, and at last where they end; the caller has checked that. */
#ifndef PIPELINE_LISTS_H
#define PIPELINE_LISTS_H

#include "core.h"

struct core_lists {
    const void *values, *keys; /* of all rows, one after another */
    const i64 *starts;
    u64 rows;
    void *out;
    u64 width;  /* of list_sums_by: how many sums a row has; they lie `rows` cells apart */
    u64 seed;   /* of list_distinct: no bit of the result depends on it */
    u64 *slots; /* of list_distinct: twice as many as `mask` + 1, all 0 */
    u64 mask;
};

typedef void (*core_reduce)(const struct core_lists *lists);

/* kinds: of values, of keys if there are any, and of the result. */
struct core_list_operation {
    const char *name;
    const char *kinds;
    core_reduce run;
};

extern const struct core_list_operation core_list_operations[];
extern const u64 core_list_operation_count;

/* Slots of list_distinct for the row with most values, less 1. */
u64 core_distinct_mask(const i64 *starts, u64 rows);

#endif
