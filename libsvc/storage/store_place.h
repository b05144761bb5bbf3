/* The URL of a store, taken apart: "scheme:rest?name=value&…". */
#ifndef SVC_STORAGE_STORE_PLACE_H
#define SVC_STORAGE_STORE_PLACE_H

#include <svc/sys/store.h>

#include "libsvc/base/arena.h"

enum {
    STORE_SCHEME_MAX = 31,
    STORE_SPACE_MAX = 48,
    STORE_PARAMS_MAX = 32,
    STORE_VALUE_LEAST = 256,
    STORE_VALUE_MOST = 64 << 20,
    STORE_VALUE_BYTES = 1000000,
    STORE_TIMEOUT_MS = 1000,
    STORE_TIMEOUT_MOST_MS = 86400000,
    STORE_LOOK_LEAST_MS = 10,
    STORE_LOOK_MS = 1000,
    STORE_LOOK_MOST_MS = 3600000
};

struct store_place {
    svc_sys_store_place own; /* for the backend */
    svc_sys_store_param params[STORE_PARAMS_MAX];
    uint64_t timeout_ms;
    uint64_t look_ms; /* between looks at the numbers of channels */
};

/* Whether the bytes may be a key, or the name of a namespace, of at most `most` bytes. */
bool svc__store_place_is_key(const char *text, size_t len, size_t most);

/* Whether the text may be a scheme. */
bool svc__store_place_is_scheme(const char *text);

/*
 * Reads a URL; `name_space` is used when it names none. Strings are copied into `memory`. 0;
 * SVC_ENOMEM; or SVC_EINVAL, with a reason in `*why`, static, which shows nothing of the URL.
 */
int svc__store_place_read(struct store_place *place, const char *url, const char *name_space,
                          struct arena *memory, const char **why);

#endif
