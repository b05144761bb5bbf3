/* Names of files that are to be saved. */
#include <criterion/criterion.h>

#include "libsvc/proto/disposition.h"

static void expect_field(struct bytes name, const char *field)
{
    struct buf out;
    svc__buf_init(&out, 4096);
    svc__disposition_write(&out, name);
    svc__buf_terminate(&out);
    cr_expect_eq(svc__buf_error(&out), 0);
    cr_expect_str_eq(out.data, field, "%s", out.data);
    svc__buf_free(&out);
}

Test(proto_disposition, has_an_ascii_name_as_it_is)
{
    expect_field(svc__bytes_z("a.txt"), "attachment; filename=\"a.txt\"");
    expect_field(svc__bytes_z("a b;c=d'.txt"), "attachment; filename=\"a b;c=d'.txt\"");
}

/* The examples of RFC 8187 3.2.2, and of RFC 6266 5. */
Test(proto_disposition, has_other_names_in_the_form_of_rfc_8187)
{
    expect_field(svc__bytes_z("\xc2\xa3 and \xe2\x82\xac rates"),
                 "attachment; filename=\"_ and _ rates\"; "
                 "filename*=UTF-8''%C2%A3%20and%20%E2%82%AC%20rates");
    expect_field(svc__bytes_z("\xe2\x82\xac rates"),
                 "attachment; filename=\"_ rates\"; filename*=UTF-8''%E2%82%AC%20rates");
    expect_field(svc__bytes_z("a\"b\\c%41"),
                 "attachment; filename=\"a_b_c_41\"; filename*=UTF-8''a%22b%5Cc%2541");
}

Test(proto_disposition, has_no_controls_and_no_bytes_that_are_not_utf_8)
{
    expect_field(svc__bytes("a\r\nb\0c", 6),
                 "attachment; filename=\"a__b_c\"; filename*=UTF-8''a__b_c");
    expect_field(svc__bytes_z("a\xff\xe2\x82"
                              "b"),
                 "attachment; filename=\"a__b\"; filename*=UTF-8''a%EF%BF%BD%EF%BF%BDb");
}

Test(proto_disposition, names_the_end_of_a_path)
{
    cr_expect(svc__bytes_eq_z(svc__disposition_name(svc__bytes_z("a/b\\c.txt")), "c.txt"));
    cr_expect(svc__bytes_eq_z(svc__disposition_name(svc__bytes_z("c.txt")), "c.txt"));
    cr_expect_eq(svc__disposition_name(svc__bytes_z("a/")).len, 0);
    cr_expect_eq(svc__disposition_name(svc__bytes_z(NULL)).len, 0);
}
