/* Firmware of a device without Python: answers rows that sensors publish, and counts them.

   It reads its settings from standard input and says on standard output what becomes of it, a word
   and a value of JSON a line, for whoever has started it. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "health.h"
#include "hub_words.h"
#include "json_rows.h"
#include "model.h"
#include "model_golden.h"
#include "model_profile.h"
#include "mqtt.h"
#include "settings.h"
#include "station.h"
#include "text.h"

#define STEP_MS 200
#define HEALTH_MS 60000
#define ANSWER_BYTES (256 + JSON_MOST_ROWS * (512 + (int)sizeof MODEL_NAME))

static settings set;
static station sensors, hub;
static hub_words words;
static health counted;
static model_work work;
static model_profile profile;
static float rows[JSON_MOST_ROWS][MODEL_FEATURES];
static model_answer answers[JSON_MOST_ROWS];
static char told[ANSWER_BYTES], topic[MQTT_TOPIC_BYTES];
static unsigned long answered, refused;
static volatile sig_atomic_t stopping;

static void stop(int number)
{
    (void)number;
    stopping = 1;
}

/* What an answer goes to: the pattern with what stood for the first + of the filter in {0}. */
static int fill_topic(const char *pattern, const char *came)
{
    const char *place = strstr(pattern, "{0}"), *plus = strchr(set.input, '+');
    size_t from, length;
    *topic = 0;
    if (!place || !plus) {
        text_add(topic, sizeof topic, "%s", pattern);
        return 0;
    }
    from = (size_t)(plus - set.input);
    if (strlen(came) < from)
        return -1;
    length = strcspn(came + from, "/");
    if (strlen(pattern) + length >= sizeof topic)
        return -1;
    text_add(topic, sizeof topic, "%.*s%.*s%s", (int)(place - pattern), pattern, (int)length,
             came + from, place + 3);
    return 0;
}

static void refuse(const char *came, const char *why)
{
    char from[MQTT_TOPIC_BYTES];
    refused++;
    if (!set.refusals[0] || fill_topic(set.refusals, came))
        return;
    json_escape(came, from, sizeof from);
    *told = 0;
    text_add(told, sizeof told, "{\"error\":\"%s\",\"topic\":\"%s\"}", why, from);
    mqtt_publish(&sensors.client, topic, told, strlen(told), 0);
}

static void say_answer(const model_answer *answer, unsigned long number)
{
    char name[160];
    text_add(told, sizeof told, "{\"prediction_id\":\"%s.%s.%lu\",\"label\":", set.device,
             set.boot, number);
    if (answer->place < 0)
        text_add(told, sizeof told, "%.9g", (double)answer->score);
    else
        text_add(told, sizeof told, "%ld", (long)model_labels[answer->place]);
    text_add(told, sizeof told,
             ",\"score\":%.9g,\"model\":\"%s\",\"version\":%d,\"artifact\":\"%s\"",
             (double)answer->score, MODEL_NAME, MODEL_VERSION, MODEL_ARTIFACT);
    if (MODEL_NAMED && answer->place >= 0) {
        json_escape(model_classes[answer->place], name, sizeof name);
        text_add(told, sizeof told, ",\"class_name\":\"%s\"", name);
    }
    text_add(told, sizeof told, "}");
}

/* Answers all rows or none; the reason in `why`. */
static int predict_all(int count, char why[JSON_WHY_BYTES])
{
    struct timespec before, after;
    int status = 0;
    clock_gettime(CLOCK_MONOTONIC, &before);
    for (int k = 0; k < count && !status; k++)
        if (model_predict(rows[k], &work, &answers[k])) {
            snprintf(why, JSON_WHY_BYTES, "row %d: the model has no answer to it", k);
            counted.errors += (unsigned long)count;
            status = -1;
        }
    clock_gettime(CLOCK_MONOTONIC, &after);
    counted.took[health_bin((int64_t)(after.tv_sec - before.tv_sec) * 1000000000 +
                            (after.tv_nsec - before.tv_nsec))]++;
    return status;
}

static void take_rows(
    void *context, const char *came, const char *payload, size_t length, int retained)
{
    char why[JSON_WHY_BYTES] = "no topic for its answer";
    int count, many;
    (void)context;
    if (retained || !length)
        return;
    count = json_rows(payload, length, rows, &many, why);
    if (count < 0)
        counted.refused++;
    if (count < 0 || predict_all(count, why) || fill_topic(set.output, came)) {
        refuse(came, why);
        return;
    }
    snprintf(told, sizeof told, "%s", many ? "{\"answers\":[" : "");
    for (int k = 0; k < count; k++) {
        text_add(told, sizeof told, k ? "," : "");
        say_answer(&answers[k], ++answered);
        model_profile_add(&profile, rows[k], answers[k].score);
        if (profile.rows >= MODEL_WINDOW_ROWS)
            hub_say_profile(&words, &profile);
    }
    counted.rows += (unsigned long)count;
    text_add(told, sizeof told, "%s", many ? "]}" : "");
    mqtt_publish(&sensors.client, topic, told, strlen(told), 0);
}

static void ignore(
    void *context, const char *came, const char *payload, size_t length, int retained)
{
    (void)context, (void)came, (void)payload, (void)length, (void)retained;
}

static void step(int64_t *health_ms)
{
    struct pollfd looked[2] = {{sensors.client.socket, POLLIN, 0}, {hub.client.socket, POLLIN, 0}};
    poll(looked, 2, STEP_MS); /* a negative descriptor is passed over */
    if (looked[0].revents)
        mqtt_read(&sensors.client, take_rows, NULL);
    if (looked[1].revents)
        mqtt_read(&hub.client, ignore, NULL);
    if (station_keep(&sensors) && mqtt_subscribe(&sensors.client, set.input))
        fputs("sensors: the filter could not be asked for\n", stderr);
    if (sensors.client.subscribed)
        station_tell(&sensors);
    if (station_keep(&hub)) {
        hub_say_birth(&words);
        station_tell(&hub);
    }
    if (now_ms() - *health_ms > HEALTH_MS) {
        *health_ms = now_ms();
        hub_say_health(&words, &counted);
    }
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

static void prepare(void)
{
    static char name[80];
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = stop;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    srand((unsigned)time(NULL));
    model_profile_clear(&profile);
    station_aim(&sensors, "sensors", set.sensors);
    snprintf(name, sizeof name, "%s-sensors", set.device);
    sensors.to.client = name;
    sensors.to.username = set.sensors_user[0] ? set.sensors_user : NULL;
    sensors.to.password = set.sensors_password;
    hub_aim(&words, &set, &hub);
}

int main(void)
{
    int64_t health_ms = now_ms();
    if (settings_read(&set, stdin))
        return 2;
    if (!proved()) {
        fputs("the golden vectors fail here: nothing is answered\n", stderr);
        return 3;
    }
    prepare();
    while (!stopping)
        step(&health_ms);
    hub_say_health(&words, &counted);
    hub_leave(&words);
    mqtt_leave(&sensors.client);
    printf("ended {\"answered\":%lu,\"refused\":%lu,\"profiles\":%lu,\"connections\":%lu,"
           "\"oversized\":%lu,\"lost\":%lu}\n",
           answered, refused, words.profiles, sensors.connections + hub.connections,
           sensors.client.oversized, words.lost);
    return 0;
}
