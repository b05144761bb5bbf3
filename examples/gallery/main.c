/* The picture gallery, to copy and grow from. */
#include "gallery.h"

int main(int argc, char **argv)
{
    static struct gallery gallery;
    return svc_app_main(gallery_new(&gallery), argc, argv);
}
