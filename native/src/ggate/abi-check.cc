// On FreeBSD: what abi.h says, compared with the system's own headers. Nothing elsewhere.
#if defined(__FreeBSD__) && defined(__LP64__)
#include "abi.h"

#include <sys/param.h>
#include <sys/disk.h>
#include <sys/ioctl.h>

#include <geom/gate/g_gate.h>

#include <cerrno>

#define SAME_SIZE(ours, theirs) static_assert(sizeof(ours) == sizeof(theirs), "size of " #theirs)
#define SAME_MEMBER(ours, member, theirs, their_member)                                              \
  static_assert(offsetof(ours, member) == offsetof(theirs, their_member), #theirs "." #their_member); \
  static_assert(sizeof(ours::member) == sizeof(theirs::their_member), #theirs "." #their_member)
#define SAME_VALUE(ours, theirs) static_assert((ours) == (theirs), #theirs)

SAME_SIZE(ggate::Create, g_gate_ctl_create);
SAME_MEMBER(ggate::Create, version, g_gate_ctl_create, gctl_version);
SAME_MEMBER(ggate::Create, media_size, g_gate_ctl_create, gctl_mediasize);
SAME_MEMBER(ggate::Create, sector_size, g_gate_ctl_create, gctl_sectorsize);
SAME_MEMBER(ggate::Create, flags, g_gate_ctl_create, gctl_flags);
SAME_MEMBER(ggate::Create, max_count, g_gate_ctl_create, gctl_maxcount);
SAME_MEMBER(ggate::Create, timeout, g_gate_ctl_create, gctl_timeout);
SAME_MEMBER(ggate::Create, name, g_gate_ctl_create, gctl_name);
SAME_MEMBER(ggate::Create, info, g_gate_ctl_create, gctl_info);
SAME_MEMBER(ggate::Create, read_provider, g_gate_ctl_create, gctl_readprov);
SAME_MEMBER(ggate::Create, read_offset, g_gate_ctl_create, gctl_readoffset);
SAME_MEMBER(ggate::Create, unit, g_gate_ctl_create, gctl_unit);

SAME_SIZE(ggate::Modify, g_gate_ctl_modify);
SAME_MEMBER(ggate::Modify, version, g_gate_ctl_modify, gctl_version);
SAME_MEMBER(ggate::Modify, unit, g_gate_ctl_modify, gctl_unit);
SAME_MEMBER(ggate::Modify, modify, g_gate_ctl_modify, gctl_modify);
SAME_MEMBER(ggate::Modify, media_size, g_gate_ctl_modify, gctl_mediasize);
SAME_MEMBER(ggate::Modify, info, g_gate_ctl_modify, gctl_info);
SAME_MEMBER(ggate::Modify, read_provider, g_gate_ctl_modify, gctl_readprov);
SAME_MEMBER(ggate::Modify, read_offset, g_gate_ctl_modify, gctl_readoffset);

SAME_SIZE(ggate::Destroy, g_gate_ctl_destroy);
SAME_MEMBER(ggate::Destroy, unit, g_gate_ctl_destroy, gctl_unit);
SAME_MEMBER(ggate::Destroy, force, g_gate_ctl_destroy, gctl_force);
SAME_MEMBER(ggate::Destroy, name, g_gate_ctl_destroy, gctl_name);

SAME_SIZE(ggate::Cancel, g_gate_ctl_cancel);
SAME_MEMBER(ggate::Cancel, unit, g_gate_ctl_cancel, gctl_unit);
SAME_MEMBER(ggate::Cancel, seq, g_gate_ctl_cancel, gctl_seq);
SAME_MEMBER(ggate::Cancel, name, g_gate_ctl_cancel, gctl_name);

SAME_SIZE(ggate::Io, g_gate_ctl_io);
SAME_MEMBER(ggate::Io, unit, g_gate_ctl_io, gctl_unit);
SAME_MEMBER(ggate::Io, seq, g_gate_ctl_io, gctl_seq);
SAME_MEMBER(ggate::Io, command, g_gate_ctl_io, gctl_cmd);
SAME_MEMBER(ggate::Io, offset, g_gate_ctl_io, gctl_offset);
SAME_MEMBER(ggate::Io, length, g_gate_ctl_io, gctl_length);
SAME_MEMBER(ggate::Io, data, g_gate_ctl_io, gctl_data);
SAME_MEMBER(ggate::Io, error, g_gate_ctl_io, gctl_error);

SAME_VALUE(ggate::kVersion, G_GATE_VERSION);
SAME_VALUE(ggate::kCreateRequest, G_GATE_CMD_CREATE);
SAME_VALUE(ggate::kModifyRequest, G_GATE_CMD_MODIFY);
SAME_VALUE(ggate::kDestroyRequest, G_GATE_CMD_DESTROY);
SAME_VALUE(ggate::kCancelRequest, G_GATE_CMD_CANCEL);
SAME_VALUE(ggate::kStartRequest, G_GATE_CMD_START);
SAME_VALUE(ggate::kDoneRequest, G_GATE_CMD_DONE);
SAME_VALUE(ggate::kUnitAuto, G_GATE_UNIT_AUTO);
SAME_VALUE(ggate::kUnitByName, G_GATE_NAME_GIVEN);
SAME_VALUE(ggate::kReadOnly, G_GATE_FLAG_READONLY);
SAME_VALUE(ggate::kWriteOnly, G_GATE_FLAG_WRITEONLY);

SAME_VALUE(ggate::kDiskSectorSize, DIOCGSECTORSIZE);
SAME_VALUE(ggate::kDiskMediaSize, DIOCGMEDIASIZE);
SAME_VALUE(ggate::kDiskFlush, DIOCGFLUSH);
SAME_VALUE(ggate::kDiskDelete, DIOCGDELETE);

SAME_VALUE(ggate::error::kPermission, EPERM);
SAME_VALUE(ggate::error::kNoEntry, ENOENT);
SAME_VALUE(ggate::error::kInterrupted, EINTR);
SAME_VALUE(ggate::error::kInputOutput, EIO);
SAME_VALUE(ggate::error::kNoDevice, ENXIO);
SAME_VALUE(ggate::error::kBadDescriptor, EBADF);
SAME_VALUE(ggate::error::kNoMemory, ENOMEM);
SAME_VALUE(ggate::error::kFault, EFAULT);
SAME_VALUE(ggate::error::kBusy, EBUSY);
SAME_VALUE(ggate::error::kExists, EEXIST);
SAME_VALUE(ggate::error::kInvalid, EINVAL);
SAME_VALUE(ggate::error::kTooManyUnits, ENFILE);
SAME_VALUE(ggate::error::kNotThisDevice, ENOTTY);
SAME_VALUE(ggate::error::kAgain, EAGAIN);
SAME_VALUE(ggate::error::kNotSupported, EOPNOTSUPP);
SAME_VALUE(ggate::error::kNameTooLong, ENAMETOOLONG);
SAME_VALUE(ggate::error::kNoSystemCall, ENOSYS);
SAME_VALUE(ggate::error::kCanceled, ECANCELED);
#endif
