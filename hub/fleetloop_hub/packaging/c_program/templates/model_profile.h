/* Counts answered rows on the bins of the reference, as every device does: profiles add up. */
#ifndef MODEL_PROFILE_H
#define MODEL_PROFILE_H

#include "model.h"
#include "model_reference.h"

#define MODEL_SCORE_BINS 32

/* Room for a profile as text. */
#define MODEL_PROFILE_TEXT \
    (256 + 125 * MODEL_FEATURES + 11 * (MODEL_BINS + MODEL_SCORE_BINS) + 21 * MODEL_PAIRS)

typedef struct {
    uint32_t rows;
    uint32_t counts[MODEL_BINS]; /* the bins of the first feature, then those of the next one */
    uint32_t missing[MODEL_FEATURES];
    uint32_t out_of_range[MODEL_FEATURES];
    uint32_t score_counts[MODEL_SCORE_BINS];
    float low[MODEL_FEATURES];
    float high[MODEL_FEATURES];
    double sums[MODEL_FEATURES]; /* of distances from the reference, in steps */
    int64_t near_sums[MODEL_FEATURES]; /* of near distances, which are whole steps */
    int64_t near_products[MODEL_PAIRS]; /* of the same for the pairs i <= j, row by row */
} model_profile;

void model_profile_clear(model_profile *profile);

/* Counts a row that was answered. */
void model_profile_add(model_profile *profile, const float *row, float score);

/* Writes the profile as JSON, rounded as agents round it, which the hub adds to others of as many
   rows; returns its length, or 0 if there is not enough room. */
size_t model_profile_text(const model_profile *profile, char *into, size_t room);

#endif
