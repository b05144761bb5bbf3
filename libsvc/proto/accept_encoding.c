/* Reads Accept-Encoding fields once for each coding asked for. */
#include "libsvc/proto/accept_encoding.h"

#include "libsvc/proto/accept_element.h"
#include "libsvc/proto/media.h"

enum { NOT_LISTED = -1 };

/* RFC 9110 8.4.1.1 and 8.4.1.3: two codings have an older name as well. */
static struct bytes present_name(struct bytes coding)
{
    static const struct bytes old[] = {{"x-gzip", 6}, {"x-compress", 10}};
    for (size_t i = 0; i < sizeof old / sizeof *old; i++)
        if (svc__bytes_eq_nocase(coding, old[i]))
            return svc__bytes(old[i].data + 2, old[i].len - 2);
    return coding;
}

static bool is_same_coding(struct bytes a, struct bytes b)
{
    return svc__bytes_eq_nocase(present_name(a), present_name(b));
}

static void raise_to(int *weight, unsigned other)
{
    if ((int)other > *weight)
        *weight = (int)other;
}

unsigned svc__accept_encoding_weight(const struct fields *fields, struct bytes coding)
{
    const struct bytes identity = {"identity", 8}, any = {"*", 1};
    int listed = NOT_LISTED, by_any = NOT_LISTED;
    bool lists_some = false;
    const struct field *f = NULL;
    while ((f = svc__fields_each(fields, f, FIELD_ACCEPT_ENCODING)) != NULL) {
        for (struct bytes rest = f->value; rest.data;) {
            struct accept_element element;
            if (!svc__accept_element_read(svc__bytes_cut(&rest, ','), &element))
                continue;
            lists_some = true;
            if (is_same_coding(element.name, coding))
                raise_to(&listed, element.weight);
            else if (svc__bytes_eq_nocase(element.name, any))
                raise_to(&by_any, element.weight);
        }
    }
    if (listed != NOT_LISTED)
        return (unsigned)listed;
    if (by_any != NOT_LISTED)
        return (unsigned)by_any;
    if (!svc__bytes_eq_nocase(coding, identity))
        return 0;
    return lists_some ? 1 : MEDIA_WEIGHT_ONE;
}
