/* Media types of files by their suffix: a table that media_table.py makes. */
#ifndef SVC_FILES_MEDIA_TABLE_H
#define SVC_FILES_MEDIA_TABLE_H

enum { MEDIA_TABLE_SIZE = 313, MEDIA_SUFFIX_MAX = 16 };

struct media_row {
    const char *suffix, *type;
};

/* Sorted by suffix, which is in lower case. */
extern const struct media_row svc__media_table[MEDIA_TABLE_SIZE];

#endif
