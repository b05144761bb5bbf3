/* The header fields of parts, as RFC 7578 has them and as clients send them. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "libsvc/form/multipart_head.h"

enum { MAX_NAME = 100 };

static char text[4096];
static struct multipart_head head;
static struct refusal why;

static bool read_bytes(struct bytes lines)
{
    memset(text, 0x7f, sizeof text);
    cr_assert_lt(lines.len, sizeof text);
    return svc__multipart_head_read(lines, MAX_NAME, text, &head, &why);
}

static bool read_head(const char *lines)
{
    return read_bytes(svc__bytes_z(lines));
}

static void expect_text(struct bytes found, const char *expected, const char *lines)
{
    if (!expected) {
        cr_expect_null(found.data, "%s", lines);
        return;
    }
    cr_assert_not_null(found.data, "%s", lines);
    cr_expect_str_eq(found.data, expected, "%s", lines);
    cr_expect_eq(found.len, strlen(expected), "%s", lines);
}

static void expect_head(const char *lines, const char *name, const char *filename, const char *type)
{
    cr_assert(read_head(lines), "%s: %s", lines, why.detail);
    expect_text(head.name, name, lines);
    expect_text(head.filename, filename, lines);
    expect_text(head.type, type, lines);
}

static void expect_refusal(const char *lines, int status, const char *detail)
{
    cr_assert_not(read_head(lines), "%s", lines);
    cr_expect_eq(why.status, status, "%s: %d", lines, why.status);
    cr_expect(strstr(why.detail, detail), "%s: %s", lines, why.detail);
}

Test(form_multipart_head, has_name_file_and_type)
{
    /* RFC 7578 4.2 and 4.5. */
    expect_head("Content-Disposition: form-data; name=\"user\"", "user", NULL, "text/plain");
    expect_head("content-disposition: form-data; name=\"field1\"\r\n"
                "content-type: text/plain;charset=UTF-8",
                "field1", NULL, "text/plain;charset=UTF-8");
    expect_head("Content-Type:image/gif\r\nX-Other: 1\r\n"
                "CONTENT-DISPOSITION:FORM-DATA;NAME=pics;FILENAME=\"file2.gif\"\r\n"
                "Content-Transfer-Encoding: BINARY",
                "pics", "file2.gif", "image/gif");
    expect_head("Content-Disposition: form-data; name=\"\"; filename=\"\"", "", "", "text/plain");
    expect_head("Content-Disposition: form-data ;; size=1; name=a; ", "a", NULL, "text/plain");
    expect_head("Content-Disposition: form-data; name=\"files\"\r\n"
                "Content-Type: multipart/mixed; boundary=BbC04y",
                "files", NULL, "multipart/mixed; boundary=BbC04y");
}

/* WHATWG HTML, "multipart/form-data encoding algorithm": three characters are escaped. */
Test(form_multipart_head, undoes_the_escapes_of_browsers_and_no_others)
{
    expect_head("Content-Disposition: form-data; name=\"a%22b%0D%0Ac%41%\"; filename=\"%0a%0d%2\"",
                "a\"b\r\nc%41%", "\n\r%2", "text/plain");
    expect_head("Content-Disposition: form-data; name=\"\xc3\xa4 \xe2\x82\xac;=\"",
                "\xc3\xa4 \xe2\x82\xac;=", NULL, "text/plain");
}

/* curl before 7.81 and Go escape quotes and backslashes; old browsers send a path as it is. */
Test(form_multipart_head, undoes_backslashes_where_one_is_needed)
{
    expect_head("Content-Disposition: form-data; name=\"a\\\"b\\\\c\"; filename=\"d\\\"e.txt\"",
                "a\"b\\c", "d\"e.txt", "text/plain");
    expect_head("Content-Disposition: form-data; name=\"f\"; filename=\"C:\\dev\\new\\foo.txt\"",
                "f", "foo.txt", "text/plain");
    expect_head("Content-Disposition: form-data; name=\"f\"; filename=\"\\\\host\\share\\foo.txt\"",
                "f", "foo.txt", "text/plain");
}

Test(form_multipart_head, names_no_path)
{
    expect_head("Content-Disposition: form-data; name=f; filename=\"../../etc/passwd\"", "f",
                "passwd", "text/plain");
    expect_head("Content-Disposition: form-data; name=f; filename=\"/a/b\"", "f", "b",
                "text/plain");
    expect_head("Content-Disposition: form-data; name=f; filename=\".htaccess\"", "f", ".htaccess",
                "text/plain");
    const char *const folders[] = {".", "..", "a/", "a\\\\", "/", "a/..", "..\\."};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char lines[200];
        snprintf(lines, sizeof lines, "Content-Disposition: form-data; name=f; filename=\"%s\"",
                 folders[i]);
        expect_refusal(lines, 400, "folder");
    }
}

