/* The place of a Redis server: the first line is what stands before the '?', each further one a
 * parameter, name=value. */
#include "fuzz/fuzz.h"
#include "libsvc/redis/redis_url.h"

enum { PARAMS = 4 };

static void check_url(const struct redis_url *url)
{
    REQUIRE(!*url->host != !*url->path);
    REQUIRE(strlen(url->host) < sizeof url->host && strlen(url->path) < sizeof url->path);
    REQUIRE(strlen(url->user) < sizeof url->user && strlen(url->password) < sizeof url->password);
    REQUIRE(!*url->host || (atoi(url->port) > 0 && atoi(url->port) <= 65535));
    REQUIRE(url->db <= REDIS_DB_MOST);
    REQUIRE(url->connect_timeout_ms > 0 && url->connect_timeout_ms <= 60000);
    REQUIRE(!*url->user || *url->password || url->password_file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    svc_sys_store_param params[PARAMS];
    svc_sys_store_place place = {.size = sizeof place, .params = params, .name_space = "fuzz"};
    struct redis_url url;
    char *text = fuzz_alloc(size + 1), *rest = text;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    place.rest = strsep(&rest, "\n");
    while (rest && place.param_count < PARAMS) {
        char *value = strsep(&rest, "\n"), *name = strsep(&value, "=");
        params[place.param_count++] = (svc_sys_store_param){name, value ? value : ""};
    }
    for (int is_unix = 0; is_unix < 2; is_unix++) {
        const char *why = NULL;
        place.scheme = is_unix ? "redis+unix" : "redis";
        int error = svc__redis_url_read(&url, &place, &why);
        REQUIRE(error == 0 || (error == SVC_EINVAL && why && strlen(why) > 0));
        if (!error)
            check_url(&url);
    }
    free(text);
    return 0;
}
