/* A connection that comes back: each attempt waits longer, and at random, so that many devices do
   not come back at once. */
#ifndef STATION_H
#define STATION_H

#include "mqtt.h"

typedef struct {
    mqtt_client client;
    mqtt_settings to;
    const char *called;
    char address[128]; /* empty: there is no such station */
    int64_t since_ms;  /* of the last attempt */
    int64_t again_ms;  /* when to try again */
    int64_t wait_ms;
    unsigned long connections;
    int told; /* whether this connection was told of */
} station;

/* Aims at host:port; nothing is connected yet. */
void station_aim(station *one, const char *called, const char *address);

/* Keeps the connection, or makes one where the time has come; true if it has just been made. */
int station_keep(station *one);

/* Says on standard output, once a connection, that it stands. */
void station_tell(station *one);

#endif
