/*
 * Forms with files: multipart/form-data (RFC 7578), read part by part as the body comes, so that a
 * file of any size takes no memory.
 *
 *     static int add_photo(svc_request *req, svc_response *res)
 *     {                             of a route with SVC_BLOCKING and SVC_STREAM_BODY
 *         svc_multipart *form = svc_request_multipart(req, &options);
 *         int error = svc_multipart_collect(form);
 *         if (!error)
 *             error = svc_upload_keep(svc_multipart_upload(form, "photo", 0), "photo.jpg");
 *         return error ? error : svc_response_text(res, 201, "kept\n");
 *     }
 *
 * A call that fails returns a negative code, and the handler returns that code, or 0 without an
 * answer: the client is then answered with the reason, and this neither is logged nor counts as a
 * failure of the service, unless the service is at fault. The answers are
 *
 * - 415 for a body that is not multipart/form-data; for a part in a charset other than UTF-8, by
 * its Content-Type, its filename* or the field `_charset_`; and for a Content-Transfer-Encoding
 * other than 7bit, 8bit and binary;
 * - 400 for a form that is malformed or ends before its last boundary, and for names that are not
 * UTF-8 or hold NUL; the text says what is wrong;
 * - 413 for a form over a limit; nothing is cut in silence;
 * - 507 if there is no room for a file, 503 if there is no descriptor or memory, 500 for other
 * failures to store it; a line of the log has the reason.
 *
 * Errors of reading (svc_request_read) are passed on, and answered as those. The form has to be
 * read before the answer; the route's max_body holds for all of it, and its timeout_ms for all of
 * the time. Routes for large files set both. A content coding is undone by the layer of
 * svc/decompress.h; without it the answer is 415.
 *
 * A route without SVC_STREAM_BODY may use these calls too: its body is in memory already, so they
 * do not wait. On an event loop, a route with SVC_STREAM_BODY uses the try calls: see
 * svc_multipart_try_next.
 *
 * Names are the client's. They are UTF-8 without NUL, but may have any other character, line breaks
 * too. A file's name is the part behind the last slash or backslash that the client has sent, and
 * never "." or "..": it cannot lead out of a folder, but it can be the name of a file that is
 * there, or begin with a dot. A program that does not need it makes a name of its own.
 * docs/uploads.md has more.
 *
 * All calls are for the thread that has the request, one at a time.
 */
#ifndef SVC_MULTIPART_H
#define SVC_MULTIPART_H

#include <svc/form.h>
#include <svc/types.h>

SVC_BEGIN_DECLS

typedef struct svc_multipart svc_multipart; /* a form that is read, as long as its request */
typedef struct svc_part svc_part;           /* the part that is being read */
typedef struct svc_upload svc_upload;       /* a file that was received, and has no name yet */

/* The limits of a form, and where its files go. Begin with SVC_MULTIPART_OPTIONS_INIT. */
typedef struct svc_multipart_options {
    size_t size; /* set by SVC_MULTIPART_OPTIONS_INIT */
    /* The folder in which files are stored and kept; borrowed for as long as the request. NULL: no
     * part can be saved. Its file system needs O_TMPFILE, as ext4, XFS, Btrfs and tmpfs have it. */
    const char *folder;
    size_t max_parts;   /* 1 to 10000; also the most descriptors that a form takes; default 100 */
    size_t max_head;    /* bytes of the header fields of a part: 64 to 32768; default 8192 */
    size_t max_name;    /* bytes of a name, and of a file's name: at least 1; default 1024 */
    uint64_t max_field; /* bytes of each part without a file's name; default 64 KiB */
    uint64_t max_file;  /* bytes of each part with a file's name; default: the route's max_body */
    /* Bytes of all that a form keeps in memory (svc_part_bytes, svc_multipart_collect), names too:
     * up to 2 MiB; default 1 MiB. */
    size_t max_memory;
} svc_multipart_options;

#define SVC_MULTIPART_OPTIONS_INIT                                                                 \
    {                                                                                              \
        sizeof(svc_multipart_options), NULL, 100, 8192, 1024, 65536, UINT64_MAX, 1048576           \
    }

/*
 * Begins to read the request's body as a form; reads nothing yet, so the first svc_multipart_next
 * or svc_multipart_collect reports a body that is no form. `options` are copied; NULL stands for
 * SVC_MULTIPART_OPTIONS_INIT. Owned by the request. NULL when out of memory: it takes about 80 KiB
 * of the request's 4 MiB. The calls below then return SVC_ENOMEM. Once for each request.
 * Since: 0.1
 */
SVC_API svc_multipart *svc_request_multipart(svc_request *req,
                                             const svc_multipart_options *options);

/* ---- Part by part */

/*
 * Goes to the next part; what is left of the last one is read and dropped. 1 with `*part` set,
 * which is borrowed until the next call of this; 0 at the end of the form, whose rest has been read
 * then; or a negative code, which comes again in each further call. The field `_charset_` (RFC
 * 7578 4.6) is checked and passed over. A part of a type multipart/mixed is a part as any other:
 * its bytes are not parsed. SVC_EINVAL if the options are wrong. Since: 0.1
 */
SVC_API int svc_multipart_next(svc_multipart *form, svc_part **part) SVC_MUST_CHECK;

