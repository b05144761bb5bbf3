/* A file that arrives: under a name of its own until it is whole, then under that of its content.
 * What has a final name is whole, whatever happened to the process meanwhile. */
#ifndef REPORTS_UPLOAD_H
#define REPORTS_UPLOAD_H

#include <stdbool.h>

#include "sha256.h"

/* An upload's id: the hash of what is in it. */
enum { ID_SIZE = SHA256_TEXT };

/* The name of its file: the id and ".csv". */
enum { NAME_SIZE = ID_SIZE + 4 };

struct upload {
    int folder; /* borrowed */
    int fd;
    char name[NAME_SIZE]; /* until it is kept */
    uint64_t bytes;
    struct sha256 hash;
};

/* Whether it is the form of an id, and so can be no other path. */
bool id_is_valid(const char *text);

/* The name of an upload's file in the folder. */
void id_to_name(const char *id, char name[NAME_SIZE]);

/* The reverse. False for the name of something else. */
bool name_to_id(const char *name, char id[ID_SIZE]);

/*
 * Begins an upload in an open folder. 0, to be ended by upload_keep or upload_drop; or -1, as the
 * calls below, with errno set. All of them may block.
 */
int upload_begin(struct upload *upload, int folder);

int upload_write(struct upload *upload, const void *data, size_t len);

/* Writes the id, and all that was written to the disk. */
int upload_finish(struct upload *upload, char id[ID_SIZE]);

/* Gives a finished upload its final name, and ends it; also on failure. */
int upload_keep(struct upload *upload, const char *id);

/* Ends it, and leaves nothing behind. */
void upload_drop(struct upload *upload);

/* Removes one that was kept. */
void upload_remove(int folder, const char *id);

/* Whether a name in the folder is of an upload that was never kept: of a process that is gone. */
bool upload_is_broken(const char *name);

#endif
