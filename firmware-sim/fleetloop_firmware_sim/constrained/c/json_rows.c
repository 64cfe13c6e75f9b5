/* Rows in a JSON payload (RFC 8259), in the forms that the agent on larger devices takes. */
#include "json_rows.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model_rows.h"

#define TEXT_BYTES 256
#define NUMBER_BYTES 64
#define OTHER (-1.0f)

typedef struct {
    const char *at;
    const char *end;
    char *why;
    int row;
} reader;

static int refuse(reader *from, const char *what)
{
    snprintf(from->why, JSON_WHY_BYTES, "%s", what);
    return -1;
}

static int refuse_value(reader *from, size_t feature, const char *what)
{
    char name[TEXT_BYTES / 2];
    json_escape(model_features[feature].name, name, sizeof name);
    snprintf(from->why, JSON_WHY_BYTES, "row %d: '%s' %s", from->row, name, what);
    return -1;
}

static int no_json(reader *from)
{
    return refuse(from, "the payload is no JSON");
}

static char next(reader *from)
{
    while (from->at < from->end &&
           (*from->at == ' ' || *from->at == '\t' || *from->at == '\n' || *from->at == '\r'))
        from->at++;
    return from->at < from->end ? *from->at : 0;
}

static int take(reader *from, char wanted)
{
    if (next(from) != wanted)
        return 0;
    from->at++;
    return 1;
}

static int hex4(reader *from, unsigned long *code)
{
    *code = 0;
    if (from->end - from->at < 4)
        return -1;
    for (int k = 0; k < 4; k++) {
        const char c = *from->at++;
        const char *digit = strchr("0123456789abcdef", c >= 'A' && c <= 'F' ? c + 32 : c);
        if (!c || !digit)
            return -1;
        *code = *code << 4 | (unsigned long)(digit - "0123456789abcdef");
    }
    return 0;
}

static size_t put_utf8(char *into, unsigned long code)
{
    size_t at = 0;
    if (code < 0x80) {
        into[at++] = (char)code;
        return at;
    }
    if (code < 0x800)
        into[at++] = (char)(0xc0 | code >> 6);
    else {
        if (code < 0x10000)
            into[at++] = (char)(0xe0 | code >> 12);
        else {
            into[at++] = (char)(0xf0 | code >> 18);
            into[at++] = (char)(0x80 | (code >> 12 & 63));
        }
        into[at++] = (char)(0x80 | (code >> 6 & 63));
    }
    into[at++] = (char)(0x80 | (code & 63));
    return at;
}

