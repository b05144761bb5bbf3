/* Parameters that every scheme has are read here, and the rest is for the backend. */
#include "libsvc/storage/store_place.h"

#include <string.h>

#include "libsvc/base/num.h"

bool svc__store_place_is_key(const char *text, size_t len, size_t most)
{
    if (len < 1 || len > most)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f)
            return false;
    return true;
}

bool svc__store_place_is_scheme(const char *text)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789+-.";
    size_t len = strlen(text);
    return len > 0 && len <= STORE_SCHEME_MAX && text[0] >= 'a' && text[0] <= 'z' &&
           strspn(text, allowed) == len;
}

static int read_number(const char *text, uint64_t least, uint64_t most, uint64_t *number)
{
    uint64_t read;
    int error = svc__num_u64(svc__bytes_z(text), most, &read);
    if (error || read < least)
        return SVC_EINVAL;
    *number = read;
    return 0;
}

/* Reads a parameter of every scheme. False: it is the backend's. */
static bool read_common(struct store_place *place, const svc_sys_store_param *param,
                        const char **why)
{
    uint64_t number = 0;
    if (!strcmp(param->name, "namespace")) {
        if (!svc__store_place_is_key(param->value, strlen(param->value), STORE_SPACE_MAX))
            *why = "namespace: 1 to 48 bytes, without spaces and control characters";
        place->own.name_space = param->value;
    } else if (!strcmp(param->name, "max_value")) {
        if (read_number(param->value, STORE_VALUE_LEAST, STORE_VALUE_MOST, &number))
            *why = "max_value: a number of bytes from 256 to 67108864";
        place->own.max_value = (size_t)number;
    } else if (!strcmp(param->name, "timeout_ms")) {
        if (read_number(param->value, 1, STORE_TIMEOUT_MOST_MS, &place->timeout_ms))
            *why = "timeout_ms: a number from 1 to 86400000";
    } else if (!strcmp(param->name, "look_ms")) {
        if (read_number(param->value, STORE_LOOK_LEAST_MS, STORE_LOOK_MOST_MS, &place->look_ms))
            *why = "look_ms: a number from 10 to 3600000";
    } else {
        return false;
    }
    return true;
}

/* Reads "name=value&…", which is cut into its parts. */
static int read_params(struct store_place *place, char *text, const char **why)
{
    while (text && *text && !*why) {
        char *value = strsep(&text, "&"), *name = strsep(&value, "=");
        svc_sys_store_param param = {name, value};
        if (!*name || !value)
            *why = "a parameter is not of the form name=value";
        else if (place->own.param_count == STORE_PARAMS_MAX)
            *why = "too many parameters";
        else if (!read_common(place, &param, why))
            place->params[place->own.param_count++] = param;
    }
    return *why ? SVC_EINVAL : 0;
}

int svc__store_place_read(struct store_place *place, const char *url, const char *name_space,
                          struct arena *memory, const char **why)
{
    char *rest = svc__arena_strndup(memory, url, strlen(url));
    if (!rest)
        return SVC_ENOMEM;
    *why = NULL;
    *place = (struct store_place){.own = {.size = sizeof place->own,
                                          .name_space = name_space,
                                          .max_value = STORE_VALUE_BYTES,
                                          .params = place->params},
                                  .timeout_ms = STORE_TIMEOUT_MS,
                                  .look_ms = STORE_LOOK_MS};
    char *scheme = strsep(&rest, ":");
    if (!rest || !svc__store_place_is_scheme(scheme)) {
        *why = "no URL such as memory: or scheme://host";
        return SVC_EINVAL;
    }
    place->own.scheme = scheme;
    place->own.rest = strsep(&rest, "?");
    int error = read_params(place, rest, why);
    if (!error && !svc__store_place_is_key(place->own.name_space, strlen(place->own.name_space),
                                           STORE_SPACE_MAX)) {
        *why = "the app's name cannot be the namespace, and the URL has none (namespace=NAME)";
        error = SVC_EINVAL;
    }
    return error;
}
