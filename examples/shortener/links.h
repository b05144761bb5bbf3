/*
 * Links in a store that all instances of the service share:
 *
 *     link:CODE      the link: "CREATED OPERATION URL"
 *     clicks:CODE    how often it was followed
 *
 * A link never changes once it is there.
 */
#ifndef SHORTENER_LINKS_H
#define SHORTENER_LINKS_H

#include <svc.h>

enum { CODE_LEN = 7, LINK_KEY = CODE_LEN + 16 };

struct link {
    const char *url;  /* within the record */
    int64_t created;  /* seconds since 1970 */
    uint64_t clicks;  /* of links_find; else 0 */
    bool is_repeated; /* links_add has found it */
};

/* Whether the text has the form of a code: CODE_LEN letters and digits. */
bool links_is_code(const char *text);

/* Writes the key of a link, and of its clicks. */
void links_key(char key[static LINK_KEY], const char *code);
void links_clicks_key(char key[static LINK_KEY], const char *code);

/* Reads a record, which is NUL-terminated. SVC_ESYNTAX if it is none. */
int links_read(const char *record, struct link *link);

/*
 * Makes a link and writes its code. `operation`, of svc_idempotency_id, names the request that
 * makes it: made again in the same operation, which an instance may not have lived to answer, it is
 * the same link. NULL: any other request. `ttl_ms` as of svc_store_set. 0; SVC_ECONFLICT if no code
 * is free; or an error of svc_store_add. Waits for the store.
 */
int links_add(svc_store *store, svc_request *req, const char *url, const char *operation,
              uint64_t ttl_ms, char code[static CODE_LEN + 1], struct link *link);

/* Reads a link with its clicks. 0, SVC_ENOTFOUND or another error of svc_store_get. Waits for the
 * store. */
int links_find(svc_store *store, svc_request *req, const char *code, struct link *link);

#endif
