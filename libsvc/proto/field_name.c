/* Finds a name by a slot for its length, first and last letter, which holds the only candidate. */
#include "libsvc/proto/field_name.h"

/* The compiler refuses two names in one slot (-Woverride-init); other factors must then be chosen.
 * Letters are lower-case. */
enum { SLOTS = 128 };
#define SLOT(len, first, last) ((8 * (len) + (first) + 3 * (last)) % SLOTS)

#define FIELD_SLOT(constant, text, first, last)                                                    \
    [SLOT(sizeof(text) - 1, first, last)] = FIELD_##constant,
static const unsigned char slots[SLOTS] = {FIELD_NAME_LIST(FIELD_SLOT)};

#define FIELD_TEXT(constant, text, first, last) [FIELD_##constant] = {text, sizeof(text) - 1},
static const struct bytes texts[FIELD_NAME_COUNT] = {FIELD_NAME_LIST(FIELD_TEXT)};

enum field_name svc__field_name_find(struct bytes name)
{
    if (name.len == 0)
        return FIELD_OTHER;
    unsigned first = (unsigned char)name.data[0] | 0x20u;
    unsigned last = (unsigned char)name.data[name.len - 1] | 0x20u;
    enum field_name found = slots[SLOT(name.len, first, last)];
    return svc__bytes_eq_nocase(name, texts[found]) ? found : FIELD_OTHER;
}

struct bytes svc__field_name_text(enum field_name name)
{
    return texts[name];
}
