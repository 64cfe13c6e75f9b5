/* Firmware of a device without Python: answers rows that sensors publish, and counts them.

   It reads its settings from standard input, a `name=value` a line, and says on standard output what
   becomes of it, a word and a number of JSON a line, for whoever has started it. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "json_rows.h"
#include "model.h"
#include "model_golden.h"
#include "model_profile.h"
#include "mqtt.h"

#define AGENT "constrained-c 1"
#define KEEP_ALIVE_S 30
#define STEP_MS 200
#define FIRST_WAIT_MS 500
#define LONGEST_WAIT_MS 30000
#define STEADY_MS 10000
#define ANSWER_BYTES (256 + JSON_MOST_ROWS * (512 + (int)sizeof MODEL_NAME))
#define REPORT_BYTES (MODEL_PROFILE_TEXT + 1024)
#define BLOCK_BYTES 65535u

typedef struct {
    char sensors[128], sensors_user[128], sensors_password[256];
    char input[MQTT_TOPIC_BYTES], output[MQTT_TOPIC_BYTES], refusals[MQTT_TOPIC_BYTES];
    char hub[128], password[256], device[65], hardware[65], boot[16];
} settings;

typedef struct {
    mqtt_client client;
    mqtt_settings to;
    char address[128];
    int64_t since_ms; /* of the last attempt */
    int64_t again_ms; /* when to try again */
    int64_t wait_ms;
    unsigned long connections;
    int told; /* whether this connection was told of */
} station;

static settings set;
static station sensors, hub;
static model_work work;
static model_profile profile;
static float rows[JSON_MOST_ROWS][MODEL_FEATURES];
static model_answer answers[JSON_MOST_ROWS];
static char told[ANSWER_BYTES], report[REPORT_BYTES];
static uint8_t packed[REPORT_BYTES + 16 + 5 * (REPORT_BYTES / BLOCK_BYTES + 1)];
static char topic[MQTT_TOPIC_BYTES], will[512];
static unsigned long answered, refused, reports, first_row = 1;
static volatile sig_atomic_t stopping;

static void stop(int number)
{
    (void)number;
    stopping = 1;
}

