/* ${title}: written by `fleetloop export` from artifact
   ${sha}.
   Tables ${flash} bytes of flash, work memory ${work} bytes of RAM; C99, no heap, <math.h> only. */
#ifndef MODEL_H
#define MODEL_H

#include <stddef.h>
#include <stdint.h>

#define MODEL_NAME ${name}
#define MODEL_VERSION ${version}
#define MODEL_ARTIFACT "${sha}"
#define MODEL_FEATURES ${features}
#define MODEL_OUTPUTS ${outputs}
#define MODEL_CLASSES ${classes} /* 0 of a regression */
#define MODEL_NAMED ${has_names} /* whether classes have names beside their numbers */
#define MODEL_TABLE_BYTES ${flash}

#define MODEL_ANSWERED 0
#define MODEL_NO_ANSWER (-1) /* an output is no finite number, as after an infinite input */

/* What a row is worked out in; one for each task that predicts. */
typedef struct {
${members}
} model_work;

typedef struct {
    float outputs[MODEL_OUTPUTS]; /* probabilities of the classes, or the value of a regression */
    float score;                  /* of the positive, else the most probable class; or the value */
    int16_t place;                /* of the answer among the classes; -1 of a regression */
    uint16_t out_of_range;        /* values outside their feature's range, or not among its categories */
} model_answer;

typedef struct {
    const char *name;
    const char *unit;
    float low;
    float high;
    const char *const *categories; /* NULL of a number */
    uint16_t category_count;
} model_feature;

extern const model_feature model_features[MODEL_FEATURES];
extern const char *const model_classes[${named}]; /* what the classes are called */
extern const int32_t model_labels[${named}];      /* their numbers */

/* What the artifact puts out for one row: the features in their order, NAN where one is missing, a
   category by its place among the listed ones, -1 if it is none of them. */
void model_outputs(const float *row, float *outputs, model_work *work);

/* The answer to a row; MODEL_ANSWERED, or MODEL_NO_ANSWER. */
int model_predict(const float *row, model_work *work, model_answer *answer);

#endif
