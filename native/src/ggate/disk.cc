#include "disk.h"

#include "abi.h"

namespace ggate {

int DiskMediaSize(System& system, int descriptor, int64_t* bytes) {
  return system.Ioctl(descriptor, kDiskMediaSize, bytes);
}

int DiskSectorSize(System& system, int descriptor, uint32_t* bytes) {
  return system.Ioctl(descriptor, kDiskSectorSize, bytes);
}

int DiskFlush(System& system, int descriptor) { return system.Ioctl(descriptor, kDiskFlush, nullptr); }

int DiskDelete(System& system, int descriptor, int64_t offset, int64_t length) {
  DeleteRange range = {offset, length};
  return system.Ioctl(descriptor, kDiskDelete, &range);
}

}  // namespace ggate
