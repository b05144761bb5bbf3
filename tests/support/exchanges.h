/*
 * One app and one table of requests to it. They run without sockets and over TCP; the answers must
 * be equal, byte for byte.
 */
#ifndef TESTS_SUPPORT_EXCHANGES_H
#define TESTS_SUPPORT_EXCHANGES_H

#include <svc.h>

struct exchange_row {
    const char *method, *target;
    const char *headers[9]; /* name, value, …, NULL */
    const char *body;       /* NULL: none */
    int status;
    const char *field, *value; /* a field that the reply must have, exactly once; or NULL */
    const char *trailers[7]; /* of the request; its body is then chunked: name, value, …, NULL */
    const char *trailer;     /* the reply's trailers, "name: value\r\n" each; NULL: none */
};

extern const struct exchange_row exchange_rows[];
extern const size_t exchange_count;

/* The app that the rows are for. NULL when out of memory. */
svc_app *exchanges_app(void);

#endif
