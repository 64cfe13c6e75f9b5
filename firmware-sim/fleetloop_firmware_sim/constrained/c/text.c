/* Texts that grow in a fixed place. */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BLOCK_BYTES 65535u

void text_add(char *text, size_t room, const char *format, ...)
{
    const size_t length = strlen(text);
    va_list values;
    va_start(values, format);
    vsnprintf(text + length, room - length, format, values);
    va_end(values);
}

size_t text_pack(const char *text, size_t length, uint8_t *into)
{
    unsigned long a = 1, b = 0; /* Adler-32 */
    size_t at = 0, done = 0;
    into[at++] = 0x78;
    into[at++] = 0x01;
    do {
        const size_t left = length - done, block = left < BLOCK_BYTES ? left : BLOCK_BYTES;
        into[at++] = block == left;
        into[at++] = (uint8_t)block;
        into[at++] = (uint8_t)(block >> 8);
        into[at++] = (uint8_t)~block;
        into[at++] = (uint8_t)(~block >> 8);
        memcpy(into + at, text + done, block);
        at += block;
        done += block;
    } while (done < length);
    for (size_t k = 0; k < length; k++) {
        a = (a + (uint8_t)text[k]) % 65521u;
        b = (b + a) % 65521u;
    }
    into[at++] = (uint8_t)(b >> 8);
    into[at++] = (uint8_t)b;
    into[at++] = (uint8_t)(a >> 8);
    into[at++] = (uint8_t)a;
    return at;
}
