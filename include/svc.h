/* libsvc: stateless HTTP services in C. Including this file includes the whole public interface. */
#ifndef SVC_H
#define SVC_H

#include <svc/app.h>
#include <svc/bind.h>
#include <svc/cache.h>
#include <svc/concurrency.h>
#include <svc/config.h>
#include <svc/errors.h>
#include <svc/json.h>
#include <svc/json_writer.h>
#include <svc/log.h>
#include <svc/loop.h>
#include <svc/metric.h>
#include <svc/middleware.h>
#include <svc/pending.h>
#include <svc/pipe.h>
#include <svc/queue.h>
#include <svc/rate_limit.h>
#include <svc/request.h>
#include <svc/response.h>
#include <svc/row.h>
#include <svc/setting.h>
#include <svc/span.h>
#include <svc/store.h>
#include <svc/stream.h>
#include <svc/task.h>
#include <svc/test.h>
#include <svc/trace.h>
#include <svc/trailers.h>
#include <svc/version.h>
#include <svc/worker.h>

#endif
