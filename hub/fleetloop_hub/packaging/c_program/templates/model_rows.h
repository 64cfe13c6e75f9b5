/* Reads the values of a row from text, as the agent on larger devices does. */
#ifndef MODEL_ROWS_H
#define MODEL_ROWS_H

#include <stddef.h>

/* The value of a feature; a text without anything in it is a missing value.
   Returns 0, or -1 if this is no number, or one too large for a float. */
int model_read_value(size_t feature, const char *text, float *value);

/* The place of the feature of this name; -1 if the model has none. */
int model_find_feature(const char *name);

#endif
