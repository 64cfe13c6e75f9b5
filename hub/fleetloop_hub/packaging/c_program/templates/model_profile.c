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

static void say_limits(text *said, const char *name, const float *limits)
{
    say(said, "%s[", name);
    for (size_t k = 0; k < MODEL_FEATURES; k++) {
        say(said, k ? "," : "");
        if (isfinite(limits[k]))
            say(said, "%.17g", (double)limits[k]);
        else
            say(said, "null");
    }
    say(said, "]");
}

static void say_sums(text *said, const double *sums)
{
    say(said, ",\"sums\":[");
    for (size_t k = 0; k < MODEL_FEATURES; k++)
        say(said, k ? ",%.17g" : "%.17g", sums[k] / MODEL_STEPS);
    say(said, "]");
}

static void say_steps(text *said, const char *name, const int64_t *sums, size_t count, double unit)
{
    say(said, "%s[", name);
    for (size_t k = 0; k < count; k++)
        say(said, k ? ",%.17g" : "%.17g", (double)sums[k] / unit);
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
    say_limits(&said, ",\"low\":", profile->low);
    say_limits(&said, ",\"high\":", profile->high);
    say_sums(&said, profile->sums);
    say_steps(&said, ",\"near_sums\":", profile->near_sums, MODEL_FEATURES, MODEL_STEPS);
    say_steps(&said, ",\"near_products\":", profile->near_products, MODEL_PAIRS,
              (double)MODEL_STEPS * MODEL_STEPS);
    say_counts(&said, ",\"score_counts\":", profile->score_counts, MODEL_SCORE_BINS);
    say_counts(&said, ",\"out_of_range\":", profile->out_of_range, MODEL_FEATURES);
    say(&said, "}");
    return said.length < said.room ? said.length : 0;
}
