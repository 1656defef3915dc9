/* Finding every PDQ hash within a distance of a query, exactly.
 *
 * A hash is 16 chunks of 16 bits. If it differs from the query in at most `most` bits, then for
 * budgets that sum up to most + 1, one for each chunk of a ring, there is a chunk from which on
 * every run of 1, 2, 3 ... chunks differs in fewer bits than the run's budgets sum up to (the
 * cycle lemma; Qin and Xiao, "Pigeonring", VLDB 2018). So it is enough to look, for each chunk,
 * at the hashes whose chunk differs in fewer bits than its budget (they lie together, see
 * tables.h), to compare the chunk after it, which lies beside, and to fetch only the few that are
 * left. Each match is reported once: from the chunk that the lemma's proof constructs.
 */
#include <stdlib.h>
#include <string.h>

#include "kernel.h"
#include "hits.h"
#include "tables.h"

#ifdef __AVX2__
#include <immintrin.h>
#endif

/* How many runs ahead memory is asked for, and how many lines of each. */
#define RUNS_AHEAD 24
#define LINES_AHEAD 4
#define LINE 64
#define CANDIDATES 1024
/* As many as there are for the distance 31, and more. */
#define FEW_RUNS 512
/* Past this share of the rows, fetching candidates takes longer than reading all rows in order. */
#define SCAN_SHARE 16
/* The largest distance for which the tables are any use. */
#define LARGEST_PROBED 64

/* A run of hashes of which one chunk has a value near the query's. */
typedef struct {
    uint32_t first;
    uint32_t last;
    uint8_t chunk;
    uint8_t limit; /* bits in which the next chunk may differ */
} run;

typedef struct {
    uint64_t place; /* in the chunk's columns */
    uint32_t row;
    uint8_t chunk;
} candidate;

static inline unsigned distance_of(const uint8_t *one, const uint8_t *other)
{
    uint64_t a[4], b[4];
    memcpy(a, one, 32);
    memcpy(b, other, 32);
    return (unsigned)(__builtin_popcountll(a[0] ^ b[0]) + __builtin_popcountll(a[1] ^ b[1]) +
                      __builtin_popcountll(a[2] ^ b[2]) + __builtin_popcountll(a[3] ^ b[3]));
}

/* Which of up to 64 values differ from `wanted` in at most `limit` bits, as a bit mask. */
static inline uint64_t near_values(const uint16_t *values, unsigned count, uint16_t wanted,
                                   unsigned limit)
{
    uint64_t mask = 0;
    unsigned i = 0;
#if defined(__AVX512BITALG__)
    const __m512i query = _mm512_set1_epi16((short)wanted);
    const __m512i most = _mm512_set1_epi16((short)limit);
    for (; i < count; i += 32) {
        const unsigned left = count - i;
        const __mmask32 there = _cvtu32_mask32(left >= 32 ? 0xffffffffu : (1u << left) - 1);
        const __m512i differ =
            _mm512_xor_si512(_mm512_maskz_loadu_epi16(there, values + i), query);
        uint32_t near = _cvtmask32_u32(
            _mm512_mask_cmple_epu16_mask(there, _mm512_popcnt_epi16(differ), most));
        /* Into an ordinary register first: GCC 12 stores a mask as 32 bits and reads 64 back. */
        __asm__("" : "+r"(near));
        mask |= (uint64_t)near << i;
    }
#else
#if defined(__AVX2__)
    const __m256i query = _mm256_set1_epi16((short)wanted);
    const __m256i most = _mm256_set1_epi16((short)limit);
    const __m256i nibble = _mm256_set1_epi8(0x0f);
    const __m256i counts =
        _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1,
                         2, 2, 3, 2, 3, 3, 4);
    for (; i + 16 <= count; i += 16) {
        const __m256i differ =
            _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)(values + i)), query);
        const __m256i low = _mm256_shuffle_epi8(counts, _mm256_and_si256(differ, nibble));
        const __m256i high = _mm256_shuffle_epi8(
            counts, _mm256_and_si256(_mm256_srli_epi16(differ, 4), nibble));
        const __m256i bits = _mm256_maddubs_epi16(_mm256_add_epi8(low, high), _mm256_set1_epi8(1));
        const __m256i far = _mm256_cmpgt_epi16(bits, most);
        const __m128i packed = _mm_packs_epi16(_mm256_castsi256_si128(far),
                                               _mm256_extracti128_si256(far, 1));
        mask |= (uint64_t)(uint16_t)~_mm_movemask_epi8(packed) << i;
    }
#endif
    for (; i < count; i++) {
        unsigned differ = values[i] ^ wanted;
        differ -= (differ >> 1) & 0x5555;
        differ = (differ & 0x3333) + ((differ >> 2) & 0x3333);
        differ = (differ + (differ >> 4)) & 0x0f0f;
        differ = (differ + (differ >> 8)) & 0x1f;
        mask |= (uint64_t)(differ <= limit) << i;
    }
