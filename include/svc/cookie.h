/*
 * Cookies (RFC 6265bis): those of a request, and those that a reply sets. Sessions are in svc/session.h.
 *
 *     const char *theme = svc_request_cookie(req, "theme");
 *
 *     svc_cookie cookie = SVC_COOKIE_INIT;
 *     cookie.name = "theme";
 *     cookie.value = "dark";
 *     cookie.max_age_s = 86400;
 *     int error = svc_response_set_cookie(res, &cookie);
 *
 * docs/cookies.md has a program. The calls that take a request or a response are for the thread that runs the
 * request's phase or handler.
 */
#ifndef SVC_COOKIE_H
#define SVC_COOKIE_H

#include <svc/types.h>

SVC_BEGIN_DECLS

/* ---- Of requests
 *
 * All Cookie fields are read as one, once, at the first call. A name is a token (RFC 9110 5.6.2), its case
 * counts; a value has the visible bytes of ASCII and spaces, without '"', ';' and '\'. Quotes around a value
 * are removed. A pair that is not so is skipped, since a script of any page of a site can set one,
 * and must not be able to lock the user out; so is a pair without '=' or name. What is returned is borrowed
 * until the exchange ends. */

/* The value of the first cookie `name`: of the path that fits best, as browsers order them. NULL when absent.
 * Since: 0.1 */
SVC_API const char *svc_request_cookie(const svc_request *req, const char *name);

/* The n-th value of `name`, from 0; NULL past the last. A second one may be of another path or domain, or
 * planted by another host of the domain, unless the name begins with "__Host-". Since: 0.1 */
SVC_API const char *svc_request_cookie_nth(const svc_request *req, const char *name, size_t n);

/* The number of cookies, repeated ones included. Since: 0.1 */
SVC_API size_t svc_request_cookie_count(const svc_request *req);

/* Cookie `index` in the order of the request. 0 with both outputs set, or SVC_ENOTFOUND. Since: 0.1 */
SVC_API int svc_request_cookie_at(const svc_request *req, size_t index, const char **name,
                                  const char **value);

/* ---- Of replies */

enum {
    SVC_COOKIE_BYTES = 4096,           /* the most of name and value together */
    SVC_COOKIE_ATTRIBUTE_BYTES = 1024, /* the longest domain or path */
    SVC_COOKIE_MAX_AGE_S = 34560000    /* 400 days: browsers keep no cookie for longer */
};

/* When a browser sends the cookie with requests that another site has caused. */
typedef enum svc_same_site {
    SVC_SAME_SITE_LAX = 0, /* with links that the user follows: GET, and no frame or script */
    SVC_SAME_SITE_STRICT,  /* never */
    SVC_SAME_SITE_NONE,    /* always; needs `secure` */
    SVC_SAME_SITE_UNSET    /* the attribute is not sent, and the browser's default applies */
} svc_same_site;

/*
 * A cookie. Begin with SVC_COOKIE_INIT: it is for this host and all of its paths, is sent over HTTPS only,
 * not shown to scripts, SameSite=Lax, and ends with the browser.
 */
typedef struct svc_cookie {
    size_t size;        /* set by SVC_COOKIE_INIT */
    const char *name;   /* a token. "__Secure-" needs `secure`; "__Host-" also the path "/" and no domain */
    const char *value;  /* visible ASCII without '"', ',', ';' and '\'; may be empty: encode other bytes */
    const char *domain; /* a host name, without a dot at either end: the cookie is for all hosts below it
                           too; NULL: for this host only */
    const char *path;   /* begins with '/': visible ASCII without ';'; NULL: the folder of the request's
                           path */
    int64_t expires_s;  /* the end, in seconds since 1970, in the years 1601 to 9999; 0: no end by date */
    int64_t max_age_s;  /* the end, in seconds from now, 1 to SVC_COOKIE_MAX_AGE_S; counts before
                           expires_s; 0: no end by age */
    int same_site;      /* svc_same_site */
    bool secure;        /* over HTTPS only */
    bool http_only;     /* not for scripts */
    bool partitioned;   /* one for each site in whose pages it is set; needs `secure` */
} svc_cookie;

#define SVC_COOKIE_INIT                                                                            \
    {                                                                                              \
        sizeof(svc_cookie), NULL, NULL, NULL, "/", 0, 0, 0, true, true, false                      \
    }

/*
 * Adds a Set-Cookie field. A browser that gets several cookies of one name, domain and path keeps the last.
 * No byte is escaped or quoted: what a cookie cannot hold is refused. The library's response cache keeps no
 * reply that sets a cookie, and svc_cache_control_new makes it no-store; a handler without that layer sets
 * Cache-Control itself, because caches of others may keep such a reply.
 *
 * 0; SVC_ETOOBIG for sizes beyond the limits above; SVC_EINVAL for what svc_cookie_mistake reports, which the
 * request's line of the log then has; otherwise as svc_response_add_header. Since: 0.1
 */
SVC_API int svc_response_set_cookie(svc_response *res, const svc_cookie *cookie);

/* Makes the browser drop a cookie: adds a Set-Cookie field with an end in the past. Name, domain, path and
 * `partitioned` are those that the cookie was set with, else the browser keeps it. `value` and both ends are
 * ignored. Errors as for svc_response_set_cookie. Since: 0.1 */
SVC_API int svc_response_remove_cookie(svc_response *res, const svc_cookie *cookie);

/* What a browser would not accept in a cookie, as a sentence that lives as long as the program; NULL if it is
 * right. A NULL value counts as empty here, so that a program can check its cookie at start. Any thread.
 * Since: 0.1 */
SVC_API const char *svc_cookie_mistake(const svc_cookie *cookie);

SVC_END_DECLS

#endif
