/* Request methods: the grammar of their names, and the names that the library knows. */
#ifndef SVC_PROTO_METHOD_H
#define SVC_PROTO_METHOD_H

#include <stdbool.h>

#include "libsvc/base/bytes.h"

/* X(NAME): methods of RFC 9110 and PATCH of RFC 5789. Names are case-sensitive. */
#define METHOD_LIST(X)                                                                             \
    X(GET)                                                                                         \
    X(HEAD)                                                                                        \
    X(POST)                                                                                        \
    X(PUT)                                                                                         \
    X(PATCH)                                                                                       \
    X(DELETE)                                                                                      \
    X(OPTIONS)                                                                                     \
    X(TRACE)                                                                                       \
    X(CONNECT)

#define METHOD_ENUM(name) METHOD_##name,
enum method { METHOD_OTHER, METHOD_LIST(METHOD_ENUM) METHOD_COUNT };
#undef METHOD_ENUM

/* Whether `name` can be a method: a token of RFC 9110, known or not. Any thread. */
bool svc__method_valid(struct bytes name);

/* The method of that exact name, or METHOD_OTHER. Any thread. */
enum method svc__method_find(struct bytes name);

/* Whether the IANA's HTTP Method Registry has that exact name. Any thread. */
bool svc__method_registered(struct bytes name);

/* The name of a known method, static and NUL-terminated; NULL for METHOD_OTHER. Any thread. */
const char *svc__method_name(enum method method);

#endif
