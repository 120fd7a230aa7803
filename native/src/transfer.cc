// Transfers that are done at once, for what does not wait: files in the page cache.
#include "addon.h"

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

static Napi::Value Write(const Napi::CallbackInfo& info) { return Transfer(info, pwrite); }

void InitTransfer(Napi::Env env, Napi::Object exports) {
  exports.Set("read", Napi::Function::New(env, Read));
  exports.Set("write", Napi::Function::New(env, Write));
}
