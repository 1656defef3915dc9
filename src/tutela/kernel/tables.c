/* Making the tables that PDQ hashes are searched by: see tables.h. */
#include <stdlib.h>

#include "hits.h"
#include "tables.h"

typedef struct {
    uint64_t prefix;
    uint32_t row;
} keyed;

static uint64_t prefix_of(const uint8_t *value)
{
    uint64_t prefix;
    memcpy(&prefix, value, 8);
    return __builtin_bswap64(prefix);
}

/* The rows of equal prefix, by the rest of their values. A merge sort, since it must not degrade
 * where very many values are alike. */
static void sort_rest(const uint8_t *values, keyed *rows, keyed *scratch, uint64_t count)
{
    if (count < 2)
        return;
    const uint64_t half = count / 2;
    sort_rest(values, rows, scratch, half);
    sort_rest(values, rows + half, scratch, count - half);
    if (memcmp(values + (uint64_t)rows[half - 1].row * 32, values + (uint64_t)rows[half].row * 32,
               32) <= 0)
        return;
    memcpy(scratch, rows, half * sizeof(keyed));
    uint64_t left = 0, right = half, out = 0;
    while (left < half && right < count) {
        const int order = memcmp(values + (uint64_t)scratch[left].row * 32,
                                 values + (uint64_t)rows[right].row * 32, 32);
        rows[out++] = order <= 0 ? scratch[left++] : rows[right++];
    }
    while (left < half)
        rows[out++] = scratch[left++];
}

/* Find the order in which rows are sorted by value, equal ones as they come.
 *
 * values: count x 32 bytes.
 * order: count row numbers, written.
 * Returns 0, or -1 if there is no memory (32 bytes a row).
 */
int EXPORTED(tutela_sort)(const uint8_t *values, uint64_t count, uint32_t *order);

int EXPORTED(tutela_sort)(const uint8_t *values, uint64_t count, uint32_t *order)
{
    enum { RADIX = 1 << 16, DIGITS = 4 };
    keyed *rows = malloc((count + 1) * sizeof(keyed));
    keyed *other = malloc((count + 1) * sizeof(keyed));
    uint64_t *counts = calloc((size_t)RADIX * DIGITS, sizeof(uint64_t));
    int failed = rows == NULL || other == NULL || counts == NULL;
    if (!failed) {
        for (uint64_t row = 0; row < count; row++) {
            const uint64_t prefix = prefix_of(values + row * 32);
            rows[row] = (keyed){prefix, (uint32_t)row};
            for (unsigned digit = 0; digit < DIGITS; digit++)
                counts[digit * RADIX + (prefix >> (16 * digit) & 0xffff)]++;
        }
        for (unsigned digit = 0; digit < DIGITS; digit++) {
            uint64_t *places = counts + (size_t)digit * RADIX, next = 0;
            for (unsigned value = 0; value < RADIX; value++) {
                const uint64_t here = places[value];
                places[value] = next;
                next += here;
            }
            for (uint64_t i = 0; i < count; i++)
                other[places[rows[i].prefix >> (16 * digit) & 0xffff]++] = rows[i];
            keyed *swapped = rows;
            rows = other;
            other = swapped;
        }
        for (uint64_t first = 0, i = 1; i <= count; i++) {
            if (i < count && rows[i].prefix == rows[first].prefix)
                continue;
            sort_rest(values, rows + first, other, i - first);
            first = i;
        }
        for (uint64_t i = 0; i < count; i++)
            order[i] = rows[i].row;
    }
    free(rows);
    free(other);
    free(counts);
    return failed ? -1 : 0;
}

/* Put rows of 32 bytes into an order. */
void EXPORTED(tutela_gather)(const uint8_t *values, const uint32_t *order, uint64_t count,
                             uint8_t *sorted);

void EXPORTED(tutela_gather)(const uint8_t *values, const uint32_t *order, uint64_t count,
                             uint8_t *sorted)
{
    enum { AHEAD = 32 };
    for (uint64_t i = 0; i < count; i++) {
        if (i + AHEAD < count)
            __builtin_prefetch(values + (uint64_t)order[i + AHEAD] * 32);
        memcpy(sorted + i * 32, values + (uint64_t)order[i] * 32, 32);
    }
}

