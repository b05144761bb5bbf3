/* The notes service of ../notes, whose spans are exported: nothing else of it changes. */
#include <svc/otlp.h>

#include "../notes/notes.h"

int main(int argc, char **argv)
{
    static struct notes notes;
    svc_app *app = notes_new(&notes);
    svc_otlp_add(app, NULL);
    return svc_app_main(app, argc, argv);
}
