/* What a folder has in it, read and sorted. */
#ifndef SVC_FILES_LISTING_H
#define SVC_FILES_LISTING_H

#include "libsvc/base/arena.h"
#include "libsvc/files/open_files.h"

enum { LISTING_ENTRIES = 10000 };

struct listing_entry {
    const char *name;
    bool folder;
    uint64_t size; /* 0 for a folder */
    int64_t modified_s;
};

enum listing_key { LISTING_NAME, LISTING_SIZE, LISTING_MODIFIED };

struct listing {
    struct arena memory;
    struct listing_entry *entries;
    size_t count;
    bool truncated; /* there are more than LISTING_ENTRIES */
};

/* Frees what a listing holds. */
void svc__listing_free(struct listing *listing);

/*
 * Reads the folder at `path` ("" or without a slash at its end) of a table: files and folders that
 * may be served, also behind links that stay beneath the root. 0, SVC_ENOTFOUND if there is no such
 * folder, SVC_EUNAVAILABLE without a descriptor left, SVC_ESYSTEM, SVC_ENOMEM. Blocks.
 */
int svc__listing_read(struct listing *listing, struct open_files *table, const char *path);

/* Sorts: folders first, then by the key, and by name where that is equal. */
void svc__listing_sort(struct listing *listing, enum listing_key key, bool descending);

#endif
