/* Writes problem details (RFC 9457) as text; no other file does. */
#ifndef SVC_PROTO_PROBLEM_TEXT_H
#define SVC_PROTO_PROBLEM_TEXT_H

#include "libsvc/base/buf.h"

/* The members that RFC 9457 3.1 names, in their order. */
struct problem_text {
    const char *type;  /* NULL: none, so the problem has no meaning beyond its status */
    const char *title; /* NULL: the status's reason phrase */
    int status;
    const char *detail; /* NULL: none */
};

/* The reason phrase of a status, or a general text for an unknown status. */
const char *svc__problem_text_title(int status);

/* Appends a JSON object and leaves it open for further members: ",\"name\":value". */
void svc__problem_text_open(struct buf *out, const struct problem_text *problem);

/* Ends the object, and the line. */
void svc__problem_text_close(struct buf *out);

/* Appends a whole object without further members. */
void svc__problem_text_json(struct buf *out, int status, const char *detail);

/* Appends the same as a line of plain text. */
void svc__problem_text_plain(struct buf *out, int status, const char *detail);

#endif
