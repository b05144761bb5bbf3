/* An uploaded file: it has a temporary name until it is whole, then the name of its content. So a
 * file with a final name is whole, also after a crash of the process. */
#ifndef REPORTS_UPLOAD_H
#define REPORTS_UPLOAD_H

#include <stdbool.h>

#include "sha256.h"

/* An upload's id: the hash of its content. */
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

/* Whether the text has the form of an id, so that it cannot be another path. */
bool id_is_valid(const char *text);

/* The name of an upload's file in the folder. */
void id_to_name(const char *id, char name[NAME_SIZE]);

/* The reverse. False for the name of another file. */
bool name_to_id(const char *name, char id[ID_SIZE]);

/*
 * Begins an upload in an open folder. 0, to be ended by upload_keep or upload_drop; or -1, as the
 * calls below, with errno set. All of them may block.
 */
int upload_begin(struct upload *upload, int folder);

int upload_write(struct upload *upload, const void *data, size_t len);

/* Returns the id in `id`, and syncs the file to the disk. */
int upload_finish(struct upload *upload, char id[ID_SIZE]);

/* Gives a finished upload its final name, and ends it; also on failure. */
int upload_keep(struct upload *upload, const char *id);

/* Ends an upload and removes its file. */
void upload_drop(struct upload *upload);

/* Removes an upload that was kept. */
void upload_remove(int folder, const char *id);

/* Whether a name in the folder is that of an upload which an earlier process did not finish. */
bool upload_is_broken(const char *name);

#endif
