// The interface of the GEOM gate kernel module and of disk devices, 64-bit little-endian, as core/spec/integration.md
// sections 6.1, 6.2 and 6.7 have it. Declared here so that driver and tests build on any system; on FreeBSD
// abi-check.c compares all of it with the system's own headers.
#pragma once
#include <cstddef>
#include <cstdint>

namespace ggate {

constexpr uint32_t kVersion = 3;
constexpr size_t kNameBytes = 255;
constexpr size_t kInfoBytes = 2048;

// Values of `unit` that are none. Never in MODIFY, START or DONE: the kernel panics for kUnitByName there.
constexpr int32_t kUnitAuto = -1;
constexpr int32_t kUnitByName = -2;

constexpr uint32_t kReadOnly = 1;
constexpr uint32_t kWriteOnly = 2;

constexpr uint32_t kModifyMediaSize = 1;
constexpr uint32_t kModifyInfo = 2;
constexpr uint32_t kModifyReadProvider = 4;
constexpr uint32_t kModifyReadOffset = 8;

constexpr uint32_t kRead = 1;
constexpr uint32_t kWrite = 2;
constexpr uint32_t kDelete = 3;
constexpr uint32_t kFlush = 5;
// Passed on by newer kernels; for a driver it is one of the unknown.
constexpr uint32_t kSpeedup = 10;

constexpr const char* kControlPath = "/dev/ggctl";
constexpr const char* kModuleName = "g_gate";
constexpr const char* kModuleFile = "geom_gate";
// A longer provider name is accepted, but no device node appears.
constexpr size_t kLongestNodeName = 63;

// All padding is a member, so that zeroing the members zeroes everything the kernel sees.
struct Create {
  uint32_t version;
  uint32_t padding0;
  int64_t media_size;
  uint32_t sector_size;
  uint32_t flags;
  uint32_t max_count;
  uint32_t timeout;
  char name[kNameBytes];
  char info[kInfoBytes];
  char read_provider[kNameBytes];
  char padding1[2];
  int64_t read_offset;
  int32_t unit;
  uint32_t padding2;
};

struct Modify {
  uint32_t version;
  int32_t unit;
  uint32_t modify;
  uint32_t padding0;
  int64_t media_size;
  char info[kInfoBytes];
  char read_provider[kNameBytes];
  char padding1[1];
  int64_t read_offset;
};

struct Destroy {
  uint32_t version;
  int32_t unit;
  int32_t force;
  char name[kNameBytes];
  char padding0[1];
};

struct Cancel {
  uint32_t version;
  int32_t unit;
  uint64_t seq;
  char name[kNameBytes];
  char padding0[1];
};

// START and DONE. `data` is an address.
struct Io {
  uint32_t version;
  int32_t unit;
  uint64_t seq;
  uint32_t command;
  uint32_t padding0;
  int64_t offset;
  int64_t length;
  uint64_t data;
  int32_t error;
  uint32_t padding1;
};

// Argument of the delete request of disk devices.
struct DeleteRange {
  int64_t offset;
  int64_t length;
};

constexpr unsigned long InOut(char group, unsigned number, size_t size) {
  return 0xC0000000ul | ((size & 0x1ffful) << 16) | (static_cast<unsigned long>(group) << 8) | number;
}

constexpr unsigned long kCreateRequest = InOut('m', 0, sizeof(Create));
constexpr unsigned long kModifyRequest = InOut('m', 1, sizeof(Modify));
constexpr unsigned long kDestroyRequest = InOut('m', 2, sizeof(Destroy));
constexpr unsigned long kCancelRequest = InOut('m', 3, sizeof(Cancel));
constexpr unsigned long kStartRequest = InOut('m', 4, sizeof(Io));
constexpr unsigned long kDoneRequest = InOut('m', 5, sizeof(Io));

constexpr unsigned long kDiskSectorSize = 0x40046480ul;
constexpr unsigned long kDiskMediaSize = 0x40086481ul;
constexpr unsigned long kDiskFlush = 0x20006487ul;
constexpr unsigned long kDiskDelete = 0x80106488ul;

// FreeBSD's numbers; system calls that go through the table (system.h) give these, and requests carry them.
namespace error {
constexpr int kPermission = 1;
constexpr int kNoEntry = 2;
constexpr int kInterrupted = 4;
constexpr int kInputOutput = 5;
constexpr int kNoDevice = 6;
constexpr int kBadDescriptor = 9;
constexpr int kNoMemory = 12;
constexpr int kFault = 14;
constexpr int kBusy = 16;
constexpr int kExists = 17;
constexpr int kInvalid = 22;
constexpr int kTooManyUnits = 23;
constexpr int kNotThisDevice = 25;
constexpr int kAgain = 35;
constexpr int kNotSupported = 45;
constexpr int kNameTooLong = 63;
constexpr int kCanceled = 85;
}  // namespace error

#define GGATE_STRUCT(type, theirs, bytes) static_assert(sizeof(type) == (bytes), "size of " #type);
#define GGATE_MEMBER(type, member, theirs, their_member, at, bytes)                        \
  static_assert(offsetof(type, member) == (at), #type "." #member " is not in its place"); \
  static_assert(sizeof(type::member) == (bytes), #type "." #member " has another size");
#define GGATE_VALUE(value, theirs, number) static_assert((value) == (number), #value);
#include "abi-layout.h"
#undef GGATE_STRUCT
#undef GGATE_MEMBER
#undef GGATE_VALUE

}  // namespace ggate
