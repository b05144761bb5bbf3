/* The list of addresses that a reader of profiles sends, and the lines that it gets. */
#include "libsvc/pprof/pprof_symbol.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <svc/errors.h>

#include "libsvc/pprof/pprof_modules.h"

/* An address as it was sent, and as it was understood. */
struct question {
    const char *text;
    size_t len;
    struct pprof_place place;
};

struct questions {
    struct question *each; /* in the order in which they were sent */
    struct pprof_place **sorted;
    size_t count;
};

/* Reads "0x1f" or "1f" up to the next byte that is no digit; NULL for anything else. */
static const char *read_address(const char *at, const char *end, uintptr_t *address)
{
    static const char digits[] = "0123456789abcdef";
    uintptr_t value = 0;
    if (end - at > 2 && at[0] == '0' && (at[1] | 0x20) == 'x')
        at += 2;
    const char *begin = at;
    for (; at < end && isxdigit((unsigned char)*at); at++) {
        if (value >> (sizeof value * 8 - 4))
            return NULL;
        const char *digit = strchr(digits, tolower((unsigned char)*at));
        value = value << 4 | (uintptr_t)(digit - digits);
    }
    *address = value;
    return at > begin ? at : NULL;
}

static int read_questions(struct questions *questions, const char *list, const char *end,
                          size_t *bad)
{
    const char *at = list;
    while (at < end) {
        struct question *question = &questions->each[questions->count];
        const char *next = read_address(at, end, &question->place.address);
        if (!next || (next < end && (*next != '+' || next + 1 == end))) {
            *bad = (size_t)((next ? next : at) - list);
            return SVC_ESYNTAX;
        }
        question->text = at;
        question->len = (size_t)(next - at);
        questions->sorted[questions->count++] = &question->place;
        at = next < end ? next + 1 : end;
    }
    return 0;
}

static int compare_places(const void *a, const void *b)
{
    const struct pprof_place *const *one = a, *const *other = b;
    return ((*one)->address > (*other)->address) - ((*one)->address < (*other)->address);
}

static int write_lines(const struct questions *questions, char **text, size_t *len)
{
    FILE *stream = open_memstream(text, len);
    if (!stream)
        return SVC_ENOMEM;
    for (size_t i = 0; i < questions->count; i++) {
        const struct question *question = &questions->each[i];
        if (question->place.name)
            fprintf(stream, "%.*s\t%s\n", (int)question->len, question->text, question->place.name);
    }
    bool failed = ferror(stream);
    if (!fclose(stream) && !failed)
        return 0;
    free(*text);
    return SVC_ENOMEM;
}

static int answer_questions(struct questions *questions, const char *list, const char *end,
                            char **text, size_t *len)
{
    int error = read_questions(questions, list, end, len);
    if (error)
        return error;
    qsort(questions->sorted, questions->count, sizeof *questions->sorted, compare_places);
    error = svc__pprof_modules_name(questions->sorted, questions->count);
    if (!error)
        error = write_lines(questions, text, len);
    for (size_t i = 0; i < questions->count; i++)
        free(questions->each[i].place.name);
    return error;
}

int svc__pprof_symbol_answer(const char *list, size_t list_len, char **text, size_t *len)
{
    while (list_len > 0 && isspace((unsigned char)list[list_len - 1]))
        list_len--;
    size_t most = 1;
    for (size_t i = 0; i < list_len; i++)
        most += list[i] == '+';
    if (most > PPROF_ADDRESSES_MOST)
        return SVC_ETOOBIG;
    struct questions questions = {calloc(most, sizeof *questions.each),
                                  calloc(most, sizeof *questions.sorted), 0};
    int error = questions.each && questions.sorted
                    ? answer_questions(&questions, list, list + list_len, text, len)
                    : SVC_ENOMEM;
    free(questions.each);
    free(questions.sorted);
    return error;
}
