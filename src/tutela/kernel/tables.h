/* A block of PDQ hashes and the tables that they are searched by. */
#ifndef TUTELA_TABLES_H
#define TUTELA_TABLES_H

#include <string.h>

#include "kernel.h"

#define CHUNKS 16

/* Rows are sorted by value, so that equal hashes stand together; the tables hold the first of each
 * such group only. Each chunk has a table: where each bucket of the chunk's upper `bits` bits
 * begins (2^bits + 1 numbers of 32 bits), and in the order of the buckets the value of the chunk
 * after it (16 bits each) and the number of the row (24 bits each).
 */
typedef struct {
    const uint8_t *values;     /* rows x 32 bytes, sorted */
    const uint8_t *tables;     /* 16 x table_size bytes */
    const uint32_t *withdrawn; /* sorted, counted from the segment's first row */
    uint64_t withdrawn_count;
    uint64_t table_size;
    uint64_t filters_at; /* where in a table the values of the chunks after it begin */
    uint64_t ids_at;     /* where the row numbers begin */
    uint32_t rows;
    uint32_t first_row; /* the block's first row within the segment */
    uint32_t bits;      /* 0 if there are no tables */
} pdq_block;

static inline uint32_t chunk_of(const uint8_t *value, unsigned chunk)
{
    return (uint32_t)value[2 * chunk] << 8 | value[2 * chunk + 1];
}

static inline const uint8_t *table_of(const pdq_block *block, unsigned chunk)
{
    return block->tables + chunk * block->table_size;
}

static inline const uint32_t *offsets_of(const pdq_block *block, unsigned chunk)
{
    return (const uint32_t *)table_of(block, chunk);
}

static inline const uint16_t *filters_of(const pdq_block *block, unsigned chunk)
{
    return (const uint16_t *)(table_of(block, chunk) + block->filters_at);
}

/* How many hashes there is room for in a table. */
static inline uint64_t places_in(const pdq_block *block)
{
    const uint64_t filters = (block->ids_at - block->filters_at) / 2;
    const uint64_t ids = (block->table_size - block->ids_at) / 3;
    return filters < ids ? filters : ids;
}

static inline const uint8_t *id_at(const pdq_block *block, unsigned chunk, uint64_t place)
{
    return table_of(block, chunk) + block->ids_at + place * 3;
}

static inline uint32_t row_at(const pdq_block *block, unsigned chunk, uint64_t place)
{
    const uint8_t *id = id_at(block, chunk, place);
    return (uint32_t)id[0] | (uint32_t)id[1] << 8 | (uint32_t)id[2] << 16;
}

#endif