#endif
    return mask;
}

/* The chunk from which on every run of chunks stays below its budgets. */
static unsigned lemma_start(const uint8_t *one, const uint8_t *other, const uint8_t *budgets)
{
    int sum = 0, largest = 0;
    unsigned start = 0;
    for (unsigned chunk = 0; chunk < CHUNKS; chunk++) {
        sum += __builtin_popcount(chunk_of(one, chunk) ^ chunk_of(other, chunk)) - budgets[chunk];
        if (sum >= largest) {
            largest = sum;
            start = (chunk + 1) % CHUNKS;
        }
    }
    return start;
}

static void report(found *all, const pdq_block *block, uint32_t number, uint32_t query,
                   uint32_t row, unsigned distance)
{
    if (!is_member(block->withdrawn, block->withdrawn_count, block->first_row + row))
        add_hit(all, (hit){query, number, row, distance});
}

static void report_equal_rows(found *all, const pdq_block *block, uint32_t number, uint32_t query,
                              uint32_t row, unsigned distance)
{
    const uint8_t *value = block->values + (uint64_t)row * 32;
    do {
        report(all, block, number, query, row, distance);
        row++;
    } while (row < block->rows && memcmp(block->values + (uint64_t)row * 32, value, 32) == 0);
}

static void fetch(const pdq_block *block, candidate *candidates, unsigned count, uint32_t number,
                  uint32_t query, const uint8_t *wanted, unsigned most, const uint8_t *budgets,
                  found *all)
{
    for (unsigned i = 0; i < count; i++) {
        /* Rows past the end are in damaged tables only; none is there to be found. */
        const uint32_t row = row_at(block, candidates[i].chunk, candidates[i].place);
        candidates[i].row = row < block->rows ? row : 0;
        __builtin_prefetch(block->values + (uint64_t)candidates[i].row * 32);
    }
    for (unsigned i = 0; i < count; i++) {
        const uint8_t *value = block->values + (uint64_t)candidates[i].row * 32;
        const unsigned distance = distance_of(value, wanted);
        if (distance <= most && lemma_start(value, wanted, budgets) == candidates[i].chunk)
            report_equal_rows(all, block, number, query, candidates[i].row, distance);
    }
}

static void scan(const pdq_block *block, uint32_t number, uint32_t query, const uint8_t *wanted,
                 unsigned most, found *all)
{
    for (uint32_t row = 0; row < block->rows; row++) {
        const unsigned distance = distance_of(block->values + (uint64_t)row * 32, wanted);
        if (__builtin_expect(distance <= most, 0))
            report(all, block, number, query, row, distance);
    }
}

/* Spread most + 1 over the chunks as evenly as can be. */
static void share_out(unsigned most, uint8_t *budgets)
{
    for (unsigned chunk = 0; chunk < CHUNKS; chunk++)
        budgets[chunk] = (uint8_t)((most + 1) * (chunk + 1) / CHUNKS - (most + 1) * chunk / CHUNKS);
}

/* The runs to look at, with their offsets already on the way into the caches. Where a table names
 * places that it has not, it is damaged, and there are more entries than can be looked at. */
static uint64_t list_runs(const pdq_block *block, const uint8_t *wanted, const uint8_t *budgets,
                          run *runs, uint64_t *entries)
{
    const unsigned bits = block->bits;
    const uint32_t buckets = 1u << bits;
    const uint64_t places = places_in(block);
    uint64_t count = 0, total = 0;
    for (int pass = 0; pass < 2; pass++) {
        count = 0;
        for (unsigned chunk = 0; chunk < CHUNKS; chunk++) {
            const unsigned budget = budgets[chunk];
            if (budget == 0)
                continue;
            const uint32_t *offsets = offsets_of(block, chunk);
            const uint32_t key = chunk_of(wanted, chunk) >> (16 - bits);
            const unsigned both = budget + budgets[(chunk + 1) % CHUNKS] - 1;
            /* All keys that differ in fewer than `budget` bits, by Gosper's way of counting. */
            for (unsigned differing = 0; differing < budget && differing <= bits; differing++) {
                uint32_t pattern = (1u << differing) - 1;
                while (pattern < buckets) {
                    const uint32_t bucket = key ^ pattern;
                    if (pass == 0) {
                        __builtin_prefetch(offsets + bucket);
                    } else {
                        const uint32_t first = offsets[bucket], last = offsets[bucket + 1];
                        if (__builtin_expect(first > last || last > places, 0)) {
                            *entries = UINT64_MAX;
                            return 0;
                        }
                        runs[count] = (run){first, last, (uint8_t)chunk, (uint8_t)(both - differing)};
                        count += first < last;
                        total += last - first;
                    }
                    if (pattern == 0)
                        break;
                    const uint32_t lowest = pattern & -pattern, next = pattern + lowest;
                    pattern = next | (((pattern ^ next) >> 2) / lowest);
                }
            }
        }
    }
    *entries = total;
    return count;
}

