/* Fields of dates, and local time: operations/calendar.py and time_zones.py.

   Days since 1970 fit in 32 bits, where the compiler makes loops over the calendar wide; only the division of
   microseconds by a day needs 64. So rows go through in strips: first their days, then the field. */
#ifndef PIPELINE_CALENDAR_H
#define PIPELINE_CALENDAR_H

#include "simd.h"

#define STRIP 64
#define A_SECOND ((i64)1000000)
#define A_MINUTE (60 * A_SECOND)
#define AN_HOUR (60 * A_MINUTE)
#define A_DAY (24 * AN_HOUR)
#define FROM_MARCH 719468        /* days from 0000-03-01 to 1970-01-01 */
#define FOUR_CENTURIES 146097    /* their days */
#define EPOCH_ORDINAL 719163     /* the day number of 1970-01-01 where 0001-01-01 is 1 */
#define CYCLES_BEFORE 1000u      /* cycles of 400 years that are added, so that no day that 64 bits hold is below 0 */
#define WEEKS_BEFORE 16000000u   /* the same for weeks: 64 bits hold 106,751,991 days */

/* The quotient rounded down, and what is left, of a divisor above 0. */
static inline i64 down(i64 a, i64 unit)
{
    const i64 quotient = a / unit;
    return quotient - (quotient * unit > a);
}

static inline i64 above(i64 a, i64 unit)
{
    const i64 rest = a % unit;
    return rest + (rest < 0 ? unit : 0);
}

struct civil {
    i32 year;
    u32 month, day, before; /* `before`: days of the year that begins in March, before this day */
};

/* Year, month and day of a day number, by years that begin in March: see `civil` in operations/calendar.py. */
static inline struct civil civil_of(i32 days)
{
    const u32 shifted = (u32)days + FROM_MARCH + CYCLES_BEFORE * FOUR_CENTURIES;
    const u32 cycle = shifted / FOUR_CENTURIES, in_cycle = shifted - cycle * FOUR_CENTURIES;
    const u32 year = (in_cycle - in_cycle / 1460 + in_cycle / 36524 - in_cycle / 146096) / 365;
    const u32 day = in_cycle - (365 * year + year / 4 - year / 100);
    const u32 month = (5 * day + 2) / 153;
    const u32 early = month >= 10;
    return (struct civil){(i32)(400 * cycle + year + early) - 400 * (i32)CYCLES_BEFORE, month + 3 - 12 * early,
                          day - (153 * month + 2) / 5 + 1, day};
}

/* Of a year of any sign; 400 divides the number that is added. */
static inline u32 leap(i32 year)
{
    const u32 from = (u32)(year + 400 * (i32)CYCLES_BEFORE);
    return (from % 4 == 0) & ((from % 100 != 0) | (from % 400 == 0));
}

static inline u32 month_days(struct civil date)
{
    return 30 + (date.month + date.month / 8) % 2 - (date.month == 2) * (2 - leap(date.year));
}

/* From 1 on: March 1 follows 59 days of January and February, or 60. */
static inline u32 day_of_year(i32 days)
{
    const struct civil date = civil_of(days);
    return date.month > 2 ? date.before + 60 + leap(date.year) : date.before - 305;
}

static inline u32 weekday(i32 days) { return ((u32)days + 3 + 7 * WEEKS_BEFORE) % 7; }

/* The Thursday of a day's week, which decides to which year the week belongs. */
static inline i32 thursday(i32 days) { return days - (i32)weekday(days) + 3; }

static inline u32 starts(i32 days, u32 months)
{
    const struct civil date = civil_of(days);
    return (date.day == 1) & ((date.month - 1) % months == 0);
}

static inline u32 ends(i32 days, u32 months)
{
    const struct civil date = civil_of(days);
    return (date.day == month_days(date)) & (date.month % months == 0);
}

#define FIELD_OF_DAYS(NAME, EXPRESSION)                                                                                \
    static int NAME(const struct core_call *call)                                                                      \
    {                                                                                                                  \
        const i64 *restrict dates = call->in[0].at;                                                                    \
        i64 *restrict out = call->out;                                                                                 \
        const size_t step = !call->in[0].constant;                                                                     \
        i32 day_at[STRIP];                                                                                             \
        for (size_t start = 0; start < call->rows; start += STRIP) {                                                   \
            const size_t rows = call->rows - start < STRIP ? call->rows - start : STRIP;                               \
            for (size_t row = 0; row < rows; row++)                                                                    \
                day_at[row] = (i32)down(dates[(start + row) * step], A_DAY);                                           \
            for (size_t row = 0; row < rows; row++) {                                                                  \
                const i32 days = day_at[row];                                                                          \
                out[start + row] = (i64)(EXPRESSION);                                                                  \
            }                                                                                                          \
        }                                                                                                              \
        return CORE_OK;                                                                                                \
    }

#define FIELD_OF_TIME(NAME, EXPRESSION)                                                                                \
    static int NAME(const struct core_call *call)                                                                      \
    {                                                                                                                  \
        const i64 *restrict dates = call->in[0].at;                                                                    \
        i64 *restrict out = call->out;                                                                                 \
        const size_t step = !call->in[0].constant;                                                                     \
        for (size_t row = 0; row < call->rows; row++) {                                                                \
            const i64 date = dates[row * step];                                                                        \
            out[row] = EXPRESSION;                                                                                     \
        }                                                                                                              \
        return CORE_OK;                                                                                                \
    }

