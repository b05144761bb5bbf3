/* The keys that shall not be loaded off the requests for a while: a load has failed, or another
 * instance loads. A hint: a key may push another out. */
#ifndef SVC_MEMO_MEMO_QUIET_H
#define SVC_MEMO_MEMO_QUIET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { MEMO_QUIET_SLOTS = 64 };

/* Embedded by value; zeros to begin with. */
struct memo_quiet {
    _Atomic uint64_t slots[MEMO_QUIET_SLOTS]; /* some bits of a key's hash, and an end */
};

/* Keeps the key of a hash quiet until `until_ms` of svc__clock_ms. Any thread. */
void svc__memo_quiet_keep(struct memo_quiet *quiet, uint64_t hash, uint64_t until_ms);

/* Whether it is quiet. Any thread. */
bool svc__memo_quiet_holds(const struct memo_quiet *quiet, uint64_t hash, uint64_t now_ms);

#endif
