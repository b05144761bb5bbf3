/* Listings of folders as HTML and as JSON. */
#ifndef SVC_FILES_LISTING_TEXT_H
#define SVC_FILES_LISTING_TEXT_H

#include "libsvc/base/buf.h"
#include "libsvc/files/listing.h"

/* Appends a page. `path` is the decoded path of the request, with its slash at the end; `top`: no
 * link leads to the folder around it. Any thread. */
void svc__listing_text_html(struct buf *out, const struct listing *listing, struct bytes path,
                            bool top);

/* Appends an object: "path", "entries" with "name", "href", "type", "size" and "modified" each, and
 * "truncated". Any thread. */
void svc__listing_text_json(struct buf *out, const struct listing *listing, struct bytes path);

/* Appends text for HTML, in an attribute too: valid UTF-8, with U+FFFD for what is none. Any
 * thread.
 */
void svc__listing_text_escape(struct buf *out, struct bytes text);

#endif
