/* The table of conditions, and the app that it runs through. */
#include "tests/support/conditions.h"

#include <string.h>

#define STATE_ROW(name, absent, tag, weak, dated) {#name, absent, tag, weak, dated},
const struct condition_state_row condition_states[STATE_COUNT] = {CONDITION_STATES(STATE_ROW)};
#undef STATE_ROW

const char *const condition_methods[CONDITION_METHODS] = {"GET", "HEAD", "PUT", "PATCH", "DELETE"};

#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define SAME "Sun, 06 Nov 1994 08:49:37 GMT"
#define AFTER "Sun, 06 Nov 1994 08:49:38 GMT"

#define MATCH(value) "If-Match", value
#define NONE_MATCH(value) "If-None-Match", value
#define SINCE(value) "If-Modified-Since", value
#define UNLESS(value) "If-Unmodified-Since", value
#define RANGE "Range", "bytes=0-1"
#define IF_RANGE(value) "If-Range", value

const struct condition_row condition_rows[] = {
    {STATE_BOTH, "-----", {NULL}},
    /* row 1: If-Match, by strong comparison */
    {STATE_STRONG, "hhhhh", {MATCH("\"1\"")}},
    {STATE_WEAK, "fffff", {MATCH("\"1\"")}},
    {STATE_STRONG, "fffff", {MATCH("W/\"1\"")}},
    {STATE_WEAK, "fffff", {MATCH("W/\"1\"")}},
    {STATE_STRONG, "fffff", {MATCH("\"2\"")}},
    {STATE_STRONG, "hhhhh", {MATCH("\"2\", \"1\"")}},
    {STATE_STRONG, "hhhhh", {MATCH("W/\"1\",\"1\"")}},
    {STATE_STRONG, "fffff", {MATCH("\"2\", W/\"1\"")}},
    {STATE_STRONG, "hhhhh", {MATCH("\"2\""), MATCH("\"1\"")}},
    {STATE_STRONG, "fffff", {MATCH("\"2\""), MATCH("\"3\"")}},
    {STATE_STRONG, "hhhhh", {MATCH("*")}},
    {STATE_WEAK, "hhhhh", {MATCH("*")}},
    {STATE_BARE, "hhhhh", {MATCH("*")}},
    {STATE_DATED, "hhhhh", {MATCH("*")}},
    {STATE_ABSENT, "fffff", {MATCH("*")}},
    {STATE_ABSENT, "fffff", {MATCH("\"1\"")}},
    {STATE_BARE, "fffff", {MATCH("\"1\"")}},
    {STATE_DATED, "fffff", {MATCH("\"1\"")}},
    /* what cannot be read is no match */
    {STATE_STRONG, "fffff", {MATCH("1")}},
    {STATE_STRONG, "fffff", {MATCH("\"1")}},
    {STATE_STRONG, "fffff", {MATCH("\"1\" \"1\"")}},
    {STATE_STRONG, "fffff", {MATCH("w/\"1\"")}},
    {STATE_STRONG, "fffff", {MATCH("\"*\"")}},
    {STATE_STRONG, "fffff", {MATCH("*, \"1\"")}},
    {STATE_STRONG, "fffff", {MATCH("*"), MATCH("\"1\"")}},
    {STATE_STRONG, "fffff", {MATCH("**")}},
    {STATE_STRONG, "fffff", {MATCH(",")}},
    {STATE_STRONG, "fffff", {MATCH("\"1,2\"")}},
    {STATE_STRONG, "fffff", {MATCH("broken, \"1\"")}},
    {STATE_STRONG, "hhhhh", {MATCH("\"1\", broken")}},
    /* row 2: If-Unmodified-Since, without If-Match */
    {STATE_DATED, "hhhhh", {UNLESS(SAME)}},
    {STATE_DATED, "hhhhh", {UNLESS(AFTER)}},
    {STATE_DATED, "fffff", {UNLESS(BEFORE)}},
    {STATE_BOTH, "hhhhh", {UNLESS(SAME)}},
    {STATE_BOTH, "fffff", {UNLESS(BEFORE)}},
    {STATE_WEAK_BOTH, "fffff", {UNLESS(BEFORE)}},
    {STATE_DATED, "fffff", {UNLESS("Sunday, 06-Nov-94 08:49:36 GMT")}},
    {STATE_DATED, "fffff", {UNLESS("Sun Nov  6 08:49:36 1994")}},
    {STATE_STRONG, "-----", {UNLESS(BEFORE)}},
    {STATE_BARE, "-----", {UNLESS(BEFORE)}},
    {STATE_ABSENT, "-----", {UNLESS(BEFORE)}},
    {STATE_DATED, "-----", {UNLESS("yesterday")}},
    {STATE_DATED, "-----", {UNLESS("0")}},
    {STATE_DATED, "-----", {UNLESS("Sun, 06 Nov 1994 08:49:36 gmt")}},
    {STATE_DATED, "-----", {UNLESS(BEFORE ", " BEFORE)}},
    {STATE_DATED, "-----", {UNLESS(BEFORE), UNLESS(BEFORE)}},
    {STATE_BOTH, "hhhhh", {MATCH("\"1\""), UNLESS(BEFORE)}},
    {STATE_BOTH, "fffff", {MATCH("\"2\""), UNLESS(AFTER)}},
    {STATE_BOTH, "fffff", {MATCH("broken"), UNLESS(AFTER)}},
    /* row 3: If-None-Match, by weak comparison */
    {STATE_STRONG, "nnfff", {NONE_MATCH("\"1\"")}},
    {STATE_STRONG, "nnfff", {NONE_MATCH("W/\"1\"")}},
    {STATE_WEAK, "nnfff", {NONE_MATCH("\"1\"")}},
    {STATE_WEAK, "nnfff", {NONE_MATCH("W/\"1\"")}},
    {STATE_STRONG, "hhhhh", {NONE_MATCH("\"2\"")}},
    {STATE_STRONG, "nnfff", {NONE_MATCH("\"2\", \"3\", W/\"1\"")}},
    {STATE_STRONG, "hhhhh", {NONE_MATCH("\"2\", \"3\"")}},
    {STATE_STRONG, "nnfff", {NONE_MATCH("\"2\""), NONE_MATCH("\"1\"")}},
    {STATE_STRONG, "nnfff", {NONE_MATCH("*")}},
    {STATE_BARE, "nnfff", {NONE_MATCH("*")}},
    {STATE_DATED, "nnfff", {NONE_MATCH("*")}},
    {STATE_ABSENT, "hhhhh", {NONE_MATCH("*")}},
    {STATE_ABSENT, "hhhhh", {NONE_MATCH("\"1\"")}},
    {STATE_BARE, "hhhhh", {NONE_MATCH("\"1\"")}},
    {STATE_DATED, "hhhhh", {NONE_MATCH("\"1\"")}},
    {STATE_STRONG, "hhhhh", {NONE_MATCH("\"*\"")}},
    {STATE_STRONG, "hhhhh", {NONE_MATCH(",")}},
    /* what cannot be read withholds no body and lets no write through */
    {STATE_STRONG, "hhfff", {NONE_MATCH("1")}},
    {STATE_STRONG, "hhfff", {NONE_MATCH("*, \"2\"")}},
    {STATE_STRONG, "hhfff", {NONE_MATCH("*"), NONE_MATCH("*")}},
    {STATE_STRONG, "hhfff", {NONE_MATCH("\"2\", broken")}},
    {STATE_STRONG, "nnfff", {NONE_MATCH("\"1\", broken")}},
    {STATE_ABSENT, "hhfff", {NONE_MATCH("broken")}},
    /* rows 1 and 2, then 3 */
    {STATE_STRONG, "nnfff", {MATCH("\"1\""), NONE_MATCH("\"1\"")}},
    {STATE_STRONG, "hhhhh", {MATCH("\"1\""), NONE_MATCH("\"2\"")}},
    {STATE_STRONG, "fffff", {MATCH("\"2\""), NONE_MATCH("\"1\"")}},
    {STATE_BOTH, "nnfff", {UNLESS(SAME), NONE_MATCH("\"1\"")}},
    {STATE_BOTH, "fffff", {UNLESS(BEFORE), NONE_MATCH("\"1\"")}},
    {STATE_BOTH, "nnfff", {UNLESS("broken"), NONE_MATCH("\"1\"")}},
    /* row 4: If-Modified-Since, for GET and HEAD without If-None-Match */
    {STATE_DATED, "nn---", {SINCE(SAME)}},
    {STATE_DATED, "nn---", {SINCE(AFTER)}},
    {STATE_DATED, "hh---", {SINCE(BEFORE)}},
    {STATE_BOTH, "nn---", {SINCE(SAME)}},
    {STATE_WEAK_BOTH, "nn---", {SINCE(SAME)}},
    {STATE_DATED, "nn---", {SINCE("Sunday, 06-Nov-94 08:49:37 GMT")}},
    {STATE_DATED, "nn---", {SINCE("Sun Nov  6 08:49:37 1994")}},
    {STATE_DATED, "nn---", {SINCE("Fri, 31 Dec 9999 23:59:59 GMT")}},
    {STATE_STRONG, "-----", {SINCE(SAME)}},
    {STATE_BARE, "-----", {SINCE(SAME)}},
    {STATE_DATED, "-----", {SINCE("tomorrow")}},
    {STATE_DATED, "-----", {SINCE("Sun, 31 Feb 2100 08:49:37 GMT")}},
    {STATE_DATED, "-----", {SINCE(AFTER), SINCE(AFTER)}},
    {STATE_DATED, "-----", {SINCE(AFTER ", " AFTER)}},
    {STATE_BOTH, "hhhhh", {NONE_MATCH("\"2\""), SINCE(AFTER)}},
    {STATE_BOTH, "nnfff", {NONE_MATCH("\"1\""), SINCE(BEFORE)}},
    {STATE_BOTH, "hhfff", {NONE_MATCH("broken"), SINCE(AFTER)}},
    {STATE_BOTH, "nnhhh", {MATCH("\"1\""), SINCE(SAME)}},
    {STATE_DATED, "nnhhh", {UNLESS(SAME), SINCE(SAME)}},
    {STATE_DATED, "hhhhh", {UNLESS(SAME), SINCE(BEFORE)}},
    /* row 5: If-Range, for GET with Range, exactly and by strong comparison */
    {STATE_STRONG, "r----", {RANGE, IF_RANGE("\"1\"")}},
    {STATE_STRONG, "-----", {RANGE, IF_RANGE("\"2\"")}},
    {STATE_STRONG, "-----", {RANGE, IF_RANGE("W/\"1\"")}},
    {STATE_WEAK, "-----", {RANGE, IF_RANGE("\"1\"")}},
    {STATE_WEAK, "-----", {RANGE, IF_RANGE("W/\"1\"")}},
    {STATE_STRONG, "-----", {IF_RANGE("\"1\"")}},
    {STATE_STRONG, "-----", {RANGE}},
    {STATE_STRONG, "-----", {RANGE, IF_RANGE("\"1\", \"1\"")}},
    {STATE_STRONG, "-----", {RANGE, IF_RANGE("\"1\""), IF_RANGE("\"1\"")}},
    {STATE_STRONG, "-----", {RANGE, IF_RANGE("*")}},
    {STATE_STRONG, "-----", {RANGE, IF_RANGE("abc\"1\"")}},
    {STATE_BOTH, "-----", {RANGE, IF_RANGE(SAME)}}, /* a date is weak unless known to be strong */
    {STATE_BOTH, "-----", {RANGE, IF_RANGE(BEFORE)}},
    {STATE_STRONG, "rhhhh", {NONE_MATCH("\"2\""), RANGE, IF_RANGE("\"1\"")}},
    {STATE_STRONG, "nnfff", {NONE_MATCH("\"1\""), RANGE, IF_RANGE("\"1\"")}},
    {STATE_STRONG, "rhhhh", {MATCH("\"1\""), RANGE, IF_RANGE("\"1\"")}},
    {STATE_STRONG, "fffff", {MATCH("\"2\""), RANGE, IF_RANGE("\"1\"")}},
};

