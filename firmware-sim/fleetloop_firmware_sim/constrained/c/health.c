/* How serving goes: counts since the last report, and times in bins that add up over devices. */
#include "health.h"

#include <math.h>

#include "text.h"

#define EXACT_NS 4000000000LL /* its square has 64 bits */

size_t health_bin(int64_t took_ns)
{
    uint64_t square;
    size_t bits = 0;
    if (took_ns < 1000)
        return 0;
    if (took_ns > EXACT_NS * 1000)
        return HEALTH_BINS - 1;
    square = took_ns <= EXACT_NS ? (uint64_t)took_ns * (uint64_t)took_ns / 1000000
                                 : (uint64_t)(took_ns / 1000) * (uint64_t)(took_ns / 1000);
    while (square) {
        square >>= 1;
        bits++;
    }
    return bits < HEALTH_BINS ? bits : HEALTH_BINS - 1;
}

/* Appends the time that a share of all stayed below, in ms: the geometric middle of its bin. */
static void add_quantile(const health *counted, const char *name, double share, char *into,
                         size_t room)
{
    unsigned long total = 0, seen = 0;
    double rank;
    for (size_t k = 0; k < HEALTH_BINS; k++)
        total += counted->took[k];
    if (!total) {
        text_add(into, room, ",\"%s\":null", name);
        return;
    }
    rank = fmax(1.0, ceil(share * (double)total));
    for (size_t k = 0; k < HEALTH_BINS; k++) {
        seen += counted->took[k];
        if ((double)seen >= rank) {
            const double us = k == 0                 ? 1.0
                              : k == HEALTH_BINS - 1 ? pow(2.0, (double)(k - 1) / 2)
                                                     : pow(2.0, ((double)k - 0.5) / 2);
            text_add(into, room, ",\"%s\":%.6g", name, us / 1000);
            return;
        }
    }
}

void health_text(const health *counted, char *into, size_t room)
{
    text_add(into, room, "\"rows\":%lu,\"errors\":%lu,\"refused\":%lu,\"latency_counts\":[",
             counted->rows, counted->errors, counted->refused);
    for (size_t k = 0; k < HEALTH_BINS; k++)
        text_add(into, room, k ? ",%lu" : "%lu", counted->took[k]);
    text_add(into, room, "]");
    add_quantile(counted, "latency_p50_ms", 0.5, into, room);
    add_quantile(counted, "latency_p99_ms", 0.99, into, room);
}
