/* The style and the script of the status page, which the build makes of status_page.css and
 * status_page.js.
 */
#ifndef SVC_OPS_STATUS_ASSETS_H
#define SVC_OPS_STATUS_ASSETS_H

#include <stddef.h>

extern const char svc__status_assets_css[], svc__status_assets_js[];
extern const size_t svc__status_assets_css_len, svc__status_assets_js_len;

#endif
