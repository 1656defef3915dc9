/* PDQ of pictures of any size, layout and content, whole and in strips. */
#include "given.h"

#include <math.h>
#include <stddef.h>

#define DECLARE(variant)                                                                           \
    int tutela_runs_here_##variant(void);                                                          \
    int tutela_pdq_add_rows_##variant(double *, const uint8_t *, ptrdiff_t, size_t, size_t,        \
                                      size_t, size_t, size_t);                                     \
    int tutela_pdq_hashes_##variant(const double *, size_t, size_t, const double *, int,           \
                                    uint8_t *);                                                    \
    int tutela_pdq_##variant(const uint8_t *, ptrdiff_t, size_t, size_t, size_t, const double *,   \
                             int, uint8_t *);
EACH_VARIANT(DECLARE)

#define LISTED(variant)                                                                            \
    {tutela_runs_here_##variant, tutela_pdq_add_rows_##variant, tutela_pdq_hashes_##variant,       \
     tutela_pdq_##variant},
static const struct {
    int (*runs_here)(void);
    int (*add_rows)(double *, const uint8_t *, ptrdiff_t, size_t, size_t, size_t, size_t, size_t);
    int (*hashes)(const double *, size_t, size_t, const double *, int, uint8_t *);
    int (*whole)(const uint8_t *, ptrdiff_t, size_t, size_t, size_t, const double *, int,
                 uint8_t *);
} variants[] = {EACH_VARIANT(LISTED)};

enum {
    VARIANTS = sizeof variants / sizeof *variants,
    SIDE = 64,
    FREQUENCIES = 16,
    BITS = FREQUENCIES * FREQUENCIES,
    HASH_BYTES = BITS / 8,
    TURNS = 8,
    MOST_PIXELS = 20000,
    MOST_CUTS = 4,
};
/* Two ways to add doubles differ by less. */
static const double SUM_DIFFERS = 1e-7, FREQUENCY_DIFFERS = 1e-6;

typedef double square[SIDE][SIDE];

/* Its rows end where they must: between them there may be a gap. */
typedef struct {
    size_t height, width, channels;
    ptrdiff_t stride;
    uint8_t *room;
    const uint8_t *pixels;
} picture;

static picture picture_of(input *given)
{
    static const size_t lengths[] = {70, 140, 700, 20000};
    picture made = {.height = 1 + number_of(given, lengths[number_of(given, 3)] - 1)};
    const size_t across = lengths[number_of(given, 3)], most = MOST_PIXELS / made.height;
    made.width = 1 + number_of(given, (across < most ? across : most) - 1);
    made.channels = (const size_t[]){1, 3, 4}[number_of(given, 2)];
    const size_t row = made.width * made.channels;
    const size_t stride = row + number_of(given, 3) % 2 * number_of(given, 70);
    const size_t bytes = stride * (made.height - 1) + row;
    made.room = room_for(bytes);
    const int is_upside_down = (int)number_of(given, 1);
    made.stride = is_upside_down ? -(ptrdiff_t)stride : (ptrdiff_t)stride;
    made.pixels = made.room + (is_upside_down ? stride * (made.height - 1) : 0);
    const unsigned kind = (unsigned)number_of(given, 5);
    const uint8_t *from = given->bytes;
    const size_t count = given->left;
    for (size_t i = 0; i < bytes; i++) {
        if (kind == 0)
            made.room[i] = 255;
        else if (kind == 1 && count)
            made.room[i] = from[i % count];
        else if (kind == 2 && count)
            made.room[i] = from[i * count / bytes];
        else if (kind == 3)
            made.room[i] = (uint8_t)(i / row + i % row / 2);
        else if (kind == 4)
            made.room[i] = chance(given) & 1 ? 255 : 0;
        else
            made.room[i] = (uint8_t)chance(given);
    }
    return made;
}

static double luminance_at(const picture *of, size_t y, size_t x)
{
    const uint8_t *pixel = of->pixels + (ptrdiff_t)y * of->stride + x * of->channels;
    return of->channels == 1 ? pixel[0] : (299 * pixel[0] + 587 * pixel[1] + 114 * pixel[2]) / 1e3;
}

/* Two passes of a box over `length` values, `apart` from each other, and 64 of its places. */
static void filter(const double *values, size_t length, size_t apart, double *result,
                   size_t result_apart)
{
    const size_t window = (length + 2 * SIDE - 1) / (2 * SIDE), after = (window + 2) / 2;
    double *one = room_for(length * sizeof *one), *sums = room_for((length + 1) * sizeof *sums);
    for (size_t i = 0; i < length; i++)
        one[i] = values[i * apart];
    for (int pass = 0; pass < 2; pass++) {
        sums[0] = 0;
        for (size_t i = 0; i < length; i++)
            sums[i + 1] = sums[i] + one[i];
        for (size_t i = 0; i < length; i++) {
            const size_t start = i > window - after ? i - (window - after) : 0;
            const size_t stop = i + after < length ? i + after : length;
            one[i] = (sums[stop] - sums[start]) / (double)(stop - start);
        }
    }
    for (size_t i = 0; i < SIDE; i++)
        result[i * result_apart] = one[(2 * i + 1) * length / (2 * SIDE)];
    free(one);
    free(sums);
}

static void shrink(const picture *of, square small)
{
    double *row = room_for(of->width * sizeof *row);
    double *narrow = room_for(of->height * SIDE * sizeof *narrow);
    for (size_t y = 0; y < of->height; y++) {
        for (size_t x = 0; x < of->width; x++)
            row[x] = luminance_at(of, y, x);
        filter(row, of->width, 1, narrow + y * SIDE, 1);
    }
    for (size_t x = 0; x < SIDE; x++)
        filter(narrow + x, of->height, SIDE, &small[0][x], SIDE);
    free(row);
    free(narrow);
}

static double cosines[SIDE][FREQUENCIES];

static void make_cosines(void)
{
    for (int x = 0; x < SIDE; x++)
        for (int k = 0; k < FREQUENCIES; k++)
            cosines[x][k] = sqrt(2.0 / SIDE) * cos(acos(-1) / 2 / SIDE * (2 * x + 1) * (k + 1));
}

static int by_size(const void *one, const void *other)
{
    const double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

/* Each bit says whether a frequency is above the median, unless that is too near to tell. */
static void check_hash(square small, const uint8_t *hash)
{
    double half[FREQUENCIES][SIDE] = {{0}}, all[BITS] = {0}, sorted[BITS];
    for (int y = 0; y < SIDE; y++)
        for (int j = 0; j < FREQUENCIES; j++)
            for (int x = 0; x < SIDE; x++)
                half[j][x] += cosines[y][j] * small[y][x];
    for (int j = 0; j < FREQUENCIES; j++)
        for (int x = 0; x < SIDE; x++)
            for (int i = 0; i < FREQUENCIES; i++)
                all[j * FREQUENCIES + i] += half[j][x] * cosines[x][i];
    memcpy(sorted, all, sizeof sorted);
    qsort(sorted, BITS, sizeof *sorted, by_size);
    const double median = sorted[BITS / 2 - 1];
    for (int bit = 0; bit < BITS; bit++)
        if (fabs(all[bit] - median) > FREQUENCY_DIFFERS)
            PROMISE((hash[HASH_BYTES - 1 - bit / 8] >> bit % 8 & 1) == (all[bit] > median));
}

/* The picture transposed, or not, and then mirrored from top to bottom, from left to right. */
static void check_turns(square small, const uint8_t *hashes)
{
    static const struct { int swap, down, across; } turns[TURNS] = {
        {0, 0, 0}, {1, 1, 0}, {0, 1, 1}, {1, 0, 1}, {0, 1, 0}, {0, 0, 1}, {1, 0, 0}, {1, 1, 1},
    };
    for (int each = 0; each < TURNS; each++) {
        square turned;
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++) {
                const int row = turns[each].down ? SIDE - 1 - y : y;
                const int column = turns[each].across ? SIDE - 1 - x : x;
                turned[y][x] = turns[each].swap ? small[column][row] : small[row][column];
            }
        check_hash(turned, hashes + each * HASH_BYTES);
    }
}

/* The sums, divided by those of a white picture, are the picture made small; the hashes are its. */
static void check_sums(const picture *of, int each, const square sums, const uint8_t *hashes)
{
    const size_t pixels = of->height * of->width;
    uint8_t *white = room_for(pixels);
    memset(white, 255, pixels);
    square small, most = {{0}};
    shrink(of, small);
    PROMISE(variants[each].add_rows(&most[0][0], white, (ptrdiff_t)of->width, 0, of->height,
                                    of->height, of->width, 1) == 0);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            PROMISE(fabs(sums[y][x] / most[y][x] * 255 - small[y][x]) < SUM_DIFFERS);
    check_turns(small, hashes);
    free(white);
}

/* The same in strips, which come from the last to the first. */
static void check_strips(input *given, const picture *of, int each, const square sums)
{
    size_t cuts[MOST_CUTS + 2] = {0};
    const size_t count = number_of(given, MOST_CUTS);
    for (size_t i = 1; i <= count; i++)
        cuts[i] = cuts[i - 1] + number_of(given, of->height - cuts[i - 1]);
    cuts[count + 1] = of->height;
    square strips = {{0}};
    for (size_t i = count + 1; i > 0; i--)
        PROMISE(variants[each].add_rows(&strips[0][0],
                                        of->pixels + (ptrdiff_t)cuts[i - 1] * of->stride,
                                        of->stride, cuts[i - 1], cuts[i] - cuts[i - 1], of->height,
                                        of->width, of->channels) == 0);
    PROMISE(memcmp(strips, sums, sizeof strips) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    input given = opened(bytes, count);
    if (cosines[0][0] == 0)
        make_cosines();
    const picture of = picture_of(&given);
    uint8_t first[TURNS * HASH_BYTES], hashes[TURNS * HASH_BYTES];
    square first_sums;
    int first_quality = -1;
    for (int each = 0; each < VARIANTS; each++) {
        if (!variants[each].runs_here())
            continue;
        square sums = {{0}};
        PROMISE(variants[each].add_rows(&sums[0][0], of.pixels, of.stride, 0, of.height, of.height,
                                        of.width, of.channels) == 0);
        const int quality = variants[each].hashes(&sums[0][0], of.height, of.width, &cosines[0][0],
                                                  TURNS, hashes);
        if (first_quality < 0) {
            first_quality = quality;
            memcpy(first, hashes, sizeof first);
            memcpy(first_sums, sums, sizeof first_sums);
        }
        PROMISE(quality == first_quality);
        PROMISE(memcmp(hashes, first, sizeof first) == 0);
        PROMISE(memcmp(sums, first_sums, sizeof sums) == 0);
    }
    PROMISE(first_quality >= 0 && first_quality <= 100);
    int each = (int)number_of(&given, VARIANTS - 1);
    while (!variants[each].runs_here())
        each = (each + 1) % VARIANTS;
    check_sums(&of, each, (const double(*)[SIDE])first_sums, first);
    check_strips(&given, &of, each, (const double(*)[SIDE])first_sums);
    PROMISE(variants[each].whole(of.pixels, of.stride, of.height, of.width, of.channels,
                                 &cosines[0][0], TURNS, hashes) == first_quality);
    PROMISE(memcmp(hashes, first, sizeof first) == 0);
    PROMISE(variants[each].whole(of.pixels, of.stride, of.height, of.width, of.channels,
                                 &cosines[0][0], 1, hashes) == first_quality);
    PROMISE(memcmp(hashes, first, HASH_BYTES) == 0);
    free(of.room);
    return 0;
}
