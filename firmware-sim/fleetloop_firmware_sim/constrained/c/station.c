/* A connection that comes back: each attempt waits longer, and at random, so that many devices do
   not come back at once. */
#include "station.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEP_ALIVE_S 30
#define FIRST_WAIT_MS 500
#define LONGEST_WAIT_MS 30000
#define STEADY_MS 10000 /* a connection that has lasted so long was a good one */

void station_aim(station *one, const char *called, const char *address)
{
    char *port;
    memset(one, 0, sizeof *one);
    one->called = called;
    strncpy(one->address, address, sizeof one->address - 1);
    one->client.socket = -1;
    one->wait_ms = FIRST_WAIT_MS;
    one->to.keep_alive_s = KEEP_ALIVE_S;
    port = strrchr(one->address, ':');
    if (port)
        *port++ = 0;
    one->to.host = one->address;
    one->to.port = port ? port : "1883";
}

int station_keep(station *one)
{
    const char *why;
    const int64_t now = now_ms();
    mqtt_keep(&one->client);
    if (one->client.socket >= 0 && now - one->since_ms > STEADY_MS)
        one->wait_ms = FIRST_WAIT_MS;
    if (!one->address[0] || one->client.socket >= 0 || now < one->again_ms)
        return 0;
    one->since_ms = now;
    one->again_ms = now + one->wait_ms / 2 + rand() % (one->wait_ms / 2 + 1);
    one->wait_ms = one->wait_ms < LONGEST_WAIT_MS / 2 ? 2 * one->wait_ms : LONGEST_WAIT_MS;
    one->told = 0;
    if (!mqtt_connect(&one->client, &one->to, &why)) {
        one->connections++;
        return 1;
    }
    fprintf(stderr, "%s at %s: %s\n", one->called, one->address, why);
    return 0;
}

void station_tell(station *one)
{
    if (one->told)
        return;
    one->told = 1;
    printf("connected \"%s\"\n", one->called);
    fflush(stdout);
}
