/* Kinds of pictures, known by their first bytes: names and types of uploads are the client's, and
 * may be lies. */
#ifndef PICTURE_H
#define PICTURE_H

#include <stddef.h>

enum {
    PICTURE_HEAD = 12, /* first bytes that tell the kind */
    PICTURE_NAME = 40  /* bytes of a name, with the NUL */
};

/* The suffix of a picture whose first `len` bytes are `head`: "jpg", "png", "gif" or "webp"; NULL
 * for everything else. */
const char *picture_suffix(const char *head, size_t len);

/* Makes a name that no other picture has, of 32 random digits and the suffix. 0 or -1. */
int picture_make_name(char name[PICTURE_NAME], const char *suffix);

#endif
