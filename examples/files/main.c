/* The download server, to copy and grow from. */
#include "files.h"

int main(int argc, char **argv)
{
    static struct files files;
    return svc_app_main(files_new(&files), argc, argv);
}