/* How many different values there are among sorted rows. */
uint64_t EXPORTED(tutela_count_different)(const uint8_t *values, uint64_t count);

uint64_t EXPORTED(tutela_count_different)(const uint8_t *values, uint64_t count)
{
    uint64_t different = count > 0;
    for (uint64_t row = 1; row < count; row++)
        different += memcmp(values + row * 32, values + row * 32 - 32, 32) != 0;
    return different;
}

static int is_first(const uint8_t *values, uint64_t row)
{
    return row == 0 || memcmp(values + row * 32, values + row * 32 - 32, 32) != 0;
}

/* Make the table of one chunk: see tables.h.
 *
 * values: count x 32 bytes, sorted.
 * chunk, bits: which chunk, and how many of its upper bits name a bucket.
 * filters_at, ids_at: where in the table these begin.
 * table: written.
 */
void EXPORTED(tutela_make_table)(const uint8_t *values, uint64_t count, uint32_t chunk,
                                 uint32_t bits, uint64_t filters_at, uint64_t ids_at,
                                 uint8_t *table);

void EXPORTED(tutela_make_table)(const uint8_t *values, uint64_t count, uint32_t chunk,
                                 uint32_t bits, uint64_t filters_at, uint64_t ids_at,
                                 uint8_t *table)
{
    const uint32_t buckets = 1u << bits, drop = 16 - bits;
    uint32_t *offsets = (uint32_t *)table;
    uint16_t *filters = (uint16_t *)(table + filters_at);
    uint8_t *ids = table + ids_at;
    memset(offsets, 0, ((uint64_t)buckets + 1) * sizeof(uint32_t));
    for (uint64_t row = 0; row < count; row++)
        if (is_first(values, row))
            offsets[chunk_of(values + row * 32, chunk) >> drop]++;
    uint32_t next = 0;
    for (uint32_t bucket = 0; bucket < buckets; bucket++) {
        const uint32_t here = offsets[bucket];
        offsets[bucket] = next;
        next += here;
    }
    /* Each bucket's offset moves on as it fills, and so ends where the next bucket begins. */
    for (uint64_t row = 0; row < count; row++) {
        const uint8_t *value = values + row * 32;
        if (!is_first(values, row))
            continue;
        const uint64_t place = offsets[chunk_of(value, chunk) >> drop]++;
        filters[place] = (uint16_t)chunk_of(value, (chunk + 1) % CHUNKS);
        ids[place * 3] = (uint8_t)row;
        ids[place * 3 + 1] = (uint8_t)(row >> 8);
        ids[place * 3 + 2] = (uint8_t)(row >> 16);
    }
    memmove(offsets + 1, offsets, (uint64_t)buckets * sizeof(uint32_t));
    offsets[0] = 0;
}

/* Find which of some numbers are among others.
 *
 * numbers: count of them, in any order.
 * wanted: sorted.
 * places: written, where those of `numbers` stand that are wanted: room for `count`.
 * Returns how many were found.
 */
uint64_t EXPORTED(tutela_find_members)(const uint32_t *numbers, uint64_t count,
                                       const uint32_t *wanted, uint64_t wanted_count,
                                       uint32_t *places);

uint64_t EXPORTED(tutela_find_members)(const uint32_t *numbers, uint64_t count,
                                       const uint32_t *wanted, uint64_t wanted_count,
                                       uint32_t *places)
{
    /* Most numbers are not wanted, which a bit for each possible lower half tells at once. */
    uint8_t maybe[(1 << 16) / 8] = {0};
    uint64_t found = 0;
    for (uint64_t i = 0; i < wanted_count; i++)
        maybe[(wanted[i] & 0xffff) / 8] |= (uint8_t)(1 << (wanted[i] & 7));
    for (uint64_t i = 0; i < count; i++) {
        const uint32_t number = numbers[i];
        if (!(maybe[(number & 0xffff) / 8] >> (number & 7) & 1))
            continue;
        if (is_member(wanted, wanted_count, number))
            places[found++] = (uint32_t)i;
    }
    return found;
}
