/* What the tables of these tests are written with. */
#ifndef TESTS_UNIT_PROTO_VECTORS_H
#define TESTS_UNIT_PROTO_VECTORS_H

#include "libsvc/base/bytes.h"

/* A literal as bytes, NULs inside it included; the first form also stands in static tables. */
#define LITERAL(text)                                                                              \
    {                                                                                              \
        (text), sizeof(text) - 1                                                                   \
    }
#define BYTES(text) svc__bytes((text), sizeof(text) - 1)

/* How a struct bytes is given to "%.*s". */
#define SHOW(b) (int)(b).len, (b).data ? (b).data : ""

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

#endif
