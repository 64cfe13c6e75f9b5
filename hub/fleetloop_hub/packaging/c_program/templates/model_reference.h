/* The rows that ${title} was made from, as devices compare with them: bins, means, spreads. */
#ifndef MODEL_REFERENCE_H
#define MODEL_REFERENCE_H

#include <stdint.h>

#define MODEL_BINS ${bins} /* of all features together */
#define MODEL_WINDOW_ROWS ${window_rows} /* of a report */
#define MODEL_STEPS ${steps}
#define MODEL_REACH ${reach} /* steps: a near distance is no larger */
#define MODEL_SCORE_LOW ${score_low}
#define MODEL_SCORE_HIGH ${score_high}

typedef struct {
    const float *edges; /* bin k holds edges[k-1] <= x < edges[k] */
    uint16_t edge_count;
    float mean;
    float steps_per_unit; /* a step is 1 / MODEL_STEPS of a standard deviation; 0 of a category */
    double finer;         /* the smallest and largest value are told in whole */
    double coarser;       /* coarser / finer, a power of ten */
} model_bins;

#define MODEL_PAIRS (${features} * (${features} + 1) / 2)

extern const double model_correlations[MODEL_PAIRS]; /* of the pairs i <= j, row by row */
extern const model_bins model_reference[${features}];

#endif
