/* What the device says to the hub, on the topics of every device: birth, what runs, reports. */
#ifndef HUB_WORDS_H
#define HUB_WORDS_H

#include "health.h"
#include "model_profile.h"
#include "settings.h"
#include "station.h"

typedef struct {
    const settings *set;
    station *hub;
    int64_t began_ms;
    unsigned long sequence; /* of the last report */
    unsigned long profiles; /* reports among those that hold a profile */
    unsigned long lost;     /* windows that ended while there was no connection */
    unsigned long first_row;
} hub_words;

/* Aims at the hub's broker and writes the will. */
void hub_aim(hub_words *words, const settings *set, station *hub);

/* Birth and what runs, after each connection. */
void hub_say_birth(hub_words *words);

/* The profile of a whole window, which is cleared; without a connection it is lost, and counted:
   profiles of windows of other lengths do not add up. */
void hub_say_profile(hub_words *words, model_profile *profile);

/* How serving went since the last time; without a connection it is kept and grows. */
void hub_say_health(hub_words *words, health *counted);

/* What the will would have said, and goodbye. */
void hub_leave(hub_words *words);

#endif