/* A character after a backslash; how many bytes it has made, or 0 if it is none. */
static size_t escaped(reader *from, char *into)
{
    static const char names[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    unsigned long code, low;
    const char c = from->at < from->end ? *from->at++ : 0;
    const char *known = c ? strchr(names, c) : NULL;
    if (known) {
        *into = meant[known - names];
        return 1;
    }
    if (c != 'u' || hex4(from, &code) || (code >= 0xdc00 && code < 0xe000))
        return 0;
    if (code >= 0xd800 && code < 0xdc00) {
        if (from->end - from->at < 6 || from->at[0] != '\\' || from->at[1] != 'u')
            return 0;
        from->at += 2;
        if (hex4(from, &low) || low < 0xdc00 || low >= 0xe000)
            return 0;
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    return put_utf8(into, code);
}

/* A string; 1 if it was too long to be kept, -1 if it is none. A 0 in it makes it too long. */
static int string(reader *from, char into[TEXT_BYTES])
{
    size_t length = 0;
    int cut = 0;
    if (!take(from, '"'))
        return -1;
    while (from->at < from->end && *from->at != '"') {
        char bytes[4];
        size_t count = 1;
        bytes[0] = *from->at++;
        if ((unsigned char)bytes[0] < 0x20)
            return -1;
        if (bytes[0] == '\\' && !(count = escaped(from, bytes)))
            return -1;
        cut |= length + count >= TEXT_BYTES || !bytes[0];
        if (!cut) {
            memcpy(into + length, bytes, count);
            length += count;
        }
    }
    into[length] = 0;
    return from->at++ < from->end ? cut : -1;
}

/* A number by the grammar of JSON, as text; 1 if it was too long to be kept, -1 if it is none. */
static int number(reader *from, char into[NUMBER_BYTES])
{
    const char *start = from->at, *at = from->at;
    const char *digits;
    at += *at == '-';
    digits = at;
    while (*at >= '0' && *at <= '9')
        at++;
    if (at == digits || (*digits == '0' && at - digits > 1))
        return -1;
    if (*at == '.') {
        digits = ++at;
        while (*at >= '0' && *at <= '9')
            at++;
        if (at == digits)
            return -1;
    }
    if (*at == 'e' || *at == 'E') {
        at++;
        at += *at == '+' || *at == '-';
        digits = at;
        while (*at >= '0' && *at <= '9')
            at++;
        if (at == digits)
            return -1;
    }
    from->at = at;
    if (at - start >= NUMBER_BYTES)
        return 1;
    memcpy(into, start, (size_t)(at - start));
    into[at - start] = 0;
    return 0;
}

static int word(reader *from, const char *wanted)
{
    const size_t length = strlen(wanted);
    if ((size_t)(from->end - from->at) < length || memcmp(from->at, wanted, length))
        return 0;
    from->at += length;
    return 1;
}

/* The value of a feature; 0, or -1. */
static int value(reader *from, size_t feature, float *into)
{
    const int category = model_features[feature].categories != NULL;
    char text[TEXT_BYTES];
    const char first = next(from);
    int status;
    *into = NAN;
    if (word(from, "null"))
        return 0;
    if (first == '"') {
        status = string(from, text);
        if (status < 0)
            return no_json(from);
        if (!category)
            return refuse_value(from, feature, "is a text; give a number, or null");
        if (!status)
            return model_read_value(feature, text, into);
        *into = OTHER;
        return 0;
    }
    if (first == 't' || first == 'f') {
        const int yes = word(from, "true");
        if (!yes && !word(from, "false"))
            return no_json(from);
        if (!category)
            return refuse_value(from, feature, "is true or false; give a number, or null");
        return model_read_value(feature, yes ? "true" : "false", into);
    }
    if (first == '{' || first == '[')
        return refuse_value(from, feature, "holds more than one value; give a number, or null");
    status = number(from, text);
    if (status < 0)
        return no_json(from);
    if (status)
        return refuse_value(from, feature, "has too many digits");
    if (model_read_value(feature, text, into) || isinf(*into))
        return refuse_value(from, feature, "is too large for float32");
    return 0;
}

static int missing_name(reader *from, const uint8_t *seen)
{
    for (size_t k = 0; k < MODEL_FEATURES; k++)
        if (!seen[k])
            return refuse_value(from, k, "is not there; give null for what was not measured");
    return 0;
}

/* The names and values of an object whose first name was read. */
static int named_values(reader *from, char name[TEXT_BYTES], float *row)
{
    uint8_t seen[MODEL_FEATURES] = {0};
    for (;;) {
        const int feature = model_find_feature(name);
        int cut;
        if (!take(from, ':'))
            return no_json(from);
        if (feature < 0)
            return refuse(from, "a row holds a name that the model does not know");
        if (value(from, (size_t)feature, &row[feature]))
            return -1;
        seen[feature] = 1;
        if (take(from, '}'))
            return missing_name(from, seen);
        if (!take(from, ',') || (cut = string(from, name)) < 0)
            return no_json(from);
        if (cut)
            return refuse(from, "a row holds a name that the model does not know");
    }
}

static int placed_values(reader *from, float *row)
{
    for (size_t k = 0; k < MODEL_FEATURES; k++) {
        if (k && !take(from, ','))
            return refuse(from, "a row with fewer values than the model has features");
        if (value(from, k, &row[k]))
            return -1;
    }
    return take(from, ']') ? 0 : refuse(from, "a row with more values than the model has features");
}

static int one_row(reader *from, float *row)
{
    char name[TEXT_BYTES];
    if (take(from, '['))
        return placed_values(from, row);
    if (!take(from, '{'))
        return refuse(from, "a row is neither an object of names nor an array of values");
    switch (string(from, name)) {
    case 0:
        return named_values(from, name, row);
    case 1:
        return refuse(from, "a row holds a name that the model does not know");
    default:
        return next(from) == '}' ? refuse(from, "a row without values") : no_json(from);
    }
}

/* The rows of an array whose bracket was read. */
static int many_rows(reader *from, float rows[][MODEL_FEATURES])
{
    int count = 0;
    if (next(from) == ']')
        return refuse(from, "the payload holds no row");
    do {
        if (count == JSON_MOST_ROWS)
            return refuse(from, "more rows at once than this device takes");
        from->row = count;
        if (one_row(from, rows[count]))
            return -1;
        count++;
    } while (take(from, ','));
    return take(from, ']') ? count : no_json(from);
}

static int all_rows(reader *from, float rows[][MODEL_FEATURES], int *many)
{
    char name[TEXT_BYTES];
    const char *start = from->at;
    *many = 1;
    if (take(from, '[')) {
        if (next(from) == '[' || next(from) == '{' || next(from) == ']')
            return many_rows(from, rows);
        *many = 0;
        return placed_values(from, rows[0]) ? -1 : 1;
    }
    if (take(from, '{') && !string(from, name) && !strcmp(name, "rows") && take(from, ':') &&
        take(from, '[')) {
        const int count = many_rows(from, rows);
        return count < 0 || take(from, '}') ? count : no_json(from);
    }
    from->at = start;
    *many = 0;
    return one_row(from, rows[0]) ? -1 : 1;
}

int json_rows(
    const char *payload,
    size_t length,
    float rows[][MODEL_FEATURES],
    int *many,
    char why[JSON_WHY_BYTES])
{
    reader from = {payload, payload + length, why, 0};
    const int count = all_rows(&from, rows, many);
    why[JSON_WHY_BYTES - 1] = 0;
    if (count > 0 && next(&from))
        return no_json(&from);
    return count > 0 && from.at < from.end ? no_json(&from) : count;
}

void json_escape(const char *text, char *into, size_t room)
{
    size_t at = 0;
    for (; *text && at + 7 < room; text++) {
        const unsigned char c = (unsigned char)*text;
        if (c < 0x20)
            at += (size_t)snprintf(into + at, room - at, "\\u%04x", c);
        else {
            if (c == '"' || c == '\\')
                into[at++] = '\\';
            into[at++] = *text;
        }
    }
    into[at] = 0;
}
