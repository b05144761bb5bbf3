#include <criterion/criterion.h>
#include <string.h>

#include "libsvc/proto/field_name.h"
#include "tests/unit/proto/vectors.h"

enum { NAME_MAX_BYTES = 24 };

static enum field_name search(struct bytes name)
{
    for (int number = FIELD_OTHER + 1; number < FIELD_NAME_COUNT; number++)
        if (svc__bytes_eq_nocase(name, svc__field_name_text((enum field_name)number)))
            return (enum field_name)number;
    return FIELD_OTHER;
}

Test(proto_field_name, each_is_found_in_any_case)
{
    for (int number = FIELD_OTHER + 1; number < FIELD_NAME_COUNT; number++) {
        struct bytes name = svc__field_name_text((enum field_name)number);
        char lower[NAME_MAX_BYTES], upper[NAME_MAX_BYTES];
        cr_assert(name.len > 0 && name.len < NAME_MAX_BYTES);
        for (size_t i = 0; i < name.len; i++) {
            lower[i] = svc__bytes_lower(name.data[i]);
            upper[i] = (char)(lower[i] >= 'a' && lower[i] <= 'z' ? lower[i] - 32 : lower[i]);
        }
        cr_expect_eq(svc__field_name_find(name), (enum field_name)number, "%.*s", SHOW(name));
        cr_expect_eq(svc__field_name_find(svc__bytes(lower, name.len)), (enum field_name)number);
        cr_expect_eq(svc__field_name_find(svc__bytes(upper, name.len)), (enum field_name)number);
    }
}

/* Each byte of each name changed to each other one, and the name cut or lengthened there. */
Test(proto_field_name, one_that_differs_in_a_byte_is_another)
{
    for (int number = FIELD_OTHER + 1; number < FIELD_NAME_COUNT; number++) {
        struct bytes name = svc__field_name_text((enum field_name)number);
        for (size_t at = 0; at <= name.len; at++) {
            char text[NAME_MAX_BYTES + 1];
            memcpy(text, name.data, name.len);
            struct bytes cut = {text, at}, longer = {text, name.len + 1}, same = {text, name.len};
            cr_assert_eq(svc__field_name_find(cut), search(cut), "%.*s", SHOW(cut));
            for (int c = 0; c < 256; c++) {
                text[name.len] = (char)c;
                cr_assert_eq(svc__field_name_find(longer), search(longer), "0x%02x", c);
                if (at == name.len)
                    continue;
                text[at] = (char)c;
                cr_assert_eq(svc__field_name_find(same), search(same), "%.*s", SHOW(same));
            }
        }
    }
}

Test(proto_field_name, no_text_is_no_name)
{
    cr_expect_eq(svc__field_name_find(svc__bytes(NULL, 0)), FIELD_OTHER);
    cr_expect_eq(svc__field_name_find(BYTES("")), FIELD_OTHER);
    cr_expect_null(svc__field_name_text(FIELD_OTHER).data);
}
