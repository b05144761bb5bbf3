/* How the rows of tables (svc/setting.h, svc/bind.h) are written, in C and in C++ alike. */
#ifndef SVC_ROW_H
#define SVC_ROW_H

/*
 * A row of the given type, with members as `.name = value`, in any order. C has designated initialisers for
 * this. C++ has them from C++20 on, and only in the struct's order: in C++ a function makes the row, of up to
 * 24 members.
 */
#ifndef __cplusplus
#define SVC__ROW(type, ...)                                                                        \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#else
#define SVC__ROW(type, ...)                                                                        \
    ([]() -> type {                                                                                \
        type svc__row = type();                                                                    \
        SVC__ROW_PICK(__VA_ARGS__, SVC__ROW_24, SVC__ROW_23, SVC__ROW_22, SVC__ROW_21,             \
                      SVC__ROW_20, SVC__ROW_19, SVC__ROW_18, SVC__ROW_17, SVC__ROW_16,             \
                      SVC__ROW_15, SVC__ROW_14, SVC__ROW_13, SVC__ROW_12, SVC__ROW_11,             \
                      SVC__ROW_10, SVC__ROW_9, SVC__ROW_8, SVC__ROW_7, SVC__ROW_6, SVC__ROW_5,     \
                      SVC__ROW_4, SVC__ROW_3, SVC__ROW_2, SVC__ROW_1, 0)                           \
        (__VA_ARGS__) return svc__row;                                                             \
    }())

/* SVC__ROW_PICK chooses the macro for the number of members, which turns them into assignments. */
#define SVC__ROW_PICK(m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17,  \
                      m18, m19, m20, m21, m22, m23, m24, macro, ...)                               \
    macro
#define SVC__ROW_1(member) svc__row member;
#define SVC__ROW_2(member, ...) svc__row member; SVC__ROW_1(__VA_ARGS__)
#define SVC__ROW_3(member, ...) svc__row member; SVC__ROW_2(__VA_ARGS__)
#define SVC__ROW_4(member, ...) svc__row member; SVC__ROW_3(__VA_ARGS__)
#define SVC__ROW_5(member, ...) svc__row member; SVC__ROW_4(__VA_ARGS__)
#define SVC__ROW_6(member, ...) svc__row member; SVC__ROW_5(__VA_ARGS__)
#define SVC__ROW_7(member, ...) svc__row member; SVC__ROW_6(__VA_ARGS__)
#define SVC__ROW_8(member, ...) svc__row member; SVC__ROW_7(__VA_ARGS__)
#define SVC__ROW_9(member, ...) svc__row member; SVC__ROW_8(__VA_ARGS__)
#define SVC__ROW_10(member, ...) svc__row member; SVC__ROW_9(__VA_ARGS__)
#define SVC__ROW_11(member, ...) svc__row member; SVC__ROW_10(__VA_ARGS__)
#define SVC__ROW_12(member, ...) svc__row member; SVC__ROW_11(__VA_ARGS__)
#define SVC__ROW_13(member, ...) svc__row member; SVC__ROW_12(__VA_ARGS__)
#define SVC__ROW_14(member, ...) svc__row member; SVC__ROW_13(__VA_ARGS__)
#define SVC__ROW_15(member, ...) svc__row member; SVC__ROW_14(__VA_ARGS__)
#define SVC__ROW_16(member, ...) svc__row member; SVC__ROW_15(__VA_ARGS__)
#define SVC__ROW_17(member, ...) svc__row member; SVC__ROW_16(__VA_ARGS__)
#define SVC__ROW_18(member, ...) svc__row member; SVC__ROW_17(__VA_ARGS__)
#define SVC__ROW_19(member, ...) svc__row member; SVC__ROW_18(__VA_ARGS__)
#define SVC__ROW_20(member, ...) svc__row member; SVC__ROW_19(__VA_ARGS__)
#define SVC__ROW_21(member, ...) svc__row member; SVC__ROW_20(__VA_ARGS__)
#define SVC__ROW_22(member, ...) svc__row member; SVC__ROW_21(__VA_ARGS__)
#define SVC__ROW_23(member, ...) svc__row member; SVC__ROW_22(__VA_ARGS__)
#define SVC__ROW_24(member, ...) svc__row member; SVC__ROW_23(__VA_ARGS__)
#endif

#endif
