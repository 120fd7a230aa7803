// On FreeBSD: the layouts and numbers that abi.h has, compared with the system's own headers. In C, as these are.
#if defined(__FreeBSD__) && defined(__LP64__)
#include <sys/param.h>
#include <sys/disk.h>
#include <sys/ioctl.h>

#include <geom/gate/g_gate.h>

#include <errno.h>
#include <stddef.h>

#define GGATE_STRUCT(ours, type, bytes) _Static_assert(sizeof(struct type) == (bytes), "size of " #type);
#define GGATE_MEMBER(ours, our_member, type, member, at, bytes)                                   \
  _Static_assert(offsetof(struct type, member) == (at), #type "." #member " is not in its place"); \
  _Static_assert(sizeof(((struct type*)0)->member) == (bytes), #type "." #member " has another size");
#define GGATE_VALUE(ours, value, number) _Static_assert((value) == (number), #value);
#include "abi-layout.h"
#else
// A file of C declares something.
typedef int ggate_abi_is_not_checked;
#endif
