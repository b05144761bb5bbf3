/* Kinds of pictures, known by their first bytes. */
#include "picture.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

const char *picture_suffix(const char *head, size_t len)
{
    static const struct {
        const char *suffix;
        size_t at, len;
        const char *bytes;
    } kinds[] = {{"jpg", 0, 3, "\xff\xd8\xff"},
                 {"png", 0, 8, "\x89PNG\r\n\x1a\n"},
                 {"gif", 0, 6, "GIF87a"},
                 {"gif", 0, 6, "GIF89a"},
                 {"webp", 8, 4, "WEBP"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (len < kinds[i].at + kinds[i].len)
            continue;
        if (memcmp(head + kinds[i].at, kinds[i].bytes, kinds[i].len) == 0 &&
            (kinds[i].at == 0 || memcmp(head, "RIFF", 4) == 0))
            return kinds[i].suffix;
    }
    return NULL;
}

int picture_make_name(char name[PICTURE_NAME], const char *suffix)
{
    unsigned char bytes[16];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return -1;
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(name + 2 * i, 3, "%02x", bytes[i]);
    snprintf(name + 2 * sizeof bytes, PICTURE_NAME - 2 * sizeof bytes, ".%s", suffix);
    return 0;
}
