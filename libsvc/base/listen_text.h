/*
 * Parses the text of a listener: an address, and options behind it, each after a semicolon. The
 * check of the settings and the opening of listeners both use it, so that the two never disagree.
 */
#ifndef SVC_BASE_LISTEN_TEXT_H
#define SVC_BASE_LISTEN_TEXT_H

#include "libsvc/base/endpoint.h"

/* The options of a listener: X(NAME, name, words that are its values). `front` has the words of the
 * setting http1, in place of which it stands. */
#define LISTEN_OPTION_LIST(X) X(FRONT, "front", "libmicrohttpd native")

#define LISTEN_TEXT_OPTION(name, word, values) LISTEN_##name,
enum listen_option { LISTEN_OPTION_LIST(LISTEN_TEXT_OPTION) LISTEN_OPTIONS };
#undef LISTEN_TEXT_OPTION

enum {
    LISTEN_UNSET = -1,    /* an option that the text does not have */
    LISTEN_TEXTS_MAX = 16 /* in one list */
};

struct listen_text {
    struct endpoint endpoint;
    struct bytes address;        /* the part of the text that is the endpoint; borrowed */
    int options[LISTEN_OPTIONS]; /* of each the index of its word, or LISTEN_UNSET */
};

/*
 * Parses "ADDRESS", "ADDRESS;option=value" and so on. Blanks around an address and around an option
 * are ignored. The first semicolon ends the address, also that of a unix socket: a path has none.
 * 0, or SVC_ESYNTAX with a static text in `*reason` if the address is malformed, or an option is
 * unknown, has another value or is repeated; `*out` is written only on success. Any thread.
 */
int svc__listen_text_parse(struct bytes text, struct listen_text *out, const char **reason);

/*
 * The next text of a list that is separated by commas, without the blanks around it; `*rest` moves
 * behind it and is "none" after the last one. Any thread.
 */
struct bytes svc__listen_text_next(struct bytes *rest);

#endif
