# Optional libraries, each of which stands on libraries that the base does not need.

# SVC_OPTIONAL_LIBRARY(NAME, PREFIX, REQUIREMENTS, PURPOSE): a switch --with-NAME. libsvc-NAME is built if
# pkg-config finds the requirements; with the switch "yes" it must. Sets have_NAME ("yes", or "no" with the
# reason), the automake conditional PREFIX, PREFIX_CFLAGS, PREFIX_LIBS, and PREFIX_REQUIRES for libsvc-NAME.pc.
AC_DEFUN([SVC_OPTIONAL_LIBRARY], [
  AC_ARG_WITH([$1],
    [AS_HELP_STRING([--without-$1], [do not build libsvc-$1, which $4 (needs $3)])],
    [], [with_$1=auto])
  have_$1=no
  AS_IF([test "$with_$1" != no],
    [PKG_CHECK_MODULES([$2], [$3], [have_$1=yes],
      [AS_IF([test "$with_$1" = yes], [AC_MSG_ERROR([libsvc-$1 needs $3])])
       have_$1="no (it needs $3)"])])
  AM_CONDITIONAL([$2], [test "$have_$1" = yes])
  AC_SUBST([$2_REQUIRES], ["$3"])
])
