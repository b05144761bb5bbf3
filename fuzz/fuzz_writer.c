/* The JSON writer, driven by the input: what it writes is read by jansson and compared with a tree
 * that was built beside it, and it fails exactly where a call must not be. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>

#include <svc/json.h>

#include "fuzz/fuzz.h"
#include "libsvc/base/double.h"
#include "libsvc/base/json_check.h"
#include "libsvc/base/utf8.h"

enum { MAX_BYTES = 1 << 16, DEPTH = 64, KEY = 32 };

/* What the writer must come to. */
struct model {
    json_t *levels[DEPTH + 1]; /* borrowed; what is open */
    size_t depth;
    json_t *whole;
    bool failed;
};

struct input {
    const uint8_t *at, *end;
};

static uint8_t next_byte(struct input *in)
{
    return in->at < in->end ? *in->at++ : 0;
}

/* As many bytes as the next one says, or as there are. */
static struct bytes next_text(struct input *in)
{
    size_t len = next_byte(in), left = (size_t)(in->end - in->at);
    len = len < left ? len : left;
    struct bytes text = svc__bytes((const char *)in->at, len);
    in->at += len;
    return text;
}

static uint64_t next_number(struct input *in)
{
    uint64_t number = 0;
    for (int i = 0; i < 8; i++)
        number = number << 8 | next_byte(in);
    return number;
}

/* A key of few different ones, mostly; NULL for none. Keys end at a NUL. */
static const char *next_key(struct input *in, char key[KEY])
{
    static const char *const common[] = {NULL,  "", "a", "key", "a key of more than a block",
                                         "\"\n"};
    uint8_t which = next_byte(in);
    if (which < sizeof common / sizeof *common * 32)
        return common[which / 32];
    struct bytes text = next_text(in);
    size_t len = text.len < KEY - 1 ? text.len : KEY - 1;
    if (len > 0)
        memcpy(key, text.data, len);
    key[len] = '\0';
    return key;
}

/* Puts `value`, which is taken and is NULL for one that must be refused, where the writer puts it.
 * What it has put is returned, borrowed. */
static json_t *model_put(struct model *m, const char *key, json_t *value)
{
    json_t *level = m->depth > 0 ? m->levels[m->depth - 1] : NULL;
    bool fits = level ? json_is_object(level) == (key != NULL) : !key && !m->whole;
    if (m->failed || !fits || !value || (key && !svc__utf8_valid(svc__bytes_z(key)))) {
        m->failed = true;
        json_decref(value);
        return NULL;
    }
    if (!level)
        m->whole = value;
    else if (key)
        json_object_set_new(level, key, value);
    else
        json_array_append_new(level, value);
    return value;
}

static void model_open(struct model *m, const char *key, json_t *value)
{
    m->failed = m->failed || m->depth == DEPTH;
    json_t *level = model_put(m, key, value);
    if (level)
        m->levels[m->depth++] = level;
}

static void model_close(struct model *m)
{
    if (m->depth == 0)
        m->failed = true;
    else
        m->depth--;
}

static void put_text(svc_json_writer *w, struct model *m, const char *key, struct bytes text)
{
    svc_json_put_text_n(w, key, text.data, text.len);
    model_put(m, key, json_stringn(text.data, text.len));
}

/* jansson has 64 bits for what is written without a fraction and an exponent. */
static bool too_big_for_jansson(double number)
{
    return fabs(number) >= 0x1p63 && fabs(number) < 1e21;
}

static void put_double(svc_json_writer *w, struct model *m, const char *key, double number)
{
    char text[DOUBLE_LEN + 1];
    if (too_big_for_jansson(number))
        return;
    svc_json_put_double(w, key, number);
    if (!isfinite(number)) {
        model_put(m, key, NULL);
        return;
    }
    text[svc__double_format(text, number)] = '\0';
    double read = strtod(text, NULL);
    REQUIRE(read == number && !signbit(read) == !signbit(number));
    model_put(m, key, json_loads(text, JSON_DECODE_ANY, NULL));
}

