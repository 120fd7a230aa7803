// Requests of FreeBSD's disk devices (core/spec/integration.md section 6.7). Results: 0 or errno.
#pragma once
#include "system.h"

#include <cstdint>

namespace ggate {

int DiskMediaSize(System& system, int descriptor, int64_t* bytes);
int DiskSectorSize(System& system, int descriptor, uint32_t* bytes);
int DiskFlush(System& system, int descriptor);
int DiskDelete(System& system, int descriptor, int64_t offset, int64_t length);

}  // namespace ggate
