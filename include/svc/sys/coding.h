/*
 * The seam for libraries that add content codings (RFC 9110 8.4.1), such as zstd: a table of functions that
 * compress and undo, and how one is registered. gzip and deflate are built in, if zlib was found. Programs need
 * nothing of this; they call a library that uses it, such as libsvc-compress, and use codings by svc/compress.h.
 *
 * A context of one direction belongs to one thread at a time. The library makes contexts as they are needed, and
 * keeps some for later bodies: it resets a context before each of them but the first.
 */
#ifndef SVC_SYS_CODING_H
#define SVC_SYS_CODING_H

#include <svc/types.h>

SVC_BEGIN_DECLS

/* `encode` always gets room for so many bytes at least: zlib would repeat the end of a flush in less. */
enum { SVC_SYS_CODING_ROOM = 64 };

/* How far `encode` shall go. */
enum svc_sys_coding_until {
    SVC_SYS_CODING_INPUT = 0, /* until the input is taken; some of it may stay in the context */
    SVC_SYS_CODING_FLUSH,     /* until a reader of the output can undo all input so far */
    SVC_SYS_CODING_END        /* to the end of the coded data */
};

/* The input that is left and the room that is left for output: the functions move all four on. */
typedef struct svc_sys_coding_step {
    size_t size; /* of the struct as the library has it */
    const char *input;
    size_t input_len;
    char *output;
    size_t output_len;
} svc_sys_coding_step;

/* What a context for compression is made for. */
typedef struct svc_sys_coding_aim {
    size_t size;     /* of the struct as the library has it */
    int level;       /* one of the coding's own */
    int light;       /* the body is a stream that may stay open for long: memory comes before size */
    uint64_t length; /* bytes of the body, or SVC_LENGTH_UNKNOWN (svc/response.h) */
} svc_sys_coding_aim;

/* A content coding. Begin with SVC_SYS_CODING_INIT. Has the four functions of a direction, or none of them. */
typedef struct svc_sys_coding {
    size_t size;      /* set by SVC_SYS_CODING_INIT */
    const char *name; /* as in Content-Encoding: a token of lower-case letters, 15 at most; copied */
    int rank;         /* of codings that a client likes equally, the one of the highest rank is used */
    int level_least, level_most; /* the levels that there are, from the quickest to the smallest output */
    int level;        /* if the program wants none in particular */
    int level_busy;   /* while the service is loaded, unless the program wants another */

    /* Coded data may be followed by more such data, as if both were one (gzip, zstd). */
    int concatenates;

    /* Makes a context. 0 or SVC_ENOMEM. */
    int (*encoder_new)(const svc_sys_coding_aim *aim, void **encoder);

    /* Makes a context as new, wherever its last body has ended; `aim->light` is as it was. 0 or SVC_ENOMEM. */
    int (*encoder_reset)(void *encoder, const svc_sys_coding_aim *aim);

    /*
     * Compresses a piece; `until` is an svc_sys_coding_until. 0 when it has gone that far, which always takes
     * all of the input; SVC_EAGAIN when the room for output is used up before: it is called again with the
     * same `until`, and with room. Another code when the body cannot be compressed, such as SVC_ENOMEM.
     */
    int (*encode)(void *encoder, svc_sys_coding_step *step, int until);

    /* Frees a context. */
    void (*encoder_free)(void *encoder);

    /* Makes a context. 0 or SVC_ENOMEM. */
    int (*decoder_new)(void **decoder);

    /* Makes a context as new, wherever its last body has ended. 0 or SVC_ENOMEM. */
    int (*decoder_reset)(void *decoder);

    /*
     * Undoes a piece. SVC_EAGAIN when it wants more: room, if there is none left, else input. 0 at the end of
     * the coded data; input behind it is not taken. SVC_ESYNTAX for malformed data, among it a bad checksum;
     * SVC_ETOOBIG for data that takes more memory than RFC 8878 and 9659 let a sender expect; SVC_ENOMEM.
     */
    int (*decode)(void *decoder, svc_sys_coding_step *step);

    /* Frees a context. */
    void (*decoder_free)(void *decoder);
} svc_sys_coding;

#define SVC_SYS_CODING_INIT                                                                        \
    {                                                                                              \
        sizeof(svc_sys_coding), NULL, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL,  \
            NULL                                                                                   \
    }

/*
 * Registers a coding, which is copied, for the layers of the app and of apps mounted on it. 0; SVC_EINVAL;
 * SVC_ESTATE when the app has one of that name or has started; SVC_ETOOBIG for more than 8; SVC_ENOMEM, also for
 * a NULL app. All are kept as set-up errors. Before start only. Since: 0.1
 */
SVC_API int svc_sys_app_add_coding(svc_app *app, const svc_sys_coding *coding);

SVC_END_DECLS

#endif
