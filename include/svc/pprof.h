/*
 * Profiles of a running service, for `go tool pprof` and google-pprof: where it spends its CPU time, and what
 * its heap holds. This is a library of its own (libsvc-pprof, `pkg-config --libs libsvc-pprof`), and <svc.h>
 * does not include this header.
 *
 *     svc_app *app = svc_app_new("orders");
 *     svc_pprof_add(app);
 *     return svc_app_main(app, argc, argv);
 *
 * The pages are on the admin listener, below /debug/pprof/, and off until the setting `debug_pages` is on.
 * docs/profiling.md describes them.
 */
#ifndef SVC_PPROF_H
#define SVC_PPROF_H

#include <svc/types.h>

SVC_BEGIN_DECLS

/*
 * Adds the pages of profiles to the app's admin listener:
 *
 *     GET /debug/pprof/                    the list of the pages
 *     GET /debug/pprof/profile?seconds=N   a CPU profile of all threads, of 1 to 60 seconds (30)
 *     GET /debug/pprof/heap                live allocations, if tcmalloc samples them (else 501)
 *     GET, POST /debug/pprof/symbol        the names of functions, by their addresses
 *     GET /debug/pprof/cmdline             the program's arguments
 *
 * A process takes one CPU profile at a time; another request for one is answered 409. The profile runs on a
 * thread of its own. It ends early when its client leaves, and when the service begins to drain: the client
 * then gets the samples taken so far. gperftools takes the samples by SIGPROF, whose handler it installs when
 * the program is loaded, so the program must leave this signal alone.
 *
 * The pages of an app that is mounted are served under its prefix. 0, or SVC_ENOMEM, also once started and for
 * NULL; all is kept as a set-up error. A second call for the same app is a conflict of routes, which the start
 * reports. Before start only. Since: 0.1
 */
SVC_API int svc_pprof_add(svc_app *app);

SVC_END_DECLS

#endif
