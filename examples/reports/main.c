/* The reports service: slow work, streams and a background task, to copy and grow from. */
#include "reports.h"

int main(int argc, char **argv)
{
    static struct reports reports;
    return svc_app_main(reports_new(&reports), argc, argv);
}