static inline void ask_for(const pdq_block *block, const run *ahead)
{
    const char *from = (const char *)filters_of(block, ahead->chunk) + (uint64_t)ahead->first * 2;
    const char *until = (const char *)filters_of(block, ahead->chunk) + (uint64_t)ahead->last * 2;
    for (int line = 0; line < LINES_AHEAD && from < until; line++, from += LINE)
        __builtin_prefetch(from);
}

/* Whether the block could be searched by its tables; if not, nothing is reported. */
static int probe(const pdq_block *block, uint32_t number, uint32_t query, const uint8_t *wanted,
                 unsigned most, run *runs, found *all)
{
    uint8_t budgets[CHUNKS];
    candidate candidates[CANDIDATES];
    unsigned pending = 0;
    uint64_t entries, fetched = 0;
    const uint64_t before = all->count;
    const uint64_t most_fetched = block->rows / SCAN_SHARE + CANDIDATES;
    share_out(most, budgets);
    const uint64_t count = list_runs(block, wanted, budgets, runs, &entries);
    if (entries > 4 * (uint64_t)block->rows)
        return 0;
    for (uint64_t i = 0; i < RUNS_AHEAD && i < count; i++)
        ask_for(block, runs + i);
    for (uint64_t i = 0; i < count; i++) {
        if (i + RUNS_AHEAD < count)
            ask_for(block, runs + i + RUNS_AHEAD);
        const unsigned chunk = runs[i].chunk;
        const uint16_t *filters = filters_of(block, chunk);
        const uint16_t next = (uint16_t)chunk_of(wanted, (chunk + 1) % CHUNKS);
        for (uint64_t place = runs[i].first; place < runs[i].last; place += 64) {
            const uint64_t left = runs[i].last - place;
            uint64_t mask = near_values(filters + place, left < 64 ? (unsigned)left : 64, next,
                                        runs[i].limit);
            while (mask) {
                const uint64_t at = place + (unsigned)__builtin_ctzll(mask);
                mask &= mask - 1;
                __builtin_prefetch(id_at(block, chunk, at));
                candidates[pending++] = (candidate){at, 0, (uint8_t)chunk};
                if (pending == CANDIDATES) {
                    fetched += pending;
                    if (fetched > most_fetched) {
                        all->count = before;
                        return 0;
                    }
                    fetch(block, candidates, pending, number, query, wanted, most, budgets, all);
                    pending = 0;
                }
            }
        }
    }
    fetch(block, candidates, pending, number, query, wanted, most, budgets, all);
    return 1;
}

/* How many runs there can be at the most: for each chunk the ways to differ in fewer bits than its
 * budget. */
static uint64_t most_runs(unsigned most)
{
    const unsigned least_budget = (most + 1) / CHUNKS, raised = (most + 1) % CHUNKS;
    uint64_t total = 0, ways = 1;
    for (unsigned differing = 0; differing <= least_budget; differing++) {
        total += ways * (differing < least_budget ? CHUNKS : raised);
        ways = ways * (16 - differing) / (differing + 1);
    }
    return total;
}

/* Find all rows within a distance of each query.
 *
 * blocks, block_count: what is searched.
 * queries, query_count: 32 bytes each.
 * most: bits that may differ, 0 to 256.
 * hits, capacity: where the hits go, by query and then by block.
 * Returns how many hits there are; if that is more than the capacity, only so many were written.
 * Returns -1 if there is no memory.
 */
int64_t EXPORTED(tutela_search)(const pdq_block *blocks, uint64_t block_count,
                                const uint8_t *queries, uint64_t query_count, uint32_t most,
                                hit *hits, uint64_t capacity);

int64_t EXPORTED(tutela_search)(const pdq_block *blocks, uint64_t block_count,
                                const uint8_t *queries, uint64_t query_count, uint32_t most,
                                hit *hits, uint64_t capacity)
{
    found all = {hits, capacity, 0};
    /* On the stack for the usual distances: asking for memory may cost more than the search, where
     * the allocator first clears up what others have left. */
    run few[FEW_RUNS];
    run *runs = few;
    if (most <= LARGEST_PROBED && most_runs(most) > FEW_RUNS) {
        runs = malloc(most_runs(most) * sizeof(run));
        if (runs == NULL)
            return -1;
    }
    for (uint64_t query = 0; query < query_count; query++) {
        const uint8_t *wanted = queries + query * 32;
        for (uint64_t number = 0; number < block_count; number++) {
            const pdq_block *block = blocks + number;
            if (block->bits == 0 || most > LARGEST_PROBED ||
                !probe(block, (uint32_t)number, (uint32_t)query, wanted, most, runs, &all))
                scan(block, (uint32_t)number, (uint32_t)query, wanted, most, &all);
        }
    }
    if (runs != few)
        free(runs);
    return (int64_t)all.count;
}
