/* How serving goes: counts since the last report, and times in bins that add up over devices. */
#ifndef HEALTH_H
#define HEALTH_H

#include <stddef.h>
#include <stdint.h>

#define HEALTH_BINS 48 /* half octaves from 1 microsecond, as agents count them */

typedef struct {
    unsigned long rows;
    unsigned long errors;
    unsigned long refused;
    unsigned long took[HEALTH_BINS];
} health;

/* The bin of a time. */
size_t health_bin(int64_t took_ns);

/* Appends the counts as members of a JSON object. */
void health_text(const health *counted, char *into, size_t room);

#endif
