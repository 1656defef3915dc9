/* PDQ from rows of pixels: 64 x 64 sums in one pass over the bytes, and the hashes from the sums.
 *
 * The filter of an axis is two passes of a box of `window` places, read at 64 centres. So each of
 * the 64 outputs weighs 2 * window - 1 neighbouring places by the whole numbers 1, 2 ... window
 * ... 2, 1, all divided by window squared. Only the last output of an even window is otherwise: one
 * of its boxes is cut by the border, and its weights are whole numbers once they are multiplied
 * with window - 1. The weights of luminance are whole thousandths. So all sums are whole numbers
 * that are computed exactly, on every processor, whatever strips the picture comes in; only of
 * pictures beyond some 40 megapixels are the last of their digits rounded. They are divided by
 * their scales at the end.
 *
 * src/tutela/fingerprints/pdq_reference.py is the same in NumPy and says where it comes from.
 */
#include "kernel.h"

#include <stdlib.h>
#include <string.h>

#if defined(__AVX2__)
#include <immintrin.h>
#endif
/* Large pictures wait for memory, and for a small one the units for longer vectors take as long to
 * wake up as they save. */
#if defined(__AVX512F__)
#pragma GCC target("prefer-vector-width=256")
#endif

enum {
    SIDE = 64,
    FREQUENCIES = 16,
    HASH_BYTES = FREQUENCIES * FREQUENCIES / 8,
    /* Rows that are added up in 16 bits, and how much their weights may come to: 255 * 257 is the
     * greatest number of 16 bits. */
    GROUP = 8,
    GROUP_WEIGHT = 257,
    /* Weights are taken apart into digits of so many bits. */
    DIGIT = 6,
    /* So many rows weighed with one digit fit into the 31 bits of a column's sum. */
    RUN = 1 << 15,
    /* Values of a row whose columns are summed before they are reduced: they stay in the nearest
     * cache meanwhile. */
    BLOCK = 16384,
    /* Bytes of a row that is asked for beforehand, and of what the processor fetches at once. */
    SHORT_ROW = 8192,
    LINE = 64,
    /* Zeros behind what is read by whole vectors. */
    PADDING = 16,
    /* Luminance is weighed in thousandths. */
    WHOLE_LUMINANCE = 1000,
};

/* The filter of an axis. */
struct axis {
    size_t length, window, after, before;
    /* Whether the border cuts the last output. */
    int cut;
};

static struct axis make_axis(size_t length)
{
    struct axis axis = {.length = length, .window = (length + 2 * SIDE - 1) / (2 * SIDE)};
    axis.after = (axis.window + 2) / 2;
    axis.before = axis.window - axis.after;
    axis.cut = axis.window % 2 == 0;
    return axis;
}

static size_t first_read(const struct axis *axis, size_t output)
{
    return (2 * output + 1) * axis->length / (2 * SIDE) - 2 * axis->before;
}

static size_t places_read(const struct axis *axis, size_t output)
{
    return 2 * axis->window - 1 - (axis->cut && output == SIDE - 1);
}

/* The weight of a place, counted from the first that the output reads. */
static uint64_t weight_of(const struct axis *axis, size_t output, size_t place)
{
    uint64_t window = axis->window;
    uint64_t boxes = place < window ? place + 1 : 2 * window - 1 - place;
    if (!axis->cut || output != SIDE - 1)
        return boxes;
    return boxes * (window - 1) + (place >= window - 1);
}

/* What all weights of an output come to. */
static double scale_of(const struct axis *axis, size_t output)
{
    double window = (double)axis->window;
    return window * window * (axis->cut && output == SIDE - 1 ? window - 1 : 1);
}

static inline size_t least(size_t one, size_t other) { return one < other ? one : other; }

static inline size_t greatest(size_t one, size_t other) { return one > other ? one : other; }

#if defined(__AVX2__)
/* What add_rows_at_once does, for the columns that fill whole vectors; gives how many those are.
 *
 * Bytes of two rows are laid side by side, since one instruction multiplies and adds such pairs. It
 * takes their sum for a signed number, and so bounds what a digit may be. */