/* Appends to a text; nothing more once it is full. */
static void add(char *text, size_t room, const char *format, ...)
{
    const size_t length = strlen(text);
    va_list values;
    va_start(values, format);
    vsnprintf(text + length, room - length, format, values);
    va_end(values);
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* What an answer goes to: the pattern with what stood for the first + of the filter in {0}. */
static int fill_topic(const char *pattern, const char *filter, const char *came, char *into)
{
    const char *place = strstr(pattern, "{0}"), *plus = strchr(filter, '+');
    size_t from, length;
    *into = 0;
    if (!place || !plus) {
        add(into, MQTT_TOPIC_BYTES, "%s", pattern);
        return 0;
    }
    from = (size_t)(plus - filter);
    if (strlen(came) < from)
        return -1;
    length = strcspn(came + from, "/");
    if (strlen(pattern) + length >= MQTT_TOPIC_BYTES)
        return -1;
    add(into, MQTT_TOPIC_BYTES, "%.*s%.*s%s", (int)(place - pattern), pattern, (int)length,
        came + from, place + 3);
    return 0;
}

static void refuse(const char *came, const char *why)
{
    char from[MQTT_TOPIC_BYTES];
    refused++;
    if (!set.refusals[0] || fill_topic(set.refusals, set.input, came, topic))
        return;
    json_escape(came, from, sizeof from);
    *told = 0;
    add(told, sizeof told, "{\"error\":\"%s\",\"topic\":\"%s\"}", why, from);
    mqtt_publish(&sensors.client, topic, told, strlen(told), 0);
}

static void say_answer(const model_answer *answer, unsigned long number)
{
    char name[160];
    add(told, sizeof told, "{\"prediction_id\":\"%s.%s.%lu\",\"label\":", set.device, set.boot,
        number);
    if (answer->place < 0)
        add(told, sizeof told, "%.9g", (double)answer->score);
    else
        add(told, sizeof told, "%ld", (long)model_labels[answer->place]);
    add(told, sizeof told, ",\"score\":%.9g,\"model\":\"%s\",\"version\":%d,\"artifact\":\"%s\"",
        (double)answer->score, MODEL_NAME, MODEL_VERSION, MODEL_ARTIFACT);
    if (MODEL_NAMED && answer->place >= 0) {
        json_escape(model_classes[answer->place], name, sizeof name);
        add(told, sizeof told, ",\"class_name\":\"%s\"", name);
    }
    add(told, sizeof told, "}");
}

/* zlib (RFC 1950) without compressing: stored blocks and a checksum need no memory. */
static size_t pack(const char *text, size_t length)
{
    unsigned long a = 1, b = 0;
    size_t at = 0, done = 0;
    packed[at++] = 0x78;
    packed[at++] = 0x01;
    do {
        const size_t left = length - done, block = left < BLOCK_BYTES ? left : BLOCK_BYTES;
        packed[at++] = block == left;
        packed[at++] = (uint8_t)block;
        packed[at++] = (uint8_t)(block >> 8);
        packed[at++] = (uint8_t)~block;
        packed[at++] = (uint8_t)(~block >> 8);
        memcpy(packed + at, text + done, block);
        at += block;
        done += block;
    } while (done < length);
    for (size_t k = 0; k < length; k++) {
        a = (a + (uint8_t)text[k]) % 65521u;
        b = (b + a) % 65521u;
    }
    packed[at++] = (uint8_t)(b >> 8);
    packed[at++] = (uint8_t)b;
    packed[at++] = (uint8_t)(a >> 8);
    packed[at++] = (uint8_t)a;
    return at;
}

/* Sends the profile of what was answered since the last one; kept and merged until it can be. */
static void report_profile(void)
{
    size_t length;
    if (!profile.rows || hub.client.socket < 0)
        return;
    snprintf(report, sizeof report,
             "{\"schema\":1,\"device\":\"%s\",\"boot\":%s,\"seq\":%lu,\"at\":%.3f,\"model\":\"%s\","
             "\"version\":%d,\"first_row\":%lu,\"profile\":",
             set.device, set.boot, reports + 1, now_s(), MODEL_NAME, MODEL_VERSION, first_row);
    length = strlen(report);
    if (!model_profile_text(&profile, report + length, sizeof report - length - 1))
        return;
    add(report, sizeof report, "}");
    length = pack(report, strlen(report));
    snprintf(topic, sizeof topic, "fleetloop/v1/devices/%s/up/profile", set.device);
    if (mqtt_publish(&hub.client, topic, packed, length, 0))
        return;
    reports++;
    first_row += profile.rows;
    model_profile_clear(&profile);
}

static void take_rows(
    void *context, const char *came, const char *payload, size_t length, int retained)
{
    char why[JSON_WHY_BYTES] = "no topic for its answer";
    int count;
    (void)context;
    if (retained || !length)
        return;
    count = json_rows(payload, length, rows, why);
    for (int k = 0; k < count; k++)
        if (model_predict(rows[k], &work, &answers[k])) {
            snprintf(why, sizeof why, "row %d: the model has no answer to it", k);
            count = -1;
        }
    if (count < 0 || fill_topic(set.output, set.input, came, topic)) {
        refuse(came, why);
        return;
    }
    snprintf(told, sizeof told, "{\"answers\":[");
    for (int k = 0; k < count; k++) {
        add(told, sizeof told, k ? "," : "");
        say_answer(&answers[k], ++answered);
        model_profile_add(&profile, rows[k], answers[k].score);
    }
    add(told, sizeof told, "]}");
    mqtt_publish(&sensors.client, topic, told, strlen(told), 0);
    if (profile.rows >= MODEL_WINDOW_ROWS)
        report_profile();
}

static void ignore(
    void *context, const char *came, const char *payload, size_t length, int retained)
{
    (void)context, (void)came, (void)payload, (void)length, (void)retained;
}

static void say_birth(void)
{
    char name[MQTT_TOPIC_BYTES];
    snprintf(report, sizeof report,
             "{\"schema\":1,\"online\":true,\"boot\":%s,\"conn\":%lu,\"agent\":\"%s\","
             "\"hardware\":\"%s\",\"artifact\":\"%s\"}",
             set.boot, hub.connections, AGENT, set.hardware, MODEL_ARTIFACT);
    snprintf(name, sizeof name, "fleetloop/v1/devices/%s/up/state", set.device);
    mqtt_publish(&hub.client, name, report, strlen(report), 1);
    snprintf(report, sizeof report,
             "{\"schema\":1,\"at\":%.3f,\"boot\":%s,\"sequence\":0,\"state\":\"serving\","
             "\"model\":\"%s\",\"version\":%d,\"artifact\":\"%s\",\"slots\":[\"%s\"]}",
             now_s(), set.boot, MODEL_NAME, MODEL_VERSION, MODEL_ARTIFACT, MODEL_ARTIFACT);
    snprintf(name, sizeof name, "fleetloop/v1/devices/%s/up/reported", set.device);
    mqtt_publish(&hub.client, name, report, strlen(report), 1);
}

/* A device that leaves says what its will would have said. */
static void say_goodbye(void)
{
    if (hub.client.socket < 0)
        return;
    report_profile();
    mqtt_publish(&hub.client, hub.to.will_topic, will, strlen(will), 1);
    mqtt_leave(&hub.client);
}

/* Connects where there is no connection and the time has come; true if it has just been made. Each
   attempt waits longer than the one before, also after one that was thrown out at once. */
static int connected_now(station *one, const char *called)
{
    const char *why;
    const int64_t now = now_ms();
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
    fprintf(stderr, "%s at %s: %s\n", called, one->address, why);
    return 0;
}

static void tell(station *one, const char *called)
{
    if (one->told)
        return;
    one->told = 1;
    printf("connected \"%s\"\n", called);
    fflush(stdout);
}

static void step(void)
{
    struct pollfd looked[2] = {{sensors.client.socket, POLLIN, 0}, {hub.client.socket, POLLIN, 0}};
    poll(looked, 2, STEP_MS); /* a negative descriptor is passed over */
    if (looked[0].revents)
        mqtt_read(&sensors.client, take_rows, NULL);
    if (looked[1].revents)
        mqtt_read(&hub.client, ignore, NULL);
    mqtt_keep(&sensors.client);
    mqtt_keep(&hub.client);
    if (connected_now(&sensors, "sensors") && mqtt_subscribe(&sensors.client, set.input))
        fputs("sensors: the filter could not be asked for\n", stderr);
    if (connected_now(&hub, "hub")) {
        say_birth();
        tell(&hub, "hub");
    }
    if (sensors.client.subscribed)
        tell(&sensors, "sensors");
}

static int read_settings(void)
{
    const struct {
        const char *name;
        char *into;
        size_t room;
    } known[] = {
        {"sensors", set.sensors, sizeof set.sensors},
        {"sensors_user", set.sensors_user, sizeof set.sensors_user},
        {"sensors_password", set.sensors_password, sizeof set.sensors_password},
        {"input", set.input, sizeof set.input},
        {"output", set.output, sizeof set.output},
        {"refusals", set.refusals, sizeof set.refusals},
        {"hub", set.hub, sizeof set.hub},
        {"password", set.password, sizeof set.password},
        {"device", set.device, sizeof set.device},
        {"hardware", set.hardware, sizeof set.hardware},
        {"boot", set.boot, sizeof set.boot},
    };
    char line[512];
    while (fgets(line, sizeof line, stdin)) {
        const size_t name = strcspn(line, "=");
        size_t k = 0;
        line[strcspn(line, "\r\n")] = 0;
        while (k < sizeof known / sizeof *known &&
               (strlen(known[k].name) != name || memcmp(known[k].name, line, name)))
            k++;
        if (k == sizeof known / sizeof *known || strlen(line + name) > known[k].room) {
            fprintf(stderr, "a setting that is not known or too long: %.*s\n", (int)name, line);
            return -1;
        }
        strcpy(known[k].into, line + name + 1);
    }
    return set.sensors[0] && set.input[0] && set.output[0] && set.device[0] && set.boot[0] ? 0 : -1;
}

/* Splits host:port, the last colon counts. */
static void aim(station *one, const char *address)
{
    char *port;
    strcpy(one->address, address);
    one->client.socket = -1;
    one->wait_ms = FIRST_WAIT_MS;
    one->to.keep_alive_s = KEEP_ALIVE_S;
    port = strrchr(one->address, ':');
    if (port)
        *port++ = 0;
    one->to.host = one->address;
    one->to.port = port ? port : "1883";
}

static void aim_both(void)
{
    static char name[80], will_topic[MQTT_TOPIC_BYTES];
    aim(&sensors, set.sensors);
    snprintf(name, sizeof name, "%s-sensors", set.device);
    sensors.to.client = name;
    sensors.to.username = set.sensors_user[0] ? set.sensors_user : NULL;
    sensors.to.password = set.sensors_password;
    aim(&hub, set.hub);
    hub.to.client = hub.to.username = set.device;
    hub.to.password = set.password;
    snprintf(will_topic, sizeof will_topic, "fleetloop/v1/devices/%s/up/state", set.device);
    snprintf(will, sizeof will,
             "{\"schema\":1,\"online\":false,\"boot\":%s,\"conn\":0,\"agent\":\"%s\","
             "\"hardware\":\"%s\",\"artifact\":\"%s\"}",
             set.boot, AGENT, set.hardware, MODEL_ARTIFACT);
    hub.to.will_topic = will_topic;
    hub.to.will = will;
}

/* Whether this processor computes what the hub's does: nothing is answered otherwise. */
static int proved(void)
{
    for (size_t row = 0; row < MODEL_GOLDEN_ROWS; row++) {
        if (model_predict(model_golden_inputs[row], &work, &answers[0]))
            return 0;
        for (size_t k = 0; k < MODEL_OUTPUTS; k++)
            if (!(fabs((double)answers[0].outputs[k] - (double)model_golden_outputs[row][k]) <=
                  MODEL_GOLDEN_TOLERANCE))
                return 0;
    }
    return 1;
}

int main(void)
{
    struct sigaction action;
    if (read_settings()) {
        fputs("settings are missing: sensors, input, output, device and boot\n", stderr);
        return 2;
    }
    if (!proved()) {
        fputs("the golden vectors fail here: nothing is answered\n", stderr);
        return 3;
    }
    memset(&action, 0, sizeof action);
    action.sa_handler = stop;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    srand((unsigned)time(NULL));
    model_profile_clear(&profile);
    aim_both();
    while (!stopping)
        step();
    say_goodbye();
    mqtt_leave(&sensors.client);
    printf("ended {\"answered\":%lu,\"refused\":%lu,\"profiles\":%lu,\"connections\":%lu,"
           "\"oversized\":%lu}\n",
           answered, refused, reports, sensors.connections + hub.connections,
           sensors.client.oversized);
    return 0;
}
