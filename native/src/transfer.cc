// Transfers that are done at once, for what does not wait: files in the page cache.
#include "addon.h"

#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

template <typename Call>
static Napi::Value Transfer(const Napi::CallbackInfo& info, Call call) {
  auto buffer = info[1].As<Napi::Uint8Array>();
  ssize_t bytes;
  do {
    bytes = call(IntAt(info, 0), buffer.Data(), buffer.ByteLength(), static_cast<off_t>(Int64At(info, 2)));
  } while (bytes < 0 && errno == EINTR);
  return Napi::Number::New(info.Env(), static_cast<double>(bytes < 0 ? -errno : bytes));
}

static Napi::Value Read(const Napi::CallbackInfo& info) { return Transfer(info, pread); }

// Nothing that has to wait: EAGAIN, or the part that is there.
static ssize_t ReadCached(int fd, void* data, size_t length, off_t offset) {
#if defined(__linux__)
  iovec piece = {data, length};
  return preadv2(fd, &piece, 1, offset, RWF_NOWAIT);
#else
  errno = EOPNOTSUPP;
  return -1;
#endif
}

static Napi::Value ReadIfCached(const Napi::CallbackInfo& info) { return Transfer(info, ReadCached); }

static Napi::Value Write(const Napi::CallbackInfo& info) { return Transfer(info, pwrite); }

static Napi::Value Waits(const Napi::CallbackInfo& info) {
  rusage usage = {};
  getrusage(RUSAGE_THREAD, &usage);
  return Napi::Number::New(info.Env(), static_cast<double>(usage.ru_nvcsw));
}

void InitTransfer(Napi::Env env, Napi::Object exports) {
  exports.Set("read", Napi::Function::New(env, Read));
  exports.Set("readIfCached", Napi::Function::New(env, ReadIfCached));
  exports.Set("waits", Napi::Function::New(env, Waits));
  exports.Set("write", Napi::Function::New(env, Write));
}
