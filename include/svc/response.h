/*
 * The response. It is one value: until the handler returns, the last call that sets status, headers or
 * body wins. Calls return 0 or a negative code and change nothing when they fail; a handler may `return`
 * that code. A NULL response, which svc_response_new returns when out of memory, has no fields and no
 * status; to change it is SVC_ENOMEM, and everything that the call takes is released as usual. For the
 * thread that runs the request's phase or handler.
 */
#ifndef SVC_RESPONSE_H
#define SVC_RESPONSE_H

#include <svc/types.h>

SVC_BEGIN_DECLS

/* The status; 0 until something has answered. Since: 0.1 */
SVC_API int svc_response_status(const svc_response *res);

/* Sets the status, 200 to 599, and with that answers; a body set before stays. 0 or SVC_EINVAL. Since: 0.1 */
SVC_API int svc_response_set_status(svc_response *res, int status);

/*
 * Sets a header field, replacing fields of that name. Both strings are copied. SVC_EINVAL when the
 * name is not a token or the value holds a control character (CR and LF above all) or space at its
 * ends, or for Content-Length, Transfer-Encoding, Connection, Date and Upgrade, which are the
 * server's, or a Location or Content-Location that svc_response_redirect would not take, which escapes
 * them in the same way; SVC_ETOOBIG; SVC_ENOMEM. Since: 0.1
 */
SVC_API int svc_response_set_header(svc_response *res, const char *name, const char *value);

/* Adds a header field beside others of that name. Errors as for svc_response_set_header. Since: 0.1 */
SVC_API int svc_response_add_header(svc_response *res, const char *name, const char *value);

/* Removes all header fields of that name. Since: 0.1 */
SVC_API void svc_response_remove_header(svc_response *res, const char *name);

/* The first header field of that name; NULL when absent. Borrowed until headers change. Since: 0.1 */
SVC_API const char *svc_response_header(const svc_response *res, const char *name);

/* The number of header fields set so far: those of the server, such as Date and Content-Length, come to
 * them when the reply is sent. 0 for NULL. Since: 0.1 */
SVC_API size_t svc_response_header_count(const svc_response *res);

/* Header field `index`, from 0, in the order in which they will be sent. 0 with both outputs set, or
 * SVC_ENOTFOUND. Both are borrowed until headers change. Since: 0.1 */
SVC_API int svc_response_header_at(const svc_response *res, size_t index, const char **name,
                                   const char **value);

/* Answers without a body. Since: 0.1 */
SVC_API int svc_response_empty(svc_response *res, int status);

/* Answers with `text`, which is copied, as text/plain in UTF-8. Since: 0.1 */
SVC_API int svc_response_text(svc_response *res, int status, const char *text);

/* Answers with bytes that are copied. `type` is the Content-Type, copied; NULL leaves it as it is.
 * Since: 0.1 */
SVC_API int svc_response_copy(svc_response *res, int status, const char *type, const void *data,
                              size_t len);

/* Answers with bytes that stay unchanged as long as the program runs; nothing is copied. Since: 0.1 */
SVC_API int svc_response_static(svc_response *res, int status, const char *type, const void *data,
                                size_t len);

/*
 * Answers with bytes that the response takes: `release(data)` runs once, when they are no longer
 * needed, and at once when the call fails. Since: 0.1
 */
SVC_API int svc_response_take(svc_response *res, int status, const char *type, void *data,
                              size_t len, void (*release)(void *data));

/*
 * Answers 201, 301, 302, 303, 307 or 308 with Location: a URI reference (RFC 3986 4.1). Bytes that are not
 * ASCII are percent-encoded, and so are characters of path, query and fragment that a URI must not contain,
 * such as quotes, '<' or a backslash. SVC_EINVAL for another status, and for a reference that is ambiguous
 * or that clients might resolve to another host: with control characters, spaces, a '%' without two hex
 * digits, a bad scheme or authority, "///x", "http:x". The caller must decide whether untrusted input may
 * choose the host. Since: 0.1
 */
SVC_API int svc_response_redirect(svc_response *res, int status, const char *location);

/*
 * Answers with an error (status 400 to 599) as problem details (RFC 9457): title by status, `detail`
 * for this occurrence (copied; NULL for none; UTF-8). A client that accepts no JSON gets plain
 * text, so Accept is added to Vary. Headers set before stay. Since: 0.1
 */
SVC_API int svc_response_problem(svc_response *res, int status, const char *detail);

/* The length of a body that is read piece by piece is not known beforehand. */
#define SVC_LENGTH_UNKNOWN UINT64_MAX

/* A body that is read piece by piece. Begin with SVC_SOURCE_INIT. */
typedef struct svc_source {
    size_t size;     /* set by SVC_SOURCE_INIT */
    uint64_t length; /* bytes in all, or SVC_LENGTH_UNKNOWN */
    /* Fills at most `len` bytes. Returns their number (more than 0), 0 at the end, or a negative code,
     * which cuts the connection so that the client notices. Must not block: while it has no bytes, it
     * returns SVC_EAGAIN, and is called again after svc_waker_wake. */
    int64_t (*read)(void *state, char *data, size_t len);
    void (*close)(void *state); /* once, when the body is no longer needed; may be NULL */
    void *state;
} svc_source;