/*
 * The same without waiting, for an event loop: SVC_EAGAIN if more of the body has to come, after
 * which the function of svc_request_on_data (svc/stream.h) is called once. While a program does not
 * go on, the client is slowed down. The answer is deferred: see svc_multipart_answer. Since: 0.1
 */
SVC_API int svc_multipart_try_next(svc_multipart *form, svc_part **part) SVC_MUST_CHECK;

/* The name of the part's field; "" for NULL. Borrowed until the next part. Since: 0.1 */
SVC_API const char *svc_part_name(const svc_part *part);

/* The name of the part's file, never a path; NULL if the part is no file, and "" if a browser's
 * user has chosen none. Borrowed until the next part. Since: 0.1 */
SVC_API const char *svc_part_filename(const svc_part *part);

/* The media type as the client has sent it, which may be malformed or a lie; "text/plain" without
 * one, and for NULL. Borrowed until the next part. Since: 0.1 */
SVC_API const char *svc_part_type(const svc_part *part);

/*
 * Reads some bytes of the part, as many as are there, and blocks until there are any. The number of
 * bytes, with `*data` set to them, borrowed until the next call on the form; 0 at the end of the part; or a
 * negative code, as svc_multipart_next. Since: 0.1
 */
SVC_API int64_t svc_part_read(svc_part *part, const char **data) SVC_MUST_CHECK;

/* The same without waiting, as svc_multipart_try_next. Since: 0.1 */
SVC_API int64_t svc_part_try_read(svc_part *part, const char **data) SVC_MUST_CHECK;

/*
 * Reads the rest of the part to the request's memory. 0 with `*data` set to the bytes, with a NUL
 * behind them, and `*len` to their number (`len` may be NULL); SVC_ETOOBIG over max_memory; or as
 * svc_part_read. Since: 0.1
 */
SVC_API int svc_part_bytes(svc_part *part, const char **data, size_t *len) SVC_MUST_CHECK;

/*
 * Reads the rest of the part to a file without a name in the folder of the options. If the handler
 * fails, or the process is killed, the file is gone. 0 with `*upload` set; SVC_EINVAL without a
 * folder; SVC_ESTATE on an event loop, since this waits for the disk; SVC_ESYSTEM if the file
 * cannot be written; or as svc_part_read. Since: 0.1
 */
SVC_API int svc_part_save(svc_part *part, svc_upload **upload) SVC_MUST_CHECK;

/* ---- All at once */

/*
 * Reads the whole form: parts with a file's name are saved as svc_part_save does, the others become
 * fields, which must be UTF-8 without NUL, else the answer is 400. Parts for which a browser's user
 * has chosen no file are passed over. If the options have no folder, a form with a file is answered
 * 400. 0, or a negative code as svc_multipart_next, svc_part_bytes and svc_part_save return.
 * Since: 0.1
 */
SVC_API int svc_multipart_collect(svc_multipart *form) SVC_MUST_CHECK;

/* The n-th collected file of a field, from 0; NULL past the last. Owned by the request.
 * Since: 0.1 */
SVC_API svc_upload *svc_multipart_upload(const svc_multipart *form, const char *name, size_t n);

/*
 * The collected fields, in the order of the form, for svc_form_value and svc_form_bind
 * (svc/form.h), which fills a struct by a schema and answers 422 with all violations at once. Files
 * are not among them. NULL until the form has been collected. Owned by the request. Since: 0.1
 */
SVC_API const svc_form *svc_multipart_form(const svc_multipart *form);

/* ---- Files that were received */

/*
 * Gives the file a name in the folder of the options, so that it stays when the request is over.
 * `name` is a single name, not a path. An existing file is not replaced. To be sure that the bytes
 * survive a failure of the machine, fsync before. 0; SVC_EINVAL for a name that is empty, ".",
 * "..", too long or has a slash; SVC_ECONFLICT if there is such a file; SVC_ESYSTEM, or SVC_ENOMEM
 * for NULL. Waits for the disk. Since: 0.1
 */
SVC_API int svc_upload_keep(svc_upload *upload, const char *name) SVC_MUST_CHECK;

/* The descriptor of the file, open for reading and writing, with its offset at 0 at first; its mode
 * is 0600. Borrowed: it is closed when the exchange ends. -1 for NULL. Since: 0.1 */
SVC_API int svc_upload_fd(const svc_upload *upload);

/* The number of bytes that were received. Since: 0.1 */
SVC_API uint64_t svc_upload_size(const svc_upload *upload);

/* The name of the file as svc_part_filename; "" for NULL. Borrowed until the exchange ends.
 * Since: 0.1 */
SVC_API const char *svc_upload_filename(const svc_upload *upload);

/* The media type as svc_part_type. Borrowed until the exchange ends. Since: 0.1 */
SVC_API const char *svc_upload_type(const svc_upload *upload);

/* ---- Answers that come later */

/*
 * Answers with the reason for which the form could not be read, if a call has failed: for the
 * response of an answer that was deferred (svc/pending.h), as a handler on an event loop does. 0;
 * SVC_ESTATE if no call has failed; or as svc_response_problem. Since: 0.1
 */
SVC_API int svc_multipart_answer(const svc_multipart *form, svc_response *res);

SVC_END_DECLS

#endif
