/* The marks that every public header needs: export marks and the attributes that let a compiler review callers. */
#ifndef SVC_VISIBILITY_H
#define SVC_VISIBILITY_H

#ifdef __cplusplus
#define SVC_BEGIN_DECLS extern "C" {
#define SVC_END_DECLS }
#else
#define SVC_BEGIN_DECLS
#define SVC_END_DECLS
#endif

#if defined(__GNUC__)
#define SVC_API __attribute__((visibility("default")))
#define SVC_MUST_CHECK __attribute__((warn_unused_result))
#define SVC_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define SVC_API
#define SVC_MUST_CHECK
#define SVC_PRINTF(text, first)
#endif

#endif
