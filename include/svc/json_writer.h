/*
 * JSON written piece by piece, without a tree, into the memory that becomes the response's body:
 *
 *     svc_json_writer *w = svc_response_json_begin(res, 200);
 *     svc_json_open_object(w, NULL);
 *     svc_json_put_u64(w, "id", note->id);
 *     svc_json_put_text(w, "title", note->title);
 *     svc_json_open_array(w, "tags");
 *     for (size_t i = 0; i < note->tag_count; i++)
 *         svc_json_put_text(w, NULL, note->tags[i]);
 *     svc_json_close(w);
 *     svc_json_close(w);
 *     return svc_response_json_end(w);
 *
 * A value in an object has a key; for a value in an array, or the whole document, the key is NULL. A call
 * that breaks this rule, or fails otherwise, makes the writer fail for good: later calls do nothing, and
 * svc_response_json_end returns the first error. So a handler checks once, and a reply is well-formed JSON
 * or a 500. Keys are not compared: a repeated key is written twice.
 *
 * All calls accept a NULL writer, which counts as one that has run out of memory. Keys and texts are copied
 * at once; they must be UTF-8, else SVC_EINVAL. Values nest at most 64 levels deep, else SVC_ETOOBIG. Only
 * one thread at a time may use a writer; a response's writer is for the thread that runs the request's
 * handler or phase.
 */
#ifndef SVC_JSON_WRITER_H
#define SVC_JSON_WRITER_H

#include <svc/types.h>

SVC_BEGIN_DECLS

typedef struct svc_json_writer svc_json_writer;

/*
 * Begins an answer in JSON (application/json). Until svc_response_json_end the response counts as
 * not answered, even if it had an answer before: if a handler forgets that call, the client gets a 500. The
 * handler may give another answer at any time, and abandon the writer. Several writers may be open; the one
 * that ends last makes the answer. The document may have 16 MiB, else SVC_ETOOBIG. The writer is owned by
 * the request. NULL when out of memory. Since: 0.1
 */
SVC_API svc_json_writer *svc_response_json_begin(svc_response *res, int status);

/*
 * Answers with the written document; a large one is not copied. 0; the writer's first error; SVC_ESTATE
 * when an object or array is still open, nothing was written, or this was called before; SVC_EINVAL for a
 * bad status. When it fails, the response counts as not answered. The Content-Type can be changed
 * afterwards. Since: 0.1
 */
SVC_API int svc_response_json_end(svc_json_writer *w);

/* Begins an object: its members follow until svc_json_close. Since: 0.1 */
SVC_API void svc_json_open_object(svc_json_writer *w, const char *key);

/* Begins an array: its elements follow until svc_json_close. Since: 0.1 */
SVC_API void svc_json_open_array(svc_json_writer *w, const char *key);

/* Ends the innermost object or array. SVC_ESTATE when none is open. Since: 0.1 */
SVC_API void svc_json_close(svc_json_writer *w);

/* Writes a string; null for NULL. Since: 0.1 */
SVC_API void svc_json_put_text(svc_json_writer *w, const char *key, const char *text);

/* Writes a string of `len` bytes, which may contain NUL. Since: 0.1 */
SVC_API void svc_json_put_text_n(svc_json_writer *w, const char *key, const char *text, size_t len);

/* Writes a whole number. Readers that use doubles for numbers, such as JavaScript, are exact up to 2^53:
 * send identifiers that may be larger as text. Since: 0.1 */
SVC_API void svc_json_put_i64(svc_json_writer *w, const char *key, int64_t number);

/* As svc_json_put_i64, for an unsigned number. Since: 0.1 */
SVC_API void svc_json_put_u64(svc_json_writer *w, const char *key, uint64_t number);

/*
 * Writes a double with the fewest digits from which readers get the same double, in the format of
 * ECMAScript and independent of the locale: 0.1, 3, 1e+21, 5e-324; -0 keeps its sign. SVC_EINVAL for
 * infinities and NaN, which JSON does not have. Since: 0.1
 */
SVC_API void svc_json_put_double(svc_json_writer *w, const char *key, double number);

/* Writes true or false. Since: 0.1 */
SVC_API void svc_json_put_bool(svc_json_writer *w, const char *key, bool value);

/* Writes null. Since: 0.1 */
SVC_API void svc_json_put_null(svc_json_writer *w, const char *key);

/*
 * Writes a time, given in seconds since 1970, as a string by RFC 3339 in UTC, such as
 * "2026-11-24T02:44:46Z". SVC_EINVAL for a time outside the years 0 to 9999. Since: 0.1
 */
SVC_API void svc_json_put_time_s(svc_json_writer *w, const char *key, int64_t unix_s);

/* As svc_json_put_time_s, for microseconds since 1970; a fraction of a second that is not zero is written
 * with six digits. Since: 0.1 */
SVC_API void svc_json_put_time_us(svc_json_writer *w, const char *key, int64_t unix_us);

/*
 * Writes a JSON text, such as one from a database, unchanged. SVC_ESYNTAX if it is not one value by RFC
 * 8259, or if, together with the levels that are open, it nests deeper than 64 levels. Since: 0.1
 */
SVC_API void svc_json_put_raw(svc_json_writer *w, const char *key, const char *json, size_t len);

/* 0, or the writer's first error: check it before expensive work that a failure would make useless.
 * Since: 0.1 */
SVC_API int svc_json_writer_error(const svc_json_writer *w);

/*
 * Makes a writer with its own memory, for a document that is not a response. A document of more than
 * `max_bytes` makes the writer fail with SVC_ETOOBIG. NULL when out of memory. The caller frees it with
 * svc_json_writer_free. Any thread. Since: 0.1
 */
SVC_API svc_json_writer *svc_json_writer_new(size_t max_bytes) SVC_MUST_CHECK;

/*
 * The complete document, NUL-terminated. `*len` is its length without the NUL; `len` may be NULL. Borrowed
 * until the writer is used again or freed, or svc_response_json_end is called. NULL when the writer has
 * failed; it fails with SVC_ESTATE when an object or array is open or nothing was written. Since: 0.1
 */
SVC_API const char *svc_json_writer_text(svc_json_writer *w, size_t *len);

/* Frees a writer of svc_json_writer_new. Accepts NULL. Does nothing for a response's writer. Since: 0.1 */
SVC_API void svc_json_writer_free(svc_json_writer *w);

SVC_END_DECLS

#endif
