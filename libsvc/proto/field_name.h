/* The field names that the library or most handlers look up in a request, with a number for each,
 * so that the names in a head are compared once, while it is checked. */
#ifndef SVC_PROTO_FIELD_NAME_H
#define SVC_PROTO_FIELD_NAME_H

#include "libsvc/base/bytes.h"

/*
 * X(constant, text, first letter, last letter). A name is found by its length and these letters;
 * that no two share a slot for them is checked where the table is compiled.
 */
#define FIELD_NAME_LIST(X)                                                                         \
    X(ACCEPT, "Accept", 'a', 't')                                                                  \
    X(ACCEPT_ENCODING, "Accept-Encoding", 'a', 'g')                                                \
    X(ACCEPT_LANGUAGE, "Accept-Language", 'a', 'e')                                                \
    X(AUTHORIZATION, "Authorization", 'a', 'n')                                                    \
    X(CACHE_CONTROL, "Cache-Control", 'c', 'l')                                                    \
    X(CONNECTION, "Connection", 'c', 'n')                                                          \
    X(CONTENT_ENCODING, "Content-Encoding", 'c', 'g')                                              \
    X(CONTENT_LENGTH, "Content-Length", 'c', 'h')                                                  \
    X(CONTENT_TYPE, "Content-Type", 'c', 'e')                                                      \
    X(COOKIE, "Cookie", 'c', 'e')                                                                  \
    X(EXPECT, "Expect", 'e', 't')                                                                  \
    X(FORWARDED, "Forwarded", 'f', 'd')                                                            \
    X(GRPC_TIMEOUT, "grpc-timeout", 'g', 't')                                                      \
    X(HOST, "Host", 'h', 't')                                                                      \
    X(IF_MATCH, "If-Match", 'i', 'h')                                                              \
    X(IF_MODIFIED_SINCE, "If-Modified-Since", 'i', 'e')                                            \
    X(IF_NONE_MATCH, "If-None-Match", 'i', 'h')                                                    \
    X(IF_RANGE, "If-Range", 'i', 'e')                                                              \
    X(IF_UNMODIFIED_SINCE, "If-Unmodified-Since", 'i', 'e')                                        \
    X(ORIGIN, "Origin", 'o', 'n')                                                                  \
    X(RANGE, "Range", 'r', 'e')                                                                    \
    X(REFERER, "Referer", 'r', 'r')                                                                \
    X(TRACEPARENT, "traceparent", 't', 't')                                                        \
    X(TRACESTATE, "tracestate", 't', 'e')                                                          \
    X(TRANSFER_ENCODING, "Transfer-Encoding", 't', 'g')                                            \
    X(USER_AGENT, "User-Agent", 'u', 't')                                                          \
    X(X_FORWARDED_FOR, "X-Forwarded-For", 'x', 'r')                                                \
    X(X_FORWARDED_PROTO, "X-Forwarded-Proto", 'x', 'o')                                            \
    X(X_REQUEST_ID, "X-Request-Id", 'x', 'd')                                                      \
    X(X_REQUEST_TIMEOUT, "X-Request-Timeout", 'x', 't')

#define FIELD_NAME_CONSTANT(constant, text, first, last) FIELD_##constant,
enum field_name {
    FIELD_OTHER, /* any other name */
    FIELD_NAME_LIST(FIELD_NAME_CONSTANT) FIELD_NAME_COUNT
};
#undef FIELD_NAME_CONSTANT

/* The number of a name in any case of letters, or FIELD_OTHER. Any thread. */
enum field_name svc__field_name_find(struct bytes name);

/* The name of a number in its usual spelling; "none" for FIELD_OTHER. Any thread. */
struct bytes svc__field_name_text(enum field_name name);

#endif