#define SVC_SOURCE_INIT                                                                            \
    {                                                                                              \
        sizeof(svc_source), SVC_LENGTH_UNKNOWN, NULL, NULL, NULL                                   \
    }

/*
 * Answers with a source, which is taken: its close runs once, at once when the call fails. A source
 * must yield exactly `length` bytes when that is known. Since: 0.1
 */
SVC_API int svc_response_source(svc_response *res, int status, const char *type,
                                const svc_source *source);

/*
 * Wakes the source of one response: the thread that has the next bytes reports them by it.
 *
 *     static int64_t read_events(void *state, char *data, size_t len)
 *     {
 *         int64_t n = take_event(state, data, len);
 *         return n ? n : SVC_EAGAIN;
 *     }
 *
 *     // in the handler
 *     events->waker = svc_response_waker(res);
 *
 *     // on another thread, whenever there is an event
 *     put_event(events, text);
 *     svc_waker_wake(events->waker);
 *
 * A wake is never lost: if it comes while the source is being read, the source is read again. The
 * connection is cut if the source waits (SVC_EAGAIN) while no reference to the response's waker is held,
 * since nothing could wake it, or if it yields no bytes for `send_timeout_ms`. A middleware that wraps a
 * source returns SVC_EAGAIN too, and needs no waker of its own.
 */
typedef struct svc_waker svc_waker;

/*
 * The waker of a response. A response has one waker for all sources that are set on it or wrapped around
 * one another; a response of svc_response_new keeps it after svc_pending_complete. Returns a reference,
 * which the caller gives back with svc_waker_unref, mostly in the source's close; it may outlive the
 * response and the request. NULL when out of memory. The thread that has the response. Since: 0.1
 */
SVC_API svc_waker *svc_response_waker(svc_response *res) SVC_MUST_CHECK;

/* Another reference, for another thread. Returns `waker`. Accepts NULL. Any thread that has one.
 * Since: 0.1 */
SVC_API svc_waker *svc_waker_ref(svc_waker *waker);

/* Gives a reference back. Accepts NULL. Any thread. Since: 0.1 */
SVC_API void svc_waker_unref(svc_waker *waker);

/*
 * Makes the loop read the source again, if the source has returned SVC_EAGAIN since the last wake; else,
 * and when the response is over, this does nothing. The source is read on its event loop, never within
 * this call, which does not block. Accepts NULL. Any thread that has a reference. Since: 0.1
 */
SVC_API void svc_waker_wake(svc_waker *waker);

/* A part of a file. Begin with SVC_FILE_INIT. */
typedef struct svc_file {
    size_t size;     /* set by SVC_FILE_INIT */
    int fd;          /* open for reading, of a regular file; taken */
    uint64_t offset; /* bytes before the part */
    uint64_t length; /* bytes of the part; SVC_LENGTH_UNKNOWN: to the file's end as it is now */
} svc_file;

#define SVC_FILE_INIT                                                                              \
    {                                                                                              \
        sizeof(svc_file), -1, 0, SVC_LENGTH_UNKNOWN                                                \
    }

/*
 * Answers with a part of an open file, whose descriptor is taken, also on failure. The kernel sends it
 * (sendfile) without a copy; reading parts that are not in the page cache blocks the event loop. The size
 * is checked now and once a second while it is sent: if the file has become shorter than promised, the
 * connection is cut, so that the client notices; appended bytes are not sent. SVC_EINVAL when it is not a
 * regular file or has no such part, SVC_ESYSTEM, or as svc_response_copy. Since: 0.1
 */
SVC_API int svc_response_fd(svc_response *res, int status, const char *type, const svc_file *file);

/*
 * Answers with the file at `path` and its time as Last-Modified; `status`, mostly 200, and `type` as
 * for svc_response_copy. With a directory as `root`, the path, which may come from a client, is resolved
 * below it: absolute paths, "..", and symbolic links that lead out of it find nothing. With a NULL `root`
 * the path is opened as it is. A file that does not exist, is not a regular file or may not be read is
 * answered 404. 0, SVC_EINVAL for a NULL path, SVC_ESYSTEM when descriptors run out or a system call fails
 * otherwise, or SVC_ENOMEM. Since: 0.1
 */
SVC_API int svc_response_file(svc_response *res, int status, const char *type, const char *root,
                              const char *path);

/*
 * Takes the body, of any kind, out of the response as a source, so that a middleware can wrap it and set
 * the result with svc_response_source. The response then has no body. `source` begins with
 * SVC_SOURCE_INIT, else SVC_EINVAL. Since: 0.1
 */
SVC_API int svc_response_take_source(svc_response *res, svc_source *source) SVC_MUST_CHECK;

/*
 * The body when it lies in memory whole: its bytes, borrowed, and length; NULL and 0 when it is a
 * source, a file or empty. Since: 0.1
 */
SVC_API const char *svc_response_body(const svc_response *res, size_t *len);

/*
 * States the length that the body would have, for a 304 or an answer to HEAD that leaves the body
 * out (RFC 9110 8.6). A 304 whose length is not known closes the connection. Since: 0.1
 */
SVC_API int svc_response_set_length(svc_response *res, uint64_t length);

SVC_END_DECLS

#endif
