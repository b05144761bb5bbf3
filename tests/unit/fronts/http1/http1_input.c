/* Bytes that a connection reads, keeps and takes up again. */
#include "libsvc/fronts/http1/http1_input.h"

#include "tests/unit/fronts/http1/support.h"

TestSuite(http1_input, .init = open_conn, .fini = close_conn);

static void expect_input(const char *text)
{
    struct bytes input = svc__http1_input_view(&conn);
    cr_expect(svc__bytes_eq_z(input, text), "%.*s", (int)input.len, input.data);
}

Test(http1_input, reads_what_an_event_has_told_of)
{
    svc__http1_input_begin(&conn);
    cr_expect_eq(svc__http1_input_read(&conn), READ_NOTHING);
    say("one");
    cr_expect_eq(svc__http1_input_read(&conn), READ_BYTES);
    expect_input("one");
    cr_expect_not(conn.readable, "a read that does not fill the room has emptied the socket");
    say("two");
    cr_expect_eq(svc__http1_input_read(&conn), READ_BYTES);
    expect_input("onetwo");
    conn.readable = true;
    cr_expect_eq(svc__http1_input_read(&conn), READ_NOTHING);
}

Test(http1_input, what_is_left_is_kept_in_memory_of_its_own)
{
    svc__http1_input_begin(&conn);
    say("used left");
    svc__http1_input_read(&conn);
    conn.input.begin = 5;
    cr_assert(svc__http1_input_settle(&conn));
    cr_expect_neq(conn.input.data, http1.room->data);
    memset(http1.room->data, 'x', 9);
    expect_input("left");
    svc__http1_input_begin(&conn);
    cr_expect_eq(conn.input.data, http1.room->data);
    say(" and more");
    svc__http1_input_read(&conn);
    expect_input("left and more");
    conn.input.begin = conn.input.end;
    cr_assert(svc__http1_input_settle(&conn));
    cr_expect_eq(conn.input.data, NULL, "an idle connection keeps no memory");
}

Test(http1_input, the_end_is_read_behind_the_bytes_with_which_it_came)
{
    svc__http1_input_begin(&conn);
    say("last");
    shutdown(peer, SHUT_WR);
    conn.conn.left = true; /* as the event has told */
    cr_expect_eq(svc__http1_input_read(&conn), READ_BYTES);
    cr_expect_eq(svc__http1_input_read(&conn), READ_END);
    cr_expect_eq(svc__http1_input_read(&conn), READ_END);
    expect_input("last");
}

Test(http1_input, the_room_is_used_again_from_its_beginning)
{
    static char large[HTTP1_ROOM + 1];
    memset(large, 'l', HTTP1_ROOM);
    svc__http1_input_begin(&conn);
    say(large);
    cr_expect_eq(svc__http1_input_read(&conn), READ_BYTES);
    cr_expect(conn.readable, "there may be more");
    cr_expect_eq(svc__http1_input_read(&conn), READ_FULL);
    conn.input.begin = HTTP1_ROOM - 2;
    say("ast");
    cr_expect_eq(svc__http1_input_read(&conn), READ_BYTES);
    expect_input("llast");
    conn.input.begin = conn.input.end;
    say("anew");
    cr_expect_eq(svc__http1_input_read(&conn), READ_BYTES);
    cr_expect_eq(conn.input.begin, 0);
    expect_input("anew");
}
