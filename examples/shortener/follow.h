/* Following links. */
#ifndef SHORTENER_FOLLOW_H
#define SHORTENER_FOLLOW_H

#include <svc.h>

/*
 * The handler of GET /{code}: redirects to the link's URL, once the click is counted in the store.
 * It runs on an event loop. A link that the memo has needs no other thread; one that it has not is
 * read on a worker, once for all who wait for it. Its route's arg is the struct shortener.
 */
svc_handler follow;

#endif
