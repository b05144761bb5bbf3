/* Parses the text of a listener. */
#include "libsvc/base/listen_text.h"

#include <stdint.h>

#include <svc/errors.h>

#define NAME(name, word, values) " " word
#define ROW(name, word, values)                                                                    \
    {word, values, "the option " word " must have one of these values: " values},

static const struct {
    const char *name, *words, *expected;
} known[] = {LISTEN_OPTION_LIST(ROW)};

/* Sets an option from its text, "name=value". NULL, or the reason why that is not possible. */
static const char *read_option(struct bytes text, int options[static LISTEN_OPTIONS])
{
    struct bytes value = text, name = svc__bytes_cut(&value, '=');
    size_t at = 0, word;
    while (at < LISTEN_OPTIONS && !svc__bytes_eq_z(name, known[at].name))
        at++;
    if (text.len == 0)
        return "an option is missing behind a semicolon";
    if (at == LISTEN_OPTIONS)
        return "an option is unknown; these are known:" LISTEN_OPTION_LIST(NAME);
    if (options[at] != LISTEN_UNSET)
        return "an option is repeated";
    word = svc__bytes_find_word(known[at].words, value);
    if (word == SIZE_MAX)
        return known[at].expected;
    options[at] = (int)word;
    return NULL;
}

#undef NAME
#undef ROW

int svc__listen_text_parse(struct bytes text, struct listen_text *out, const char **reason)
{
    struct bytes rest = text;
    struct listen_text found = {.address = svc__bytes_trim(svc__bytes_cut(&rest, ';'))};
    for (size_t i = 0; i < LISTEN_OPTIONS; i++)
        found.options[i] = LISTEN_UNSET;
    if (svc__endpoint_parse(found.address, &found.endpoint, reason))
        return SVC_ESYNTAX;
    const char *fault = NULL;
    while (rest.data && !fault)
        fault = read_option(svc__bytes_trim(svc__bytes_cut(&rest, ';')), found.options);
    if (fault) {
        *reason = fault;
        return SVC_ESYNTAX;
    }
    *out = found;
    return 0;
}

struct bytes svc__listen_text_next(struct bytes *rest)
{
    return svc__bytes_trim(svc__bytes_cut(rest, ','));
}
