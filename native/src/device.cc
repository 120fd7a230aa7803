// Local components: lock, sizes, flush and delete (core/spec/integration.md sections 6.7 and 7).
#include "addon.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <unistd.h>

#if defined(__linux__)
#include <linux/fs.h>
#elif defined(__FreeBSD__)
#include "ggate/disk.h"
#include "ggate/system.h"
#endif

static Napi::Value Flock(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), ErrnoOf(flock(IntAt(info, 0), LOCK_EX | LOCK_NB)));
}

static Napi::Value MediaSize(const Napi::CallbackInfo& info) {
#if defined(__linux__)
  uint64_t bytes = 0;
  const int error = ErrnoOf(ioctl(IntAt(info, 0), BLKGETSIZE64, &bytes));
#elif defined(__FreeBSD__)
  int64_t bytes = 0;
  const int error = ggate::DiskMediaSize(ggate::TheSystem(), IntAt(info, 0), &bytes);
#else
  const int bytes = 0;
  const int error = ENOSYS;
#endif
  return Napi::Number::New(info.Env(), error != 0 ? -error : static_cast<double>(bytes));
}

static Napi::Value SectorSize(const Napi::CallbackInfo& info) {
#if defined(__linux__)
  int bytes = 0;
  const int error = ErrnoOf(ioctl(IntAt(info, 0), BLKSSZGET, &bytes));
#elif defined(__FreeBSD__)
  uint32_t bytes = 0;
  const int error = ggate::DiskSectorSize(ggate::TheSystem(), IntAt(info, 0), &bytes);
#else
  const int bytes = 0;
  const int error = ENOSYS;
#endif
  return Napi::Number::New(info.Env(), error != 0 ? -error : static_cast<double>(bytes));
}

static Napi::Value FlushDevice(const Napi::CallbackInfo& info) {
  const int fd = IntAt(info, 0);
  return RunBlocking(info, 1, [fd] {
#if defined(__FreeBSD__)
    return ggate::DiskFlush(ggate::TheSystem(), fd);
#else
    return ErrnoOf(fsync(fd));
#endif
  });
}

static Napi::Value Discard(const Napi::CallbackInfo& info) {
  const int fd = IntAt(info, 0);
  const int64_t offset = Int64At(info, 1);
  const int64_t length = Int64At(info, 2);
  return RunBlocking(info, 3, [fd, offset, length] {
#if defined(__linux__)
    uint64_t range[2] = {static_cast<uint64_t>(offset), static_cast<uint64_t>(length)};
    return ErrnoOf(ioctl(fd, BLKDISCARD, range));
#elif defined(__FreeBSD__)
    return ggate::DiskDelete(ggate::TheSystem(), fd, offset, length);
#else
    return EOPNOTSUPP;
#endif
  });
}

static Napi::Value PunchHole(const Napi::CallbackInfo& info) {
  const int fd = IntAt(info, 0);
  const int64_t offset = Int64At(info, 1);
  const int64_t length = Int64At(info, 2);
  return RunBlocking(info, 3, [fd, offset, length] {
#if defined(__linux__)
    return ErrnoOf(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length));
#elif defined(SPACECTL_DEALLOC)
    struct spacectl_range rest = {offset, length};
    while (rest.r_len > 0) {
      const int error = ErrnoOf(fspacectl(fd, SPACECTL_DEALLOC, &rest, 0, &rest));
      if (error != 0 && error != EINTR) return error;
    }
    return 0;
#else
    return EOPNOTSUPP;
#endif
  });
}

void InitDevice(Napi::Env env, Napi::Object exports) {
  exports.Set("flock", Napi::Function::New(env, Flock));
  exports.Set("mediaSize", Napi::Function::New(env, MediaSize));
  exports.Set("sectorSize", Napi::Function::New(env, SectorSize));
  exports.Set("flushDevice", Napi::Function::New(env, FlushDevice));
  exports.Set("discard", Napi::Function::New(env, Discard));
  exports.Set("punchHole", Napi::Function::New(env, PunchHole));
}
