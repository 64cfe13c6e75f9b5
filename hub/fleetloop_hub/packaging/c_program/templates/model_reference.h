/* The rows that ${title} was made from, as devices compare with them: bins, means, spreads. */
#ifndef MODEL_REFERENCE_H
#define MODEL_REFERENCE_H

#include <stdint.h>

#define MODEL_BINS ${bins} /* of all features together */
#define MODEL_WINDOW_ROWS ${window_rows} /* of a report */
#define MODEL_SCORE_LOW ${score_low}
#define MODEL_SCORE_HIGH ${score_high}

typedef struct {
    const float *edges; /* bin k holds edges[k-1] <= x < edges[k] */
    uint16_t edge_count;
    double mean;
    double sd; /* infinite of a category: its numbers have no distance */
} model_bins;

extern const model_bins model_reference[${features}];

#endif
