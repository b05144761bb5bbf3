/* libsvc: stateless HTTP services in C. Including this file includes the whole public interface. */
#ifndef SVC_H
#define SVC_H

#include <svc/app.h>
#include <svc/bind.h>
#include <svc/cache.h>
#include <svc/channel.h>
#include <svc/compress.h>
#include <svc/concurrency.h>
#include <svc/config.h>
#include <svc/cookie.h>
#include <svc/decompress.h>
#include <svc/errors.h>
#include <svc/events.h>
#include <svc/files.h>
#include <svc/form.h>
#include <svc/idempotency.h>
#include <svc/json.h>
#include <svc/json_writer.h>
#include <svc/log.h>
#include <svc/loop.h>
#include <svc/memo.h>
#include <svc/metric.h>
#include <svc/middleware.h>
#include <svc/multipart.h>
#include <svc/negotiation.h>
#include <svc/pending.h>
#include <svc/pipe.h>
#include <svc/queue.h>
#include <svc/rate_limit.h>
#include <svc/request.h>
#include <svc/response.h>
#include <svc/response_cache.h>
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