const size_t condition_count = sizeof condition_rows / sizeof *condition_rows;

int condition_status(char outcome)
{
    return outcome == 'n' ? 304 : outcome == 'f' ? 412 : 200;
}

/* ---- The app */

static const char body[] = "a note here\n";
_Static_assert(sizeof body - 1 == CONDITION_LENGTH, "the length that a 304 states");

static int perform(svc_response *res)
{
    int error = svc_response_static(res, 200, "text/plain", body, CONDITION_LENGTH);
    return error ? error : svc_response_set_header(res, "Content-Language", "en");
}

static const struct condition_state_row *find_state(svc_request *req)
{
    const char *name = svc_request_param(req, "state");
    for (size_t i = 0; i < STATE_COUNT; i++)
        if (!strcmp(condition_states[i].name, name))
            return &condition_states[i];
    return NULL;
}

static void describe(svc_response *res)
{
    svc_response_set_header(res, "Content-Location", "/the/note");
    svc_response_add_vary(res, "Accept-Language");
    svc_response_set_header(res, "X-Kept", "1");
}

static int asked(svc_request *req, svc_response *res)
{
    const struct condition_state_row *state = find_state(req);
    if (!state)
        return svc_response_problem(res, 404, NULL);
    svc_validators validators = SVC_VALIDATORS_INIT;
    validators.absent = state->absent;
    validators.etag = state->tag;
    validators.weak = state->weak;
    validators.length = CONDITION_LENGTH;
    if (state->dated)
        validators.modified_s = CONDITION_MODIFIED;
    describe(res);
    return svc_request_fresh(req, res, &validators) ? 0 : perform(res);
}

