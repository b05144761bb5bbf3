/* The table of the errors that Redis documents, and that a service can meet. */
#include "libsvc/redis/redis_fault.h"

#include <string.h>

#include <svc/errors.h>

static const struct redis_fault faults[] = {
    {"NOSCRIPT", SVC_EUNAVAILABLE, REDIS_AGAIN, false},
    {"WRONGTYPE", SVC_ESYNTAX, REDIS_DONE, false}, /* the key has something else than a value */
    {"OOM", SVC_EUNAVAILABLE, REDIS_DONE, true},   /* maxmemory, and nothing may be evicted */
    {"BUSY", SVC_EUNAVAILABLE, REDIS_DONE, true},  /* a script does not end */
    {"LOADING", SVC_EUNAVAILABLE, REDIS_DONE, true},
    {"MISCONF", SVC_EUNAVAILABLE, REDIS_DONE, true}, /* it cannot write its snapshots */
    {"NOREPLICAS", SVC_EUNAVAILABLE, REDIS_DONE, true},
    {"NOPERM", SVC_EUNAVAILABLE, REDIS_DONE, true},
    /* The address may lead to another server by now, such as the new master. */
    {"READONLY", SVC_EUNAVAILABLE, REDIS_RENEW, true},
    {"MASTERDOWN", SVC_EUNAVAILABLE, REDIS_RENEW, true},
    {"NOAUTH", SVC_EUNAVAILABLE, REDIS_RENEW, true},
    {"WRONGPASS", SVC_EUNAVAILABLE, REDIS_RENEW, true},
    /* A cluster is not supported: see docs/redis.md. */
    {"MOVED", SVC_EUNAVAILABLE, REDIS_DONE, true},
    {"ASK", SVC_EUNAVAILABLE, REDIS_DONE, true},
    {"CLUSTERDOWN", SVC_EUNAVAILABLE, REDIS_DONE, true},
    {"TRYAGAIN", SVC_EUNAVAILABLE, REDIS_DONE, true},
};

static const struct redis_fault unknown = {"", SVC_ESYNTAX, REDIS_DONE, true};

static const struct redis_fault *find_word(const char *text)
{
    size_t len = strcspn(text, " \r\n");
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        if (strlen(faults[i].word) == len && !memcmp(faults[i].word, text, len))
            return &faults[i];
    return NULL;
}

const struct redis_fault *svc__redis_fault_find(const char *text)
{
    static const char script[] = "ERR Error running script";
    const struct redis_fault *found = find_word(text);
    /* Before 7.0, the error within a script stands in the middle of another one. */
    if (!found && !strncmp(text, script, sizeof script - 1))
        for (const char *at = strstr(text, ": "); at && !found; at = strstr(at, ": ")) {
            at += 2;
            found = find_word(*at == '-' ? at + 1 : at);
        }
    return found ? found : &unknown;
}
