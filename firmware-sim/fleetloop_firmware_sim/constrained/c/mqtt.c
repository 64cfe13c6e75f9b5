/* A client of MQTT 3.1.1 (OASIS, 2014) at quality 0: a socket, two fixed buffers, no heap. */
#define _POSIX_C_SOURCE 200809L
#include "mqtt.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { CONNECT = 1, CONNACK, PUBLISH, SUBSCRIBE = 8, SUBACK, PINGREQ = 12, DISCONNECT = 14 };

#define PATIENCE_S 5
#define HEAD_BYTES 1024
#define LONGEST 268435455UL /* of a packet: four bytes of seven bits, section 2.2.3 */

int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int lost(mqtt_client *client)
{
    if (client->socket >= 0)
        close(client->socket);
    client->socket = -1;
    return -1;
}

static int send_all(mqtt_client *client, const void *data, size_t length)
{
    const uint8_t *at = data;
    if (client->socket < 0)
        return -1;
    while (length) {
        const ssize_t sent = send(client->socket, at, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return lost(client);
        at += sent;
        length -= (size_t)sent;
    }
    client->said_ms = now_ms();
    return 0;
}

/* The first bytes of a packet: its kind, and how many bytes follow. */
static size_t put_head(uint8_t *into, unsigned first, unsigned long length)
{
    size_t at = 0;
    into[at++] = (uint8_t)first;
    do {
        into[at++] = (uint8_t)((length & 127) | (length > 127 ? 128 : 0));
        length >>= 7;
    } while (length);
    return at;
}

static size_t put_text(uint8_t *into, const char *text)
{
    const size_t length = strlen(text);
    into[0] = (uint8_t)(length >> 8);
    into[1] = (uint8_t)length;
    memcpy(into + 2, text, length);
    return length + 2;
}

static int open_socket(const mqtt_settings *settings)
{
    struct addrinfo wanted, *found, *each;
    const struct timeval patience = {PATIENCE_S, 0};
    const int on = 1;
    int made = -1;
    memset(&wanted, 0, sizeof wanted);
    wanted.ai_socktype = SOCK_STREAM;
    if (getaddrinfo(settings->host, settings->port, &wanted, &found))
        return -1;
    for (each = found; each && made < 0; each = each->ai_next) {
        made = socket(each->ai_family, each->ai_socktype, each->ai_protocol);
        if (made < 0)
            continue;
        setsockopt(made, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        setsockopt(made, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (connect(made, each->ai_addr, each->ai_addrlen)) {
            close(made);
            made = -1;
        }
    }
    freeaddrinfo(found);
    return made;
}

/* The CONNECT packet (section 3.1), or 0 if its words are too long. */
static size_t put_connect(uint8_t *into, const mqtt_settings *settings)
{
    uint8_t body[HEAD_BYTES];
    size_t at, head, words = strlen(settings->client);
    unsigned flags = 2; /* a clean session */
    if (settings->will_topic)
        words += strlen(settings->will_topic) + strlen(settings->will);
    if (settings->username)
        words += strlen(settings->username) + strlen(settings->password);
    if (words > HEAD_BYTES - 32)
        return 0;
    flags |= settings->will_topic ? 4 | 32 : 0;
    flags |= settings->username ? 128 | 64 : 0;
    at = put_text(body, "MQTT");
    body[at++] = 4;
    body[at++] = (uint8_t)flags;
    body[at++] = (uint8_t)(settings->keep_alive_s >> 8);
    body[at++] = (uint8_t)settings->keep_alive_s;
    at += put_text(body + at, settings->client);
    if (settings->will_topic) {
        at += put_text(body + at, settings->will_topic);
        at += put_text(body + at, settings->will);
    }
    if (settings->username) {
        at += put_text(body + at, settings->username);
        at += put_text(body + at, settings->password);
    }
    head = put_head(into, CONNECT << 4, (unsigned long)at);
    memcpy(into + head, body, at);
    return head + at;
}

int mqtt_connect(mqtt_client *client, const mqtt_settings *settings, const char **why)
{
    static const char *const refusals[] = {
        "it speaks another MQTT", "it does not take this client's name", "it is not available",
        "it does not take the username and password", "this client may not connect"};
    uint8_t packet[HEAD_BYTES + 8], answer[4];
    const size_t length = put_connect(packet, settings);
    client->have = client->skip = 0;
    client->subscribed = 0;
    client->keep_alive_s = settings->keep_alive_s;
    *why = "a name, password or will that is too long";
    client->socket = -1;
    if (!length)
        return -1;
    *why = "no broker answers there";
    client->socket = open_socket(settings);
    if (client->socket < 0 || send_all(client, packet, length))
        return -1;
    if (recv(client->socket, answer, sizeof answer, MSG_WAITALL) != sizeof answer ||
        answer[0] != CONNACK << 4 || answer[1] != 2)
        return lost(client);
    if (answer[3]) {
        *why = answer[3] <= 5 ? refusals[answer[3] - 1] : "it refuses";
        return lost(client);
    }
    client->heard_ms = now_ms();
    return 0;
}

int mqtt_subscribe(mqtt_client *client, const char *filter)
{
    uint8_t packet[MQTT_TOPIC_BYTES + 16];
    size_t at;
    if (strlen(filter) >= MQTT_TOPIC_BYTES)
        return -1;
    at = put_head(packet, SUBSCRIBE << 4 | 2, (unsigned long)strlen(filter) + 5);
    packet[at++] = 0;
    packet[at++] = 1; /* the number that its acknowledgement bears */
    at += put_text(packet + at, filter);
    packet[at++] = 0; /* quality 0 */
    client->subscribed = 0;
    return send_all(client, packet, at);
}

int mqtt_publish(
    mqtt_client *client, const char *topic, const void *payload, size_t length, int retained)
{
    uint8_t head[MQTT_TOPIC_BYTES + 8];
    size_t at;
    if (strlen(topic) >= MQTT_TOPIC_BYTES || length > LONGEST - MQTT_TOPIC_BYTES)
        return -1;
    at = put_head(head, PUBLISH << 4 | (retained ? 1 : 0),
                  (unsigned long)(strlen(topic) + 2 + length));
    at += put_text(head + at, topic);
    return send_all(client, head, at) || send_all(client, payload, length) ? -1 : 0;
}

/* Hands over a packet that is whole; -1 if it is none of those that may come. */
static int take_packet(
    mqtt_client *client, uint8_t *body, size_t length, mqtt_taker take, void *context)
{
    const unsigned kind = client->in[0] >> 4, quality = client->in[0] >> 1 & 3;
    size_t named;
    if (kind == SUBACK) {
        client->subscribed = length == 3 && body[2] != 128;
        return client->subscribed ? 0 : -1;
    }
    if (kind != PUBLISH)
        return kind == PINGREQ + 1 ? 0 : -1;
    if (quality || length < 2)
        return -1;
    named = (size_t)body[0] << 8 | body[1];
    if (named + 2 > length)
        return -1;
    if (named >= MQTT_TOPIC_BYTES) {
        client->oversized++;
        return 0;
    }
    memcpy(client->topic, body + 2, named);
    client->topic[named] = 0;
    body[length] = 0; /* where the next packet begins, or the byte kept free: put back below */
    take(context, client->topic, (const char *)body + 2 + named, length - 2 - named,
         client->in[0] & 1);
    return 0;
}

/* Takes the whole packets off the buffer; -1 at one that breaks the protocol. */
static int take_packets(mqtt_client *client, mqtt_taker take, void *context)
{
    for (;;) {
        size_t length = 0, head = 1, whole;
        unsigned shift = 0;
        uint8_t next;
        do {
            if (head >= client->have)
                return 0;
            if (head > 4)
                return -1;
            length |= (size_t)(client->in[head] & 127) << shift;
            shift += 7;
        } while (client->in[head++] & 128);
        whole = head + length;
        if (whole > MQTT_IN_BYTES) {
            client->oversized++;
            client->skip = whole - client->have;
            client->have = 0;
            return 0;
        }
        if (whole > client->have)
            return 0;
        next = client->in[whole];
        if (take_packet(client, client->in + head, length, take, context))
            return -1;
        client->in[whole] = next;
        client->have -= whole;
        memmove(client->in, client->in + whole, client->have);
    }
}

int mqtt_read(mqtt_client *client, mqtt_taker take, void *context)
{
    ssize_t came;
    if (client->socket < 0)
        return -1;
    came = recv(client->socket, client->in + client->have, MQTT_IN_BYTES - client->have,
                MSG_DONTWAIT);
    if (came < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return 0;
    if (came <= 0)
        return lost(client);
    client->heard_ms = now_ms();
    if (client->skip) {
        const size_t gone = (size_t)came < client->skip ? (size_t)came : client->skip;
        client->skip -= gone;
        came -= (ssize_t)gone;
        memmove(client->in, client->in + gone, (size_t)came);
    }
    client->have += (size_t)came;
    return take_packets(client, take, context) ? lost(client) : 0;
}

int mqtt_keep(mqtt_client *client)
{
    static const uint8_t ping[] = {PINGREQ << 4, 0};
    const int64_t now = now_ms(), patience_ms = (int64_t)client->keep_alive_s * 1000;
    if (client->socket < 0)
        return -1;
    if (now - client->heard_ms > 2 * patience_ms)
        return lost(client);
    if (now - client->said_ms > patience_ms / 2)
        return send_all(client, ping, sizeof ping);
    return 0;
}

void mqtt_leave(mqtt_client *client)
{
    static const uint8_t goodbye[] = {DISCONNECT << 4, 0};
    if (client->socket >= 0 && !send_all(client, goodbye, sizeof goodbye))
        lost(client);
}
