/*
 * Undoes the content codings of one body, piece by piece, within limits of size and ratio. It knows
 * no exchange.
 */
#ifndef SVC_CODING_UNDO_H
#define SVC_CODING_UNDO_H

#include <svc/sys/coding.h>

#include "libsvc/base/bytes.h"
#include "libsvc/coding/context_pool.h"

enum {
    UNDO_CODINGS = 2,  /* in a row */
    UNDO_ROOM = 16384, /* bytes that are handed on at once */
    UNDO_RATIO_FREE =
        1 << 20 /* bytes whose ratio does not matter: small bodies of one byte alone */
};

/* A coding that can be undone, and its contexts that wait. */
struct undo_coding {
    const svc_sys_coding *coding;
    struct context_pool pool;
};

/* One of a body's codings. */
struct undo_stage {
    struct undo_coding *coding;
    void *decoder;  /* NULL: it is given back */
    bool ended;     /* its data is whole */
    bool full;      /* the room was too small for all that it could make */
    uint64_t taken; /* bytes of its data */
    uint64_t made;
};

struct undo {
    struct undo_stage stages[UNDO_CODINGS]; /* in the order in which they are undone */
    size_t count;
    uint64_t limit;     /* bytes that may be made */
    unsigned ratio;     /* times the bytes taken; 0: any */
    struct bytes input; /* not taken yet */
    struct bytes between;
    char middle[UNDO_ROOM]; /* has what is between two codings */
    char room[UNDO_ROOM];   /* has what is handed on */
};

/* How a body's codings may fail to be undone. */
enum undo_end {
    UNDO_HUNGRY,    /* all input is taken */
    UNDO_FULL,      /* the room is full, and there may be more */
    UNDO_MALFORMED, /* the data is not of its coding */
    UNDO_TRAILING,  /* bytes follow the data's end */
    UNDO_TRUNCATED, /* the body ends before its data */
    UNDO_TOO_LARGE, /* over `limit` */
    UNDO_BOMB,      /* over `ratio`, or it takes more memory than a sender may expect */
    UNDO_NO_MEMORY
};

/* Adds a coding to be undone after those before. 0, or SVC_ENOMEM. */
int svc__undo_add(struct undo *undo, struct undo_coding *coding);

/*
 * Undoes as much of `undo->input` as makes UNDO_ROOM bytes; they are `out`, which lasts until the
 * next call. `last`: no input follows, so UNDO_HUNGRY means that the body is whole; a body without
 * a byte is whole too. After an error, no further call.
 */
enum undo_end svc__undo_step(struct undo *undo, bool last, struct bytes *out);

/* Gives the contexts back. The bytes of the last step stay. May be called again. */
void svc__undo_end(struct undo *undo);

#endif