static inline __attribute__((always_inline)) size_t add_vectors_at_once(
    int32_t *restrict columns, const uint8_t *const *row, const uint16_t *weight, size_t values,
    int is_first, const int count)
{
    enum { BYTES = sizeof(__m256i) };
    size_t x = 0;
    for (; x + BYTES <= values; x += BYTES) {
        __m256i low = _mm256_setzero_si256(), high = low;
#pragma GCC unroll 4
        for (int i = 0; i < count; i += 2) {
            __m256i one = _mm256_loadu_si256((const __m256i *)(row[i] + x));
            __m256i other = _mm256_loadu_si256((const __m256i *)(row[i + 1] + x));
            __m256i weights = _mm256_set1_epi16((int16_t)(weight[i] | weight[i + 1] << 8));
            low = _mm256_add_epi16(
                low, _mm256_maddubs_epi16(_mm256_unpacklo_epi8(one, other), weights));
            high = _mm256_add_epi16(
                high, _mm256_maddubs_epi16(_mm256_unpackhi_epi8(one, other), weights));
        }
        const __m128i eights[] = {
            _mm256_castsi256_si128(low), _mm256_castsi256_si128(high),
            _mm256_extracti128_si256(low, 1), _mm256_extracti128_si256(high, 1)};
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++) {
            __m256i *place = (__m256i *)(columns + x + 8 * i);
            __m256i sum = _mm256_cvtepu16_epi32(eights[i]);
            if (!is_first)
                sum = _mm256_add_epi32(sum, _mm256_loadu_si256(place));
            _mm256_storeu_si256(place, sum);
        }
    }
    return x;
}
#endif

/* columns[x] = or += the weighted sum of `count` rows; count is known when this is compiled. */
static inline __attribute__((always_inline)) void add_rows_at_once(
    int32_t *restrict columns, const uint8_t *const *rows, const uint16_t *weights, size_t values,
    int is_first, const int count)
{
    const uint8_t *row[GROUP];
    uint16_t weight[GROUP];
    for (int i = 0; i < count; i++) {
        row[i] = rows[i];
        weight[i] = weights[i];
    }
    size_t x = 0;
#if defined(__AVX2__)
    if (count > 1)
        x = add_vectors_at_once(columns, row, weight, values, is_first, count);
#endif
    for (; x < values; x++) {
        uint16_t sum = 0;
#pragma GCC unroll 8
        for (int i = 0; i < count; i++)
            sum = (uint16_t)(sum + (uint16_t)(weight[i] * row[i][x]));
        columns[x] = is_first ? sum : columns[x] + sum;
    }
}

static void add_group(int32_t *columns, const uint8_t **rows, uint16_t *weights, int count,
                      size_t values, int is_first)
{
    int width = count > 4 ? 8 : count > 2 ? 4 : count;
    for (int i = count; i < width; i++) {
        rows[i] = rows[0];
        weights[i] = 0;
    }
    switch (width) {
    case 8:
        add_rows_at_once(columns, rows, weights, values, is_first, 8);
        break;
    case 4:
        add_rows_at_once(columns, rows, weights, values, is_first, 4);
        break;
    case 2:
        add_rows_at_once(columns, rows, weights, values, is_first, 2);
        break;
    default:
        add_rows_at_once(columns, rows, weights, values, is_first, 1);
    }
}

/* The sum of values by weights, in 64 bits; all are whole numbers, so the order is free. */
static double dot(const int32_t *values, const double *weights, size_t count)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < count; i++)
        sum += values[i] * weights[i];
    return sum;
}

/* The same in 32 bits. Reads on to a whole number of vectors. */
static int32_t small_dot(const int32_t *values, const int32_t *weights, size_t count)
{
    int32_t sum = 0;
    for (size_t vector = 0; vector * PADDING < count; vector++)
        for (int i = 0; i < PADDING; i++)
            sum += values[vector * PADDING + i] * weights[vector * PADDING + i];
    return sum;
}

/* What an output across weighs the values of its places with. */
struct weights {
    size_t places;
    double *weights;
    /* The same, zero where they or their sums do not fit into 32 bits. */
    int32_t *small_weights;
    double scale;
};

struct picture {
    struct axis down, across;
    size_t channels;
    /* Of all outputs but the last, and of the last. */
    struct weights weights[2];
};

/* Some columns, as wide as can be summed at once, and what each output reads of them: from which
 * value on, from which of its weights on, and how many. */
struct block {
    size_t first_value, values;
    struct {
        size_t value, weight, count;
    } reads[SIDE];
};

static void make_block(struct block *block, const struct picture *picture, size_t left)
{
    size_t channels = picture->channels;
    size_t right = least(left + BLOCK / channels, picture->across.length);
    block->first_value = left * channels;
    block->values = (right - left) * channels;
    for (int output = 0; output < SIDE; output++) {
        size_t first = first_read(&picture->across, output);
        size_t from = greatest(first, left);
        size_t to = least(first + picture->weights[output == SIDE - 1].places, right);
        block->reads[output].value = (from - left) * channels;
        block->reads[output].weight = (from - first) * channels;
        block->reads[output].count = from < to ? (to - from) * channels : 0;
    }
}