static int settled(svc_request *req, svc_response *res)
{
    const struct condition_state_row *state = find_state(req);
    if (!state || state->absent)
        return svc_response_problem(res, 404, NULL);
    describe(res);
    int error = state->tag ? svc_response_set_etag(res, state->tag, state->weak) : 0;
    if (!error && state->dated)
        error = svc_response_set_modified(res, CONDITION_MODIFIED);
    return error ? error : perform(res);
}

static void use_layers(svc_app *app)
{
    svc_conditional conditional = SVC_CONDITIONAL_INIT;
    svc_cache_policy policy = SVC_CACHE_POLICY_INIT;
    conditional.max_tagged_bytes = 0; /* the states say who has a tag */
    policy.directives = SVC_CACHE_PUBLIC;
    policy.max_age_s = 60;
    policy.expires = true;
    svc_app_use(app, svc_app_conditional(app, &conditional));
    svc_app_use(app, svc_app_cache_control(app, &policy));
}

svc_app *conditions_app(void)
{
    svc_app *app = svc_app_new("conditions");
    if (!app)
        return NULL;
    use_layers(app);
    svc_app_method_at(app, NULL, "/asked/{state}", asked, NULL, __FILE__, __LINE__);
    svc_app_get(app, "/settled/{state}", settled, NULL);
    return app;
}
