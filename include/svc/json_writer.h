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
 * Each value has a key where it stands in an object, and NULL where it stands in an array or is the
 * whole document. A call that breaks this, or fails otherwise, makes the writer fail for good: calls
 * after it do nothing, and the end returns the first error. So a handler checks once, and a reply
 * is well-formed JSON or a 500. Keys are not compared: one that is repeated is written twice.
 *
 * All calls accept NULL for a writer, which stands for one that has run out of memory. Keys and
 * texts are copied at once; they must be UTF-8, else SVC_EINVAL. Levels nest 64 deep, else
 * SVC_ETOOBIG. A writer is for one thread at a time, that of a response for the one that runs the
 * request's handler or phase.
 */
#ifndef SVC_JSON_WRITER_H
#define SVC_JSON_WRITER_H

#include <svc/types.h>

SVC_BEGIN_DECLS

typedef struct svc_json_writer svc_json_writer;

/*
 * Begins an answer in JSON (application/json). Until svc_response_json_end the response counts as
 * not answered, whatever it was before: a handler that forgets the end is answered 500. It may give
 * another answer instead at any time, and leave the writer as it is. Several writers may be open;
 * the one that ends last is the answer. The document may have 16 MiB, else SVC_ETOOBIG. The writer
 * belongs to the request. NULL when out of memory. Since: 0.1
 */
SVC_API svc_json_writer *svc_response_json_begin(svc_response *res, int status);

/*
 * Answers with what was written, nothing of which is copied when it is large. 0; the writer's first
 * error; SVC_ESTATE when a level is open, nothing was written, or the end was called before;
 * SVC_EINVAL for a status that is none. When it fails, the response counts as not answered. The
 * Content-Type can be changed afterwards. Since: 0.1
 */
SVC_API int svc_response_json_end(svc_json_writer *w);

/* Begins an object or an array: values follow until its svc_json_close. Since: 0.1 */
SVC_API void svc_json_open_object(svc_json_writer *w, const char *key);

/* The same for an array. Since: 0.1 */
SVC_API void svc_json_open_array(svc_json_writer *w, const char *key);

/* Ends the innermost object or array. SVC_ESTATE when none is open. Since: 0.1 */
SVC_API void svc_json_close(svc_json_writer *w);

/* A string; null for NULL. Since: 0.1 */
SVC_API void svc_json_put_text(svc_json_writer *w, const char *key, const char *text);

/* A string of `len` bytes, which may hold NUL. Since: 0.1 */
SVC_API void svc_json_put_text_n(svc_json_writer *w, const char *key, const char *text, size_t len);

/* A whole number. Readers whose numbers are doubles, such as JavaScript's, are exact up to 2^53: send
 * identifiers that may be larger as text. Since: 0.1 */
SVC_API void svc_json_put_i64(svc_json_writer *w, const char *key, int64_t number);

/* The same without a sign. Since: 0.1 */
SVC_API void svc_json_put_u64(svc_json_writer *w, const char *key, uint64_t number);

/*
 * A number with the fewest digits that readers take for this double, in the form of ECMAScript and
 * whatever the locale: 0.1, 3, 1e+21, 5e-324; -0 keeps its sign. SVC_EINVAL for infinities and NaN,
 * which JSON has not. Since: 0.1
 */
SVC_API void svc_json_put_double(svc_json_writer *w, const char *key, double number);

/* true or false. Since: 0.1 */
SVC_API void svc_json_put_bool(svc_json_writer *w, const char *key, bool value);

/* null. Since: 0.1 */
SVC_API void svc_json_put_null(svc_json_writer *w, const char *key);

/*
 * A time as a string by RFC 3339 in UTC, such as "2026-11-24T02:44:46Z": seconds since 1970.
 * SVC_EINVAL for what lies outside the years 0 to 9999. Since: 0.1
 */
SVC_API void svc_json_put_time_s(svc_json_writer *w, const char *key, int64_t unix_s);

/* The same for microseconds since 1970; where the fraction of the second is not zero it has six
 * digits. Since: 0.1 */
SVC_API void svc_json_put_time_us(svc_json_writer *w, const char *key, int64_t unix_us);

/*
 * JSON that is written already, such as from a database: copied as it is, once it is checked to be
 * one value by RFC 8259, with what is open nested 64 deep at most. SVC_ESYNTAX otherwise. Since: 0.1
 */
SVC_API void svc_json_put_raw(svc_json_writer *w, const char *key, const char *json, size_t len);

/* 0, or the first error: worth a look where much would be computed for nothing. Since: 0.1 */
SVC_API int svc_json_writer_error(const svc_json_writer *w);

/*
 * A writer into memory of its own, for a document that is no response: of at most `max_bytes`. NULL
 * when out of memory. To be freed with svc_json_writer_free. Any thread. Since: 0.1
 */
SVC_API svc_json_writer *svc_json_writer_new(size_t max_bytes) SVC_MUST_CHECK;

/*
 * The document, when it is whole, with a NUL behind it, which `*len` does not count; `len` may be
 * NULL. Borrowed until the writer is used again or freed, or its response's end. NULL when the writer
 * has failed; it fails with SVC_ESTATE when a level is open or nothing was written. Since: 0.1
 */
SVC_API const char *svc_json_writer_text(svc_json_writer *w, size_t *len);

/* Frees a writer of svc_json_writer_new. Accepts NULL; that of a response stays. Since: 0.1 */
SVC_API void svc_json_writer_free(svc_json_writer *w);

SVC_END_DECLS

#endif