/* RFC 8187 3.2.2 has the examples. RFC 7578 4.2 forbids the form, and clients send it. */
Test(form_multipart_head, reads_extended_names_of_files)
{
    expect_head("Content-Disposition: form-data; name=f; filename=\"x\"; "
                "filename*=UTF-8''%c2%a3%20and%20%e2%82%ac%20rates",
                "f", "\xc2\xa3 and \xe2\x82\xac rates", "text/plain");
    expect_head("Content-Disposition: form-data; name=f; filename*=utf-8'en'%2e%2e%2Fx; "
                "filename=\"\xff\"",
                "f", "x", "text/plain");
    expect_refusal("Content-Disposition: form-data; name=f; filename*=iso-8859-1'en'%A3", 415,
                   "UTF-8");
    expect_refusal("Content-Disposition: form-data; name=f; filename*=UTF-8''%", 400, "filename*");
    expect_refusal("Content-Disposition: form-data; name=f; filename*=UTF-8", 400, "filename*");
    expect_refusal("Content-Disposition: form-data; name=f; filename*=UTF-8''%ff", 400, "UTF-8");
    expect_refusal("Content-Disposition: form-data; name=f; filename*=UTF-8''a%00b", 400, "NUL");
}

Test(form_multipart_head, refuses_names_that_are_not_utf_8_or_too_long)
{
    char lines[400];
    expect_refusal("Content-Disposition: form-data; name=\"\xe9\"", 400, "UTF-8");
    expect_refusal("Content-Disposition: form-data; name=a; filename=\"\xe9\"", 400, "UTF-8");
    snprintf(lines, sizeof lines, "Content-Disposition: form-data; name=\"%0*d\"", MAX_NAME, 0);
    cr_expect(read_head(lines));
    snprintf(lines, sizeof lines, "Content-Disposition: form-data; name=\"%0*d\"", MAX_NAME + 1, 0);
    expect_refusal(lines, 413, "too long");
    snprintf(lines, sizeof lines, "Content-Disposition: form-data; name=a; filename=%0*d",
             MAX_NAME + 1, 0);
    expect_refusal(lines, 413, "too long");
}

Test(form_multipart_head, refuses_malformed_fields)
{
    const char *const disposition = "Content-Disposition";
    expect_refusal("Content-Type: text/plain", 400, "no Content-Disposition");
    expect_refusal("Content-Disposition:", 400, "not form-data");
    expect_refusal("Content-Disposition: attachment; name=a", 400, "not form-data");
    expect_refusal("Content-Disposition: form-data", 400, "no name");
    expect_refusal("Content-Disposition: form-data; filename=a", 400, "no name");
    expect_refusal("Content-Disposition: form-data; name=a; name=a", 400, "repeats");
    expect_refusal("Content-Disposition: form-data; name=a; filename=b; FileName=b", 400,
                   "repeats");
    expect_refusal("Content-Disposition: form-data; name=\"a", 400, disposition);
    expect_refusal("Content-Disposition: form-data; name=\"a\\\"", 400, disposition);
    expect_refusal("Content-Disposition: form-data; name=\"a\"b", 400, disposition);
    expect_refusal("Content-Disposition: form-data; name=", 400, disposition);
    expect_refusal("Content-Disposition: form-data; name", 400, disposition);
    expect_refusal("Content-Disposition: form-data; name = a", 400, disposition);
    expect_refusal("Content-Disposition: form-data; =a", 400, disposition);
    expect_refusal("Content-Disposition: form-data, name=a", 400, disposition);
    expect_refusal(
        "Content-Disposition: form-data; name=a\r\ncontent-disposition: form-data; name=b", 400,
        "repeated");
    expect_refusal("Content-Disposition: form-data;\r\n name=a", 400, "folded");
    expect_refusal("Content-Disposition : form-data; name=a", 400, "malformed");
    expect_refusal("Content-Disposition: form-data; name=a\r\nno colon", 400, "malformed");
    expect_refusal("Content-Disposition: form-data; name=a\r\n: x", 400, "malformed");
    expect_refusal("Content-Disposition: form-data; name=a\nX: y", 400, "control");
    expect_refusal("Content-Disposition: form-data; name=a\rX: y", 400, "control");
    cr_expect_not(read_bytes(svc__bytes("Content-Disposition: form-data; name=\"a\0b\"", 42)));
    cr_expect_eq(why.status, 400);
}

Test(form_multipart_head, takes_bytes_as_they_are_and_texts_in_utf_8)
{
    static const char *const encodings[] = {"7bit", "8BIT", "binary"};
    char lines[200];
    for (size_t i = 0; i < 3; i++) {
        snprintf(lines, sizeof lines,
                 "Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: %s",
                 encodings[i]);
        cr_expect(read_head(lines));
    }
    expect_refusal("Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64",
                   415, "Content-Transfer-Encoding");
    expect_refusal(
        "Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: quoted-printable",
        415, "Content-Transfer-Encoding");
    expect_refusal("Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding:", 415,
                   "Content-Transfer-Encoding");
    expect_refusal(
        "Content-Disposition: form-data; name=a\r\nContent-Type: text/plain;charset=latin1", 415,
        "charset");
    cr_expect(read_head("Content-Disposition: form-data; name=a\r\n"
                        "Content-Type: text/plain; charset=\"US-ASCII\""));
    cr_expect(read_head("Content-Disposition: form-data; name=a; filename=b\r\n"
                        "Content-Type: text/plain; charset=latin1"));
}
