/* The search service: a service that calls another one, to copy and grow from. Its spans are
 * exported, with those of its calls; those of requests that fail also if they are not sampled. */
#include <svc/otlp.h>

#include "search.h"

int main(int argc, char **argv)
{
    static struct search search;
    svc_otlp otlp = SVC_OTLP_INIT;
    otlp.keep_failed = 1;
    svc_app *app = search_new(&search);
    svc_otlp_add(app, &otlp);
    return svc_app_main(app, argc, argv);
}
