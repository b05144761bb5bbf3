/* Problem details as text. */
#include "libsvc/proto/problem_text.h"

#include "libsvc/proto/status.h"

const char *svc__problem_text_title(int status)
{
    const char *title = svc__status_text(status);
    return title ? title : "Error";
}

static void append_text(struct buf *out, const char *name, const char *value)
{
    svc__buf_puts(out, name);
    svc__buf_json_string(out, svc__bytes_z(value));
}

void svc__problem_text_open(struct buf *out, const struct problem_text *problem)
{
    const char *title = problem->title ? problem->title : svc__problem_text_title(problem->status);
    if (problem->type)
        append_text(out, "{\"type\":", problem->type);
    append_text(out, problem->type ? ",\"title\":" : "{\"title\":", title);
    svc__buf_puts(out, ",\"status\":");
    svc__buf_u64(out, (uint64_t)problem->status);
    if (problem->detail)
        append_text(out, ",\"detail\":", problem->detail);
}

void svc__problem_text_close(struct buf *out)
{
    svc__buf_puts(out, "}\n");
}

void svc__problem_text_json(struct buf *out, int status, const char *detail)
{
    const struct problem_text problem = {.status = status, .detail = detail};
    svc__problem_text_open(out, &problem);
    svc__problem_text_close(out);
}

void svc__problem_text_plain(struct buf *out, int status, const char *detail)
{
    svc__buf_puts(out, svc__problem_text_title(status));
    if (detail) {
        svc__buf_puts(out, ": ");
        svc__buf_utf8(out, svc__bytes_z(detail));
    }
    svc__buf_puts(out, "\n");
}
