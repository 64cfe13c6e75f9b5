/* Counts answered rows on the bins of the reference, as every device does: profiles add up. */
#include "model_profile.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void model_profile_clear(model_profile *profile)
{
    memset(profile, 0, sizeof *profile);
    for (size_t k = 0; k < MODEL_FEATURES; k++) {
        profile->low[k] = INFINITY;
        profile->high[k] = -INFINITY;
    }
}

/* How many edges a value has reached: the place of its bin. */
static size_t bin_of(const model_bins *bins, float value)
{
    size_t below = 0, beyond = bins->edge_count;
    while (below < beyond) {
        const size_t middle = (below + beyond) / 2;
        if (value >= bins->edges[middle])
            below = middle + 1;
        else
            beyond = middle;
    }
    return below;
}

static size_t score_bin(double score)
{
    double share;
    if (score < MODEL_SCORE_LOW)
        score = MODEL_SCORE_LOW;
    if (score > MODEL_SCORE_HIGH)
        score = MODEL_SCORE_HIGH;
    share = (score - MODEL_SCORE_LOW) / (MODEL_SCORE_HIGH - MODEL_SCORE_LOW);
    share *= MODEL_SCORE_BINS;
    return share >= MODEL_SCORE_BINS ? MODEL_SCORE_BINS - 1 : (size_t)share;
}

/* A distance from the reference in steps; what is missing has none. */
static float steps_of(const model_bins *bins, float x)
{
    const float steps = (x - bins->mean) * bins->steps_per_unit;
    return steps == steps ? steps : 0.0f;
}

/* The whole steps of a distance, as far as it is near: sums of them are exact in any order. */
static int32_t near(float steps)
{
    if (steps >= (float)MODEL_REACH)
        return MODEL_REACH;
    return steps <= -(float)MODEL_REACH ? -MODEL_REACH : (int32_t)rintf(steps);
}

void model_profile_add(model_profile *profile, const float *row, float score)
{
    int32_t u[MODEL_FEATURES];
    size_t first = 0, pair = 0;
    for (size_t k = 0; k < MODEL_FEATURES; k++) {
        const model_bins *bins = &model_reference[k];
        const float x = row[k], steps = steps_of(bins, x);
        if (x != x)
            profile->missing[k]++;
        else
            profile->counts[first + bin_of(bins, x)]++;
        first += bins->edge_count + 1u;
        if (x < model_features[k].low || x > model_features[k].high)
            profile->out_of_range[k]++;
        if (isfinite(x)) {
            profile->low[k] = x < profile->low[k] ? x : profile->low[k];
            profile->high[k] = x > profile->high[k] ? x : profile->high[k];
        }
        if (isfinite(steps))
            profile->sums[k] += (double)steps;
        u[k] = near(steps);
        profile->near_sums[k] += u[k];
    }
    for (size_t i = 0; i < MODEL_FEATURES; i++)
        for (size_t j = i; j < MODEL_FEATURES; j++)
            profile->near_products[pair++] += u[i] * u[j];
    profile->score_counts[score_bin((double)score)]++;
    profile->rows++;
}

typedef struct {
    char *into;
    size_t room;
    size_t length;
} text;

static void say(text *said, const char *format, ...)
{
    va_list values;
    int length;
    if (said->length >= said->room)
        return;
    va_start(values, format);
    length = vsnprintf(said->into + said->length, said->room - said->length, format, values);
    va_end(values);
    said->length = length < 0 ? said->room : said->length + (size_t)length;
}

static void say_counts(text *said, const char *name, const uint32_t *counts, size_t count)
{
    say(said, "%s[", name);
    for (size_t k = 0; k < count; k++)
        say(said, k ? ",%lu" : "%lu", (unsigned long)counts[k]);
    say(said, "]");
}

/* A value rounded away from the others. */
static double outward(const model_bins *bins, double value, int up)
{
    const double place = value * bins->finer / bins->coarser;
    return (up ? ceil(place) : floor(place)) * bins->coarser / bins->finer;
}

static void say_limits(text *said, const char *name, const float *limits, int up)
{
    say(said, "%s[", name);
    for (size_t k = 0; k < MODEL_FEATURES; k++) {
        say(said, k ? "," : "");
        if (isfinite(limits[k]))
            say(said, "%.17g", outward(&model_reference[k], (double)limits[k], up));
        else
            say(said, "null");
    }
    say(said, "]");
}

static void say_rounded(text *said, size_t place, double value)
{
    const double most = 9007199254740992.0;
    value = rint(value > most ? most : value < -most ? -most : value);
    say(said, place ? ",%.0f" : "%.0f", value == 0.0 ? 0.0 : value);
}

/* The largest power of two up to the root of the rows: what products are rounded to. */
static uint32_t near_step(uint32_t rows)
{
    uint32_t step = 1;
    while ((uint64_t)step * step * 4 <= rows)
        step *= 2;
    return step;
}

static void say_distances(text *said, const model_profile *profile)
{
    const uint32_t step = near_step(profile->rows);
    const double unit = (double)MODEL_STEPS * MODEL_STEPS;
    say(said, ",\"sums\":[");
    for (size_t k = 0; k < MODEL_FEATURES; k++)
        say_rounded(said, k, profile->sums[k] / MODEL_STEPS);
    say(said, "],\"near_sums\":[");
    for (size_t k = 0; k < MODEL_FEATURES; k++)
        say_rounded(said, k, (double)profile->near_sums[k] / MODEL_STEPS);
    say(said, "],\"near_step\":%lu,\"near_products\":[", (unsigned long)step);
    for (size_t k = 0; k < MODEL_PAIRS; k++)
        say_rounded(said, k,
                    ((double)profile->near_products[k] / unit -
                     (double)profile->rows * model_correlations[k]) / step);
    say(said, "]");
}

size_t model_profile_text(const model_profile *profile, char *into, size_t room)
{
    text said = {into, room, 0};
    size_t first = 0;
    say(&said, "{\"rows\":%lu,\"counts\":[", (unsigned long)profile->rows);
    for (size_t k = 0; k < MODEL_FEATURES; k++) {
        const size_t bins = model_reference[k].edge_count + 1u;
        say_counts(&said, k ? "," : "", profile->counts + first, bins);
        first += bins;
    }
    say_counts(&said, "],\"missing\":", profile->missing, MODEL_FEATURES);
    say_limits(&said, ",\"low\":", profile->low, 0);
    say_limits(&said, ",\"high\":", profile->high, 1);
    say_distances(&said, profile);
    say_counts(&said, ",\"score_counts\":", profile->score_counts, MODEL_SCORE_BINS);
    say_counts(&said, ",\"out_of_range\":", profile->out_of_range, MODEL_FEATURES);
    say(&said, "}");
    return said.length < said.room ? said.length : 0;
}