FIELD_OF_DAYS(year_run, civil_of(days).year)
FIELD_OF_DAYS(month_run, civil_of(days).month)
FIELD_OF_DAYS(day_of_month_run, civil_of(days).day)
FIELD_OF_DAYS(quarter_run, (civil_of(days).month + 2) / 3)
FIELD_OF_DAYS(semester_run, (civil_of(days).month + 5) / 6)
FIELD_OF_DAYS(day_of_week_run, weekday(days))
FIELD_OF_DAYS(day_of_year_run, day_of_year(days))
FIELD_OF_DAYS(week_run, (day_of_year(thursday(days)) - 1) / 7 + 1)
FIELD_OF_DAYS(weekend_run, weekday(days) / 5)
FIELD_OF_DAYS(month_start_run, starts(days, 1))
FIELD_OF_DAYS(month_end_run, ends(days, 1))
FIELD_OF_DAYS(quarter_start_run, starts(days, 3))
FIELD_OF_DAYS(quarter_end_run, ends(days, 3))
FIELD_OF_DAYS(year_start_run, starts(days, 12))
FIELD_OF_DAYS(year_end_run, ends(days, 12))
FIELD_OF_DAYS(leap_year_run, leap(civil_of(days).year))
FIELD_OF_DAYS(days_in_month_run, month_days(civil_of(days)))
FIELD_OF_DAYS(iso_year_run, civil_of(thursday(days)).year)
FIELD_OF_DAYS(ordinal_run, days + EPOCH_ORDINAL)
FIELD_OF_TIME(hour_run, above(down(date, AN_HOUR), 24))
FIELD_OF_TIME(minute_run, above(down(date, A_MINUTE), 60))
FIELD_OF_TIME(second_run, above(down(date, A_SECOND), 60))
FIELD_OF_TIME(microsecond_run, above(date, A_SECOND))

/* What a zone's clocks show at a timestamp in UTC. ints: the first timestamp that is covered, and the first one behind
   them. arrays: where each zone's transitions begin, and at last where they end; transitions; by how much clocks are
   ahead from each on. A missing timestamp or zone has missing local time. */
static int zone_time_run(const struct core_call *call)
{
    const i64 *restrict dates = call->in[0].at, *restrict zones = call->in[1].at;
    const size_t date_step = !call->in[0].constant, zone_step = !call->in[1].constant;
    const struct core_instruction *own = call->instruction;
    const i64 first = own->int_at[0], end = own->int_at[1];
    const i64 *restrict begins = own->array_at[0].data, *restrict at = own->array_at[1].data;
    const i64 *restrict ahead = own->array_at[2].data;
    const u64 count = own->array_at[0].count - 1;
    i64 *restrict out = call->out;
    for (size_t row = 0; row < call->rows; row++) {
        const i64 date = dates[row * date_step], zone = zones[row * zone_step];
        if (date == CORE_NAT || zone < 0) {
            out[row] = CORE_NAT;
            continue;
        }
        if (date < first || date >= end || (u64)zone >= count)
            return CORE_REFUSED;
        i64 low = begins[zone];
        for (i64 left = begins[zone + 1] - low; left > 1;) {
            const i64 half = left / 2;
            low = at[low + half] <= date ? low + half : low;
            left -= half;
        }
        out[row] = (i64)((u64)date + (u64)ahead[low]);
    }
    return CORE_OK;
}

/* Each zone has at least one transition, the first of them where the covered time begins. */
static const char *zone_time_check(const struct core_instruction *own, const u32 *widths)
{
    (void)widths;
    if (own->ints != 2 || own->arrays != 3)
        return "other settings than two integers and three arrays";
    for (u32 index = 0; index < 3; index++)
        if (own->array_at[index].kind != 'i')
            return "transitions of another kind";
    const i64 *begins = own->array_at[0].data, *at = own->array_at[1].data;
    const u64 count = own->array_at[0].count, transitions = own->array_at[1].count;
    if (count < 1 || begins[0] != 0 || (u64)begins[count - 1] != transitions || own->array_at[2].count != transitions)
        return "zones that do not hold all transitions";
    for (u64 zone = 0; zone + 1 < count; zone++)
        if (begins[zone] >= begins[zone + 1] || (u64)begins[zone + 1] > transitions ||
            at[begins[zone]] > own->int_at[0])
            return "a zone without a transition at the beginning";
    return NULL;
}

#define FIELD_OPERATION(NAME) {"calendar_" #NAME, "i:i", NAME##_run, NULL, NULL},

#define OPERATIONS_OF_CALENDAR                                                                                         \
    FIELD_OPERATION(year)                                                                                              \
    FIELD_OPERATION(month)                                                                                             \
    FIELD_OPERATION(day_of_month)                                                                                      \
    FIELD_OPERATION(quarter)                                                                                           \
    FIELD_OPERATION(semester)                                                                                          \
    FIELD_OPERATION(day_of_week)                                                                                       \
    FIELD_OPERATION(day_of_year)                                                                                       \
    FIELD_OPERATION(week)                                                                                              \
    FIELD_OPERATION(weekend)                                                                                           \
    FIELD_OPERATION(month_start)                                                                                       \
    FIELD_OPERATION(month_end)                                                                                         \
    FIELD_OPERATION(quarter_start)                                                                                     \
    FIELD_OPERATION(quarter_end)                                                                                       \
    FIELD_OPERATION(year_start)                                                                                        \
    FIELD_OPERATION(year_end)                                                                                          \
    FIELD_OPERATION(leap_year)                                                                                         \
    FIELD_OPERATION(days_in_month)                                                                                     \
    FIELD_OPERATION(iso_year)                                                                                          \
    FIELD_OPERATION(ordinal)                                                                                           \
    FIELD_OPERATION(hour)                                                                                              \
    FIELD_OPERATION(minute)                                                                                            \
    FIELD_OPERATION(second)                                                                                            \
    FIELD_OPERATION(microsecond)                                                                                       \
    {"zone_time", "ii:i", zone_time_run, zone_time_check, NULL},

#endif
