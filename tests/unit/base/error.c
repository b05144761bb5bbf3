/* Texts and names of error codes. */
#include <svc/errors.h>

#include <criterion/criterion.h>
#include <limits.h>
#include <string.h>

#define ROW(name, value, text) {name, #name, text},

static const struct {
    int value;
    const char *name, *text;
} rows[] = {SVC_ERROR_LIST(ROW)};

enum { ROWS = sizeof rows / sizeof *rows };

Test(base_error, each_code_has_its_own_name_and_text)
{
    for (size_t i = 0; i < ROWS; i++) {
        cr_expect_str_eq(svc_error_name(rows[i].value), rows[i].name);
        cr_expect_str_eq(svc_error_text(rows[i].value), rows[i].text);
        cr_expect_eq(rows[i].value, -(int)i, "values have no gap");
        for (size_t k = 0; k < i; k++)
            cr_expect_str_neq(rows[i].text, rows[k].text);
    }
}

Test(base_error, other_numbers_have_a_text_and_no_name)
{
    const int others[] = {1, -ROWS, INT_MAX, INT_MIN};
    for (size_t i = 0; i < 4; i++) {
        cr_expect_eq(svc_error_name(others[i]), NULL);
        cr_expect_str_eq(svc_error_text(others[i]), "unknown error");
    }
}