/* Reduce a block's columns to a row of sums.
 *
 * greatest_column: what none of the columns exceeds. */
static void reduce(double *sums, const int32_t *columns, const struct block *block,
                   const struct weights *all_weights, double greatest_column, double factor)
{
    for (int is_last = 0; is_last <= 1; is_last++) {
        const struct weights *weights = all_weights + is_last;
        int is_small = greatest_column * weights->scale < INT32_MAX;
        for (int output = is_last ? SIDE - 1 : 0; output < SIDE - !is_last; output++) {
            const int32_t *values = columns + block->reads[output].value;
            size_t weight = block->reads[output].weight, count = block->reads[output].count;
            double sum = is_small ? small_dot(values, weights->small_weights + weight, count)
                                  : dot(values, weights->weights + weight, count);
            sums[output] += factor * sum;
        }
    }
}

/* Ask for the rows after these. Those of small pictures are too short for the processor to see by
 * itself where it goes on. */
static void ask_for_next(const uint8_t *const *rows, int count, ptrdiff_t stride, size_t values)
{
    for (int i = 0; i < count; i++) {
        /* As a number, since it may lie past the last row, where there is nothing to fetch. */
        const uintptr_t next = (uintptr_t)rows[i] + (uintptr_t)((ptrdiff_t)count * stride);
        for (size_t x = 0; x < values; x += LINE)
            __builtin_prefetch((const void *)(next + x));
    }
}

/* Add rows to one row of sums: those from `from` to before `to`, of which pixels[0] is the first,
 * all read by `output`. Only one digit of their weights counts. */
static void add_to_output(double *sums, const uint8_t *pixels, ptrdiff_t stride, size_t output,
                          size_t from, size_t to, int digit, const struct block *block,
                          const struct picture *picture)
{
    const struct axis *down = &picture->down;
    size_t first = first_read(down, output);
    int32_t columns[BLOCK + PADDING];
    for (size_t row = from; row < to;) {
        const uint8_t *rows[GROUP];
        uint16_t weights[GROUP];
        uint32_t total = 0;
        int count = 0;
        int is_first = row == from;
        while (row < to && count < GROUP) {
            uint32_t weight = weight_of(down, output, row - first) >> DIGIT * digit & ((1 << DIGIT) - 1);
            if (total + weight > GROUP_WEIGHT)
                break;
            total += weight;
            weights[count] = (uint16_t)weight;
            rows[count++] = pixels + (ptrdiff_t)(row++ - from) * stride + block->first_value;
        }
        if (block->values <= SHORT_ROW)
            ask_for_next(rows, count, stride, block->values);
        add_group(columns, rows, weights, count, block->values, is_first);
    }
    memset(columns + block->values, 0, PADDING * sizeof *columns);
    reduce(sums, columns, block, picture->weights, 255 * scale_of(down, output),
           (double)(UINT64_C(1) << DIGIT * digit));
}

/* Gives whether there was memory for them; they are to be freed even if not. */
static int make_weights(struct weights *made, const struct axis *across, size_t output,
                        size_t channels)
{
    static const int luminance[] = {299, 587, 114, 0};
    size_t places = places_read(across, output);
    made->places = places;
    made->scale = WHOLE_LUMINANCE * scale_of(across, output);
    made->weights = malloc(places * channels * sizeof *made->weights);
    made->small_weights = calloc(places * channels + PADDING, sizeof *made->small_weights);
    if (made->weights == NULL || made->small_weights == NULL)
        return 0;
    for (size_t place = 0; place < places; place++)
        for (size_t channel = 0; channel < channels; channel++) {
            double weight = (double)weight_of(across, output, place) *
                            (channels == 1 ? WHOLE_LUMINANCE : luminance[channel]);
            made->weights[place * channels + channel] = weight;
            if (made->scale < INT32_MAX)
                made->small_weights[place * channels + channel] = (int32_t)weight;
        }
    return 1;
}

