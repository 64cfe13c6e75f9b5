/* What a constrained device is told when it starts, a `name=value` a line. */
#include "settings.h"

#include <string.h>

#define LINE_BYTES 512

typedef struct {
    const char *name;
    char *into;
    size_t room;
} setting;

static int take_line(char *line, const setting *known, size_t count)
{
    const size_t name = strcspn(line, "=");
    line[strcspn(line, "\r\n")] = 0;
    for (size_t k = 0; line[name] == '=' && k < count; k++)
        if (strlen(known[k].name) == name && !memcmp(known[k].name, line, name)) {
            if (strlen(line + name) > known[k].room)
                break;
            strcpy(known[k].into, line + name + 1);
            return 0;
        }
    fprintf(stderr, "a setting that is not known, or too long: %.*s\n", (int)name, line);
    return -1;
}

int settings_read(settings *set, FILE *from)
{
    const setting known[] = {
        {"sensors", set->sensors, sizeof set->sensors},
        {"sensors_user", set->sensors_user, sizeof set->sensors_user},
        {"sensors_password", set->sensors_password, sizeof set->sensors_password},
        {"input", set->input, sizeof set->input},
        {"output", set->output, sizeof set->output},
        {"refusals", set->refusals, sizeof set->refusals},
        {"hub", set->hub, sizeof set->hub},
        {"password", set->password, sizeof set->password},
        {"device", set->device, sizeof set->device},
        {"hardware", set->hardware, sizeof set->hardware},
        {"boot", set->boot, sizeof set->boot},
    };
    char line[LINE_BYTES];
    memset(set, 0, sizeof *set);
    while (fgets(line, sizeof line, from))
        if (take_line(line, known, sizeof known / sizeof *known))
            return -1;
    if (set->sensors[0] && set->input[0] && set->output[0] && set->device[0] && set->boot[0])
        return 0;
    fputs("settings are missing: sensors, input, output, device and boot\n", stderr);
    return -1;
}
