// The real system calls. Where there is no GEOM gate the control device does not exist, and that is all that is seen of it.
#include "system.h"

#include "abi.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>

#if defined(__FreeBSD__)
#include <sys/param.h>
#include <sys/linker.h>
#include <sys/module.h>
#endif

namespace ggate {
namespace {

class RealSystem : public System {
 public:
  int Open(const char* path, bool writable) override {
    const int descriptor = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    return descriptor < 0 ? -errno : descriptor;
  }

  void Close(int descriptor) override { close(descriptor); }

  int Ioctl(int descriptor, unsigned long request, void* argument) override {
    return ioctl(descriptor, request, argument) < 0 ? errno : 0;
  }

  bool Exists(const char* path) override { return access(path, F_OK) == 0; }

#if defined(__FreeBSD__)
  bool HasModule(const char* name) override { return modfind(name) >= 0; }

  int LoadModule(const char* file) override { return kldload(file) < 0 ? errno : 0; }
#else
  bool HasModule(const char*) override { return false; }

  int LoadModule(const char*) override { return error::kNoEntry; }
#endif
};

}  // namespace

System& TheSystem() {
  static RealSystem* const system = new RealSystem();
  return *system;
}

}  // namespace ggate
