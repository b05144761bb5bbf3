/* The values of a session, as one text: in a sealed cookie or in a store. */
#ifndef SVC_SESSION_SESSION_RECORD_H
#define SVC_SESSION_SESSION_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The bytes before the values: a version, and the two times in 8 bytes each. */
enum { SESSION_HEAD_BYTES = 17 };

/* A session. Its values are "name\0value\0" one after the other. */
struct session_record {
    uint64_t begun_s, used_s; /* of the wall clock: seconds since 1970 */
    const char *values;
    size_t len;
};

/* Reads a text; `record->values` points into it. 0 or SVC_ESYNTAX. */
int svc__session_record_read(const char *text, size_t len, struct session_record *record);

/* Writes the text to `out`, which has room for SESSION_HEAD_BYTES and the values. Returns its
 * length. */
size_t svc__session_record_write(const struct session_record *record, char *out);

/* Whether the session has not ended at `now_s`. A clock that is up to 60 s behind that of another
 * instance is no end; a session from further in the future has no true times. */
bool svc__session_record_lives(const struct session_record *record, uint64_t now_s, uint64_t idle_s,
                               uint64_t absolute_s);

/* Whether it is a name of a value. */
bool svc__session_record_is_name(const char *name);

/* The value of a name; NULL: there is none. */
const char *svc__session_record_find(const struct session_record *record, const char *name);

/* The length of the values once the named one is `value`, or, for NULL, removed. */
size_t svc__session_record_changed_len(const struct session_record *record, const char *name,
                                       const char *value);

/* Writes these values to `out`. */
void svc__session_record_change(const struct session_record *record, const char *name,
                                const char *value, char *out);

#endif