/* Whether jansson refuses what is JSON: for its own numbers and keys. */
static bool reads_less(const json_error_t *error)
{
    enum json_error_code code = json_error_code(error);
    return code == json_error_numeric_overflow || code == json_error_null_byte_in_key;
}

/* By jansson, which takes NUL for the end. */
static json_t *load(struct bytes text, json_error_t *error)
{
    if (fuzz_has(text, '\0'))
        text = svc__bytes("", 0);
    return json_loadb(text.data, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, error);
}

static void put_raw(svc_json_writer *w, struct model *m, const char *key, struct bytes text)
{
    json_error_t error;
    json_t *value = load(text, &error);
    bool valid = svc__json_check(text, DEPTH);
    REQUIRE(value ? valid || text.len > DEPTH : !valid || reads_less(&error));
    if (!value && valid)
        return; /* could not be compared */
    svc_json_put_raw(w, key, text.data, text.len);
    if (value && !svc__json_check(text, (unsigned)(DEPTH - m->depth))) {
        json_decref(value);
        value = NULL;
    }
    model_put(m, key, value);
}

static void put_scalar(svc_json_writer *w, struct model *m, const char *key, struct input *in)
{
    uint64_t number = next_number(in);
    double real;
    memcpy(&real, &number, sizeof real);
    switch (next_byte(in) % 6) {
    case 0:
        svc_json_put_i64(w, key, (int64_t)number);
        model_put(m, key, json_integer((json_int_t)number));
        break;
    case 1:
        svc_json_put_u64(w, key, number >> 1);
        model_put(m, key, json_integer((json_int_t)(number >> 1)));
        break;
    case 2:
        put_double(w, m, key, real);
        break;
    case 3:
        put_double(w, m, key, (double)(int64_t)number / 1000);
        break;
    case 4:
        svc_json_put_bool(w, key, number & 1);
        model_put(m, key, json_boolean(number & 1));
        break;
    default:
        svc_json_put_null(w, key);
        model_put(m, key, json_null());
    }
}

static void step(svc_json_writer *w, struct model *m, struct input *in)
{
    char space[KEY];
    uint8_t what = next_byte(in) % 8;
    const char *key = what < 6 ? next_key(in, space) : NULL;
    switch (what) {
    case 0:
        svc_json_open_object(w, key);
        model_open(m, key, json_object());
        break;
    case 1:
        svc_json_open_array(w, key);
        model_open(m, key, json_array());
        break;
    case 2:
        put_text(w, m, key, next_text(in));
        break;
    case 3:
        put_raw(w, m, key, next_text(in));
        break;
    case 4:
    case 5:
        put_scalar(w, m, key, in);
        break;
    default:
        svc_json_close(w);
        model_close(m);
    }
    REQUIRE((svc_json_writer_error(w) != 0) == m->failed ||
            svc_json_writer_error(w) == SVC_ETOOBIG);
}

/* Repeated keys are written twice; a reader takes the last one, as the tree does. */
static void compare(svc_json_writer *w, const struct model *m)
{
    size_t len;
    const char *text = svc_json_writer_text(w, &len);
    if (!text) {
        REQUIRE(m->failed || m->depth > 0 || !m->whole || svc_json_writer_error(w) == SVC_ETOOBIG);
        return;
    }
    REQUIRE(!m->failed && m->depth == 0 && m->whole && text[len] == '\0');
    REQUIRE(svc__json_check(svc__bytes(text, len), DEPTH));
    json_t *read = json_loadb(text, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    REQUIRE(read && json_equal(read, m->whole));
    json_decref(read);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, data + size};
    struct model model = {.depth = 0};
    svc_json_writer *w = svc_json_writer_new(MAX_BYTES);
    REQUIRE(w != NULL);
    while (in.at < in.end && !svc_json_writer_error(w))
        step(w, &model, &in);
    compare(w, &model);
    json_decref(model.whole);
    svc_json_writer_free(w);
    return 0;
}
