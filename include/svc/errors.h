/* The error codes of libsvc. The enum, the names and the texts are made from one list. */
#ifndef SVC_ERRORS_H
#define SVC_ERRORS_H

#include <svc/visibility.h>

SVC_BEGIN_DECLS

/* X(name, value, text). Values never change and are never reused. */
#define SVC_ERROR_LIST(X)                                                                          \
    X(SVC_OK, 0, "success")                                                                        \
    X(SVC_ENOMEM, -1, "out of memory")                                                             \
    X(SVC_EINVAL, -2, "invalid argument")                                                          \
    X(SVC_ETOOBIG, -3, "over a limit")                                                             \
    X(SVC_ESTATE, -4, "not possible in this state")                                                \
    X(SVC_ESYNTAX, -5, "malformed input")                                                          \
    X(SVC_EROUTES, -6, "bad or conflicting routes")                                                \
    X(SVC_ECONFIG, -7, "bad configuration")                                                        \
    X(SVC_ELISTEN, -8, "cannot listen on an address")                                              \
    X(SVC_ESYSTEM, -9, "a system call failed")                                                     \
    X(SVC_ESTART, -10, "a start hook or a middleware failed to start")                             \
    X(SVC_EFORCED, -11, "stopped by force: requests or tasks were still under way")                \
    X(SVC_ELATE, -12, "too late: the request has been answered")                                   \
    X(SVC_ECANCELLED, -13, "cancelled")                                                            \
    X(SVC_ENOTFOUND, -14, "no such thing")                                                         \
    X(SVC_EAGAIN, -15, "not now")                                                                  \
    X(SVC_ECLOSED, -16, "closed")                                                                  \
    X(SVC_EUNAVAILABLE, -17, "not available")                                                      \
    X(SVC_ETIMEDOUT, -18, "timed out")                                                             \
    X(SVC_ECONFLICT, -19, "exists already or has changed")

#define SVC_ERROR_ENUM(name, value, text) name = (value),
enum svc_error { SVC_ERROR_LIST(SVC_ERROR_ENUM) };
#undef SVC_ERROR_ENUM

/*
 * The text of an error code, such as "out of memory"; "unknown error" for any other value.
 * Static memory. Any thread. Since: 0.1
 */
SVC_API const char *svc_error_text(int error);

/*
 * The name of an error code, such as "SVC_ENOMEM"; NULL for any other value.
 * Static memory. Any thread. Since: 0.1
 */
SVC_API const char *svc_error_name(int error);

SVC_END_DECLS

#endif
