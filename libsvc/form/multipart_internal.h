/* A form that is being read: the parser, and the source of its bytes. */
#ifndef SVC_FORM_MULTIPART_INTERNAL_H
#define SVC_FORM_MULTIPART_INTERNAL_H

#include <svc/multipart.h>

#include "libsvc/exchange/exchange.h"
#include "libsvc/form/form.h"
#include "libsvc/form/multipart_parser.h"

/* Where a reader is in the form. */
enum multipart_place { MULTIPART_BETWEEN, MULTIPART_IN_CHARSET, MULTIPART_IN_PART, MULTIPART_OVER };

/* There is one part at a time, and so one struct for all. */
struct svc_part {
    svc_multipart *form;
};

/* A field or file that was collected. */
struct multipart_kept {
    struct multipart_kept *next;
    struct bytes name, value;
    svc_upload *upload; /* NULL: a field */
};

struct svc_multipart {
    svc_request *req;
    const char *folder;
    struct multipart_limits limits;
    struct multipart_parser parser;
    svc_part part;
    enum multipart_place place;
    int error;         /* the first failure; 0 */
    char *window;      /* NULL: the body is in memory as a whole */
    size_t window_len; /* bytes that there is room for */
    struct bytes in;   /* unread */
    bool last;         /* no more comes behind `in` */
    size_t memory;     /* bytes that may still be kept in memory */
    char charset[8];   /* the value of `_charset_`, as far as it has come */
    size_t charset_len;
    struct multipart_kept *kept; /* in order */
    svc_form *fields;            /* those of the kept that are no files; NULL: not collected yet */
};

/* Fails the form: a handler that returns `error`, or nothing, gives that answer. Returns `error`,
 * or that of a former failure, whose answer stays. */
int svc__multipart_fail(svc_multipart *form, int error, int status, const char *detail);

/* Goes to the next part, as svc_multipart_next; with `waits` it may block. */
int svc__multipart_step(svc_multipart *form, svc_part **part, bool waits);

/* Takes `len` bytes off those that may be kept in memory. 0 or SVC_ETOOBIG. */
int svc__multipart_charge(svc_multipart *form, size_t len);

#endif
