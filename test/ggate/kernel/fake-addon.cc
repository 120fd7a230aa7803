// The addon for tests: everything the real one has, on a fake kernel, which `useKernel(path)` names.
#include "../../../native/src/addon.h"
#include "remote-system.h"

static Napi::Value UseKernel(const Napi::CallbackInfo& info) {
  ggate::UseKernel(info[0].As<Napi::String>().Utf8Value());
  return info.Env().Undefined();
}

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  InitAddon(env, exports);
  exports.Set("useKernel", Napi::Function::New(env, UseKernel));
  return exports;
}

NODE_API_MODULE(hast, Init)
