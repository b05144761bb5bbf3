/*
 * The files of a folder that are being served: one descriptor for each file and version, however
 * many replies send it.
 *
 * A file that is open already is found by its path with one look at its metadata. The look may
 * follow a link that has come meanwhile; that is harmless, since only a file that was opened
 * beneath the folder, under the same path, is found by it.
 */
#ifndef SVC_FILES_OPEN_FILES_H
#define SVC_FILES_OPEN_FILES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "libsvc/base/shared_fd.h"

struct open_files;

/* A request that waits for the tag of a file's content: begins the struct of whoever asks. */
struct tag_job {
    struct tag_job *next;
};

/* One version of a file: another size, time or inode is another version. Without padding. */
struct file_version {
    uint64_t device, inode, size;
    int64_t modified_s, modified_ns;
    int64_t changed_s, changed_ns; /* of its metadata too: a program can set the times of above */
};

enum { FILE_TAG_SIZE = 24 }; /* 22 letters of base64, and a NUL */

/* An open file of the table, shared by references. */
struct open_file {
    struct shared_fd shared; /* first */
    struct file_version version;

    /* The table's own. */
    struct open_files *table;
    struct open_file *next;
    unsigned refs;
    size_t slot;
    bool tagging;            /* a worker reads it, for the tag of its content */
    struct tag_job *waiting; /* requests that wait for that tag */
    _Atomic bool tagged;     /* `tag` is set, and does not change any more */
    char tag[FILE_TAG_SIZE]; /* of its content */
    char path[];
};

enum file_found {
    FILE_FOUND,  /* a regular file */
    FILE_FOLDER, /* a folder */
    FILE_NONE,   /* none that may be served: missing, unreadable, no file, or outside */
    FILE_ERROR   /* the system has failed; errno is set */
};

/* Opens the table for the folder at `root`. NULL with errno set. */
struct open_files *svc__open_files_new(const char *root);

/* Frees the table, at once or when the last of its files is given back. Accepts NULL. */
void svc__open_files_free(struct open_files *table);

/* Finds the file at `path`, which is relative and not empty, and gives a reference to it in
 * `*file`, for FILE_FOUND only. Any thread. */
enum file_found svc__open_files_get(struct open_files *table, const char *path,
                                    struct open_file **file);

/* Whether the file was changed a moment ago, so that a write that comes now might leave its times
 * as they are. Any thread. */
bool svc__open_files_fresh(const struct open_file *file);

/* Gives a reference back. Any thread. */
void svc__open_files_unref(struct open_file *file);

/* Opens the folder at `path` ("" for the folder of the table) to be read. A descriptor, or -1 with
 * errno set. Any thread. */
int svc__open_files_folder(struct open_files *table, const char *path);

/* Whether the file still has the size and the times with which it was opened. Any thread. */
bool svc__open_files_unchanged(const struct open_file *file);

/* Looks at what a path leads to, as svc__open_files_get would find it. False if that fails. Any
 * thread. */
bool svc__open_files_look(struct open_files *table, const char *path, struct stat *info);

/* ---- Tags of contents */

/* The tag of a file's content; NULL while it is not known. Any thread that has a reference. */
const char *svc__open_files_tag(struct open_file *file);

/*
 * Asks for the tag of a file's content. True: it is known, by svc__open_files_tag. False: `job`
 * waits for it, and `*first` tells whether the caller has to find it, and then to call
 * svc__open_files_tagged. Any thread.
 */
bool svc__open_files_ask_tag(struct open_file *file, struct tag_job *job, bool *first);

/* Ends the search for a tag, which later requests are given if the caller says `keep`. Returns the
 * jobs that wait for it, which are then the caller's. Any thread. */
struct tag_job *svc__open_files_tagged(struct open_file *file, const char *tag, bool keep);

#endif
