/* Reads the values of a row from text, as the agent on larger devices does. */
#include "model_rows.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

#define OTHER (-1.0f) /* a category that the model does not know */
#define LONGEST 63    /* characters of a number */

typedef struct {
    const char *from;
    size_t length;
} words;

/* A text without the blanks around it. */
static words bare(const char *text)
{
    words found;
    while (isspace((unsigned char)*text))
        text++;
    found.from = text;
    found.length = strlen(text);
    while (found.length && isspace((unsigned char)text[found.length - 1]))
        found.length--;
    return found;
}

static int number(const char *text, double *value)
{
    char *end;
    if (strchr(text, 'x') || strchr(text, 'X'))
        return -1;
    *value = strtod(text, &end);
    return end == text || *end ? -1 : 0;
}

/* Whether two texts are the same whole number: "1", "1.0" and "01" are. */
static int same_whole(const char *one, const char *other)
{
    double a, b;
    if (number(one, &a) || number(other, &b))
        return 0;
    return a == b && floor(a) == a && fabs(a) < 9007199254740992.0;
}

static float place_of(const model_feature *feature, words text, const char *plain)
{
    for (size_t k = 0; k < feature->category_count; k++)
        if (strlen(feature->categories[k]) == text.length &&
            !memcmp(feature->categories[k], text.from, text.length))
            return (float)k;
    for (size_t k = 0; k < feature->category_count; k++)
        if (same_whole(feature->categories[k], plain))
            return (float)k;
    return OTHER;
}

int model_read_value(size_t feature, const char *text, float *value)
{
    const words given = bare(text);
    const int category = model_features[feature].categories != NULL;
    char plain[LONGEST + 1] = "";
    double wide;
    *value = NAN;
    if (!given.length)
        return 0;
    if (given.length <= LONGEST)
        memcpy(plain, given.from, given.length);
    if (category) {
        *value = place_of(&model_features[feature], given, plain);
        return 0;
    }
    if (number(plain, &wide))
        return -1;
    if (wide != wide)
        return 0;
    *value = (float)wide;
    return isinf(*value) && !isinf(wide) ? -1 : 0;
}

int model_find_feature(const char *name)
{
    for (int k = 0; k < MODEL_FEATURES; k++)
        if (!strcmp(model_features[k].name, name))
            return k;
    return -1;
}
