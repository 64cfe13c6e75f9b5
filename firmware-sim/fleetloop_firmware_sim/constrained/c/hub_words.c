/* What the device says to the hub, on the topics of every device: birth, what runs, reports. */
#define _POSIX_C_SOURCE 200809L
#include "hub_words.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "text.h"

#define AGENT "constrained-c 1"
#define REPORT_BYTES (MODEL_PROFILE_TEXT + 2048)
#define WILL_BYTES 512

static char report[REPORT_BYTES], topic[MQTT_TOPIC_BYTES];
static char will_topic[MQTT_TOPIC_BYTES], will[WILL_BYTES];
static uint8_t packed[TEXT_PACKED(REPORT_BYTES)];

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static const char *topic_of(const hub_words *words, const char *kind)
{
    snprintf(topic, sizeof topic, "fleetloop/v1/devices/%s/up/%s", words->set->device, kind);
    return topic;
}

/* Begins a text with who the device is and whether it is there. */
static void put_state(const hub_words *words, int online, char *into, size_t room)
{
    *into = 0;
    text_add(into, room,
             "{\"schema\":1,\"online\":%s,\"boot\":%s,\"conn\":%lu,\"agent\":\"%s\","
             "\"hardware\":\"%s\",\"artifact\":\"%s\"}",
             online ? "true" : "false", words->set->boot, online ? words->hub->connections : 0,
             AGENT, words->set->hardware, MODEL_ARTIFACT);
}

void hub_aim(hub_words *words, const settings *set, station *hub)
{
    memset(words, 0, sizeof *words);
    words->set = set;
    words->hub = hub;
    words->began_ms = now_ms();
    words->first_row = 1;
    station_aim(hub, "hub", set->hub);
    hub->to.client = hub->to.username = set->device;
    hub->to.password = set->password;
    put_state(words, 0, will, sizeof will);
    strcpy(will_topic, topic_of(words, "state"));
    hub->to.will_topic = will_topic;
    hub->to.will = will;
}

void hub_say_birth(hub_words *words)
{
    put_state(words, 1, report, sizeof report);
    mqtt_publish(&words->hub->client, will_topic, report, strlen(report), 1);
    *report = 0;
    text_add(report, sizeof report,
             "{\"schema\":1,\"at\":%.3f,\"boot\":%s,\"sequence\":0,\"state\":\"serving\","
             "\"model\":\"%s\",\"version\":%d,\"artifact\":\"%s\",\"slots\":[\"%s\"]}",
             now_s(), words->set->boot, MODEL_NAME, MODEL_VERSION, MODEL_ARTIFACT, MODEL_ARTIFACT);
    mqtt_publish(&words->hub->client, topic_of(words, "reported"), report, strlen(report), 1);
}

/* Begins a report: its name, and what served. */
static void put_head(const hub_words *words)
{
    *report = 0;
    text_add(report, sizeof report,
             "{\"schema\":1,\"device\":\"%s\",\"boot\":%s,\"seq\":%lu,\"at\":%.3f,"
             "\"model\":\"%s\",\"version\":%d,",
             words->set->device, words->set->boot, words->sequence + 1, now_s(), MODEL_NAME,
             MODEL_VERSION);
}

/* The report of a window as text; its length, or 0 if there is not enough room. */
static size_t put_profile(const hub_words *words, const model_profile *profile)
{
    size_t length;
    put_head(words);
    text_add(report, sizeof report, "\"first_row\":%lu,\"profile\":", words->first_row);
    length = strlen(report);
    if (!model_profile_text(profile, report + length, sizeof report - length - 1))
        return 0;
    text_add(report, sizeof report, "}");
    return strlen(report);
}

void hub_say_profile(hub_words *words, model_profile *profile)
{
    const size_t length = words->hub->client.socket < 0 ? 0 : put_profile(words, profile);
    if (length && !mqtt_publish(&words->hub->client, topic_of(words, "profile"), packed,
                                text_pack(report, length, packed), 0)) {
        words->sequence++;
        words->profiles++;
    } else if (words->hub->address[0])
        words->lost++;
    words->first_row += profile->rows;
    model_profile_clear(profile);
}

void hub_say_health(hub_words *words, health *counted)
{
    if (words->hub->client.socket < 0)
        return;
    put_head(words);
    text_add(report, sizeof report, "\"uptime_s\":%.3f,",
             (double)(now_ms() - words->began_ms) / 1000);
    health_text(counted, report, sizeof report);
    text_add(report, sizeof report,
             ",\"rss_bytes\":0,\"outbox\":0,\"outbox_bytes\":0,\"unkept\":0,\"labels\":0,"
             "\"labels_correct\":%s}",
             MODEL_CLASSES ? "0" : "null");
    if (mqtt_publish(&words->hub->client, topic_of(words, "health"), report, strlen(report), 0))
        return;
    words->sequence++;
    memset(counted, 0, sizeof *counted);
}

void hub_leave(hub_words *words)
{
    if (words->hub->client.socket < 0)
        return;
    mqtt_publish(&words->hub->client, will_topic, will, strlen(will), 1);
    mqtt_leave(&words->hub->client);
}
