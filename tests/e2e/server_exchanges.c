/* The app of the table of exchanges, as a server. */
#include "tests/support/exchanges.h"

int main(void)
{
    return svc_app_run(exchanges_app());
}
