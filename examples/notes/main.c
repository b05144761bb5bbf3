/* The notes service: a small REST service to copy and grow from. */
#include "notes.h"

int main(int argc, char **argv)
{
    struct notes notes;
    return svc_app_main(notes_new(&notes), argc, argv);
}
