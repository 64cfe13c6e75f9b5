/* What a constrained device is told when it starts, a `name=value` a line. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <stdio.h>

#include "mqtt.h"

typedef struct {
    char sensors[128]; /* host:port of the sensors' broker */
    char sensors_user[128];
    char sensors_password[256];
    char input[MQTT_TOPIC_BYTES];    /* filter of the rows */
    char output[MQTT_TOPIC_BYTES];   /* topic of the answers */
    char refusals[MQTT_TOPIC_BYTES]; /* topic of what is no row; empty for none */
    char hub[128];                   /* host:port of the hub's broker; empty for none */
    char password[256];              /* of the device at the hub's broker */
    char device[65];
    char hardware[65];
    char boot[16];
} settings;

/* Reads settings to the end of a file; 0, or -1 with a word about it on standard error. */
int settings_read(settings *set, FILE *from);

#endif
