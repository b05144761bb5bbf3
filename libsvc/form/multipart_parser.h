/*
 * A parser of multipart/form-data (RFC 7578, RFC 2046 5.1) that is given the body in pieces of any
 * size, and hands the data of parts on where it lies. It is strict: nothing that two parsers could
 * read in two ways is taken.
 */
#ifndef SVC_FORM_MULTIPART_PARSER_H
#define SVC_FORM_MULTIPART_PARSER_H

#include <stdint.h>

#include "libsvc/form/multipart_head.h"

/* RFC 2046 5.1.1. */
enum { MULTIPART_BOUNDARY_MAX = 70 };

/* The most that a parser leaves of its input, a head within its limit not counted. */
enum { MULTIPART_TAIL = 4 + MULTIPART_BOUNDARY_MAX };

enum { MULTIPART_PARTS = 10000 }; /* the most that `parts` may be */

struct multipart_limits {
    size_t parts;
    size_t head;          /* bytes of the header fields of a part */
    size_t name;          /* bytes of a name, and of a file's name */
    uint64_t field, file; /* bytes of each part without a file name, and of each with one */
};

enum multipart_event {
    MULTIPART_MORE,     /* it needs more bytes behind those that it has left, or the end */
    MULTIPART_PART,     /* a part begins: `head` */
    MULTIPART_DATA,     /* bytes of the part: `data` */
    MULTIPART_PART_END, /* the part is whole */
    MULTIPART_END,      /* the body is whole */
    MULTIPART_FAILED    /* `why` is the answer */
};

enum multipart_state {
    MULTIPART_AT_START,
    MULTIPART_IN_PREAMBLE,
    MULTIPART_BEHIND_BOUNDARY,
    MULTIPART_IN_PADDING,
    MULTIPART_IN_HEAD,
    MULTIPART_BEHIND_HEAD,
    MULTIPART_IN_DATA,
    MULTIPART_BEHIND_CLOSE,
    MULTIPART_IN_EPILOGUE,
    MULTIPART_STOPPED
};

struct multipart_parser {
    enum multipart_state state;
    const struct multipart_limits *limits; /* borrowed */
    char *text;                            /* limits->head + 1 bytes for the texts of a head */
    char delimiter[MULTIPART_TAIL];        /* CRLF, two hyphens, the boundary */
    size_t delimiter_len;
    size_t parts; /* begun so far */
    size_t seen;  /* bytes of the input in which a head has no end */
    uint64_t left;
    struct multipart_head head; /* until the next part */
    struct bytes data;          /* of the input */
    struct refusal why;
};

/*
 * Begins a body with that Content-Type, "none" if there is none. 0; or the status to refuse with,
 * 415 or 400, which `why` has too. `limits` and `text` are borrowed. Any thread.
 */
int svc__multipart_begin(struct multipart_parser *p, struct bytes content_type,
                         const struct multipart_limits *limits, char *text);

/*
 * Takes bytes off `*in` up to the next event. Bytes that it leaves with MULTIPART_MORE must be
 * there again, with more behind them or with `last`: no more comes. After MULTIPART_END or
 * MULTIPART_FAILED the same comes again.
 */
enum multipart_event svc__multipart_parse(struct multipart_parser *p, struct bytes *in, bool last);

#endif
