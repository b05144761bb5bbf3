/* The phases of the compression layer. */
#ifndef SVC_CODING_COMPRESS_H
#define SVC_CODING_COMPRESS_H

#include "libsvc/coding/compress_layer.h"

/* Sets the phases of a layer. */
void svc__compress_prepare(struct compress_layer *layer);

#endif
