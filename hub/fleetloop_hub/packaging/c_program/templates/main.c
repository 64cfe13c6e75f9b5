/* A program of a model: answers rows of CSV, counts them, proves the golden vectors, measures itself. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "model.h"
#include "model_golden.h"
#include "model_profile.h"
#include "model_rows.h"

#define LINE_BYTES 65536
#define REJECTED 3

static model_work work;
static model_profile profile;
static char profile_text[MODEL_PROFILE_TEXT];
static char line[LINE_BYTES];
static int columns[MODEL_FEATURES];

/* Cuts the next field off a line of CSV, in place; NULL after the last one. */
static char *next_field(char **rest)
{
    char *from = *rest, *to, *field;
    if (!from)
        return NULL;
    if (*from != '"') {
        field = from;
        from += strcspn(from, ",");
    } else {
        field = to = ++from;
        while (*from && (*from != '"' || from[1] == '"')) {
            if (*from == '"')
                from++;
            *to++ = *from++;
        }
        if (*from)
            from++;
        from += strcspn(from, ",");
        if (to != from) {
            *rest = *from ? from + 1 : NULL;
            *to = 0;
            return field;
        }
    }
    *rest = *from ? from + 1 : NULL;
    *from = 0;
    return field;
}

/* Reads a line; 0 at the end, -1 if it is longer than there is room for. */
static int read_line(void)
{
    size_t length;
    if (!fgets(line, sizeof line, stdin))
        return 0;
    length = strlen(line);
    if (length + 1 == sizeof line && line[length - 1] != '\n') {
        for (int c = getchar(); c != '\n' && c != EOF;)
            c = getchar();
        return -1;
    }
    line[strcspn(line, "\r\n")] = 0;
    return 1;
}

/* Learns from the first line which column is which feature. */
static int read_head(void)
{
    char *rest = line, *name;
    int found, column = 0, status = 0;
    for (int k = 0; k < MODEL_FEATURES; k++)
        columns[k] = -1;
    if (read_line() != 1) {
        fputs("no first line with the names of the columns came in\n", stderr);
        return -1;
    }
    for (; (name = next_field(&rest)); column++)
        if ((found = model_find_feature(name)) >= 0)
            columns[found] = column;
    for (int k = 0; k < MODEL_FEATURES; k++)
        if (columns[k] < 0) {
            fprintf(stderr, "the first line does not name '%s'\n", model_features[k].name);
            status = -1;
        }
    return status;
}

/* The row that a line holds; the feature that is wrong, or -1 if none is. */
static int read_row(float *row)
{
    char *rest = line, *field;
    for (int k = 0; k < MODEL_FEATURES; k++)
        row[k] = NAN;
    for (int column = 0; (field = next_field(&rest)); column++)
        for (int k = 0; k < MODEL_FEATURES; k++)
            if (columns[k] == column && model_read_value((size_t)k, field, &row[k]))
                return k;
    return -1;
}

static void print_answer(const model_answer *answer)
{
    if (answer->place >= 0)
        fputs(model_classes[answer->place], stdout);
    else
        printf("%.9g", (double)answer->score);
    printf(",%.9g", (double)answer->score);
    for (int k = 0; k < MODEL_OUTPUTS; k++)
        printf(",%.9g", (double)answer->outputs[k]);
    putchar('\n');
}

static void print_head(void)
{
    fputs("answer,score", stdout);
    for (int k = 0; k < MODEL_OUTPUTS; k++)
        printf(",%s", MODEL_CLASSES ? model_classes[k] : "output");
    putchar('\n');
}

/* Answers every row, or only counts them. */
static int answer_csv(int counted)
{
    float row[MODEL_FEATURES];
    model_answer answer;
    int read, wrong, status = 0;
    if (read_head())
        return 1;
    model_profile_clear(&profile);
    if (!counted)
        print_head();
    for (long number = 2; (read = read_line()); number++) {
        wrong = read < 0 ? -1 : read_row(row);
        if (read > 0 && wrong < 0 && !model_predict(row, &work, &answer)) {
            model_profile_add(&profile, row, answer.score);
            if (!counted)
                print_answer(&answer);
            continue;
        }
        status = REJECTED;
        if (!counted)
            putchar('\n');
        if (read < 0)
            fprintf(stderr, "line %ld: longer than %d bytes; not answered\n", number, LINE_BYTES);
        else if (wrong >= 0)
            fprintf(stderr, "line %ld: '%s' is no number; not answered\n", number,
                    model_features[wrong].name);
        else
            fprintf(stderr, "line %ld: the model has no answer to it\n", number);
    }
    if (counted && model_profile_text(&profile, profile_text, sizeof profile_text))
        puts(profile_text);
    return status;
}

/* Rows of native floats in; outputs, score, place and status out. */
static int answer_floats(void)
{
    float row[MODEL_FEATURES];
    model_answer answer;
    memset(&answer, 0, sizeof answer);
    while (fread(row, sizeof row, 1, stdin) == 1) {
        const float status = (float)model_predict(row, &work, &answer);
        const float place = (float)answer.place, beyond = (float)answer.out_of_range;
        fwrite(answer.outputs, sizeof answer.outputs, 1, stdout);
        fwrite(&answer.score, sizeof(float), 1, stdout);
        fwrite(&place, sizeof place, 1, stdout);
        fwrite(&beyond, sizeof beyond, 1, stdout);
        fwrite(&status, sizeof status, 1, stdout);
    }
    return ferror(stdin) || fflush(stdout) ? 1 : 0;
}

static int prove_golden(void)
{
    model_answer answer;
    double largest = 0.0;
    for (size_t row = 0; row < MODEL_GOLDEN_ROWS; row++) {
        if (model_predict(model_golden_inputs[row], &work, &answer)) {
            printf("golden row %lu has no answer\n", (unsigned long)row);
            return 1;
        }
        for (int k = 0; k < MODEL_OUTPUTS; k++)
            largest = fmax(largest,
                           fabs((double)answer.outputs[k] - (double)model_golden_outputs[row][k]));
    }
    printf("%d golden rows, largest difference %.3g, allowed %.3g: %s\n", MODEL_GOLDEN_ROWS,
           largest, MODEL_GOLDEN_TOLERANCE, largest <= MODEL_GOLDEN_TOLERANCE ? "same" : "OTHER");
    return largest <= MODEL_GOLDEN_TOLERANCE ? 0 : 1;
}

static int measure(void)
{
    model_answer answer;
    const long turns = 200000;
    double took_s;
    clock_t began = clock();
    for (long turn = 0; turn < turns; turn++)
        model_predict(model_golden_inputs[turn % MODEL_GOLDEN_ROWS], &work, &answer);
    took_s = (double)(clock() - began) / CLOCKS_PER_SEC;
    printf("%.3f us a row; tables %d bytes, work memory %lu bytes\n", 1e6 * took_s / (double)turns,
           MODEL_TABLE_BYTES, (unsigned long)sizeof work);
    return 0;
}

int main(int count, char **words)
{
    if (count == 1)
        return answer_csv(0);
    if (count == 2 && !strcmp(words[1], "--profile"))
        return answer_csv(1);
    if (count == 2 && !strcmp(words[1], "--floats"))
        return answer_floats();
    if (count == 2 && !strcmp(words[1], "--golden"))
        return prove_golden();
    if (count == 2 && !strcmp(words[1], "--measure"))
        return measure();
    fprintf(stderr, "usage: %s [--golden | --measure | --profile | --floats] < rows.csv\n", words[0]);
    return 2;
}
