/*
 * Files of a folder, served below a path. docs/files.md shows how the parts go together.
 *
 *     svc_files files = SVC_FILES_AT("/srv/www");
 *     svc_app_files(app, "/static/", &files);
 *
 * A reply has the file's media type, a strong ETag, Last-Modified and X-Content-Type-Options: nosniff. The
 * conditions of the request are answered (304, 412). The kernel sends the file as svc_response_fd says.
 * Replies that send one version of a file at the same time share its descriptor.
 */
#ifndef SVC_FILES_H
#define SVC_FILES_H

#include <svc/cache.h>
#include <svc/types.h>

SVC_BEGIN_DECLS

/* A media type for a suffix. A list ends with a row whose suffix is NULL. */
typedef struct svc_file_type {
    const char *suffix; /* without the dot, in any case of letters: "yaml" */
    const char *type;   /* "application/yaml" */
} svc_file_type;

/* Cache-Control for some of the files. A list ends with a row whose pattern is NULL. */
typedef struct svc_file_rule {
    const char *pattern; /* of fnmatch(3) without flags, for the path below the root: "*.html",
                            "assets/" with a star; a star matches slashes too */
    bool hashed; /* only for names with a hash of the content, as bundlers write them: a part between '.', '-'
                    or '_', of 8 characters or more, that has a digit and a letter, and is hexadecimal or has
                    letters of both cases: "app.3f2a9c1e.js", "index-BfF3x9aZ.css" */
    const svc_cache_policy *policy;
} svc_file_rule;

/*
 * A folder and how it is served. Begin with SVC_FILES_INIT or SVC_FILES_AT. The struct is copied; all that it points to is
 * borrowed until the app is freed.
 */
typedef struct svc_files {
    size_t size;      /* set by SVC_FILES_INIT */
    const char *root; /* the folder; it is opened once, when the service starts */
    const char *const *root_setting; /* the address of a text that is read at the start in place of
                                        `root`, such as a setting's member (svc/setting.h); or NULL */
    const char *const *index; /* names that answer for a folder, NULL-terminated, the first that
                                 exists; NULL: "index.html" */
    const svc_file_type *types; /* before those of the library, about 300 of Debian's list; or NULL */
    const char *default_type;   /* for other suffixes; NULL: "application/octet-stream" */
    const char *charset;        /* added to types that begin with "text/"; NULL: none is */
    const svc_file_rule *rules; /* the first that matches applies; NULL: no Cache-Control is set */
    const char *downloads; /* a pattern as of a rule: these files are sent to be saved, under their own name
                              (svc_response_set_attachment); or NULL */
    const char *fallback;  /* the path, below the root, of a page for paths that lead to no file, in a
                              browser's navigation: a request whose Accept prefers text/html; or NULL */
    bool listing;       /* a folder without an index file is listed: as JSON if Accept prefers it, else as
                           HTML. The query sorts: sort=name, size or modified, order=asc or desc */
    bool precompressed; /* "app.js.br", "app.js.zst" or "app.js.gz", not older than "app.js", are sent in its
                           place to a client that accepts that coding; all replies get Vary */
    bool content_tags;  /* the ETag is a hash of the content, the same on all instances. A worker reads
                           the file once for each version, while it is being served */
} svc_files;

/* The defaults, with the root. */
#define SVC_FILES_AT(folder)                                                                       \
    {                                                                                              \
        sizeof(svc_files), (folder), NULL, NULL, NULL, NULL, "utf-8", NULL, NULL, NULL, false,     \
            false, false                                                                           \
    }

#define SVC_FILES_INIT SVC_FILES_AT(NULL)

/*
 * Serves the files of a folder to GET and HEAD, below `prefix`, which begins and ends with '/'. The rest of the
 * path is resolved beneath the folder, by openat2 or, where a sandbox refuses that call, part by part:
 *
 * - 404 for a path that leads to no regular file, or to none that the process may read; out of the folder,
 *   also by a symbolic link; with an escaped slash or a backslash in it; or with a part that begins with a dot
 *   (".well-known" at the beginning is allowed);
 * - 308 for a folder without '/' behind it, and, as for all routes, for a path with "..", escaped or not;
 * - 503 with Retry-After when the system has no descriptor left (16 are kept for this time) or, for a listing
 *   or a hash, no worker.
 *
 * A file whose status changed within the last 50 ms has a weak ETag, since it may change again within one tick
 * of the file system's clock. A hash of content, made while the file changed, is not sent at all.
 *
 * 0; SVC_EINVAL for a bad prefix, pattern or policy, for no root, or without SVC_FILES_INIT; SVC_ESTATE once
 * started; SVC_ENOMEM; or as svc_app_route_at. All are kept as set-up errors. If the folder cannot be opened,
 * the start fails, and the error names it. Before start only. Since: 0.1
 */
SVC_API int svc_app_files(svc_app *app, const char *prefix, const svc_files *files);

/* As svc_app_files, in a group. Since: 0.1 */
SVC_API int svc_group_files(svc_group *group, const char *prefix, const svc_files *files);

/*
 * Sets Content-Disposition, so that a browser saves the reply under `name`: the part behind the last slash or
 * backslash, in UTF-8. A name that is not ASCII is sent in the form of RFC 8187, beside a likeness for old
 * clients; bytes that are not UTF-8 and control characters are replaced. 0, SVC_EINVAL for an empty name,
 * SVC_ENOMEM, SVC_ETOOBIG. The thread that has the response. Since: 0.1
 */
SVC_API int svc_response_set_attachment(svc_response *res, const char *name);

SVC_END_DECLS

#endif
