# Probes for compiler and linker flags one by one, so that each compiler gets those that it has.

# SVC_APPEND_CFLAG(VARIABLE, FLAG...): appends each flag that the C compiler accepts to VARIABLE.
# -Werror makes clang refuse unknown warning options, which it otherwise only mentions. A flag is tried
# with those before it, because some make sense only together (-Wformat-security needs -Wformat).
AC_DEFUN([SVC_APPEND_CFLAG], [
  m4_foreach_w([svc_flag], [$2], [_SVC_APPEND_FLAG([$1], m4_defn([svc_flag]), [CFLAGS], [AC_COMPILE_IFELSE])
])])

# SVC_APPEND_LDFLAG(VARIABLE, FLAG...): the same for flags of the linker.
AC_DEFUN([SVC_APPEND_LDFLAG], [
  m4_foreach_w([svc_flag], [$2], [_SVC_APPEND_FLAG([$1], m4_defn([svc_flag]), [LDFLAGS], [AC_LINK_IFELSE])
])])

AC_DEFUN([_SVC_APPEND_FLAG], [
  AS_VAR_PUSHDEF([svc_cache], [svc_cv_$3_$2])
  AC_CACHE_CHECK([whether $CC accepts $2], [svc_cache], [
    svc_saved_$3=$$3
    $3="$$3 -Werror $$1 $2"
    $4([AC_LANG_PROGRAM([], [])], [AS_VAR_SET([svc_cache], [yes])], [AS_VAR_SET([svc_cache], [no])])
    $3=$svc_saved_$3
  ])
  AS_VAR_IF([svc_cache], [yes], [AS_VAR_APPEND([$1], [" $2"])])
  AS_VAR_POPDEF([svc_cache])
])

# SVC_CHECK_FORTIFY(VARIABLE): appends the highest level of _FORTIFY_SOURCE to VARIABLE where the
# user's flags optimise and do not choose a level themselves; glibc warns without optimisation.
AC_DEFUN([SVC_CHECK_FORTIFY], [
  AC_CACHE_CHECK([for the level of _FORTIFY_SOURCE to use], [svc_cv_fortify], [
    svc_cv_fortify=none
    svc_saved_CPPFLAGS=$CPPFLAGS
    AC_COMPILE_IFELSE([AC_LANG_SOURCE([[
#if !defined __OPTIMIZE__ || defined _FORTIFY_SOURCE
#error "not optimising, or chosen by the user"
#endif
]])], [
      for svc_level in 3 2; do
        CPPFLAGS="$svc_saved_CPPFLAGS -Werror -D_FORTIFY_SOURCE=$svc_level"
        AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <string.h>]], [])],
          [svc_cv_fortify=$svc_level; break])
      done
    ])
    CPPFLAGS=$svc_saved_CPPFLAGS
  ])
  AS_IF([test "$svc_cv_fortify" != none], [AS_VAR_APPEND([$1], [" -D_FORTIFY_SOURCE=$svc_cv_fortify"])])
])
