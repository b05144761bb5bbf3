/* Patterns for the paths of files, and names with a hash in them. */
#include "libsvc/files/file_rule.h"

#include <fnmatch.h>
#include <string.h>

#include "libsvc/base/bytes.h"

enum { HASH_LETTERS = 8 /* the least that bundlers write */ };

bool svc__file_rule_matches(const char *pattern, const char *path)
{
    return fnmatch(pattern, path, 0) == 0;
}

/* A date such as 20240131 has no letter, and a word no digit. */
static bool is_hash(const char *text, size_t len)
{
    bool digit = false, lower = false, upper = false, hex = true;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (svc__bytes_is_digit(c))
            digit = true;
        else if (!svc__bytes_is_letter(c))
            return false;
        else if (svc__bytes_lower(c) == c)
            lower = true;
        else
            upper = true;
        hex = hex && (svc__bytes_is_digit(c) || svc__bytes_lower(c) <= 'f');
    }
    return len >= HASH_LETTERS && digit && ((lower && upper) || (hex && (lower || upper)));
}

bool svc__file_rule_hashed(const char *path)
{
    static const char ends[] = ".-_";
    const char *slash = strrchr(path, '/'), *at = slash ? slash + 1 : path;
    at += strcspn(at, ends); /* a hash follows a name */
    while (*at) {
        size_t len = strcspn(++at, ends);
        if (is_hash(at, len))
            return true;
        at += len;
    }
    return false;
}

const svc_cache_policy *svc__file_rule_find(const svc_file_rule *rules, const char *path)
{
    for (const svc_file_rule *rule = rules; rule && rule->pattern; rule++)
        if (svc__file_rule_matches(rule->pattern, path) &&
            (!rule->hashed || svc__file_rule_hashed(path)))
            return rule->policy;
    return NULL;
}
