#include "provider.h"

#include "abi.h"
#include "disk.h"

#include <chrono>
#include <cstring>
#include <thread>

namespace ggate {
namespace {

// The kernel removes nodes some time after DESTROY has returned.
constexpr auto kNodeLimit = std::chrono::seconds(5);
constexpr auto kNodePoll = std::chrono::milliseconds(5);
// A seq that no request has.
constexpr uint64_t kNoSeq = UINT64_MAX;

std::string NodeOf(const std::string& name) { return "/dev/" + name; }

template <typename Request>
Request NewRequest() {
  Request request = {};
  request.version = kVersion;
  request.unit = kUnitByName;
  return request;
}

// `field` is zeroed and longer than any name that `Attach` lets pass.
template <size_t kBytes>
void SetText(char (&field)[kBytes], const std::string& text) {
  std::memcpy(field, text.data(), text.size() < kBytes ? text.size() : kBytes - 1);
}

int CreateNow(System& system, int control, const std::string& name, const Geometry& geometry,
              const std::string& info, int* unit) {
  Create create = NewRequest<Create>();
  create.media_size = geometry.media_size;
  create.sector_size = geometry.sector_size;
  SetText(create.name, name);
  SetText(create.info, info);
  const int failed = system.Ioctl(control, kCreateRequest, &create);
  // After a failure it is not one.
  if (failed == 0) *unit = create.unit;
  return failed;
}

int CancelByName(System& system, int control, const std::string& name, uint64_t seq, int* unit) {
  Cancel cancel = NewRequest<Cancel>();
  cancel.seq = seq;
  SetText(cancel.name, name);
  const int failed = system.Ioctl(control, kCancelRequest, &cancel);
  if (failed == 0) *unit = cancel.unit;
  return failed;
}

// The text is for people only: a refusal changes nothing.
void TellInfo(System& system, int control, int unit, const std::string& info) {
  Modify modify = NewRequest<Modify>();
  modify.unit = unit;
  modify.modify = kModifyInfo;
  SetText(modify.info, info);
  if (unit >= 0) system.Ioctl(control, kModifyRequest, &modify);
}

void WaitForNodeToGo(System& system, const std::string& name) {
  const auto limit = std::chrono::steady_clock::now() + kNodeLimit;
  while (system.Exists(NodeOf(name).c_str()) && std::chrono::steady_clock::now() < limit) {
    std::this_thread::sleep_for(kNodePoll);
  }
}

}  // namespace

int OpenControl(System& system) {
  // The interface is declared for these.
  if (sizeof(void*) != 8) return -error::kNotSupported;
  const int control = system.Open(kControlPath, true);
  if (control != -error::kNoEntry || system.HasModule(kModuleName)) return control;
  const int failed = system.LoadModule(kModuleFile);
  if (failed != 0 && failed != error::kExists) return -failed;
  return system.Open(kControlPath, true);
}

Geometry GeometryOf(System& system, const std::string& name) {
  Geometry geometry;
  const int node = system.Open(NodeOf(name).c_str(), false);
  if (node < 0) return geometry;
  const bool is_known = DiskMediaSize(system, node, &geometry.media_size) == 0 &&
                        DiskSectorSize(system, node, &geometry.sector_size) == 0;
  system.Close(node);
  return is_known ? geometry : Geometry();
}

Attachment Attach(System& system, int control, const std::string& name, const Geometry& geometry,
                  const Geometry& left, const std::string& info) {
  Attachment made;
  if (name.size() > kLongestNodeName) {
    made.error = error::kNameTooLong;
    return made;
  }
  // Somebody may remove or make the provider meanwhile, but not for ever.
  for (int attempt = 0; attempt < 3; attempt++) {
    made.error = CreateNow(system, control, name, geometry, info, &made.unit);
    if (made.error != error::kExists) return made;
    if (left == geometry) {
      made.error = CancelByName(system, control, name, 0, &made.unit);
      if (made.error == 0) {
        made.origin = Origin::kRecovered;
        TellInfo(system, control, made.unit, info);
        return made;
      }
      if (made.error != error::kNoDevice) return made;
    } else {
      made.error = DestroyByForce(system, control, name);
      if (made.error != 0 && made.error != error::kNoDevice) return made;
      made.origin = Origin::kReplaced;
    }
  }
  return made;
}

int UnitOf(System& system, int control, const std::string& name, int* unit) {
  return CancelByName(system, control, name, kNoSeq, unit);
}

int DestroyByForce(System& system, int control, const std::string& name) {
  Destroy destroy = NewRequest<Destroy>();
  destroy.force = 1;
  SetText(destroy.name, name);
  const int failed = system.Ioctl(control, kDestroyRequest, &destroy);
  if (failed == 0) WaitForNodeToGo(system, name);
  return failed;
}

int Remove(System& system, const std::string& name) {
  const int control = system.Open(kControlPath, true);
  if (control == -error::kNoEntry) return 0;
  if (control < 0) return -control;
  const int failed = DestroyByForce(system, control, name);
  system.Close(control);
  return failed == error::kNoDevice ? 0 : failed;
}

}  // namespace ggate
