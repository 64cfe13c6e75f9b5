/* Rows in a JSON payload (RFC 8259), in the forms that the agent on larger devices takes. */
#ifndef JSON_ROWS_H
#define JSON_ROWS_H

#include <stddef.h>

#include "model.h"

#define JSON_MOST_ROWS 64
#define JSON_WHY_BYTES 256

/* Reads an object {feature: value, ...}, an array of values in the order of the model's features,
   an array of those, or {"rows": [...]}. Returns how many rows there are, or -1 with the reason as
   a text that may stand in a JSON string; `many` says whether it is a list of rows, also of one, and
   not a row by itself. The payload must end with a 0 that is not counted. */
int json_rows(
    const char *payload,
    size_t length,
    float rows[][MODEL_FEATURES],
    int *many,
    char why[JSON_WHY_BYTES]);

/* Copies a text as the inside of a JSON string, cut where there is no more room. */
void json_escape(const char *text, char *into, size_t room);

#endif
