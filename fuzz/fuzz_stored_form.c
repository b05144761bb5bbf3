/* A stored reply, read, written and read again. */
#include "fuzz/fuzz.h"
#include "libsvc/shared_cache/stored_form.h"

static void check_fields(const struct stored_form *form)
{
    REQUIRE(form->parts.field_count <= STORED_FIELDS && form->parts.tag_count <= STORED_TAGS);
    for (size_t i = 0; i < form->parts.field_count; i++) {
        const struct field *field = &form->parts.fields[i];
        REQUIRE(!memchr(field->value.data, '\n', field->value.len));
        REQUIRE(!memchr(field->value.data, '\r', field->value.len));
        REQUIRE(!memchr(field->name.data, ':', field->name.len));
    }
}

/* The form has one way to write a reply. */
static void check_written(struct bytes data, const struct stored_form *form)
{
    struct buf out;
    svc__buf_init(&out, 2 * data.len + 1);
    svc__stored_form_write(&out, &form->parts, form->born_ms, form->selects);
    REQUIRE(!svc__buf_error(&out));
    REQUIRE(svc__bytes_eq(svc__buf_view(&out), data));
    svc__buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct stored_form form;
    struct bytes text = fuzz_input(data, size);
    if (svc__stored_form_read(text, &form))
        return 0;
    check_fields(&form);
    check_written(text, &form);
    struct stored_reply *reply = svc__stored_reply_new(&form.parts);
    REQUIRE(reply);
    svc__stored_reply_unref(reply);
    return 0;
}
