/* The status page and its JSON, as routes of the app of the admin pages. */
#include "libsvc/ops/status_page.h"

#include "libsvc/app/app_internal.h"
#include "libsvc/base/clock.h"
#include "libsvc/base/hex.h"
#include "libsvc/base/rand.h"
#include "libsvc/exchange/exchange.h"
#include "libsvc/exchange/response_internal.h"
#include "libsvc/ops/debug_guard.h"
#include "libsvc/ops/status_assets.h"
#include "libsvc/ops/status_tables.h"

#include <svc/worker.h>

enum { NONCE_BYTES = 16, NONCE_LEN = 2 * NONCE_BYTES };

/* The page loads nothing; its style and its script are those with the nonce of this reply. */
static int put_policy(svc_response *res, const char *nonce)
{
    char policy[256];
    struct buf text;
    svc__buf_over(&text, policy, sizeof policy);
    svc__buf_printf(&text,
                    "default-src 'none'; style-src 'nonce-%s'; script-src 'nonce-%s'; "
                    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
                    "frame-ancestors 'none'",
                    nonce, nonce);
    svc__buf_terminate(&text);
    return svc_response_set_header(res, "Content-Security-Policy", policy);
}

static void put_page(const struct status_subject *subject, const char *nonce, struct buf *out)
{
    struct status_writer writer = {.out = out, .format = &svc__status_html};
    const struct bytes name = svc__bytes_z(svc_app_name(subject->app));
    svc__buf_puts(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
                       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                       "<link rel=\"icon\" href=\"data:,\">\n<title>");
    svc__status_html_text(out, name);
    svc__buf_printf(out, "</title>\n<style nonce=\"%s\">\n", nonce);
    svc__buf_append(out, svc__status_assets_css, svc__status_assets_css_len);
    svc__buf_puts(out, "</style>\n<header><h1>");
    svc__status_html_text(out, name);
    svc__buf_puts(out, "</h1>\n<p><span id=\"live\" role=\"status\"></span> "
                       "<a href=\"vars\">as JSON</a></p></header>\n<main>\n");
    svc__status_tables_write(subject, &writer);
    svc__buf_printf(out, "</main>\n<script nonce=\"%s\">\n", nonce);
    svc__buf_append(out, svc__status_assets_js, svc__status_assets_js_len);
    svc__buf_puts(out, "</script>\n</html>\n");
}

static int show_page(svc_request *req, svc_response *res)
{
    unsigned char bytes[NONCE_BYTES];
    char nonce[NONCE_LEN + 1] = "";
    svc__rand_bytes(bytes, sizeof bytes);
    svc__hex_write(nonce, bytes, sizeof bytes);
    int error = put_policy(res, nonce);
    if (error)
        return error;
    struct buf *out = svc__response_scratch(res);
    put_page(svc_request_arg(req), nonce, out);
    error = svc__response_rendered(res, 200, "text/html; charset=utf-8", out);
    svc__response_scratch_done(res);
    return error;
}

static int show_vars(svc_request *req, svc_response *res)
{
    struct buf *out = svc__response_scratch(res);
    struct status_writer writer = {.out = out, .format = &svc__status_json};
    svc__buf_putc(out, '{');
    svc__status_tables_write(svc_request_arg(req), &writer);
    svc__buf_puts(out, "}\n");
    int error = svc__response_rendered(res, 200, "application/json", out);
    svc__response_scratch_done(res);
    return error;
}

static void end_rates(svc_app *app, void *arg)
{
    const struct status_subject *subject = arg;
    (void)app;
    svc__rates_end(subject->rates);
}

/* On workers, since loops are waited for. They belong to the library's own pages, so that no route
 * of the program's holds these up. */
int svc__status_page_add(svc_app *admin, svc_app *app)
{
    svc_group *debug = svc__debug_guard_group(admin);
    struct status_subject *subject = svc__arena_zalloc(&admin->memory, sizeof *subject);
    if (!debug || !subject)
        return SVC_ENOMEM;
    *subject = (struct status_subject){app, admin, svc__rates_new(&admin->memory), svc__clock_ns()};
    int error = subject->rates ? svc_app_add_hook(admin, NULL, end_rates, subject) : SVC_ENOMEM;
    svc_group *pages = svc_group_group(debug, "");
    if (!error)
        error = svc_group_set_flags(pages, SVC_BLOCKING);
    if (!error)
        error = svc_group_get(pages, "/{$}", show_page, subject);
    if (!error)
        error = svc_group_get(pages, "/vars", show_vars, subject);
    return error;
}
