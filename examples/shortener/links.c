/* Codes are random: nobody finds the links of others by counting, and no instance asks another
 * which codes are free. */
#include "links.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ALPHABET "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

enum { TRIES = 5, TRY_BYTES = 6, SEED = TRIES * TRY_BYTES };

bool links_is_code(const char *text)
{
    return strlen(text) == CODE_LEN && strspn(text, ALPHABET) == CODE_LEN;
}

void links_key(char key[static LINK_KEY], const char *code)
{
    snprintf(key, LINK_KEY, "link:%.*s", CODE_LEN, code);
}

void links_clicks_key(char key[static LINK_KEY], const char *code)
{
    snprintf(key, LINK_KEY, "clicks:%.*s", CODE_LEN, code);
}

int links_read(const char *record, struct link *link)
{
    char *end;
    link->created = strtoll(record, &end, 10);
    const char *url = *end == ' ' ? strchr(end + 1, ' ') : NULL;
    if (!url)
        return SVC_ESYNTAX;
    link->url = url + 1;
    link->clicks = 0;
    link->is_repeated = false;
    return 0;
}

/* ---- Making */

/* An operation always tries the same codes. So if the instance that carried it out has ended before
 * it could answer, the client's next attempt finds the link that is there. */
static int make_seed(unsigned char seed[static SEED], const char *operation)
{
    for (size_t i = 0; operation && i < SEED; i++) {
        unsigned byte;
        if (sscanf(operation + 2 * i, "%2x", &byte) != 1)
            return SVC_EINVAL;
        seed[i] = (unsigned char)byte;
    }
    return operation || !getentropy(seed, SEED) ? 0 : SVC_ESYSTEM;
}

static void write_code(char code[static CODE_LEN + 1], const unsigned char bytes[static TRY_BYTES])
{
    uint64_t number = 0;
    for (size_t i = 0; i < TRY_BYTES; i++)
        number = number << 8 | bytes[i];
    for (size_t i = 0; i < CODE_LEN; i++, number /= 62)
        code[i] = ALPHABET[number % 62];
    code[CODE_LEN] = '\0';
}

/* Finds the link under a key that is taken. SVC_ECONFLICT if it is another operation's, or for
 * another URL, or gone by now. */
static int find_own(svc_store *store, svc_request *req, const char *key, const char *made,
                    struct link *link)
{
    svc_store_value value;
    int error = svc_store_get(store, req, key, &value);
    if (error)
        return error == SVC_ENOTFOUND ? SVC_ECONFLICT : error;
    const char *name = strchr(value.data, ' ');
    if (!name || strcmp(name, strchr(made, ' ')) != 0)
        return SVC_ECONFLICT;
    error = links_read(value.data, link);
    link->is_repeated = !error;
    return error;
}

static int try_code(svc_store *store, svc_request *req, const char *code, const char *record,
                    bool is_operation, uint64_t ttl_ms, struct link *link)
{
    char key[LINK_KEY];
    svc_store_value value = {record, strlen(record), 0, NULL};
    links_key(key, code);
    int error = svc_store_add(store, req, key, &value, ttl_ms);
    if (!error)
        return links_read(record, link);
    return error == SVC_ECONFLICT && is_operation ? find_own(store, req, key, record, link) : error;
}

int links_add(svc_store *store, svc_request *req, const char *url, const char *operation,
              uint64_t ttl_ms, char code[static CODE_LEN + 1], struct link *link)
{
    unsigned char seed[SEED];
    size_t room = strlen(url) + 128;
    char *record = svc_request_alloc(req, room);
    int error = record ? make_seed(seed, operation) : SVC_ENOMEM;
    if (error)
        return error;
    snprintf(record, room, "%lld %s %s", (long long)time(NULL), operation ? operation : "-", url);
    error = SVC_ECONFLICT;
    for (size_t i = 0; i < TRIES && error == SVC_ECONFLICT; i++) {
        write_code(code, seed + i * TRY_BYTES);
        error = try_code(store, req, code, record, operation != NULL, ttl_ms, link);
    }
    return error;
}

/* ---- Finding */

int links_find(svc_store *store, svc_request *req, const char *code, struct link *link)
{
    char key[LINK_KEY], clicks_key[LINK_KEY];
    links_key(key, code);
    links_clicks_key(clicks_key, code);
    svc_store_item items[] = {{key, 0, {0}}, {clicks_key, 0, {0}}};
    int error = svc_store_get_many(store, req, items, 2);
    if (error || items[0].error)
        return error ? error : items[0].error;
    error = links_read(items[0].value.data, link);
    if (!error && !items[1].error)
        link->clicks = strtoull(items[1].value.data, NULL, 10);
    return error;
}
