/* Rows and the outputs that ${title} must give for them on every device. */
#ifndef MODEL_GOLDEN_H
#define MODEL_GOLDEN_H

#include <math.h>

#include "model.h"

#define MODEL_GOLDEN_ROWS ${rows}
#define MODEL_GOLDEN_TOLERANCE ${tolerance}

static const float model_golden_inputs[MODEL_GOLDEN_ROWS][MODEL_FEATURES] = {
${inputs}
};

static const float model_golden_outputs[MODEL_GOLDEN_ROWS][MODEL_OUTPUTS] = {
${expected}
};

#endif
