/* One element of an Accept-Encoding or Accept-Language field. */
#include "libsvc/proto/accept_element.h"

#include "libsvc/proto/media.h"
#include "libsvc/proto/token.h"

bool svc__accept_element_read(struct bytes text, struct accept_element *out)
{
    struct bytes name = svc__bytes_trim(svc__bytes_cut(&text, ';'));
    if (!svc__token_valid(name))
        return false;
    int weight = MEDIA_WEIGHT_ONE;
    if (text.data) {
        text = svc__bytes_trim(text);
        if (text.len < 2 || svc__bytes_lower(text.data[0]) != 'q' || text.data[1] != '=')
            return false;
        weight = svc__media_weight(svc__bytes(text.data + 2, text.len - 2));
    }
    if (weight < 0)
        return false;
    *out = (struct accept_element){name, (unsigned)weight};
    return true;
}
