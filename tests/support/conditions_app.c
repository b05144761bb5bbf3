/* The app for the table of conditions. */
#include <string.h>

#include "tests/support/conditions.h"

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
    return svc_request_check_conditions(req, res, &validators) ? perform(res) : 0;
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
    conditional.max_tagged_bytes = 0; /* the states decide which resource has a tag */
    policy.directives = SVC_CACHE_PUBLIC;
    policy.max_age_s = 60;
    policy.expires = true;
    svc_app_use(app, svc_conditional_new(app, &conditional));
    svc_app_use(app, svc_cache_control_new(app, &policy));
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