/* Gives 0, or -1 if there is no memory. */
static int add_rows(double *sums, const uint8_t *pixels, ptrdiff_t stride, size_t first_row,
                    size_t rows, size_t height, size_t width, size_t channels)
{
    struct picture picture = {make_axis(height), make_axis(width), channels, {{0}, {0}}};
    const struct axis *down = &picture.down;
    int is_made = make_weights(&picture.weights[0], &picture.across, 0, channels) &&
                  make_weights(&picture.weights[1], &picture.across, SIDE - 1, channels);
    for (size_t left = 0; is_made && left < width; left += BLOCK / channels) {
        struct block block;
        make_block(&block, &picture, left);
        for (size_t output = 0; output < SIDE; output++) {
            size_t first = first_read(down, output);
            size_t from = greatest(first, first_row);
            size_t to = least(first + places_read(down, output), first_row + rows);
            uint64_t heaviest = weight_of(down, output, down->window - 1);
            for (; from < to; from += RUN)
                for (int digit = 0; heaviest >> DIGIT * digit; digit++)
                    add_to_output(sums + output * SIDE,
                                  pixels + (ptrdiff_t)(from - first_row) * stride, stride, output,
                                  from, least(to, from + RUN), digit, &block, &picture);
        }
    }
    for (int i = 0; i < 2; i++) {
        free(picture.weights[i].weights);
        free(picture.weights[i].small_weights);
    }
    return is_made ? 0 : -1;
}

/* How much goes on in the picture: its steps in percent of full contrast, summed. Single precision,
 * as in the original. */
static int quality_of(double small[SIDE][SIDE])
{
    float single[SIDE + 1][SIDE + 1];
    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++)
            single[y][x] = (float)small[y][x];
        single[y][SIDE] = single[y][SIDE - 1];
    }
    memcpy(single[SIDE], single[SIDE - 1], sizeof single[SIDE]);
    int32_t steps = 0;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            float down = single[y + 1][x] - single[y][x];
            float across = single[y][x + 1] - single[y][x];
            steps += abs((int32_t)(down * 100.0f / 255.0f)) + abs((int32_t)(across * 100.0f / 255.0f));
        }
    return steps / 90 < 100 ? steps / 90 : 100;
}

#if defined(__AVX2__)
enum { LANES = 4 };
#else
enum { LANES = 2 };
#endif
enum { VECTORS = FREQUENCIES / LANES };
typedef double doubles __attribute__((vector_size(LANES * sizeof(double))));

/* frequencies = the transposed cosines * small * the cosines. */
static void transform(doubles frequencies[FREQUENCIES][VECTORS], double small[SIDE][SIDE],
                      const double (*cosines)[FREQUENCIES])
{
    enum { AT_ONCE = 4 };
    memset(frequencies, 0, FREQUENCIES * sizeof *frequencies);
    for (int y = 0; y < SIDE; y += AT_ONCE) {
        doubles rows[AT_ONCE][VECTORS] = {{{0}}};
        for (int x = 0; x < SIDE; x++)
            for (int row = 0; row < AT_ONCE; row++)
                for (int i = 0; i < VECTORS; i++) {
                    doubles weights;
                    memcpy(&weights, &cosines[x][i * LANES], sizeof weights);
                    rows[row][i] += small[y + row][x] * weights;
                }
        for (int j = 0; j < FREQUENCIES; j++)
            for (int i = 0; i < VECTORS; i++)
                for (int row = 0; row < AT_ONCE; row++)
                    frequencies[j][i] += cosines[y + row][j] * rows[row][i];
    }
}

/* The 128th smallest of 256 values. */
static double lower_median(const double *values)
{
    enum { COUNT = FREQUENCIES * FREQUENCIES, WANTED = COUNT / 2 - 1 };
    double rest[COUNT];
    memcpy(rest, values, sizeof rest);
    int low = 0, high = COUNT - 1;
    while (low < high) {
        double pivot = rest[(low + high) / 2];
        int left = low, right = high;
        while (left <= right) {
            while (rest[left] < pivot)
                left++;
            while (rest[right] > pivot)
                right--;
            if (left <= right) {
                double other = rest[left];
                rest[left++] = rest[right];
                rest[right--] = other;
            }
        }
        if (WANTED <= right)
            high = right;
        else if (WANTED >= left)
            low = left;
        else
            break;
    }
    return rest[WANTED];
}

/* One bit for each frequency, the last first. */
static void write_hash(uint8_t *hash, double frequencies[FREQUENCIES][FREQUENCIES])
{
    const double *values = frequencies[0];
    double median = lower_median(values);
    for (int byte = 0; byte < HASH_BYTES; byte++) {
        const double *eight = values + 8 * (HASH_BYTES - 1 - byte);
        int bits = 0;
        for (int bit = 0; bit < 8; bit++)
            bits |= (eight[bit] > median) << bit;
        hash[byte] = (uint8_t)bits;
    }
}

