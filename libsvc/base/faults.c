/* Set-up errors, collected so that a start can report all of them at once. */
#include "libsvc/base/faults.h"

#include <svc/errors.h>

/* Bytes of all errors, and of the line that counts those for which there was no room. */
enum { MAX_BYTES = 1 << 20, COUNT_LINE = 64 };

void svc__faults_init(struct faults *faults)
{
    *faults = (struct faults){.lock = PTHREAD_MUTEX_INITIALIZER};
    svc__buf_init(&faults->text, MAX_BYTES);
}

void svc__faults_free(struct faults *faults)
{
    svc__buf_free(&faults->text);
    pthread_mutex_destroy(&faults->lock);
}

void svc__faults_add(struct faults *faults, const char *file, int line, const char *format, ...)
{
    while (faults->outer)
        faults = faults->outer;
    pthread_mutex_lock(&faults->lock);
    size_t start = faults->text.len;
    if (file)
        svc__buf_printf(&faults->text, "%s:%d: ", file, line);
    va_list arguments;
    va_start(arguments, format);
    svc__buf_vprintf(&faults->text, format, arguments);
    va_end(arguments);
    svc__buf_putc(&faults->text, '\n');
    /* An error is kept whole or not at all; behind it, room stays for the line that counts the
     * others. */
    if (!svc__buf_reserve(&faults->text, COUNT_LINE)) {
        svc__buf_cut(&faults->text, start);
        faults->left_out++;
    }
    pthread_mutex_unlock(&faults->lock);
}

int svc__faults_refuse(struct faults *faults, int error, const char *call)
{
    svc__faults_add(faults, NULL, 0, "%s: %s", call, svc_error_text(error));
    return error;
}

bool svc__faults_any(struct faults *faults)
{
    pthread_mutex_lock(&faults->lock);
    bool any = faults->text.len > 0 || faults->left_out > 0;
    pthread_mutex_unlock(&faults->lock);
    return any;
}

/* Appends the line that counts the errors without room, for the present reader alone: more errors
 * may follow and change the count. "" without any error. */
static const char *whole_text(struct faults *faults)
{
    size_t kept = faults->text.len;
    if (kept == 0 && faults->left_out == 0)
        return "";
    if (kept == 0 && !svc__buf_reserve(&faults->text, COUNT_LINE)) {
        svc__buf_cut(&faults->text, 0);
        return "out of memory\n";
    }
    if (faults->left_out)
        svc__buf_printf(&faults->text, "errors for which there was no room: %zu\n",
                        faults->left_out);
    svc__buf_terminate(&faults->text);
    svc__buf_cut(&faults->text, kept);
    return faults->text.data;
}

const char *svc__faults_text(struct faults *faults)
{
    pthread_mutex_lock(&faults->lock);
    const char *text = whole_text(faults);
    pthread_mutex_unlock(&faults->lock);
    return text;
}

void svc__faults_join(struct faults *faults, struct faults *outer, const char *name)
{
    const char *errors = svc__faults_text(faults);
    if (*errors)
        svc__faults_add(outer, NULL, 0, "app \"%s\":\n%.*s", name, (int)strlen(errors) - 1, errors);
    svc__buf_clear(&faults->text);
    faults->left_out = 0;
    faults->outer = outer;
}
