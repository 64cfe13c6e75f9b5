/* Texts that grow in a fixed place. */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Appends to a text; what has no room is cut. */
void text_add(char *text, size_t room, const char *format, ...);

/* Room for `length` bytes as zlib (RFC 1950). */
#define TEXT_PACKED(length) ((length) + 16 + 5 * ((length) / 65535 + 1))

/* A text as zlib without compressing, in stored blocks: it needs no memory. Returns the length. */
size_t text_pack(const char *text, size_t length, uint8_t *into);

#endif
