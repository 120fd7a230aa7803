// What every payload goes through (core/spec/wire.md section 4): the test for holes, and LZF.
#include "addon.h"
#include "lzf.h"

#include <cstring>

namespace {

struct Bytes {
  explicit Bytes(const Napi::Value& value) {
    Napi::Uint8Array array = value.As<Napi::Uint8Array>();
    data = array.Data();
    size = array.ByteLength();
  }

  uint8_t* data;
  size_t size;
};

}  // namespace

static Napi::Value IsZero(const Napi::CallbackInfo& info) {
  const Bytes bytes(info[0]);
  // Zero is what begins with a zero and is equal to itself moved by a byte.
  const bool zero =
      bytes.size == 0 || (bytes.data[0] == 0 && std::memcmp(bytes.data, bytes.data + 1, bytes.size - 1) == 0);
  return Napi::Boolean::New(info.Env(), zero);
}

static Napi::Value LzfCompress(const Napi::CallbackInfo& info) {
  static thread_local lzf::Encoder encoder;
  const Bytes source(info[0]);
  const Bytes target(info[1]);
  const size_t length = encoder.Compress(source.data, source.size, target.data, target.size);
  return Napi::Number::New(info.Env(), static_cast<double>(length));
}

static Napi::Value LzfDecompress(const Napi::CallbackInfo& info) {
  const Bytes source(info[0]);
  const Bytes target(info[1]);
  const int64_t length = lzf::Decompress(source.data, source.size, target.data, target.size);
  return Napi::Number::New(info.Env(), static_cast<double>(length));
}

void InitCodecs(Napi::Env env, Napi::Object exports) {
  exports.Set("isZero", Napi::Function::New(env, IsZero));
  exports.Set("lzfCompress", Napi::Function::New(env, LzfCompress));
  exports.Set("lzfDecompress", Napi::Function::New(env, LzfDecompress));
}