/* The frequencies of the turned or mirrored picture: signs change and the axes are swapped. */
static void turn(double turned[FREQUENCIES][FREQUENCIES],
                 double frequencies[FREQUENCIES][FREQUENCIES], int swap, int down, int across)
{
    for (int j = 0; j < FREQUENCIES; j++)
        for (int i = 0; i < FREQUENCIES; i++) {
            double value = swap ? frequencies[i][j] : frequencies[j][i];
            int changes = (down && j % 2 == 0) ^ (across && i % 2 == 0);
            turned[j][i] = changes ? -value : value;
        }
}

/* Gives the quality. */
static int write_hashes(const double *sums, size_t height, size_t width, const double *cosines,
                        int count, uint8_t *hashes)
{
    static const struct { int swap, down, across; } turns[] = {
        {0, 0, 0}, {1, 1, 0}, {0, 1, 1}, {1, 0, 1}, {0, 1, 0}, {0, 0, 1}, {1, 0, 0}, {1, 1, 1},
    };
    struct axis down = make_axis(height), across = make_axis(width);
    double small[SIDE][SIDE];
    for (size_t y = 0; y < SIDE; y++) {
        double scale = 1 / (WHOLE_LUMINANCE * scale_of(&down, y) * scale_of(&across, 0));
        for (size_t x = 0; x < SIDE; x++)
            small[y][x] = sums[y * SIDE + x] * scale;
        small[y][SIDE - 1] *= scale_of(&across, 0) / scale_of(&across, SIDE - 1);
    }
    doubles vectors[FREQUENCIES][VECTORS];
    double frequencies[FREQUENCIES][FREQUENCIES];
    transform(vectors, small, (const double(*)[FREQUENCIES])cosines);
    memcpy(frequencies, vectors, sizeof frequencies);
    write_hash(hashes, frequencies);
    for (int each = 1; each < count; each++) {
        double turned[FREQUENCIES][FREQUENCIES];
        turn(turned, frequencies, turns[each].swap, turns[each].down, turns[each].across);
        write_hash(hashes + each * HASH_BYTES, turned);
    }
    return quality_of(small);
}

/* Add some rows of a picture to its sums.
 *
 * sums: 64 x 64, whole numbers; zero before the first rows come.
 * pixels: the first of the rows; `stride` bytes further is the next, channels bytes further the
 *     next pixel.
 * first_row, rows: which rows of the picture they are.
 * channels: 1 for grey, 3 for red, green and blue, 4 for the same with something that is ignored.
 *
 * Gives 0, or -1 if there is no memory. */
int EXPORTED(tutela_pdq_add_rows)(double *sums, const uint8_t *pixels, ptrdiff_t stride,
                                  size_t first_row, size_t rows, size_t height, size_t width,
                                  size_t channels);

int EXPORTED(tutela_pdq_add_rows)(double *sums, const uint8_t *pixels, ptrdiff_t stride,
                                  size_t first_row, size_t rows, size_t height, size_t width,
                                  size_t channels)
{
    return add_rows(sums, pixels, stride, first_row, rows, height, width, channels);
}

/* The hashes and the quality of a picture whose rows have all been added.
 *
 * sums: as left by tutela_pdq_add_rows; height, width: of the picture, at least 1.
 * cosines: 64 x 16, of the frequencies 1 to 16.
 * count: 1, or 8 for the turned and mirrored ones too.
 * hashes: count x 32 bytes.
 *
 * Gives the quality. */
int EXPORTED(tutela_pdq_hashes)(const double *sums, size_t height, size_t width,
                                const double *cosines, int count, uint8_t *hashes);

int EXPORTED(tutela_pdq_hashes)(const double *sums, size_t height, size_t width,
                                const double *cosines, int count, uint8_t *hashes)
{
    return write_hashes(sums, height, width, cosines, count, hashes);
}

/* The hashes and the quality of a whole picture: both of the above in one call.
 *
 * Gives the quality, or -1 if there is no memory. */
int EXPORTED(tutela_pdq)(const uint8_t *pixels, ptrdiff_t stride, size_t height, size_t width,
                         size_t channels, const double *cosines, int count, uint8_t *hashes);

int EXPORTED(tutela_pdq)(const uint8_t *pixels, ptrdiff_t stride, size_t height, size_t width,
                         size_t channels, const double *cosines, int count, uint8_t *hashes)
{
    double sums[SIDE * SIDE] = {0};
    if (add_rows(sums, pixels, stride, 0, height, height, width, channels) != 0)
        return -1;
    return write_hashes(sums, height, width, cosines, count, hashes);
}
