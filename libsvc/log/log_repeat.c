/* Suppression of repeated lines. A table is searched from end to end, which costs little beside
 * rendering a line. */
#include "libsvc/log/log_repeat.h"

enum { SECOND_US = 1000000 };

static uint64_t suppressed(const struct log_repeat *repeat, const struct log_repeat_place *place)
{
    return place->lines > repeat->limit ? place->lines - repeat->limit : 0;
}

/* The message is copied, since it need not be a literal and may be gone when the report is made. It
 * may be cut within a character: a line's form replaces bytes that are no UTF-8. */
static void keep_message(char out[static LOG_REPEAT_TEXT], const char *message)
{
    size_t len = strnlen(message, LOG_REPEAT_TEXT - 1);
    memcpy(out, message, len);
    out[len] = '\0';
}

static void fill_report(const struct log_repeat *repeat, const struct log_repeat_place *place,
                        struct log_repeat_report *report)
{
    report->suppressed = suppressed(repeat, place);
    report->site = place->site;
    memcpy(report->message, place->message, sizeof report->message);
}

/* The entry for a call site: its own, or a free one, or else that of the oldest second. */
static struct log_repeat_place *entry_for(struct log_repeat *repeat, const svc_log_site *site)
{
    struct log_repeat_place *oldest = repeat->places;
    for (size_t i = 0; i < LOG_REPEAT_PLACES; i++) {
        struct log_repeat_place *place = &repeat->places[i];
        if (place->site == site || !place->site)
            return place;
        if (place->second < oldest->second)
            oldest = place;
    }
    return oldest;
}

bool svc__log_repeat_pass(struct log_repeat *repeat, const svc_log_site *site,
                          const svc_log_record *record, struct log_repeat_report *report)
{
    uint64_t second = record->time_us / SECOND_US;
    report->suppressed = 0;
    if (!repeat->limit)
        return true;
    struct log_repeat_place *place = entry_for(repeat, site);
    if (place->site != site || place->second != second) {
        fill_report(repeat, place, report);
        *place = (struct log_repeat_place){.site = site, .second = second};
        keep_message(place->message, record->message);
    }
    bool passes = ++place->lines <= repeat->limit;
    if (!passes)
        atomic_store_explicit(&repeat->suppressing, true, memory_order_relaxed);
    return passes;
}

bool svc__log_repeat_take(struct log_repeat *repeat, uint64_t now_us,
                          struct log_repeat_report *report)
{
    bool later = false;
    for (size_t i = 0; i < LOG_REPEAT_PLACES; i++) {
        struct log_repeat_place *place = &repeat->places[i];
        if (!suppressed(repeat, place))
            continue;
        if (place->second == now_us / SECOND_US) {
            later = true;
            continue;
        }
        fill_report(repeat, place, report);
        place->lines = 0;
        return true;
    }
    atomic_store_explicit(&repeat->suppressing, later, memory_order_relaxed);
    return false;
}
