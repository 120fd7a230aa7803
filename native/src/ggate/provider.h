// GEOM gate providers as a whole (core/spec/integration.md sections 6.1, 6.3 and 6.5): reaching the kernel, making one
// provider, taking over one that is there, removing one. Names are with `hast/`. Results: 0 or errno.
#pragma once
#include "system.h"

#include <cstdint>
#include <string>

namespace ggate {

struct Geometry {
  int64_t media_size = 0;
  uint32_t sector_size = 0;
};

inline bool operator==(const Geometry& a, const Geometry& b) {
  return a.media_size == b.media_size && a.sector_size == b.sector_size;
}

// Opens the control device, with the module loaded when it was not; the descriptor, or the errno negated.
int OpenControl(System& system);

// The geometry of a provider that is there; zeros when there is none, or nobody may look.
Geometry GeometryOf(System& system, const std::string& name);

// How a provider came to be ours.
enum class Origin : int32_t { kCreated = 0, kRecovered = 1, kReplaced = 2 };

struct Attachment {
  int error = 0;
  int unit = -1;
  Origin origin = Origin::kCreated;
};

// Creates the provider. One that a dead worker has left is taken over, with what it had not finished, when `left` says
// that it is as large as this one is to be; else it is removed first. `info` is for those who list providers.
Attachment Attach(System& system, int control, const std::string& name, const Geometry& geometry,
                  const Geometry& left, const std::string& info);

// The unit of the provider. Disturbs nothing.
int UnitOf(System& system, int control, const std::string& name, int* unit);

// Removes the provider whoever uses it: its requests fail with ENXIO. Returns when its node is gone, too.
int DestroyByForce(System& system, int control, const std::string& name);

// The same for somebody who has not opened the control device; success when there is no such provider.
int Remove(System& system, const std::string& name);

}  // namespace ggate
