/* Reads Accept-Encoding fields once for each coding asked for. */
#include "libsvc/proto/accept_encoding.h"

#include "libsvc/proto/media.h"
#include "libsvc/proto/token.h"

enum { NOT_LISTED = -1 };

struct element {
    struct bytes coding;
    int weight;
};

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

/* Reads "coding" or "coding;q=0.5". */
static bool read_element(struct bytes text, struct element *out)
{
    struct bytes coding = svc__bytes_trim(svc__bytes_cut(&text, ';'));
    if (!svc__token_valid(coding))
        return false;
    *out = (struct element){coding, MEDIA_WEIGHT_ONE};
    if (!text.data)
        return true;
    text = svc__bytes_trim(text);
    if (text.len < 2 || (text.data[0] | 0x20) != 'q' || text.data[1] != '=')
        return false;
    out->weight = svc__media_weight(svc__bytes(text.data + 2, text.len - 2));
    return out->weight >= 0;
}

static void raise_to(int *weight, int other)
{
    if (other > *weight)
        *weight = other;
}

unsigned svc__accept_encoding_weight(const struct fields *fields, struct bytes coding)
{
    const struct bytes identity = {"identity", 8}, any = {"*", 1};
    int listed = NOT_LISTED, by_any = NOT_LISTED;
    bool lists_some = false;
    const struct field *f = NULL;
    while ((f = svc__fields_each(fields, f, FIELD_ACCEPT_ENCODING)) != NULL) {
        for (struct bytes rest = f->value; rest.data;) {
            struct element element;
            if (!read_element(svc__bytes_cut(&rest, ','), &element))
                continue;
            lists_some = true;
            if (is_same_coding(element.coding, coding))
                raise_to(&listed, element.weight);
            else if (svc__bytes_eq_nocase(element.coding, any))
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
