/*
 * The response is one value: until the handler returns, the last call that sets status, header or body
 * wins. Calls return 0 or a negative code, and change nothing when they fail; a handler may return that
 * code. A NULL response, which svc_response_new returns when out of memory, has no fields and no status; to
 * change it is SVC_ENOMEM, and whatever the call takes is released as usual. The calls are for the thread
 * that runs the request's phase or handler.
 *
 * All calls that answer return SVC_EINVAL for a status outside of 200 to 599, NULL data or a bad `type`.
 */
#ifndef SVC_RESPONSE_H
#define SVC_RESPONSE_H

#include <svc/types.h>

SVC_BEGIN_DECLS

/* The status; 0 until something has answered. Since: 0.1 */
SVC_API int svc_response_status(const svc_response *res);

/* Sets the status, 200 to 599, which counts as an answer; a body set before stays. 0 or SVC_EINVAL.
 * Since: 0.1 */
SVC_API int svc_response_set_status(svc_response *res, int status);

/*
 * Sets a header field, and replaces fields of that name. Both strings are copied. SVC_EINVAL for a name that
 * is not a token; for an empty value, or one with control characters (such as CR and LF) or with white space
 * at its ends; for fields that only the server sets (Content-Length, Transfer-Encoding, Connection,
 * Keep-Alive, Date, Upgrade); and for a Location or Content-Location that svc_response_redirect would refuse
 * (it is escaped in the same way). SVC_ETOOBIG for more than 128 fields, or 16 KiB of fields in all.
 * SVC_ENOMEM. Since: 0.1
 */
SVC_API int svc_response_set_header(svc_response *res, const char *name, const char *value);

/* Adds a header field beside others of that name. Errors as for svc_response_set_header. Since: 0.1 */
SVC_API int svc_response_add_header(svc_response *res, const char *name, const char *value);

/* Removes all header fields of that name. Since: 0.1 */
SVC_API void svc_response_remove_header(svc_response *res, const char *name);

/* The first header field of that name; NULL when absent. Borrowed until headers change. Since: 0.1 */
SVC_API const char *svc_response_header(const svc_response *res, const char *name);

/* The number of header fields set so far, without those that the server adds when it sends the reply, such
 * as Date and Content-Length. 0 for NULL. Since: 0.1 */
SVC_API size_t svc_response_header_count(const svc_response *res);

/* Header field `index`, from 0, in the order in which they will be sent. 0 with both outputs set, or
 * SVC_ENOTFOUND. Both are borrowed until headers change. Since: 0.1 */
SVC_API int svc_response_header_at(const svc_response *res, size_t index, const char **name,
                                   const char **value);

/* Answers without a body. Since: 0.1 */
SVC_API int svc_response_empty(svc_response *res, int status);

/* Answers with `text`, which is copied, as text/plain in UTF-8. Since: 0.1 */
SVC_API int svc_response_text(svc_response *res, int status, const char *text);

/* Answers with bytes that are copied. `type` is the Content-Type, copied; NULL leaves the field unchanged.
 * Since: 0.1 */
SVC_API int svc_response_copy(svc_response *res, int status, const char *type, const void *data,
                              size_t len);

/* Answers with bytes that are not copied: they must not change as long as the program runs. Since: 0.1 */
SVC_API int svc_response_static(svc_response *res, int status, const char *type, const void *data,
                                size_t len);

/*
 * Answers with bytes that the response takes: `release(data)` runs once, when they are no longer needed, or
 * at once if the call fails. `release` may be NULL. Since: 0.1
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
 * Answers with an error (status 400 to 599) as problem details (RFC 9457): the title follows from the
 * status, `detail` describes this occurrence (UTF-8, copied; may be NULL). A client that accepts no JSON gets
 * plain text, so Accept is added to Vary. Header fields set before stay. Since: 0.1
 */
SVC_API int svc_response_problem(svc_response *res, int status, const char *detail);

/* The length of a body that is not known when the head is sent. */
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
    /* Makes the next read yield the bytes from `offset` on, which is less than `length`. 0 or a negative
     * code. Called before the first read or between two, for a request that asks for parts of the body
     * (the setting `ranges`). Must not block. NULL: the body is only sent as a whole. */
    int (*seek)(void *state, uint64_t offset);
} svc_source;

#define SVC_SOURCE_INIT                                                                            \
    {                                                                                              \
        sizeof(svc_source), SVC_LENGTH_UNKNOWN, NULL, NULL, NULL, NULL                             \
    }

/*
 * Answers with a source, which is taken: its close runs once, or at once if the call fails. If `length` is
 * known, the source must yield exactly that many bytes. Since: 0.1
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
 * Answers with the file at `path`, and with its modification time as Last-Modified. If `root` is a directory,
 * the path may come from a client: it is resolved below that directory, and absolute paths, "..", and
 * symbolic links that lead out of the directory count as missing files. With a NULL `root`, the path is
 * opened as it is. A file that is missing, is not a regular file or may not be read is answered 404. 0,
 * SVC_EINVAL for a NULL path, SVC_ESYSTEM when descriptors run out or a system call fails otherwise, or
 * SVC_ENOMEM. Since: 0.1
 */
SVC_API int svc_response_file(svc_response *res, int status, const char *type, const char *root,
                              const char *path);

/*
 * Takes the body, of any kind, out of the response as a source, so that a middleware can wrap it and set
 * the result with svc_response_source. The response then has no body. The source of a part of a file ends
 * with that part, and fails (SVC_ESYSTEM) if the file has become shorter. `source` begins with
 * SVC_SOURCE_INIT, else SVC_EINVAL. Its `seek` is not NULL if the body is memory, a part of a file, or a
 * source that can seek; a middleware whose bytes are others sets it to NULL. 0 or SVC_ENOMEM. Since: 0.1
 */
SVC_API int svc_response_take_source(svc_response *res, svc_source *source) SVC_MUST_CHECK;

/*
 * The bytes of a body that is whole in memory, borrowed, and their number; NULL and 0 if the body is a
 * source, a pipe, a file or empty. `len` may be NULL. Since: 0.1
 */
SVC_API const char *svc_response_body(const svc_response *res, size_t *len);

/*
 * Sets the Content-Length of a reply that has no body because it is a 304 or an answer to HEAD (RFC 9110
 * 8.6). After a 304 without it the connection is closed. 0, or SVC_EINVAL for SVC_LENGTH_UNKNOWN. Since: 0.1
 */
SVC_API int svc_response_set_length(svc_response *res, uint64_t length);

SVC_END_DECLS

#endif
