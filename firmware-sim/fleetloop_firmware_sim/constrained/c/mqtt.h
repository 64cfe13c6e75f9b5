/* A client of MQTT 3.1.1 (OASIS, 2014) at quality 0: a socket, two fixed buffers, no heap. */
#ifndef MQTT_H
#define MQTT_H

#include <stddef.h>
#include <stdint.h>

#define MQTT_IN_BYTES 8192
#define MQTT_TOPIC_BYTES 256

typedef struct {
    const char *host;
    const char *port;
    const char *client;
    const char *username; /* NULL without one */
    const char *password;
    const char *will_topic; /* NULL without a will; it is retained */
    const char *will;
    uint16_t keep_alive_s;
} mqtt_settings;

/* Takes a message; the payload ends with a 0 that is not counted. */
typedef void (*mqtt_taker)(
    void *context, const char *topic, const char *payload, size_t length, int retained);

typedef struct {
    int socket; /* -1 while there is no connection */
    uint16_t keep_alive_s;
    int64_t said_ms;
    int64_t heard_ms;
    size_t have; /* bytes of the next packet that have come */
    size_t skip; /* bytes of a packet without room that still come */
    unsigned long oversized;
    int subscribed; /* whether the broker has granted the filter that was asked for last */
    uint8_t in[MQTT_IN_BYTES + 1];
    char topic[MQTT_TOPIC_BYTES];
} mqtt_client;

/* Connects and waits for the broker's word; 0, or -1 with the reason in `why`. */
int mqtt_connect(mqtt_client *client, const mqtt_settings *settings, const char **why);

/* 0, or -1: the connection is gone, and closed. */
int mqtt_subscribe(mqtt_client *client, const char *filter);
int mqtt_publish(
    mqtt_client *client, const char *topic, const void *payload, size_t length, int retained);

/* Reads what has come and hands every message over; 0, or -1: the connection is gone, and closed. */
int mqtt_read(mqtt_client *client, mqtt_taker take, void *context);

/* Says something before the broker grows impatient; 0, or -1: it has been silent for too long. */
int mqtt_keep(mqtt_client *client);

/* Says goodbye, so that the broker does not publish the will. */
void mqtt_leave(mqtt_client *client);

/* Milliseconds of a clock that never goes back. */
int64_t now_ms(void);

#endif
