/* The notes service: a small REST service to copy and grow from. */
#include "notes.h"

enum { MAX_NOTES = 10000 };

static void free_store(svc_app *app, void *store)
{
    (void)app;
    store_free(store);
}

int main(void)
{
    struct store *store = store_new(MAX_NOTES);
    svc_app *app = store ? svc_app_new("notes") : NULL;
    if (!app)
        return 1;
    notes_register(app, store);
    svc_app_hook(app, NULL, free_store, store); /* after the last request */
    return svc_app_run(app);
}
