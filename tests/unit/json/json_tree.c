#include <criterion/criterion.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>

#include <svc/errors.h>

#include "libsvc/base/thread.h"
#include "libsvc/json/json_tree.h"

enum { SMALL_STACK = 65536 /* as little as a worker may have */, DEEP = 100000 };

/* Runs `run` where recursion over a deep tree would not fit. */
static void run_on_small_stack(void *(*run)(void *arg), void *arg)
{
    pthread_t thread;
    cr_assert_eq(svc__thread_start(&thread, SMALL_STACK, run, arg), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
}

/* One level around `inner`, which it takes. */
typedef json_t *wrap_fn(json_t *inner);

static json_t *array_around(json_t *inner)
{
    json_t *outer = json_array();
    json_array_append_new(outer, inner);
    return outer;
}

static json_t *object_around(json_t *inner)
{
    json_t *outer = json_object();
    json_object_set_new(outer, "a", inner);
    return outer;
}

static json_t *array_with_flat_ones(json_t *inner)
{
    json_t *outer = json_pack("[s, [i], o, {s:i}, [], i]", "first", 1, inner, "b", 2, 3);
    return outer;
}

static json_t *object_with_flat_ones(json_t *inner)
{
    return json_pack("{s:i, s:[i], s:o, s:{}, s:s}", "a", 1, "b", 2, "c", inner, "d", "e", "text");
}

static json_t *array_of_two_references(json_t *inner)
{
    json_t *outer = json_array();
    json_array_append(outer, inner);
    json_array_append_new(outer, inner);
    return outer;
}

static json_t *mixed(json_t *inner)
{
    return object_around(array_with_flat_ones(object_with_flat_ones(array_around(inner))));
}

static json_t *nest(wrap_fn *wrap, size_t levels)
{
    json_t *json = json_integer(1);
    for (size_t i = 0; i < levels; i++)
        json = wrap(json);
    return json;
}

static wrap_fn *const wraps[] = {
    array_around,          object_around,           array_with_flat_ones,
    object_with_flat_ones, array_of_two_references, mixed};
enum { WRAPS = sizeof wraps / sizeof *wraps };

static void *free_tree(void *json)
{
    svc__json_tree_free(json);
    return NULL;
}

Test(core_json_tree, a_tree_of_any_depth_is_freed)
{
    for (size_t i = 0; i < WRAPS; i++)
        run_on_small_stack(free_tree, nest(wraps[i], DEEP));
    svc__json_tree_free(NULL);
    svc__json_tree_free(json_null());
}

Test(core_json_tree, what_others_hold_is_left_to_them)
{
    json_t *shared = nest(array_around, 10);
    json_t *tree = json_pack("{s:[O, [O]], s:O}", "a", shared, shared, "b", shared);
    json_t *root = json_pack("[[o]]", json_incref(tree));
    svc__json_tree_free(root);
    cr_expect(json_equal(json_array_get(json_object_get(tree, "a"), 0), shared));
    svc__json_tree_free(tree);
    cr_expect_eq(shared->refcount, 1);
    json_decref(shared);
}

static void *write_tree(void *json)
{
    static struct buf out;
    svc__buf_init(&out, 1 << 24);
    int error = svc__json_tree_write(&out, json);
    svc__buf_free(&out);
    return (void *)(intptr_t)error;
}

static int error_of(json_t *json)
{
    pthread_t thread;
    void *error;
    cr_assert_eq(svc__thread_start(&thread, SMALL_STACK, write_tree, json), 0);
    pthread_join(thread, &error);
    return (int)(intptr_t)error;
}

Test(core_json_tree, what_is_written_has_a_depth)
{
    static const struct {
        size_t levels;
        int error;
    } rows[] = {{0, 0},
                {1, 0},
                {32, 0},
                {33, 0},
                {JSON_TREE_DEPTH, 0},
                {JSON_TREE_DEPTH + 1, SVC_ETOOBIG},
                {DEEP, SVC_ETOOBIG}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t j = 0; j < 2; j++) {
            json_t *json = nest(wraps[j], rows[i].levels);
            cr_expect_eq(error_of(json), rows[i].error, "%zu levels", rows[i].levels);
            svc__json_tree_free(json);
        }
}

Test(core_json_tree, a_tree_that_holds_itself_is_not_written)
{
    json_t *a = json_array(), *b = json_object();
    json_array_append(a, b);
    json_object_set(b, "a", a);
    cr_expect_eq(error_of(a), SVC_EINVAL);
    cr_expect_eq(error_of(b), SVC_EINVAL);
    json_object_clear(b);
    json_decref(b);
    json_decref(a);
}

Test(core_json_tree, what_no_text_can_say_is_not_written)
{
    cr_expect_eq(error_of(NULL), SVC_EINVAL);
    json_t *json = json_pack("[o]", json_string_nocheck("\xff"));
    cr_expect_eq(error_of(json), SVC_EINVAL);
    json_decref(json);
}

/* A tree of any kind of value, its doubles such as jansson writes as we do. */
static json_t *make_tree(unsigned *seed, unsigned depth)
{
    static const char *const texts[] = {"", "a", "\"\\/\b\f\n\r\t\x01", "\xc3\xa9\xf0\x9f\x98\x80"};
    static const double reals[] = {0.5, -1.25, 1e300, 1024.75};
    char name[8];
    json_t *json;
    unsigned kind = (unsigned)rand_r(seed) % (depth ? 9 : 7), count = (unsigned)rand_r(seed) % 4;
    switch (kind) {
    case 0:
        return json_null();
    case 1:
        return json_true();
    case 2:
        return json_false();
    case 3:
        return json_integer((json_int_t)rand_r(seed) - RAND_MAX / 2);
    case 4:
        return json_integer((rand_r(seed) & 1) ? INT64_MIN : INT64_MAX);
    case 5:
        return json_real(reals[(unsigned)rand_r(seed) % 4]);
    case 6:
        return json_string(texts[(unsigned)rand_r(seed) % 4]);
    case 7:
        json = json_array();
        for (unsigned i = 0; i < count; i++)
            json_array_append_new(json, make_tree(seed, depth - 1));
        return json;
    default:
        json = json_object();
        for (unsigned i = 0; i < count; i++) {
            snprintf(name, sizeof name, "%u\n", (unsigned)rand_r(seed) % 100);
            json_object_set_new(json, name, make_tree(seed, depth - 1));
        }
        return json;
    }
}

Test(core_json_tree, writes_what_jansson_reads)
{
    unsigned seed = 1;
    struct buf out;
    svc__buf_init(&out, 1 << 20);
    for (int i = 0; i < 20000; i++) {
        json_t *json = make_tree(&seed, 6);
        svc__buf_clear(&out);
        cr_assert_eq(svc__json_tree_write(&out, json), 0);
        json_t *read =
            json_loadb(out.data, out.len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
        cr_assert(json_equal(read, json), "%.*s", (int)out.len, out.data);
        json_decref(read);
        svc__json_tree_free(json);
    }
    svc__buf_free(&out);
}

Test(core_json_tree, doubles_are_written_as_everywhere)
{
    struct buf out;
    svc__buf_init(&out, 1000);
    json_t *json = json_pack("[f,f,f,f]", 0.1, 3.0, 1e21, 5e-324);
    cr_expect_eq(svc__json_tree_write(&out, json), 0);
    svc__buf_terminate(&out);
    cr_expect_str_eq(out.data, "[0.1,3,1e+21,5e-324]");
    json_decref(json);
    svc__buf_free(&out);
}

#if JANSSON_VERSION_HEX >= 0x020e00
Test(core_json_tree, names_may_hold_nul)
{
    struct buf out;
    svc__buf_init(&out, 1000);
    json_t *json = json_object();
    json_object_setn_new(json, "a\0b", 3, nest(mixed, 3));
    json_object_setn_new(json, "a", 1, nest(mixed, 3));
    cr_expect_eq(svc__json_tree_write(&out, json), 0);
    svc__buf_terminate(&out);
    cr_expect(strstr(out.data, "{\"a\\u0000b\":{"), "%s", out.data);
    svc__json_tree_free(json);
    svc__buf_free(&out);
}
#endif
